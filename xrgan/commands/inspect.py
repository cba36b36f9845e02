"""`xrgan inspect`: what files say of themselves: synthetic, and from where?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypedDict

import typer

from xrgan import console
from xrgan.commands.options import Json, Quiet
from xrgan.errors import XrganError
from xrgan.files import no_such

EXAMPLES = ["xrgan inspect picture.png", "xrgan inspect incoming/ --json"]
Files = Annotated[list[Path], typer.Argument(help="Image files (PNG, DICOM …), or folders of them.", metavar="FILE…")]
COLUMNS = ["file", "synthetic", "by", "run", "seed", "number", "class"]
OPTIONAL = ("by", "class", "seed")
SILENT = "doesn't say"


class Said(TypedDict):
    """What a file says of itself; synthetic: None = it doesn't say."""

    file: str
    synthetic: bool | None
    source_type: str
    said: dict[str, str]


def inspect(*, files: Files, as_json: Json = False, quiet: Quiet = False) -> None:
    """Print what image files say of themselves: whether they are synthetic, and from where."""
    console.configure(quiet or as_json)
    named = [file for path in files for file in _images_at(path)]
    found = [_said_by(file) for file in console.track(named, "Reading", unit="files")]
    if as_json:
        console.show_json(found)
    elif len(files) == 1 and len(found) == 1:
        console.show_table(found[0]["file"], ["", "what it says of itself"], _lines(found[0]))
    else:
        console.show_table("", COLUMNS, [_row(one) for one in found], OPTIONAL)
        marked = sum(one["synthetic"] is not None for one in found)
        console.notice(f"{marked:,} of {len(found):,} files say that they are synthetic.")
    if any(one["synthetic"] is None for one in found):
        console.notice("A file that doesn't say may be either: marks can be removed, and few programs write them.")


def _images_at(path: Path) -> list[Path]:
    """The image that is named, or those below a folder.

    Raises:
        XrganError: there is none.
    """
    from xrgan.data.reading.kinds import KNOWN_KINDS, find_images, is_image
    from xrgan.data.reading.marked import mark_in

    if not path.exists():
        raise no_such("file or folder", path)
    if path.is_dir():
        if not (images := find_images(path)):
            raise XrganError(f"There is no image in {path}.", f"xrgan reads {KNOWN_KINDS}.")
        return images
    if not is_image(path) and mark_in(path) is None:
        raise XrganError(f"{path} is no image, and says nothing.", f"xrgan reads {KNOWN_KINDS}.")
    return [path]


def _said_by(file: Path) -> Said:
    from xrgan.data.reading.marked import mark_in

    mark = mark_in(file)
    if mark is None:
        return {"file": str(file), "synthetic": None, "source_type": "", "said": {}}
    return {"file": str(file), "synthetic": True, "source_type": mark.source_type, "said": dict(mark.said)}


def _lines(one: Said) -> list[Sequence[object]]:
    if one["synthetic"] is None:
        return [["synthetic", SILENT]]
    return [["synthetic", "yes"], ["Digital Source Type", one["source_type"]], *map(list, one["said"].items())]


def _row(one: Said) -> list[object]:
    cells = [one["said"].get(name, "") for name in ("Software", "Run", "Seed", "Number", "Class")]
    return [one["file"], SILENT if one["synthetic"] is None else "yes", *cells]
