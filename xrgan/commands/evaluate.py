"""Synthetic images beside real ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrgan.commands.inputs import compared_of, dataset_of, extractor_of
from xrgan.commands.sample import drawn
from xrgan.config import Config
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    pass


def evaluate(
    workspace: Workspace,
    run: RunDir,
    config: Config,
    metrics: Sequence[str] = (),
    data: str | None = None,
    synthetic: Path | None = None,
) -> dict[str, Any]:
    """Score a run's synthetic images against real ones that it never saw; draws them where there are too few.

    Returns:
        What evaluation/scores.yaml holds.
    """
    from xrgan.data.synthetic import read_synthetic
    from xrgan.evaluation.evaluate import evaluate as score
    from xrgan.evaluation.image_sets import ImageSet, sample_comparison

    chosen = config.evaluate
    dataset = dataset_of(workspace, run, config, data)
    training, held_out = compared_of(dataset, config)
    folder = synthetic or drawn(workspace, run, config, len(held_out), data)
    comparison = sample_comparison(
        ImageSet(dataset.xrays(held_out), dataset.labels[held_out]),
        ImageSet(*read_synthetic(folder, dataset.classes)),
        ImageSet(dataset.xrays(training), dataset.labels[training]),
        chosen.n,
        chosen.seed,
        dataset.classes,
        chosen.reference,
    )
    return score(comparison, metrics, chosen, extractor_of(workspace, config), run.evaluation)


def evaluate_folders(
    workspace: Workspace,
    real: Path,
    synthetic: Path,
    training: Path | None,
    config: Config,
    metrics: Sequence[str],
    out: Path,
) -> dict[str, Any]:
    """Score one folder of images against another, whoever drew them.

    Args:
        training: what the generator learned from, where that is known: without it, copies can't be looked for.
        out: gets scores.yaml and the pictures.

    Returns:
        What scores.yaml holds.
    """
    from xrgan.data.synthetic import list_synthetic, read_synthetic
    from xrgan.evaluation.evaluate import evaluate as score
    from xrgan.evaluation.image_sets import ImageSet, sample_comparison, sample_comparison_without_training

    chosen = config.evaluate
    folders = [folder for folder in (real, synthetic, training) if folder is not None]
    labels = [set(list_synthetic(folder)["label"]) for folder in folders]
    classes = sorted(set.intersection(*labels) - {""})  # a class that one side lacks has nothing to compare with
    sets = [ImageSet(*read_synthetic(folder, classes, known_only=False)) for folder in folders]
    if training is None:
        comparison = sample_comparison_without_training(sets[0], sets[1], chosen.n, chosen.seed, classes)
    else:
        comparison = sample_comparison(sets[0], sets[1], sets[2], chosen.n, chosen.seed, classes, chosen.reference)
    return score(comparison, metrics, chosen, extractor_of(workspace, config), out)
