"""2,000 spoilt files: whatever lies in a folder, every good image is packed, and every bad one named with a reason."""

import csv
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import write_image
from tests.data.dicom_files import write as write_dicom
from tests.data.pictures import png_that_declares
from xrgan.config import PrepareConfig
from xrgan.config_resolve import resolve
from xrgan.data.packed import open_packed
from xrgan.data.prepare import prepare
from xrgan.files import read_yaml

pytestmark = pytest.mark.slow

FOLDERS, FILES_A_FOLDER = 80, 25
EXTENSIONS = [".png", ".jpg", ".jpeg", ".tif", ".bmp", ".gif", ".webp", ".dcm", ".img", ".PNG"]


def encoded(kind: str, mode: str) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 30), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).convert(mode).save(file, kind, **({} if kind in {"BMP", "GIF"} else {"exif": exif}))
    return file.getvalue()


def dicom(**options: object) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        pixels = np.random.default_rng(0).integers(0, 4096, (24, 30)).astype(np.uint16)
        return write_dicom(Path(folder) / "a.dcm", pixels, **options).read_bytes()  # type: ignore[arg-type]


KINDS = [("PNG", "L"), ("PNG", "P"), ("PNG", "RGBA"), ("PNG", "I;16"), ("JPEG", "L"), ("JPEG", "CMYK"), ("TIFF", "L")]
KINDS += [("TIFF", "RGB"), ("BMP", "L"), ("GIF", "P"), ("WEBP", "RGB")]
WHOLE = [encoded(kind, mode) for kind, mode in KINDS] + [dicom(), dicom(photometric="MONOCHROME1", syntax="RLE")]
PILLOWS_OWN = [extension for extension in EXTENSIONS if extension != ".img"]


class Case(NamedTuple):
    """A file that is to be made at a path, and whether it is a good one, a bad one, or nobody knows."""

    extension: str
    make: Callable[[Path], object]
    good: bool | None


def holding(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def linking(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(path.name if target == "itself" else target)


def locked(path: Path) -> None:
    path.write_bytes(WHOLE[0])
    path.chmod(0)


@st.composite
def spoilt(draw: st.DrawFn) -> Case:
    """An image file that was cut, flipped here and there, or had a piece replaced."""
    content = bytearray(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(0, 4))):
        content[draw(st.integers(0, len(content) - 1))] ^= 1 << draw(st.integers(0, 7))
    if draw(st.booleans()):
        start = draw(st.integers(0, len(content)))
        content[start : start + draw(st.integers(0, 40))] = draw(st.binary(max_size=40))
    if draw(st.booleans()):
        content = content[: draw(st.integers(0, len(content)))]
    return Case(draw(st.sampled_from(EXTENSIONS)), holding(bytes(content)), None)


cut = st.builds(
    lambda content, share, extension: Case(extension, holding(content[: int(share * len(content))]), None),
    st.sampled_from(WHOLE),
    st.floats(0, 0.99),
    st.sampled_from(EXTENSIONS),
)
random_bytes = st.builds(
    lambda content, extension: Case(extension, holding(content), None), st.binary(), st.sampled_from(EXTENSIONS)
)
empty = st.builds(lambda extension: Case(extension, holding(b""), False), st.sampled_from(EXTENSIONS))
wrongly_named = st.builds(
    lambda content, extension: Case(extension, holding(content), True),
    st.sampled_from(WHOLE),
    st.sampled_from(PILLOWS_OWN),
)
huge = st.builds(
    lambda width, height: Case(".png", holding(png_that_declares(width, height)), False),
    st.integers(20_000, 2**31 - 1),
    st.integers(20_000, 2**31 - 1),
)
links = st.builds(
    lambda target, extension: Case(extension, linking(target), False),
    st.sampled_from(["itself", "nowhere.png", "..", "/dev/zero"]),
    st.sampled_from(PILLOWS_OWN),
)
unreadable = st.just(Case(".png", locked, None))
pipes = st.just(Case(".png", os.mkfifo, False)) if hasattr(os, "mkfifo") else empty
cases = st.one_of(spoilt(), cut, random_bytes, empty, wrongly_named, huge, links, unreadable, pipes)
stems = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=12).filter(
    lambda name: not name.startswith(".") and name.casefold() not in {"index", "__macosx"}
)


@given(
    st.lists(st.tuples(stems, cases), min_size=FILES_A_FOLDER, max_size=FILES_A_FOLDER),
    st.sampled_from(["pad", "crop", "stretch"]),
    st.sampled_from([1, 3]),
    st.sampled_from(["dicom", "minmax", "p1-p99"]),
)
@settings(
    max_examples=FOLDERS,
    phases=[Phase.explicit, Phase.generate],  # to shrink a folder of 25 files would take longer than to read it
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_no_file_whatever_stops_prepare(files: list[tuple[str, Case]], fit: str, channels: int, window: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        raw = Path(name) / "raw"
        write_image(raw / "good.png")
        expected: dict[str, bool | None] = {"good.png": True}
        for number, (stem, case) in enumerate(files):
            file = raw / f"{number}{stem}{case.extension}"
            case.make(file)
            if not file.is_dir():  # a link to a folder is no file
                expected[file.name] = case.good
        (raw / "circle").symlink_to(raw)
        prepared = prepare(raw, Path(name) / "out", options(fit, channels, window))
        packed = open_packed(prepared)
        own = names_of_dicom(prepared)
        entries = read_yaml(prepared / "dataset.yaml")["skipped"]
        skipped = {shown(own.get(entry["file"], "")) or entry["file"]: entry["reason"] for entry in entries}
        listed = {own.get(file, file) for file in index_files(prepared)}
        assert listed <= expected.keys()
        assert {shown(file) for file in expected.keys() - listed} == skipped.keys()
        assert {file for file, good in expected.items() if good} <= listed
        assert not {file for file, good in expected.items() if good is False} & listed
        assert all(reason and "\n" not in reason for reason in skipped.values())
        assert packed.images.shape == (len(listed), channels, 8, 8)


def options(fit: str, channels: int, window: str) -> PrepareConfig:
    wish = {"size": 8, "fit": fit, "channels": channels, "window": window, "workers": 1}
    return resolve(flags={f"prepare.{key}": value for key, value in wish.items()}).prepare


def shown(name: str) -> str:
    """As dataset.yaml writes a name."""
    return name if name.isprintable() else name.encode("unicode_escape").decode()


def names_of_dicom(prepared: Path) -> dict[str, str]:
    """What a dataset calls DICOM files → their own names."""
    file = prepared.parent / ".hidden-names" / f"{prepared.name}.csv"
    if not file.is_file():
        return {}
    with file.open(newline="", encoding="utf-8") as opened:
        return {row["name"]: row["file"] for row in csv.DictReader(opened)}


def index_files(prepared: Path) -> list[str]:
    with (prepared / "index.csv").open(newline="", encoding="utf-8") as file:
        return [row["file"] for row in csv.DictReader(file)]
