"""Do the synthetic images help? Where those of a study come from, what their generators saw, and a generator a fold."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrgan import console
from xrgan.config import AUTO, Config
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_text
from xrgan.pipeline.datasets import dataset_of
from xrgan.pipeline.drawing import drawn
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from xrgan.data.packed import PackedDataset
    from xrgan.downstream.folds import Fold
    from xrgan.downstream.leaks import Seen
    from xrgan.downstream.pool import Supply

FOLDS = 5
PER_FOLD = "generators"  # below a run's classify/ or segment/


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where synthetic images come from: a run, or a folder; all of one class, or each with its own."""

    path: Path
    run: RunDir | None
    label: str = ""


def classify(
    workspace: Workspace, run: RunDir, config: Config, data: str | None = None, synthetic: Sequence[str] = ()
) -> dict[str, Any]:
    """Compare classifiers on real images with others that learned from synthetic ones, too.

    Args:
        synthetic: a folder or a run, or one a class as CLASS=PATH; the run's own images without any.

    Returns:
        What classify/summary.yaml holds.
    """
    from xrgan.downstream import study
    from xrgan.downstream.arms import needs_synthetic
    from xrgan.hardware import choose_device

    dataset = dataset_of(workspace, run, config, data)
    device = choose_device(config.device)
    needed = needs_synthetic(config.classify.arms)
    origins = _origins(workspace, run, dataset, synthetic) if needed else []
    if config.classify.gan_per_fold and synthetic:
        raise XrganError(
            "--gan-per-fold draws its own images: --synthetic has no place beside it.", "Leave one out.", exit_code=2
        )
    if config.classify.gan_per_fold and not config.model.conditional:
        raise XrganError(
            f"{run.name} draws no classes: generators like it would give images without labels.",
            "Train one with `xrgan train --conditional`, and name it with --run.",
        )
    config = _with_folds(config, shared=needed and not config.classify.gan_per_fold)
    chosen = config.classify
    if not needed:
        study.check(dataset, chosen)
        return study.classify(dataset, chosen, device, run.classify)
    if chosen.gan_per_fold:
        study.check(dataset, chosen)

        def of_fold(fold: "Fold") -> "Supply":
            return _generated(workspace, run, dataset, fold, config)

        return study.classify(dataset, chosen, device, run.classify, of_fold)
    seen = [_seen(workspace, origin, dataset) for origin in origins]
    known = tuple(one for one in seen if one is not None)
    pool, _ = study.check(dataset, chosen, known)
    shared = _supply(workspace, origins, dataset, pool.counts(pool.learned_from), config, data, seen)
    return study.classify(dataset, chosen, device, run.classify, lambda _: shared, known)


def predict(run: RunDir, config: Config, images: Path, out: Path, arm: str = "") -> "pd.DataFrame":
    """What the best classifier of a run's study (of that arm) says of other images: → a CSV, a row an image.

    Raises:
        XrganError: there is no classifier, or no image that can be read.
    """
    from xrgan.data.unseen import read_unseen
    from xrgan.downstream.prediction import predict_images
    from xrgan.downstream.saved import load_classifier
    from xrgan.hardware import choose_device

    saved = load_classifier(run.classify, arm)
    names, pixels, problems = read_unseen(images, saved.about.options)
    table = predict_images(saved, names, pixels, choose_device(config.device), problems)
    write_text(out, table.to_csv(index=False, lineterminator="\n"))
    about = saved.about
    console.notice(f"{about.arch} of the arm {about.arm}, validation AUROC {about.auroc:.3f}.")
    for name, reason in problems.items():
        console.warn(f"{name} can't be read: {reason}.")
    return table


def _with_folds(config: Config, shared: bool) -> Config:
    """The number of folds that `auto` means.

    Args:
        shared: whether one generator's images go into all folds.
    """
    chosen = config.classify
    if chosen.k_folds != AUTO:
        return config
    k = 0 if shared else FOLDS
    if shared:
        console.notice(
            "Folds: none, the dataset's own split; the generator has seen images that folds would leave out"
            " (`--gan-per-fold` trains one a fold)."
        )
    return config.model_copy(update={"classify": chosen.model_copy(update={"k_folds": k})})


def _origins(workspace: Workspace, run: RunDir, dataset: "PackedDataset", synthetic: Sequence[str]) -> list[Origin]:
    """What `--synthetic` means; the run itself where it isn't given.

    Raises:
        XrganError: there is no such folder or class, or classes are missing.
    """
    if not synthetic:
        return [Origin(run.path, run)]
    origins = []
    for text in synthetic:
        label, equals, path = text.partition("=")
        if not equals or label not in dataset.classes:
            if equals and not Path(text).exists():
                raise XrganError(
                    f"{dataset.name} has no class {label!r}.",
                    f"--synthetic takes a folder, a run, or one a class: {dataset.classes[0]}=PATH.",
                    exit_code=2,
                )
            label, path = "", text
        of_run = workspace.run_at(path)
        if of_run.exists():
            origins.append(Origin(of_run.path, of_run, label))
        elif Path(path).is_dir():
            origins.append(Origin(Path(path), None, label))
        else:
            raise XrganError(f"There is no folder and no run {path}.", "`xrgan runs` lists the runs.")
    given = [origin.label for origin in origins]
    if len(origins) > 1 and sorted(given) != sorted(dataset.classes):
        raise XrganError(
            f"Several --synthetic are one for each class of {dataset.name}: {', '.join(dataset.classes)}.",
            f"Write {' '.join(f'--synthetic {name}=PATH' for name in dataset.classes)}.",
            exit_code=2,
        )
    return origins


def _seen(workspace: Workspace, origin: Origin, dataset: "PackedDataset") -> "Seen | None":
    """What the generator of those images learned from; None, and a warning, where nobody knows."""
    from xrgan.data.packed import open_packed
    from xrgan.downstream.leaks import seen_on

    run = origin.run or _run_of(workspace, origin.path)
    if run is not None:
        if run.trained_on() == dataset.content_hash:
            return seen_on(run.name, dataset, dataset)
        for path in workspace.prepared():
            if read_yaml(path / "dataset.yaml").get("content_hash") == run.trained_on():
                return seen_on(run.name, open_packed(path), dataset)
    console.warn(
        f"Nobody knows which images the generator of {origin.path} learned from: make sure that no test image is among"
        " them."
    )
    return None


def _run_of(workspace: Workspace, folder: Path) -> RunDir | None:
    """The run that drew a folder of images, where its sample.yaml names one that is here."""
    file = folder / "sample.yaml"
    name = str(read_yaml(file).get("run", "")) if file.is_file() else ""
    beside = RunDir(folder.parent)
    if name and beside.exists() and beside.name == name:
        return beside
    run = workspace.run_at(name) if name else None
    return run if run and run.exists() else None


def _supply(
    workspace: Workspace,
    origins: Sequence[Origin],
    dataset: "PackedDataset",
    real: Any,
    config: Config,
    data: str | None,
    seen: Sequence["Seen | None"],
) -> "Supply":
    """The images of those origins, drawn where a run has too few.

    Args:
        real: (K,) training images of each class.
    """
    import numpy as np

    from xrgan.data.synthetic import read_synthetic
    from xrgan.downstream import pool

    images, labels = [], []
    for origin in origins:
        label = dataset.classes.index(origin.label) if origin.label else -1
        wanted = round(float(real[label] if origin.label else real.sum()) * config.classify.ratio)
        folder = origin.path
        if origin.run:
            of_run = config if len(origins) == 1 else _own_config(origin.run, config)
            folder = drawn(workspace, origin.run, of_run, wanted, data)
        its_images, its_labels = read_synthetic(folder, dataset.classes, known_only=not origin.label)
        images.append(its_images)
        labels.append(np.full(len(its_images), label) if origin.label else its_labels)
    shapes = {one.shape[1:] for one in images}
    if len(shapes) > 1:
        raise XrganError(
            "The synthetic images of the classes differ in size.", "Draw them from runs of one resolution."
        )
    known = tuple(one for one in seen if one is not None)
    return pool.supply(
        dataset, np.concatenate(images), np.concatenate(labels), known if len(known) == len(seen) else None
    )


def _own_config(run: RunDir, config: Config) -> Config:
    """How a run other than the study's draws: as it was trained, on the study's device."""
    return run.read_config().model_copy(update={"device": config.device, "evaluate": config.evaluate})


def _generated(workspace: Workspace, run: RunDir, dataset: "PackedDataset", fold: "Fold", config: Config) -> "Supply":
    """A fold's own generator, trained as the run was on the fold's training images alone, and its images.

    Interrupted, it goes on where it stopped.
    """
    import numpy as np

    from xrgan.data.synthetic import read_synthetic
    from xrgan.downstream import pool
    from xrgan.downstream.leaks import Seen
    from xrgan.gan import runs, training

    splits = np.full(len(dataset.splits), "test", dtype="<U5")
    splits[fold.training], splits[fold.validation] = "train", "val"
    of_fold = dataclasses.replace(dataset, splits=splits)
    k, seed = config.classify.k_folds, config.classify.seed
    generator = RunDir(run.classify / PER_FOLD / f"fold{fold.number}of{k}-seed{seed}")
    if generator.exists():
        runs.change(generator, generator.read_config(), config)
    else:
        runs.create(generator, config, of_fold)
    what = f"fold {fold.number} of {k}" if fold.number else "the dataset's own split"
    console.notice(f"A generator for {what}: {generator.path}")
    trained = training.train(generator, of_fold, config)
    if trained.stopped_by:
        raise KeyboardInterrupt
    wanted_images = round(len(fold.training) * config.classify.ratio)
    folder = drawn(workspace, generator, config, wanted_images, None)
    images, labels = read_synthetic(folder, dataset.classes)
    seen = Seen(generator.name, np.unique(dataset.groups[fold.training]))
    return pool.supply(dataset, images, labels, (seen,))
