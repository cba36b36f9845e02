"""What a command works on: the run, the dataset, the images that are compared, the network of the features."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xrgan import console
from xrgan.config import EXTRACTORS, Config
from xrgan.errors import XrganError
from xrgan.exported import Export, names_export
from xrgan.files import existing_file
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from xrgan.data.packed import PackedDataset
    from xrgan.evaluation.extractors import Extractor

TRAINED_AGAINST = "lite0"  # the extractor that a projected discriminator looks through
TRAINING_SEARCHED = 10  # training images held in memory for each one that is compared


def find_run(workspace: Workspace, name: str | None, generator: bool = True) -> RunDir:
    """Find the run of that path or name; without one the latest, and the user is told which.

    Args:
        generator: whether it must have one: a study of real images alone has none.

    Raises:
        XrganError: there is no such run, or it lacks a generator.
    """
    run = workspace.find_run(name)
    if generator and name is None:
        run = next((one for one in reversed(workspace.runs()) if not _is_study_alone(one)), run)
    if generator and _is_study_alone(run):
        raise XrganError(
            f"{run.path} has no generator: it is a study of real images alone.", "`xrgan train` makes one."
        )
    if name is None:
        console.notice(f"Run: {run.path}, the latest.")
    return run


def _is_study_alone(run: RunDir) -> bool:
    """Whether a run says that it has no generator; a damaged one doesn't."""
    try:
        return not run.read_config().generator
    except XrganError:
        return False


def find_run_or_export(workspace: Workspace, name: str | None) -> RunDir | Export:
    """Find what draws: a run, as `find_run`, or the file of an export."""
    if name is None or not names_export(name):
        return find_run(workspace, name)
    export = Export(Path(name))
    console.notice(f"Export: {export.path}, of the run {export.manifest.run}.")
    return export


def find_source(workspace: Workspace, name: str | None) -> Path:
    """Find the fetched source of that path, name or alias (`jsrt` is `jrs`); the only one without a name."""
    from xrgan.data.sources import SOURCES

    names = {alias: source.name for source in SOURCES.values() for alias in source.aliases}
    return workspace.find_raw(names.get(name, name) if name else None, list(SOURCES))


def choose_dataset(workspace: Workspace, name: str | None, config: Config) -> Path:
    """Choose the prepared dataset to train on; a fetched source is prepared first, where there is no choice to make."""
    from xrgan.data.prepare import prepare

    prepared, fetched = workspace.prepared(), workspace.fetched()
    untouched = workspace.fetched_since_prepared()
    if name is not None:
        if name not in {path.name for path in fetched} - {path.name for path in prepared}:
            return workspace.find_prepared(name)
        return prepare(find_source(workspace, name), workspace.prepared_root, config.prepare)
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


def open_prepared(workspace: Workspace, name: str) -> "PackedDataset":
    """Open the prepared dataset of that path or name.

    Raises:
        XrganError: it is none, or was changed since it was prepared.
    """
    from xrgan.data.packed import check_content, open_packed

    dataset = open_packed(workspace.find_prepared(name))
    check_content(dataset)
    return dataset


def dataset_of(workspace: Workspace, run: RunDir, config: Config, data: str | None) -> "PackedDataset":
    """Open the dataset that a run was trained on, or another one where the user insists.

    Raises:
        XrganError: it is none, was changed since it was prepared, or isn't the run's though nobody named another.
    """
    from xrgan.gan import setup

    dataset = open_prepared(workspace, data or config.dataset)
    if data is None:
        setup.check_dataset(run, dataset)
    elif dataset.content_hash != run.trained_on():
        console.warn(f"{run.name} was trained on {config.dataset}: its training images may be among those of {data}.")
    return dataset


def compared_of(dataset: "PackedDataset", config: Config) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Choose the training images that copies are looked for among, and the held-out ones: indices (N,) of both.

    Raises:
        XrganError: there is no held-out image.
    """
    chosen = config.evaluate
    splits = ("val", "test") if chosen.split == "held-out" else (chosen.split,)
    held_out = dataset.some_of(splits, chosen.n, chosen.seed)
    if not len(held_out):
        raise XrganError(f"{dataset.name} has no {chosen.split} images to compare with.")
    return dataset.some_of(("train",), TRAINING_SEARCHED * chosen.n, chosen.seed), held_out


def check_extractor(workspace: Workspace, config: Config, run: RunDir | None) -> None:
    """Raise XrganError where the file or the run that features shall come from isn't there, whether needed or not.

    What a run's own config.yaml names may be on another machine: that is missed when it is needed.
    """
    from xrgan.evaluation import dino, inception_weights

    chosen, saved = config.evaluate, (run.read_config() if run else Config()).evaluate
    if (chosen.extractor, chosen.weights) == (saved.extractor, saved.weights):
        return
    kind, _, name = chosen.extractor.partition(":")
    if kind == "classifier":
        from xrgan.downstream.arms import REAL
        from xrgan.downstream.classification.inference import find_classifier

        find_classifier(workspace.find_run(name).classify, REAL)
    elif kind not in EXTRACTORS:
        existing_file(chosen.extractor, dino.TAKES)
    if chosen.weights:
        existing_file(chosen.weights, inception_weights.TAKES)


def extractor_of(workspace: Workspace, config: Config) -> "Callable[[], Extractor]":
    """The network that features come from, loaded when it is needed."""
    from xrgan.evaluation import dino, extractors, inception_weights
    from xrgan.hardware import choose_device
    from xrgan.lite_weights import LITES, fetch_lite

    chosen, device = config.evaluate, choose_device(config.device)
    kind, _, name = chosen.extractor.partition(":")

    def make() -> "Extractor":
        console.waiting("Loading the network of the features")
        if kind == "inception":
            given, fetch = chosen.weights, inception_weights.fetch_weights
            weights = (
                inception_weights.check_weights(existing_file(given, inception_weights.TAKES)) if given else fetch()
            )
            return extractors.inception(weights, device)
        if kind in LITES:
            weights = fetch_lite(LITES[kind], f"--extractor {kind}")
            made = extractors.efficientnet_lite(LITES[kind], weights, device)
            # Only a run's own config says `projected`: elsewhere it is `auto`, and nothing is known of the generator.
            against = kind == TRAINED_AGAINST and config.model.discriminator == "projected"
            return replace(made, trained_against=against)
        if kind != "classifier":
            return extractors.vision_transformer(dino.read_dino(existing_file(chosen.extractor, dino.TAKES)), device)
        from xrgan.downstream.arms import REAL
        from xrgan.downstream.classification.inference import load_classifier

        run = workspace.find_run(name)
        saved = load_classifier(run.classify, REAL)
        network = saved.network.to(device)
        return extractors.custom(
            f"classifier:{run.name}", saved.sha256, saved.features, network.features, device, saved.metadata.channels
        )

    return make
