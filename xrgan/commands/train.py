"""A run from its dataset to its last epoch."""

from typing import TYPE_CHECKING

from xrgan import console
from xrgan.commands.inputs import choose_dataset, dataset_of, extractor_of
from xrgan.commands.score_checkpoints import score_of_training
from xrgan.config import Config
from xrgan.errors import XrganError
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.evaluation.extractors import Extractor
    from xrgan.gan.training import Trained


def train_new(
    workspace: Workspace, run: RunDir | None, config: Config, data: str | None, init_from: RunDir | None = None
) -> "Trained":
    """Choose (and, where need be, prepare) the dataset, make the run directory, train.

    Args:
        init_from: a run whose networks are the first ones.

    Raises:
        XrganError: there is no dataset, a choice to make, or training can't start; then no run directory is made.
    """
    from xrgan.data.packed import open_packed
    from xrgan.gan import setup, training

    extractor = _extractor_of_training(workspace, config)
    dataset = open_packed(choose_dataset(workspace, data or config.dataset or None, config))
    config = setup.resolve_auto(config, dataset)
    run = run or workspace.new_run(dataset.name)
    score = score_of_training(run, dataset, config, extractor) if extractor else None
    setup.create_run(run, config, dataset, init_from)
    console.notice(f"Run: {run.path}")
    return training.train(run, dataset, config, score)


def resume(workspace: Workspace, run: RunDir, saved: Config, wanted: Config, data: str | None) -> "Trained":
    """Train a run that exists to the epoch that is wanted now.

    Raises:
        XrganError: the wish would make it another run, or the dataset is not the one that it was trained on.
    """
    from xrgan.gan import setup, training

    dataset = dataset_of(workspace, run, wanted, data)
    setup.check_dataset(run, dataset)
    extractor = _extractor_of_training(workspace, wanted)
    score = score_of_training(run, dataset, wanted, extractor) if extractor else None
    setup.update_config(run, saved, wanted)
    return training.train(run, dataset, wanted, score)


def _extractor_of_training(workspace: Workspace, config: Config) -> "Extractor | None":
    """The network of the scores over time, looked for before the first step and not hours later."""
    if not config.train.evaluate_every:
        return None
    try:
        return extractor_of(workspace, config)()
    except XrganError as error:
        raise XrganError(error.message, f"{error.hint} Or train without scores: `--evaluate-every 0`.") from None
