"""What `xrgan fetch --list` shows, and what source.yaml says of each folder that was fetched."""

import re
from pathlib import Path

import pytest

from xrgan.data.fetch import fetch
from xrgan.data.listing import catalogue
from xrgan.data.sources import SOURCES
from xrgan.files import write_text


def listed(raw_root: Path) -> dict[str, dict[str, object]]:
    """The rows by name, each by its columns."""
    columns, rows = catalogue(raw_root)
    assert len({str(row[0]) for row in rows}) == len(rows)
    return {str(row[0]): dict(zip(columns, row, strict=True)) for row in rows}


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for name in ("normal/a.png", "normal/b.png", "ill/c.png"):
        path = tmp_path / "scans" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(1_000_000))
    return tmp_path / "scans"


def test_every_source_is_listed_before_anything_is_here(tmp_path: Path) -> None:
    rows = listed(tmp_path / "absent")
    assert list(rows) == [", ".join((source.name, *source.aliases)) for source in SOURCES.values()]
    assert rows["jrs, jsrt"] == {
        "name": "jrs, jsrt",
        "images": "247",
        "GB on disk": "–",
        "classes": "malignant, benign, non-nodule",
        "masks": "right lung, left lung, heart",
        "licence": SOURCES["jrs"].licence,
        "here": "no",
    }
    assert rows["nih"]["images"] == "112,120"
    assert rows["nih"]["GB on disk"] == "45"
    assert str(rows["nih"]["classes"]).endswith("… (15)")
    assert rows["phantom"]["images"] == rows["kermany"]["masks"] == "–"
    assert not (tmp_path / "absent").exists()


def test_what_is_here_says_how_much(scans: Path, tmp_path: Path) -> None:
    fetch("phantom", tmp_path / "raw", n=3, size=32)
    fetch("mine", tmp_path / "raw", folder=scans)
    rows = listed(tmp_path / "raw")
    assert re.fullmatch(r"yes: 3 images, 0\.\d MB", str(rows["phantom"]["here"]))  # masks are no images
    assert list(rows)[-1] == "mine"  # the user's own, below
    assert rows["mine"]["here"] == "yes: 3 images, 3.0 MB"
    assert rows["mine"]["licence"] == "not stated"


def test_what_is_half_downloaded_or_half_made_is_not_here(tmp_path: Path) -> None:
    (tmp_path / "raw" / ".downloads" / "nih").mkdir(parents=True)
    (tmp_path / "raw" / ".downloads" / "nih" / "data.zip").write_bytes(bytes(2_500_000))
    (tmp_path / "raw" / ".staging" / "covid").mkdir(parents=True)
    (tmp_path / "raw" / "not-fetched").mkdir()
    rows = listed(tmp_path / "raw")
    assert rows["nih"]["here"] == "no: 2.5 MB are downloaded"
    assert rows["covid"]["here"] == "no"
    assert len(rows) == len(SOURCES)


@pytest.mark.parametrize("content", ["", "name: [", "bytes: many\nimages: {}", "licence:"])
def test_record_that_was_damaged_hides_no_other(content: str, scans: Path, tmp_path: Path) -> None:
    fetch("mine", tmp_path / "raw", folder=scans)
    write_text(tmp_path / "raw" / "broken" / "source.yaml", content)
    rows = listed(tmp_path / "raw")
    assert rows["broken"]["here"] == "yes"
    assert rows["mine"]["here"] == "yes: 3 images, 3.0 MB"
