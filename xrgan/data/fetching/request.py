"""What the user asks `fetch` for: the arguments, in any mixture, made sense of together."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from xrgan.config_resolve import resolve
from xrgan.data.filenames import without_extension
from xrgan.data.source import Source
from xrgan.data.sources import SOURCES, find_source
from xrgan.errors import XrganError


@dataclass(frozen=True)
class Request:
    """What is to become data/raw/<name>/, and where it comes from: one of phantom, archive, folder, or the source."""

    name: str
    source: Source | None  # None: the user's own images
    archive: Path | None = None
    folder: Path | None = None
    phantom: dict[str, int] | None = None  # arguments of phantom.write_dataset

    @property
    def provenance(self) -> str:
        """Where the images come from, in words that mean the same on another machine."""
        if self.archive:
            return f"archive {self.archive.name}"
        if self.folder:
            return f"folder {self.folder.resolve().name}"
        if self.phantom is not None:
            return "drawn, " + ", ".join(f"{key} {value}" for key, value in self.phantom.items())
        return f"Kaggle {self.source.kind} {self.source.slug}" if self.source and self.source.kaggle else ""


def understand(name: str | None, archive: Path | None, folder: Path | None, phantom: dict[str, int | None]) -> Request:
    """Make sense of the arguments of `fetch`.

    Raises:
        XrganError: they name nothing, too much, or what doesn't go together.
    """
    if archive and folder:
        raise XrganError("--archive and --folder can't go together.", "Give one of them.", exit_code=2)
    local = archive or folder
    if not (name or local):
        raise XrganError("There is no source to fetch.", f"One of {', '.join(SOURCES)}, or --folder DIR.", exit_code=2)
    if not name:
        name = _name_of(local)
        if _source_or_own(name):  # anybody may have a folder called lungs: whose it is, the user must say
            raise XrganError(
                f"Is {local} the public source {name}?",
                f"If so, say `xrgan fetch {name} …`; else give it a name of its own: `xrgan fetch my-{name} …`.",
                exit_code=2,
            )
    source = _source_or_own(name) if local else find_source(name)
    name = source.name if source else _safe(name)
    drawn = source is not None and source.origin == "phantom"
    if drawn and local:
        raise XrganError(f"{name} is drawn, not read from files.", f"Name your images: `xrgan fetch my-{name} …`.")
    given = {key: value for key, value in phantom.items() if value is not None}
    if given and not drawn:
        raise XrganError(f"--{min(given)} is for the phantom, not for {name}.", "Leave it out.", exit_code=2)
    if source and drawn:
        config = resolve(flags={f"phantom.{key}": value for key, value in given.items()})
        return Request(name, source, phantom=config.phantom.model_dump())
    return Request(name, source, archive, folder)


def _name_of(path: Path | None) -> str:
    """The folder's name, or the archive's without its extension."""
    assert path is not None
    return without_extension(path.resolve().name)


def _safe(name: str) -> str:
    """A name that any file system takes, and that hides nothing and leads nowhere."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")[:100]
    if not safe:
        raise XrganError(f"{name!r} makes no name for a folder.", "Give one: `xrgan fetch NAME --folder DIR`.")
    return safe


def _source_or_own(name: str) -> Source | None:
    try:
        return find_source(name)
    except XrganError:
        return None
