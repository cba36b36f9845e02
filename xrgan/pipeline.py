"""The stages, one after the other: which dataset a run means, which images a score needs, in which order things happen.

Stages know nothing of one another; here is what one hands to the next. They are imported inside the functions, so that
a command waits for no more than it uses.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrgan import console
from xrgan.config import METRICS, Config
from xrgan.errors import XrganError
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.data.packed import PackedDataset
    from xrgan.gan.training import Trained

TRAINING_SEARCHED = 10  # training images held in memory for each one that is compared


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
    from xrgan.gan import runs, training

    dataset = open_packed(_choose_dataset(workspace, data or config.dataset or None, config))
    config = runs.complete(config, dataset)
    run = run or workspace.new_run(dataset.name)
    runs.create(run, config, dataset, init_from)
    console.notice(f"Run: {run.path}")
    return training.train(run, dataset, config)


def go_on(workspace: Workspace, run: RunDir, saved: Config, wanted: Config, data: str | None) -> "Trained":
    """Train a run that exists to the epoch that is wanted now.

    Raises:
        XrganError: the wish would make it another run, or the dataset is not the one that it was trained on.
    """
    from xrgan.gan import runs, training

    dataset = _dataset_of(workspace, run, wanted, data)
    runs.check_dataset(run, dataset)
    runs.change(run, saved, wanted)
    return training.train(run, dataset, wanted)


def evaluate(
    workspace: Workspace,
    run: RunDir,
    config: Config,
    metrics: Sequence[str] = METRICS,
    data: str | None = None,
    synthetic: Path | None = None,
) -> dict[str, Any]:
    """Score a run's synthetic images against real ones that it never saw; draws them where there are too few.

    Returns:
        What evaluation/scores.yaml holds.
    """
    from xrgan.data.synthetic import read_synthetic
    from xrgan.evaluation.evaluate import evaluate as score
    from xrgan.gan.models import choose_device

    chosen = config.evaluate
    dataset = _dataset_of(workspace, run, config, data)
    splits = ("val", "test") if chosen.split == "held-out" else (chosen.split,)
    held_out = dataset.some_of(splits, chosen.n, chosen.seed)
    if not len(held_out):
        raise XrganError(f"{dataset.name} has no {chosen.split} images to compare with.")
    folder = synthetic or _drawn(run, config, len(held_out))
    images, labels = read_synthetic(folder, dataset.classes)
    training = dataset.some_of(("train",), TRAINING_SEARCHED * chosen.n, chosen.seed)
    return score(
        real=dataset.xrays(held_out),
        synthetic=images,
        other_real=dataset.xrays(training),
        metrics=metrics,
        config=chosen,
        device=choose_device(config.device),
        folder=run.evaluation,
        real_labels=dataset.labels[held_out],
        synthetic_labels=labels,
        classes=dataset.classes,
    )


def classify(
    workspace: Workspace, run: RunDir, config: Config, data: str | None = None, synthetic: Path | None = None
) -> dict[str, Any]:
    """Compare a classifier on real images with one on real and a run's synthetic ones.

    Returns:
        What classify/summary.yaml holds.
    """
    from xrgan.data.synthetic import read_synthetic
    from xrgan.downstream import study
    from xrgan.gan.models import choose_device

    dataset = _dataset_of(workspace, run, config, data)
    study.check(dataset, config.classify)
    wanted = round(len(dataset.of_split("train", "val")) * config.classify.ratio)
    folder = synthetic or _drawn(run, config, wanted)
    images, labels = read_synthetic(folder, dataset.classes)
    return study.classify(dataset, images, labels, config.classify, choose_device(config.device), run.classify)


def _choose_dataset(workspace: Workspace, name: str | None, config: Config) -> Path:
    """The prepared dataset to train on; a fetched source is prepared first, where there is no choice to make."""
    from xrgan.data.prepare import prepare

    prepared, fetched = workspace.prepared(), workspace.fetched()
    untouched = workspace.fetched_since_prepared()
    if name is not None:
        if name not in {path.name for path in fetched} - {path.name for path in prepared}:
            return workspace.find_prepared(name)
        return prepare(workspace.find_raw(name), workspace.prepared_root, config.prepare)
    if prepared and not untouched:
        console.notice(f"Dataset: {prepared[-1]}, the {'latest' if len(prepared) > 1 else 'only'} prepared one.")
        return prepared[-1]
    if not prepared and len(fetched) <= 1:
        raw = workspace.find_raw(None)
        console.notice(f"Dataset: {raw} is the only source here, and not prepared yet; preparing it.")
        return prepare(raw, workspace.prepared_root, config.prepare)
    raise XrganError(
        f"There is a choice of datasets: prepared {_names(prepared)}; fetched and not prepared {_names(untouched)}.",
        f"Say which: `xrgan train --data {(untouched or prepared)[-1].name}`.",
        exit_code=2,
    )


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths) or "none"


def _dataset_of(workspace: Workspace, run: RunDir, config: Config, data: str | None) -> "PackedDataset":
    """The dataset that a run was trained on, or another one where the user insists."""
    from xrgan.data.packed import open_packed
    from xrgan.gan import runs

    dataset = open_packed(workspace.find_prepared(data or config.dataset))
    if data is None:
        runs.check_dataset(run, dataset)
    elif dataset.content_hash != run.trained_on():
        console.warn(f"{run.name} was trained on {config.dataset}: its training images may be among those of {data}.")
    return dataset


def _drawn(run: RunDir, config: Config, count: int) -> Path:
    """The run's synthetic folder with at least `count` images: drawn now, where there are too few."""
    from xrgan.gan import sampling

    if len(sampling.list_drawn(run.synthetic)) < count:
        console.notice(f"{run.synthetic} holds fewer than {count:,} images: drawing the rest.")
        seed = sampling.seed_of(run.synthetic, config.sample.seed)
        drawing = sampling.open_drawing(run, config.device, config.sample.ema)
        sampling.sample(drawing, run.synthetic, count, seed, run_name=run.name)
    return run.synthetic
