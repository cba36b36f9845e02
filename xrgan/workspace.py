"""The current directory's data/ and runs/: what is there, and which of it a command means."""

import datetime
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from xrgan.errors import XrganError
from xrgan.files import read_yaml
from xrgan.rundir import RunDir

DATA_ROOT = Path("data")
RUNS_ROOT = Path("runs")


class _Named(BaseModel):
    name: str = ""


class _Card(BaseModel):
    """What is read back of the dataset.yaml of datasets that nobody asked for."""

    source: _Named = _Named()
    content_hash: str = ""


@dataclass(frozen=True)
class Workspace:
    data_root: Path
    runs_root: Path

    @property
    def raw_root(self) -> Path:
        return self.data_root / "raw"

    @property
    def prepared_root(self) -> Path:
        return self.data_root / "prepared"

    def fetched(self) -> list[Path]:
        """List the folders of data/raw that hold a whole source, by name."""
        return [file.parent for file in _in_each_folder(self.raw_root, "source.yaml")]

    def prepared(self) -> list[Path]:
        """List the prepared datasets, the latest last."""
        files = _in_each_folder(self.prepared_root, "dataset.yaml")
        return [file.parent for file in sorted(files, key=lambda file: (file.stat().st_mtime_ns, file))]

    def fetched_since_prepared(self) -> list[Path]:
        """List the fetched sources from which nothing was prepared yet."""
        sources = {_card_of(path).source.name for path in self.prepared()}
        return [path for path in self.fetched() if path.name not in sources]

    def prepared_of(self, content_hash: str) -> Path | None:
        """Find the prepared dataset of that content; None where there is none."""
        known = {_card_of(path).content_hash: path for path in self.prepared()}
        return known.get(content_hash) if content_hash else None  # a damaged one says none

    def runs(self) -> list[RunDir]:
        """List the runs, the latest last."""
        runs = [RunDir(file.parent) for file in _in_each_folder(self.runs_root, "config.yaml")]
        return sorted(runs, key=lambda run: (_last_change(run), run.name))

    def find_run(self, name: str | None) -> RunDir:
        """Find the run of that path or name; the latest without one.

        Raises:
            XrganError: there is no such run.
        """
        runs = self.runs()
        if name is None:
            if not runs:
                raise XrganError(f"There is no run in {self.runs_root}.", "`xrgan train` makes one.")
            return runs[-1]
        run = self.run_at(name)
        if not run.exists():
            names = [run.name for run in runs]
            raise XrganError(f"There is no run {run.path}.", _near(name, names) + _list_of("The runs here", names))
        return run

    def run_at(self, name: str) -> RunDir:
        """Name the folder of a run that exists or will: a path as it is, a bare name in the runs' root."""
        path = Path(name)
        return RunDir(path if len(path.parts) > 1 or path.is_absolute() or path.exists() else self.runs_root / path)

    def new_run(self, dataset: str) -> RunDir:
        """Name a run that does not exist yet: <dataset>-<date>-<n>."""
        date = datetime.date.today().isoformat()
        number = 1
        while (path := self.runs_root / f"{dataset}-{date}-{number}").exists():
            number += 1
        return RunDir(path)

    def find_prepared(self, name: str) -> Path:
        """Find the prepared dataset of that path or name.

        Raises:
            XrganError: there is no such dataset.
        """
        for path in (Path(name), self.prepared_root / name):
            if (path / "dataset.yaml").is_file():
                return path
        here = [path.name for path in self.prepared()]
        raise XrganError(
            f"There is no prepared dataset {name} in {self.prepared_root}.",
            _near(name, here) + _list_of("Prepared are", here) or "`xrgan prepare` makes one.",
        )

    def find_raw(self, name: str | None, known: Sequence[str] = ()) -> Path:
        """Find the fetched source of that path or name; the only one without a name.

        Args:
            known: the sources that can be fetched.

        Raises:
            XrganError: there is none, or a choice to make.
        """
        fetched = self.fetched()
        if name is None:
            if not fetched:
                raise XrganError(
                    f"Nothing was fetched yet into {self.raw_root}.",
                    "`xrgan fetch phantom` works offline; `xrgan fetch --folder DIR` takes your own images.",
                )
            if len(fetched) > 1:
                names = ", ".join(path.name for path in fetched)
                raise XrganError(
                    f"Several sources were fetched: {names}.",
                    f"Say which: `xrgan prepare {fetched[0].name}`.",
                    exit_code=2,
                )
            return fetched[0]
        # `.` and `..` are folders of the user's, not of the raw root.
        for path in (Path(name),) if Path(name).name in {"", ".."} else (self.raw_root / name, Path(name)):
            if path.is_dir() and any(path.iterdir()):
                return path
        if Path(name).is_dir():
            raise XrganError(f"The folder {name} is empty.", "Name a folder of images.")
        if Path(name).is_file():
            raise XrganError(
                f"{name} is a file, no folder of images.", f"An archive is taken by `xrgan fetch --archive {name}`."
            )
        raise XrganError(
            f"There is no fetched source {name} in {self.raw_root}, and no folder of that name.",
            _way_to_a_source(name, [path.name for path in fetched], known),
        )


def _way_to_a_source(name: str, fetched: Sequence[str], known: Sequence[str]) -> str:
    """The next step after a name that no fetched source has."""
    if name in known:
        return f"`xrgan fetch {name}` fetches it."
    if near := difflib.get_close_matches(name.lower(), [*fetched, *known], n=1, cutoff=0.6):
        return f"Did you mean {near[0]}?" + ("" if near[0] in fetched else f" `xrgan fetch {near[0]}` fetches it.")
    if fetched:
        return _list_of("Fetched are", fetched)
    return "`xrgan fetch --list` shows the known sources; `xrgan fetch --folder DIR` takes your own images."


def _card_of(dataset: Path) -> _Card:
    """What a dataset says of itself; nothing where it is damaged: whoever opens it says so, and the others count."""
    try:
        return _Card.model_validate(read_yaml(dataset / "dataset.yaml", _Card))
    except XrganError:
        return _Card()


def _in_each_folder(root: Path, name: str) -> list[Path]:
    """The files of that name in the folders of `root`; in a hidden folder something is being built."""
    return sorted(file for file in root.glob(f"*/{name}") if not file.parent.name.startswith("."))


def _last_change(run: RunDir) -> int:
    return max(file.stat().st_mtime_ns for file in (run.config_file, run.losses_file) if file.exists())


def _near(name: str, names: Sequence[str]) -> str:
    """Ask whether another name was meant; empty where none is like it."""
    near = difflib.get_close_matches(Path(name).name, names, n=1, cutoff=0.75)
    return f"Did you mean {near[0]}? " if near else ""


def _list_of(introduction: str, names: Sequence[str]) -> str:
    return f"{introduction}: {', '.join(names)}." if names else ""
