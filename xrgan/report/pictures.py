"""Pictures that stand in a page as data: marked as their files are, and small enough that the page can be mailed."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from xrgan.data.images import from_pil, to_pil
from xrgan.data.sheets import legend_of, tinted
from xrgan.data.synthetic import MASK_ENDING, list_synthetic
from xrgan.errors import XrganError
from xrgan.files import read_yaml
from xrgan.marks import TRAINED, Mark, read_mark, xmp_packet
from xrgan.report.charts import thinned

SMALL = 24_000  # bytes of a file that is taken as it is
WIDEST = 1024  # pixels of a grid or sheet
QUALITY = 82  # of WebP
MOST_PER_CLASS, LEAST_PER_CLASS, WITH_MASKS = 60, 4, 12
SAMPLES_BYTES = 5_000_000  # of all samples together
MOST_GRIDS = 16


@dataclass(frozen=True)
class Picture:
    """A picture as an address that holds it."""

    source: str
    alt: str
    caption: str
    width: int
    height: int


@dataclass(frozen=True)
class Samples:
    """Images of one class.

    Attributes:
        count: that there are; `pictures` are the first ones.
        with_masks: some of them once more, with their masks in colour; `legend` names the colours.
    """

    label: str
    count: int
    pictures: Sequence[Picture]
    with_masks: Sequence[Picture] = ()
    legend: str = ""


def embedded(file: Path, alt: str, caption: str = "") -> Picture:
    """Take a picture into the page: as it is where it is small, else as WebP of at most `WIDEST` pixels.

    Raises:
        XrganError: it is no picture.
    """
    try:
        with Image.open(file) as image:
            image.load()
            size = image.size
            kind = Image.MIME.get(image.format or "", "")
            if file.stat().st_size <= SMALL and kind in {"image/png", "image/webp", "image/jpeg"}:
                return Picture(address(kind, file.read_bytes()), alt, caption, *size)
            image.thumbnail((WIDEST, 4 * WIDEST), Image.Resampling.LANCZOS)
            return _as_webp(image, alt, caption, read_mark(file))
    except (OSError, ValueError, SyntaxError) as error:
        raise XrganError(f"{file} is no picture that can be read: {error}.", "Draw or compute it anew.") from error


def _as_webp(image: Image.Image, alt: str, caption: str, mark: Mark | None, lossless: bool = False) -> Picture:
    content, packet = BytesIO(), xmp_packet(mark) if mark else b""
    plain = image if image.mode in {"L", "RGB"} else image.convert("RGB")
    plain.save(content, "WEBP", quality=QUALITY, lossless=lossless, xmp=packet, exif=b"")
    return Picture(address("image/webp", content.getvalue()), alt, caption, *plain.size)


def address(kind: str, content: bytes) -> str:
    """A file as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def count_drawn(folder: Path) -> int:
    """How many synthetic images `xrgan sample` left in a folder, masks not counted."""
    return sum(not file.stem.endswith(MASK_ENDING) for file in folder.glob("synthetic_*.png"))


def samples(folder: Path) -> list[Samples]:
    """The first images of each class in a folder that `xrgan sample` filled; none where there is none.

    Raises:
        XrganError: a file of it is damaged.
    """
    if not folder.is_dir():
        return []
    table = list_synthetic(folder)
    rows = [(folder / file, str(label)) for file, label in zip(table["file"], table["label"], strict=True)]
    by_class: dict[str, list[Path]] = {}
    for file, label in rows:
        if file.suffix == ".png" and file.is_file():
            by_class.setdefault(label, []).append(file)
    if not by_class:
        return []
    count = _per_class(next(iter(by_class.values()))[0], len(by_class))
    return [_of_class(label, by_class[label], count, folder) for label in sorted(by_class)]


def _per_class(file: Path, classes: int) -> int:
    """How many images of each class fit into the page; of larger files, which become WebP, about a quarter is left."""
    size = file.stat().st_size
    each = size if size <= SMALL else size / 4
    return max(LEAST_PER_CLASS, min(MOST_PER_CLASS, int(SAMPLES_BYTES / (classes * each))))


def _of_class(label: str, files: Sequence[Path], count: int, folder: Path) -> Samples:
    of = f" of {label}" if label else ""
    pictures = [embedded(file, f"Synthetic X-ray{of}, {file.stem}", file.stem) for file in files[:count]]
    values = _mask_values(folder)
    masked = [file for file in files[:WITH_MASKS] if values and _mask_of(file).is_file()]
    with_masks = [_tinted(file, values, f"Synthetic X-ray{of} with its masks, {file.stem}") for file in masked]
    return Samples(label, len(files), pictures, with_masks, legend_of(list(values)) if with_masks else "")


def _mask_of(file: Path) -> Path:
    return file.with_name(f"{file.stem}{MASK_ENDING}.png")


def _mask_values(folder: Path) -> dict[str, int]:
    """Structure → its gray value in a mask."""
    file = folder / "sample.yaml"
    said = read_yaml(file).get("mask_values") if file.is_file() else None
    return {str(name): int(value) for name, value in said.items()} if isinstance(said, dict) else {}


def _tinted(file: Path, values: dict[str, int], alt: str) -> Picture:
    """An image with its masks in colour, without loss."""
    try:
        with Image.open(file) as opened, Image.open(_mask_of(file)) as mask:
            image, shown = from_pil(opened.convert("L" if opened.mode == "L" else "RGB")), from_pil(mask.convert("L"))
    except (OSError, SyntaxError) as error:
        raise XrganError(f"{file} or its mask can't be read: {error}.", "Draw them anew.") from error
    masks = np.concatenate([np.where(shown == value, 255, 0).astype(np.uint8) for value in values.values()])
    rgb = tinted(np.concatenate([image, masks])[None], len(image))[0]
    return _as_webp(to_pil(rgb), alt, file.stem, read_mark(file) or Mark(), lossless=True)


def grids(folder: Path, name: str, only_marked: bool = False) -> list[Picture]:
    """The grids that the training left, the first one first: `MOST_GRIDS` of them, evenly.

    Args:
        name: of the run.
        only_marked: leave out what doesn't say that it is synthetic, and nothing but that.
    """
    files = sorted(folder.glob("epoch_*.png"))
    if only_marked:
        files = [file for file in files if (mark := read_mark(file)) and mark.source_type == TRAINED]
    chosen = [files[k] for k in thinned(range(len(files)), MOST_GRIDS)]
    epochs = [int("".join(filter(str.isdigit, file.stem)) or 0) for file in chosen]
    return [
        embedded(file, f"Synthetic X-rays of {name} after epoch {epoch}, from the same latents", f"epoch {epoch}")
        for file, epoch in zip(chosen, epochs, strict=True)
    ]
