"""Where the synthetic images of a study come from, and what their generators learned from."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from xrgan import console
from xrgan.commands.sample import drawn
from xrgan.config import Config
from xrgan.errors import XrganError
from xrgan.files import read_yaml
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.data.packed import PackedDataset
    from xrgan.downstream.leaks import TrainingProvenance

OWN = "synthetic"  # below a run's classify/ or segment/: what a study draws for itself


class _Drawn(BaseModel):
    """What is read back of sample.yaml."""

    run: str = ""


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where synthetic images come from: a run, or a folder; all of one class, or each with its own."""

    path: Path
    run: RunDir | None
    label: str = ""


def origin_at(workspace: Workspace, path: str, label: str = "") -> Origin:
    """Find a run, or a folder of images.

    Raises:
        XrganError: there is none.
    """
    run = workspace.run_at(path)
    if run.exists():
        return Origin(run.path, run, label)
    if Path(path).is_dir():
        return Origin(Path(path), None, label)
    raise XrganError(f"There is no folder and no run {path}.", "`xrgan runs` lists the runs.")


def origins_by_class(
    workspace: Workspace, run: RunDir, dataset: "PackedDataset", synthetic: Sequence[str]
) -> list[Origin]:
    """Parse `--synthetic`, once or for each class; the run itself where it isn't given.

    Raises:
        XrganError: there is no such folder or class, or classes are missing.
    """
    if not synthetic:
        return [Origin(run.path, run)]
    origins = []
    for text in synthetic:
        label, equals, path = text.partition("=")
        if not equals or label not in dataset.classes:
            if equals and not Path(text).exists() and not workspace.run_at(text).exists():
                raise XrganError(
                    f"{dataset.name} has no class {label!r}.",
                    f"--synthetic takes a folder, a run, or one a class: {dataset.classes[0]}=PATH.",
                    exit_code=2,
                )
            label, path = "", text
        origins.append(origin_at(workspace, path, label))
    given = [origin.label for origin in origins]
    if (len(origins) > 1 or given[0]) and sorted(given) != sorted(dataset.classes):
        raise XrganError(
            f"Several --synthetic are one for each class of {dataset.name}: {', '.join(dataset.classes)}.",
            f"Write {' '.join(f'--synthetic {name}=PATH' for name in dataset.classes)}.",
            exit_code=2,
        )
    return origins


def training_provenance(workspace: Workspace, origin: Origin, dataset: "PackedDataset") -> "TrainingProvenance | None":
    """Find out what the generator of those images learned from, and what it was initialised from.

    Where nobody knows, the user is warned.
    """
    from xrgan.downstream.leaks import joined, provenance_on

    run = origin.run or _run_of(workspace, origin.path)
    datasets = [_prepared(workspace, content_hash, dataset) for content_hash in learned_from(workspace, run)]
    known = [provenance_on(run.name, one, dataset) for one in datasets if run and one]
    if not run or len(known) < len(datasets):
        console.warn(
            f"Nobody knows which images the generator of {origin.path} learned from: make sure that no test image is"
            " among them."
        )
    return joined(run.name, known) if run and known else None


def folder_of(
    workspace: Workspace, origin: Origin, run: RunDir, config: Config, count: int, data: str | None, study: Path
) -> Path:
    """Find the folder of an origin's images: as it is, a run's synthetic/ if it holds `count`, or one of the study's.

    Args:
        run: the study's, which draws as the study's options say; any other one as it was trained.
        data: the study's dataset, if it isn't its run's own.
        study: the folder of the study, the run's classify/ or segment/.
    """
    if origin.run is None:
        return origin.path
    if origin.run.path.resolve() == run.path.resolve():
        return drawn(workspace, run, config, count, data, study / OWN)
    aside = study / f"{OWN}-{origin.run.name}"
    update = {"device": config.device, "evaluate": config.evaluate}
    return drawn(workspace, origin.run, origin.run.read_config().model_copy(update=update), count, None, aside)


def learned_from(workspace: Workspace, run: RunDir | None) -> list[str]:
    """List the content hashes of the datasets that a run learned from, and the runs before that it was made from."""
    hashes = []
    while run:
        hashes.append(run.trained_on())
        before = run.read_environment().get("initialised_from") or {}
        hashes += before.get("before", [])
        run = workspace.run_at(str(before["run"])) if before else None
        if before and run and run.trained_on() != before["dataset"]:  # it is gone, or another one has its name
            hashes.append(str(before["dataset"]))
            run = None
    return hashes


def _prepared(workspace: Workspace, content_hash: str, dataset: "PackedDataset") -> "PackedDataset | None":
    from xrgan.data.packed import open_packed

    if content_hash == dataset.content_hash:
        return dataset
    path = workspace.prepared_of(content_hash)
    return open_packed(path) if path else None


def _run_of(workspace: Workspace, folder: Path) -> RunDir | None:
    """Find the run that drew a folder of images, where its sample.yaml names one that is here."""
    file = folder / "sample.yaml"
    name = str(read_yaml(file, _Drawn, "Draw the images anew.").get("run", "")) if file.is_file() else ""
    beside = RunDir(folder.parent)
    if name and beside.exists() and beside.name == name:
        return beside
    run = workspace.run_at(name) if name else None
    return run if run and run.exists() else None
