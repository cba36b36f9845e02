"""What any image file says of itself: a picture's XMP packet, a DICOM file's Synthetic Data, or the folder's record."""

import functools
from pathlib import Path

from xrgan.data.reading.dicom import is_dicom, synthetic_comment
from xrgan.errors import XrganError
from xrgan.files import read_yaml
from xrgan.marks import Mark, parse_comment, read_mark

SAMPLE = "sample.yaml"  # in a folder that `xrgan sample` filled
SYNTHETIC = ", synthetic"  # ends the kind of such a file in index.csv
REFUSED = "says that it is synthetic (--allow-synthetic takes it)"


def mark_in(file: Path) -> Mark | None:
    """Read the mark of an image file of any kind; None where nothing says that it is synthetic.

    What `xrgan sample` drew before it marked its files is told by the folder's sample.yaml.
    """
    if not file.is_file():
        return None
    if is_dicom(file):
        comment = synthetic_comment(file)
        return None if comment is None else parse_comment(comment)
    mark = read_mark(file)
    if mark is None and (run := _run_that_filled(file.parent)) is not None:
        return Mark(said={"Source": f"Synthetic, as {SAMPLE} beside it says.", **({"Run": run} if run else {})})
    return mark


def _run_that_filled(folder: Path) -> str | None:
    """The run that `xrgan sample` drew a folder's images from; None where it is no such folder."""
    record = folder / SAMPLE
    return _run_in(record, record.stat().st_mtime_ns) if record.is_file() else None


@functools.lru_cache(maxsize=64)
def _run_in(record: Path, _modified: int) -> str | None:
    """The run that a sample.yaml names; None where it is something else. Asked for each image, read once."""
    try:
        content = read_yaml(record)
    except XrganError:
        return None
    return str(content.get("run", "")) if {"seed", "step"} <= set(content) else None
