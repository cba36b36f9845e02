"""The run that a study goes into: one whose generator is judged, or one without a generator, of real images alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import xrgan
from xrgan import console
from xrgan.commands.inputs import dataset_of, find_run, open_prepared
from xrgan.config import Config, StudyConfig
from xrgan.errors import XrganError
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.data.packed import PackedDataset

ENDING = "-study"  # behind the dataset's name: what such a run is called where nobody names it


def find_study_run(
    workspace: Workspace, name: str | None, data: str | None, options: Callable[[], StudyConfig]
) -> RunDir:
    """Find the run that is meant; or, where a dataset is named and no arm needs a generator, one without any.

    The same command means the same run again, so that a study is resumed.

    Args:
        options: what is wanted, where no run says anything.

    Returns:
        A run that exists, or one that is to be made (`make_study_run`).

    Raises:
        XrganError: there is no such run.
    """
    exists = name is not None and workspace.run_at(name).exists()
    if data is None or exists or _needs_generator(options()):
        return find_run(workspace, name, generator=False)
    run = workspace.run_at(name or f"{workspace.find_prepared(data).name}{ENDING}")
    console.notice(f"Run: {run.path}, of real images alone: no arm needs a generator.")
    return run


def config_of_study(run: RunDir) -> Config:
    """Read a run's configuration; one that isn't there yet has no generator."""
    return run.read_config() if run.exists() else Config(generator=False)


def dataset_of_study(workspace: Workspace, run: RunDir, config: Config, data: str | None) -> "PackedDataset":
    """Open the dataset of a study, whose run may not be there yet."""
    if run.exists():
        return dataset_of(workspace, run, config, data)
    return open_prepared(workspace, data or config.dataset)


def make_study_run(run: RunDir, config: Config, dataset: "PackedDataset") -> None:
    """Make a run without a generator, whose config.yaml says so; one that exists stays as it is.

    Raises:
        XrganError: something else has its name.
    """
    if run.exists():
        return
    from xrgan.gan.claim import growing

    known: dict[str, object] = {
        "name": dataset.name,
        "content_hash": dataset.content_hash,
        "classes": list(dataset.classes),
    }
    known |= {"size": dataset.size, "channels": dataset.channels, "source": dataset.source}
    with growing(run) as folder:
        folder.write_environment({"xrgan": xrgan.__version__, "dataset": known | {"options": dict(dataset.options)}})
        folder.write_config(config.model_copy(update={"generator": False, "dataset": dataset.name}))


def refuse_without_generator(run: RunDir, config: Config, needed: bool, synthetic: object) -> None:
    """Raise XrganError where a run without a generator is to give synthetic images."""
    if needed and not synthetic and not config.generator:
        raise XrganError(
            f"{run.name} has no generator: it is a study of real images alone.",
            "Name the images with --synthetic, or a run that has a generator with --run.",
        )


def _needs_generator(options: StudyConfig) -> bool:
    from xrgan.downstream.arms import needs_synthetic

    return needs_synthetic(options.arms)
