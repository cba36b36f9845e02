"""data/raw/<source>/ → data/prepared/<name>/: gray, one size, one uint8 memory map, an index, splits by patient."""

import csv
import hashlib
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xrgan import console
from xrgan.config import NONE, Config, PrepareConfig
from xrgan.data.fetching.record import read_record
from xrgan.data.images import Pixels, save_png
from xrgan.data.preparing import packing, summary
from xrgan.data.preparing.dataset_card import Choices, DatasetCard, Inputs, Moves, Skip, describe, read_card
from xrgan.data.preparing.duplicates import find_groups
from xrgan.data.preparing.filters import map_of, subsample
from xrgan.data.preparing.gathering import find_rows, gather, origin_of_splits, usual_map_of
from xrgan.data.preparing.hidden_names import keep_names
from xrgan.data.preparing.mask_channels import choose_mask_channels
from xrgan.data.preparing.resize import ImageFormat
from xrgan.data.preparing.splits import settle
from xrgan.data.reading.marked import SAMPLE
from xrgan.data.reading.masks import NO_BOXES
from xrgan.data.reading.pictures import read_picture
from xrgan.data.source import Source
from xrgan.data.sources import SOURCES
from xrgan.data.staging import growing, locked, partial_of, remove
from xrgan.data.tables.cells import PEOPLE
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml
from xrgan.option_syntax import MINMAX

DEFAULTS = PrepareConfig().model_dump(mode="json")
TAKEN_HINT = "Give the new one a name of its own with --name, or replace the old one with --force."
INDEX = ["file", "label", "patient", "split", "view", "width", "height", "kind", "mask", "hash", "duplicate_of"]


def prepare(raw: Path, prepared_root: Path, config: PrepareConfig, name: str = "", force: bool = False) -> Path:
    """Pack a folder of images; a second call with the same options and files does nothing.

    An interrupted one is resumed.

    Args:
        raw: a fetched source, or any folder of images.
        name: of the dataset; `<source>_<size>` without one.
        force: replace a dataset of that name that was prepared otherwise.

    Returns:
        The dataset's folder.

    Raises:
        XrganError: there is no image, none can be read, the name is no folder's, a label, view or mask is asked for
            that there is none of, or the name is taken by another preparation or by something that is no dataset.
    """
    origin = _origin_of(raw)
    name = name or f"{origin['name']}_{config.size}"
    if name != Path(name).name or name.startswith("."):
        raise XrganError(f"{name!r} can't be the name of a dataset.", "Give it the name of a folder with --name.")
    target = prepared_root / name
    source = _source_of(raw, origin)
    console.notice(f"Looking through {raw} …")
    rows, choices = gather(raw, prepared_root, source, config)
    of_source = source.masks if source else ()
    mask_values = config.mask_values or _values_of_samples(raw)
    structures = choose_mask_channels(config.masks, rows, raw, of_source, mask_values)
    image_format = _image_format(config, structures, mask_values, _box_frame(rows, raw, source))
    inputs = _inputs_of(origin, rows, raw, config)
    with locked(target):
        if target.exists() and not force:
            return _keep(target, inputs)
        rows = _subsampled(rows, config, choices)
        unfinished = partial_of(target)
        journal = packing.pack(raw, rows, image_format, config.workers, unfinished, inputs)
        _require_one(rows, journal, unfinished)
        packed, skipped, moves = _index(rows, journal, config, unfinished, image_format)
        packing.finish(unfinished, image_format, keep=packed["keep"].to_numpy())
        packed = packed[packed["keep"]].reset_index(drop=True)
        file = unfinished / packing.IMAGES
        card = describe(inputs, choices, moves, packed, skipped, file, image_format)
        real = source is None or source.origin != "phantom"
        preview = summary.preview(np.load(file, mmap_mode="r"), packed, image_format, config.seed, real)
        _write(target, file, packed, card, preview)
        remove(unfinished)
    keep_names(rows, prepared_root, name)
    summary.warn(target)
    return target


def _require_one(rows: pd.DataFrame, journal: pd.DataFrame, unfinished: Path) -> None:
    if not journal["reason"].eq("").any():
        remove(unfinished)
        reason = f"{_printable(rows['name'][0])}: {journal['reason'][0]}"
        raise XrganError(f"None of the {len(rows)} images can be packed; {reason}.")


def _write(target: Path, images: Path, packed: pd.DataFrame, card: DatasetCard, preview: Pixels) -> None:
    """Make the dataset's folder whole, or not at all; the file of the images is moved into it."""
    people = [role for role in PEOPLE if role in packed and packed[role].ne("").any()]
    with growing(target) as staging:
        _write_index(packed[[*INDEX, *people]], staging / "index.csv")
        write_yaml(staging / "dataset.yaml", card)
        save_png(staging / "preview.png", preview)
        images.rename(staging / packing.IMAGES)  # last: until then an interruption leaves it to the next attempt


def _subsampled(rows: pd.DataFrame, config: PrepareConfig, choices: Choices) -> pd.DataFrame:
    """The images that `fraction` and `limit` leave; what is said of them goes into `choices`."""
    kept = subsample(rows, config)
    if len(kept) < len(rows):
        choices["left_out"]["beyond --fraction or --limit"] = len(rows) - len(kept)
    choices["splits"] = origin_of_splits(kept)
    return kept


def plan(raw: Path, whole: Config, name: str = "") -> Config:
    """Say what `prepare` would make of a folder, and make nothing: the dataset's name, and what `auto` means for it.

    Raises:
        XrganError: as `prepare`, where the folder's names and tables alone tell.
    """
    config, origin = whole.prepare, _origin_of(raw)
    source = _source_of(raw, origin)
    scanned, told = find_rows(raw, source, config)
    of_source = source.masks if source else ()
    structures = choose_mask_channels(config.masks, scanned.rows, raw, of_source, config.mask_values)
    meant: dict[str, object] = {
        "masks": ",".join(structures) or NONE,
        "map": map_of(config, usual_map_of(source, told)) or NONE,
    }
    for role, column in (told.facts[0]["columns"] if told else {}).items():
        meant[f"{role}_column"] = (column,) if role == "label" and isinstance(column, str) else column
    dataset = name or f"{origin['name']}_{config.size}"
    return whole.model_copy(update={"dataset": dataset, "prepare": config.model_copy(update=meant)})


def _source_of(raw: Path, origin: dict[str, Any]) -> Source | None:
    """The known source that was fetched there. Its name alone says nothing: anybody may have a folder called lungs."""
    return SOURCES.get(origin["name"]) if (raw / "source.yaml").is_file() else None


def _origin_of(raw: Path) -> dict[str, Any]:
    """The source's name, and what its source.yaml says that belongs into a paper."""
    name = raw.resolve().name or "images"
    if not (raw / "source.yaml").is_file():
        return {"name": name}
    source = read_record(raw)
    keys = ("title", "from", "licence", "citation", "url", "fetched", "archive_sha256")
    return {"name": name} | {key: str(source[key]) for key in keys if source.get(key)}


def _box_frame(rows: pd.DataFrame, raw: Path, source: Source | None) -> int:
    """Pixels a side of the pictures that boxes were drawn in, where the images here are smaller; 0 = of the images."""
    drawn = rows[~rows["boxes"].isin(["", NO_BOXES])]
    if source is None or not source.box_frame or drawn.empty:
        return 0
    boxes = [[float(number) for number in box.split()] for cell in drawn["boxes"] for box in cell.split(";")]
    reach = max(max(left + wide, top + high) for left, top, wide, high in boxes)
    try:
        picture = read_picture(raw / drawn["file"].iloc[0], 1, MINMAX)
    except ValueError:
        return 0
    return source.box_frame if reach > max(picture.width, picture.height) else 0


def _values_of_samples(raw: Path) -> str:
    """What the values of masks mean in a folder that `xrgan sample` filled, as `prepare.mask_values`; "" = unsaid."""
    file = raw / SAMPLE
    said = read_yaml(file).get("mask_values") if file.is_file() else None
    return ",".join(f"{value}={structure}" for structure, value in said.items()) if isinstance(said, dict) else ""


def _image_format(config: PrepareConfig, structures: tuple[str, ...], mask_values: str, box_frame: int) -> ImageFormat:
    return ImageFormat(
        size=config.size,
        fit=config.fit,
        channels=config.channels,
        window=config.window,
        clahe=config.clahe,
        structures=structures,
        mask_values=mask_values,
        box_frame=box_frame,
        keep_blank=config.keep_blank,
        allow_synthetic=config.allow_synthetic,
    )


def _inputs_of(origin: dict[str, Any], rows: pd.DataFrame, raw: Path, config: PrepareConfig) -> Inputs:
    """What decides the result. How many workers decode it doesn't matter."""
    listing = hashlib.sha256()
    columns = ["file", "label", "patient", "split", "mask", "boxes"]
    if config.table:
        columns += [role for role in PEOPLE if role in rows]  # what headers and sources say of them decides nothing
    for file, *said in rows[columns].itertuples(index=False):
        size = _size(f"{raw}/{file}")
        listing.update("\0".join([file, *said, f"{size}\n"]).encode(errors="surrogateescape"))
    options = config.model_dump(mode="json", exclude={"workers"})
    return {"source": origin, "options": options, "files": len(rows), "listing_sha256": listing.hexdigest()}


def _size(file: str) -> int:
    try:
        return os.stat(file).st_size  # noqa: PTH116 (a Path for each of 100,000 files takes longer than the question)
    except OSError:
        return -1


def _keep(target: Path, inputs: Inputs) -> Path:
    """The dataset that is there, if it is what was asked for."""
    if not (target / "dataset.yaml").is_file():
        raise XrganError(f"{target} is there already, and is no prepared dataset.", TAKEN_HINT)
    card = read_card(target)
    for key, value in inputs["options"].items():
        had = card.get("options", {}).get(key, DEFAULTS[key])  # an option that came after it
        if had != value:
            raise XrganError(f"{target} was prepared with {key}: {had}, not {value}.", TAKEN_HINT)
    if card.get("listing_sha256") != inputs["listing_sha256"]:
        raise XrganError(f"The source's files or labels have changed since {target} was prepared.", TAKEN_HINT)
    console.notice(f"{target} is there already, prepared with the same options.")
    return target


def _index(
    rows: pd.DataFrame, journal: pd.DataFrame, config: PrepareConfig, unfinished: Path, image_format: ImageFormat
) -> tuple[pd.DataFrame, list[Skip], Moves]:
    """Join what the source says of the images to what decoding found.

    Returns:
        The packed rows, with the columns of INDEX and `keep`, False where a duplicate is dropped; the skipped files
        with their reasons; and what is to be said of duplicates and moved patients.
    """
    whole = (journal["reason"] == "").to_numpy()
    skipped: list[Skip] = [
        {"file": _printable(name), "reason": reason}
        for name, reason in zip(rows["name"][~whole], journal["reason"][~whole], strict=True)
    ]
    named = rows.assign(file=rows["name"])
    packed = pd.concat([named, journal.rename(columns={"content": "hash"})], axis=1)[whole].reset_index(drop=True)
    read = partial(packing.read_xray, unfinished, image_format)
    first_copy = find_groups(packed["hash"].to_numpy(), packed["perceptual"].to_numpy(), read)
    settled = settle(packed, first_copy, config.fix_leaks)
    is_copy = first_copy != np.arange(len(packed))
    exact = packed["hash"].duplicated().to_numpy()
    labels = packed["label"].groupby(first_copy).nunique()
    moves: Moves = {
        "duplicates": int(exact.sum()),
        "near_duplicates": int((is_copy & ~exact).sum()),
        "pictures_of_two_classes": int((labels > 1).sum()),
        "images_moved_beside_their_copies": settled.moved_duplicates,
        "images_moved_beside_their_patients": settled.moved_patients,
    }
    packed["split"] = settled.splits
    packed["duplicate_of"] = np.where(is_copy, packed["file"].to_numpy()[first_copy], "")
    packed["mask"] = packed["mask_name"]
    packed["keep"] = ~(is_copy & config.drop_duplicates)
    for file, other in packed.loc[~packed["keep"], ["file", "duplicate_of"]].itertuples(index=False):
        skipped.append({"file": str(file), "reason": f"shows the same picture as {other}"})
    return packed, skipped, moves


def _write_index(index: pd.DataFrame, file: Path) -> None:
    # By itself, the csv module quotes a \n in a name, but not a \r, which readers take for a line's end too.
    odd = any(index[column].astype(str).str.contains("\r").any() for column in index.columns)
    index.to_csv(file, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC if odd else csv.QUOTE_MINIMAL)


def _printable(name: str) -> str:
    """A name for YAML and terminals: control characters, and bytes that are no text, are written as escapes."""
    return name if name.isprintable() else name.encode("unicode_escape").decode()
