"""A folder of synthetic images: numbered files, an index, and their provenance, so that more can be added."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from xrgan import console, ranks
from xrgan.data.images import Pixels, grid, save_png
from xrgan.data.reading import masks
from xrgan.data.secondary_capture import save_dicom
from xrgan.data.sheets import legend_of, shown, with_caption
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_csv, write_yaml
from xrgan.gan import checkpoint
from xrgan.gan.networks.base import ImageSpec
from xrgan.gan.rejection import GROWING_KEYS, Rejection, RejectionRecord, accepted_images
from xrgan.gan.sampler import BLOCK, Sampler, check_weights, sample_block, sample_labels, sample_numbers
from xrgan.marks import Mark, mark_of
from xrgan.rundir import RunDir

SHEET_IMAGES = 100  # on the contact sheet
RECORD_FILE = "sample.yaml"
SHEET = "sheet.png"
IMAGE, MASK = re.compile(r"synthetic_[0-9]+"), re.compile(r"synthetic_[0-9]+_mask")  # stems
LEAST_OF_FILE = 4096  # bytes that a file takes on a disk
ENDINGS = {"png": ".png", "dicom": ".dcm"}
MOST_SHRUNK = 3  # times that a PNG of an X-ray is smaller than its pixels, at most


class _Provenance(BaseModel):
    """What is read back of sample.yaml."""

    seed: int = 0
    step: int = 0
    judged: int = 0
    dropped: list[int] = []


@dataclass(frozen=True)
class Sampled:
    """What `fill` left in a folder."""

    folder: Path
    images: int
    added: int
    sheet: Path
    record: RejectionRecord


def fill(
    sampler: Sampler,
    folder: Path,
    n: int,
    seed: int,
    label: str = "",
    run_name: str = "",
    overwrite: bool = False,
    rejection: Rejection | None = None,
    formats: Sequence[str] = ("png",),
) -> Sampled:
    """Bring `folder` to (at least) n images: `synthetic_00001.png` …, index.csv, sheet.png, sample.yaml.

    Where the model draws masks, `synthetic_00001_mask.png` … hold them, with the values of sample.yaml.

    Asked again for more, the missing ones are added; the images that are there stay. Several processes draw whole
    blocks in turn, and the first one writes the rest: the files are the same.

    Args:
        rejection: turns images down, in one process; the next numbers of the seed are drawn instead, so that there are
            gaps in the names, and image k is the same as without it. sample.yaml names the numbers.
        formats: of each image's files: png, dicom (`synthetic_00001.dcm` …).

    Raises:
        XrganError: the folder holds images of another seed, label or checkpoint, and `overwrite` is false; or hardly
            any image is accepted.
    """
    check_weights(sampler)
    sample_labels(sampler, seed, 0, 1, label)  # an unknown label is refused before anything is touched
    provenance = _provenance(sampler, seed, label, run_name, rejection)
    first = ranks.is_first()
    record = _open_folder(folder, provenance, overwrite) if first else RejectionRecord()

    def save_record(grown: RejectionRecord) -> None:
        write_yaml(folder / RECORD_FILE, provenance | grown.to_dict())

    if rejection:
        wanted, total = _accepted(sampler, n, seed, label, rejection, record, save_record), n
    else:
        missing = ranks.of_first(_missing(folder, n, formats))
        own = [k for k in missing if k // BLOCK % ranks.size() == ranks.rank()]
        wanted, total = sample_numbers(sampler, own, seed, label), len(own)
    _need_room(folder, sampler.spec, total * ranks.size())
    added = ranks.total(_save_all(folder, wanted, total, sampler, seed, label, formats))
    numbers = list(map(_number_of, list_images(folder)))
    if first:
        _write_index(folder, sampler, seed, label)
        _write_sheet(folder / SHEET, sampler, seed, label, numbers[: min(n, SHEET_IMAGES)], run_name)
    return Sampled(folder, len(numbers), added, folder / SHEET, record)


def draw_numbers(
    sampler: Sampler, folder: Path, numbers: Sequence[int], seed: int, label: str, run_name: str, formats: Sequence[str]
) -> None:
    """Draw the images of these ascending numbers (from 0) of a seed into a new folder, with all that `fill` writes."""
    write_yaml(folder / RECORD_FILE, _provenance(sampler, seed, label, run_name, None))
    images = sample_numbers(sampler, numbers, seed, label)
    _save_all(folder, images, len(numbers), sampler, seed, label, formats)
    _write_index(folder, sampler, seed, label)
    _write_sheet(folder / SHEET, sampler, seed, label, numbers[:SHEET_IMAGES], run_name)


def _write_sheet(file: Path, sampler: Sampler, seed: int, label: str, numbers: Sequence[int], run_name: str) -> None:
    """Write the contact sheet of the images of these numbers, with what it shows below it."""
    sheet, caption = contact_sheet(sampler, seed, label, numbers), caption_of(sampler, seed, label, numbers, run_name)
    mark = mark_of(sampler.marked_origin, seed, label=label, shows="contact sheet")
    save_png(file, with_caption(sheet, caption), mark)


def _save_all(
    folder: Path,
    images: Iterator[tuple[int, Pixels]],
    total: int,
    sampler: Sampler,
    seed: int,
    label: str,
    formats: Sequence[str],
) -> int:
    """Write those images (number, pixels) that the folder lacks, behind a bar: how many."""
    added = 0
    with console.progress("Drawing", total) as bar:
        for k, image in images:
            lacking = [one for one in formats if not _file(folder, k, one).is_file()]
            for one in lacking:
                _save(_file(folder, k, one), image, sampler.spec, mark_of_image(sampler, seed, k, label))
            added += bool(lacking)
            bar.advance()
    return added


def _missing(folder: Path, n: int, formats: Sequence[str]) -> list[int]:
    """Which of the first n images a folder lacks in any of the formats."""
    present = {file.name for file in folder.glob("synthetic_*")}
    return [k for k in range(n) if not present.issuperset(_file(folder, k, one).name for one in formats)]


def _provenance(sampler: Sampler, seed: int, label: str, run_name: str, rejection: Rejection | None) -> dict[str, Any]:
    """What all images of one folder have in common."""
    provenance: dict[str, Any] = {
        "run": run_name,
        "step": sampler.step,
        "seed": seed,
        "ema": sampler.ema,
        "label": label,
        "size": sampler.spec.size,
        "channels": sampler.spec.channels,
    }
    if sampler.balance:
        provenance["balance"] = True
    if sampler.spec.masks:
        provenance["mask_values"] = {name: masks.value(name, sampler.spec.masks) for name in sampler.spec.masks}
    if rejection:
        provenance["reject_copies"] = rejection.by
    return provenance


def _accepted(
    sampler: Sampler,
    n: int,
    seed: int,
    label: str,
    rejection: Rejection,
    record: RejectionRecord,
    save_record: Callable[[RejectionRecord], None],
) -> Iterator[tuple[int, Pixels]]:
    """The first n images of a seed that are accepted; where classes come in turn, as many of each."""
    accept = rejection.load()

    def groups(classes: NDArray[np.int64]) -> NDArray[np.int64]:
        return classes if sampler.balance else np.zeros_like(classes)

    def block_with_groups(block: int) -> tuple[Pixels, NDArray[np.int64]]:
        images, classes = sample_block(sampler, seed, block, label)
        return images, groups(classes)

    def accept_xrays(images: Pixels) -> NDArray[np.bool_]:
        return accept(images[:, : sampler.spec.channels])

    wanted = np.bincount(groups(sample_labels(sampler, seed, 0, n, label)))
    return accepted_images(block_with_groups, wanted, accept_xrays, record, save_record)


def list_images(folder: Path) -> list[Path]:
    """The images in a folder that `sample` filled, without their masks; each once: as PNG, where it is there so."""
    files = (file for ending in (".dcm", ".png") for file in folder.glob(f"synthetic_*[0-9]{ending}"))
    return sorted({file.stem: file for file in files if IMAGE.fullmatch(file.stem)}.values(), key=_number_of)


def _file(folder: Path, k: int, image_format: str) -> Path:
    return folder / f"synthetic_{k + 1:05d}{ENDINGS[image_format]}"


def _need_room(folder: Path, spec: ImageSpec, images: int) -> None:
    """Refuse what the disk surely can't take, before hours of drawing.

    Raises:
        XrganError: it has too little room.
    """
    of_one = max(LEAST_OF_FILE, spec.size**2 * spec.channels // MOST_SHRUNK) + (LEAST_OF_FILE if spec.masks else 0)
    needed, free = images * of_one, shutil.disk_usage(folder).free
    if needed > free:
        raise XrganError(
            f"{images:,} images take {needed / 1e9:,.1f} GB or more, and the disk of {folder} has {free / 1e9:,.1f} GB"
            " free.",
            "Draw fewer (`--n`), or into another place (`--out DIR`).",
        )


def mark_of_image(sampler: Sampler, seed: int, k: int, label: str = "") -> Mark:
    """Make the mark of image k (from 0) of a seed."""
    number = int(sample_labels(sampler, seed, k, 1, label)[0])
    return mark_of(sampler.marked_origin, seed, k + 1, sampler.classes[number] if number >= 0 else "")


def _save(file: Path, image: Pixels, spec: ImageSpec, mark: Mark) -> None:
    """Write an image, and first its mask: an image that is there is whole."""
    if spec.masks:
        of_mask = replace(mark, said={**mark.said, "Shows": f"masks of {', '.join(spec.masks)}"})
        mask = masks.code(image[spec.channels :], spec.masks)
        if file.suffix == ENDINGS["dicom"]:
            save_dicom(_mask_of(file), mask, of_mask, of_masks=True)
        else:
            save_png(_mask_of(file), mask, of_mask)
    if file.suffix == ENDINGS["dicom"]:
        save_dicom(file, image[: spec.channels], mark)
    else:
        save_png(file, image[: spec.channels], mark)


def _mask_of(file: Path) -> Path:
    return file.with_name(f"{file.stem}_mask{file.suffix}")


def recorded_seed(folder: Path, default: int) -> int:
    """The seed that a folder's images were drawn from, so that more of the same can be added."""
    return int(_recorded(folder).get("seed", default))


def recorded_checkpoint(folder: Path, run: RunDir) -> str:
    """The checkpoint that a folder's images were drawn from, so that more can be added; empty: the one that draws."""
    step = _recorded(folder).get("step")
    return str(checkpoint.on_disk(run.checkpoints).get(step, "")) if step is not None else ""


@dataclass(frozen=True)
class Drawn:
    """How a folder's images were drawn, and which of a seed they are (from 0, ascending)."""

    seed: int
    label: str
    balance: bool
    numbers: tuple[int, ...]
    without_copies: bool


def drawn_in(folder: Path, sampler: Sampler) -> Drawn | None:
    """Tell how this very generator drew a folder's images; None where it drew none of them."""
    recorded = _recorded(folder)
    images = list_images(folder)
    if not images or recorded.get("step") != sampler.step or recorded.get("ema") != sampler.ema:
        return None
    label, balance = str(recorded.get("label", "")), bool(recorded.get("balance", False))
    numbers = tuple(map(_number_of, images))
    return Drawn(int(recorded["seed"]), label, balance, numbers, "reject_copies" in recorded)


def rejects_copies(folder: Path) -> bool:
    """Whether copies were left out of a folder, so that more of the same can be added."""
    return "reject_copies" in _recorded(folder)


def holds(folder: Path, n: int, sampler: Sampler, seed: int, run_name: str, selected: bool) -> bool:
    """Whether a folder holds n images or more that were drawn in just this way, of all classes.

    Args:
        selected: whether copies of training images were left out.
    """
    there = {key: value for key, value in _recorded(folder).items() if key not in GROWING_KEYS}
    was_selected = there.pop("reject_copies", None) is not None
    same = there == _provenance(sampler, seed, "", run_name, None) and was_selected == selected
    return same and len(list_images(folder)) >= n


def _recorded(folder: Path) -> dict[str, Any]:
    """What sample.yaml says of a folder's images; empty where there is none yet."""
    file = folder / RECORD_FILE
    return read_yaml(file, _Provenance, "Replace the images with `--overwrite`.") if file.is_file() else {}


def caption_of(sampler: Sampler, seed: int, label: str, numbers: Sequence[int], run_name: str) -> str:
    """Say what a contact sheet shows: synthetic images, whose, of which classes, and the colours of their masks."""
    said = [f"Synthetic X-rays, nobody's: {len(numbers)}" + (f" of {run_name}" if run_name else "")]
    said.append(f"step {sampler.step:,}, seed {seed}")
    labels = sample_labels(sampler, seed, 0, max(numbers) + 1, label)[list(numbers)]
    counts = {name: int((labels == k).sum()) for k, name in enumerate(sampler.classes)} if sampler.spec.classes else {}
    if counts:
        said.append(", ".join(f"{count} {name}" for name, count in counts.items() if count) + " (index.csv: which)")
    if sampler.spec.masks:
        said.append(f"masks: {legend_of(sampler.spec.masks)}")
    return " · ".join(said)


def contact_sheet(sampler: Sampler, seed: int, label: str, numbers: Sequence[int]) -> Pixels:
    """One picture of the images of these numbers (from 0, ascending) of a seed: uint8 (C, H, W)."""
    images = np.stack([image for _, image in sample_numbers(sampler, numbers, seed, label)])
    columns = 5 if sampler.spec.masks else 10
    return grid(shown(images, sampler.spec.channels), columns)


def _open_folder(folder: Path, provenance: dict[str, Any], overwrite: bool) -> RejectionRecord:
    """Make the folder ready for images of this provenance, or refuse to mix them with others.

    Returns:
        What was judged before.
    """
    images = list_images(folder)
    _drop_lone_masks(folder, images)
    try:
        content = _recorded(folder)
    except XrganError:
        if not overwrite:
            raise
        content = {}
    recorded = {key: value for key, value in content.items() if key not in GROWING_KEYS}
    if images and recorded == provenance:
        return RejectionRecord.from_dict(content)
    if images:
        if not overwrite:
            differs = next(key for key in provenance | recorded if recorded.get(key) != provenance.get(key))
            missing = "none" if recorded else "unknown"
            raise XrganError(
                f"{folder} holds {len(images)} images of another {differs}: "
                f"{recorded.get(differs, missing)!r}, not {provenance.get(differs, 'none')!r}.",
                "Replace them with `xrgan sample --overwrite`, or draw elsewhere with `xrgan sample --out DIR`.",
            )
        for ending in ENDINGS.values():
            for image in images:
                image.with_suffix(ending).unlink(missing_ok=True)
                _mask_of(image.with_suffix(ending)).unlink(missing_ok=True)
    write_yaml(folder / RECORD_FILE, provenance)
    return RejectionRecord()


def _number_of(file: Path) -> int:
    return int(file.stem.rpartition("_")[2]) - 1


def _drop_lone_masks(folder: Path, images: Sequence[Path]) -> None:
    """Remove the masks whose image was never written: the process was killed between the two."""
    whole = {_mask_of(image).stem for image in images}
    for file in folder.glob("synthetic_*_mask.*"):
        if MASK.fullmatch(file.stem) and file.suffix in ENDINGS.values() and file.stem not in whole:
            file.unlink()


def _write_index(folder: Path, sampler: Sampler, seed: int, label: str) -> None:
    """Write index.csv: one row per image."""
    files = list_images(folder)
    labels = sample_labels(sampler, seed, 0, max(map(_number_of, files)) + 1, label)
    rows: list[list[object]] = [["file", "seed", "label", *(["mask"] if sampler.spec.masks else [])]]
    for path in files:
        file, index = Path(path.name), labels[_number_of(path)]
        row = [file, seed, sampler.classes[index] if index >= 0 else ""]
        rows.append([*row, _mask_of(file)] if sampler.spec.masks else row)
    write_csv(folder / "index.csv", rows)
