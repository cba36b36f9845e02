"""The stages, one after the other: which dataset a run means, which images a score needs, in which order things happen.

Stages know nothing of one another; here is what one hands to the next. They are imported inside the functions, so that
a command waits for no more than it uses.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrgan import console
from xrgan.config import Config
from xrgan.errors import XrganError
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from xrgan.data.packed import PackedDataset
    from xrgan.evaluation.extractors import Extractor
    from xrgan.evaluation.over_time import Distances, Row, Setting
    from xrgan.gan.selection import Selection
    from xrgan.gan.training import Score, Trained

TRAINING_SEARCHED = 10  # training images held in memory for each one that is compared
SCORED_FROM = 3 * 10**9  # the images that a checkpoint is scored by are not those that `sample` draws of a seed

OverTime = tuple[list["Row"], "Row | None"]
"""The scored checkpoints that compare, the first step first, and the best one."""


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

    extractor = _extractor_of_training(workspace, config)
    dataset = open_packed(_choose_dataset(workspace, data or config.dataset or None, config))
    config = runs.complete(config, dataset)
    run = run or workspace.new_run(dataset.name)
    score = _score_of_training(run, dataset, config, extractor) if extractor else None
    runs.create(run, config, dataset, init_from)
    console.notice(f"Run: {run.path}")
    return training.train(run, dataset, config, score)


def go_on(workspace: Workspace, run: RunDir, saved: Config, wanted: Config, data: str | None) -> "Trained":
    """Train a run that exists to the epoch that is wanted now.

    Raises:
        XrganError: the wish would make it another run, or the dataset is not the one that it was trained on.
    """
    from xrgan.gan import runs, training

    dataset = _dataset_of(workspace, run, wanted, data)
    runs.check_dataset(run, dataset)
    extractor = _extractor_of_training(workspace, wanted)
    score = _score_of_training(run, dataset, wanted, extractor) if extractor else None
    runs.change(run, saved, wanted)
    return training.train(run, dataset, wanted, score)


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
    from xrgan.evaluation.compared import ImageSet, draw_compared
    from xrgan.evaluation.evaluate import evaluate as score

    chosen = config.evaluate
    dataset = _dataset_of(workspace, run, config, data)
    training, held_out = _compared_of(dataset, config)
    folder = synthetic or _drawn(workspace, run, config, len(held_out), data)
    compared = draw_compared(
        ImageSet(dataset.xrays(held_out), dataset.labels[held_out]),
        ImageSet(*read_synthetic(folder, dataset.classes)),
        ImageSet(dataset.xrays(training), dataset.labels[training]),
        chosen.n,
        chosen.seed,
        dataset.classes,
        chosen.reference,
    )
    return score(compared, metrics, chosen, _extractor(workspace, config), run.evaluation)


def reject_copies(workspace: Workspace, run: RunDir, config: Config, data: str | None = None) -> "Selection":
    """What turns down the images that `evaluate` would suspect to be copies of training images.

    Where the features' weights can't be had, pixels alone are compared, and the user is told.

    Raises:
        XrganError: no image was held out, or the dataset is not the one that the run was trained on.
    """
    from xrgan.evaluation import copies
    from xrgan.gan.selection import Selection

    dataset = _dataset_of(workspace, run, config, data)
    training, held_out = _compared_of(dataset, config)
    if len(training) < (there := len(dataset.of_split("train"))):
        console.warn(f"Copies are looked for among {len(training):,} of {there:,} training images (evaluate.n).")
    extractor = None
    try:
        extractor = _extractor(workspace, config)()
    except XrganError as error:
        console.warn(f"{error} Copies are looked for by their pixels alone.")
    spaces = f"pixels and {extractor.name} features" if extractor else "pixels"
    return Selection(
        f"{spaces}, against {dataset.name}",
        lambda: copies.honest_of(dataset.xrays(training), dataset.xrays(held_out), extractor),
    )


def evaluate_checkpoints(workspace: Workspace, run: RunDir, config: Config, data: str | None = None) -> OverTime:
    """Score every checkpoint of a run that is on disk and not scored yet, and mark the best one.

    Raises:
        XrganError: there is no checkpoint, or no held-out image, or the dataset is not the run's.
    """
    from xrgan.gan import checkpoint, runs

    dataset = _dataset_of(workspace, run, config, data)
    runs.check_dataset(run, dataset)
    there = checkpoint.on_disk(run.checkpoints)
    if not there:
        raise XrganError(f"{run.path} has no checkpoint yet.", f"`xrgan resume --run {run.path}` trains it.")
    return _scorer(run, dataset, config, _extractor(workspace, config)())(there)


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
    from xrgan.evaluation.compared import ImageSet, draw_compared, draw_from_two
    from xrgan.evaluation.evaluate import evaluate as score

    chosen = config.evaluate
    folders = [folder for folder in (real, synthetic, training) if folder is not None]
    labels = [set(list_synthetic(folder)["label"]) for folder in folders]
    classes = sorted(set.intersection(*labels) - {""})  # a class that one side lacks has nothing to compare with
    sets = [ImageSet(*read_synthetic(folder, classes, known_only=False)) for folder in folders]
    if training is None:
        compared = draw_from_two(sets[0], sets[1], chosen.n, chosen.seed, classes)
    else:
        compared = draw_compared(sets[0], sets[1], sets[2], chosen.n, chosen.seed, classes, chosen.reference)
    return score(compared, metrics, chosen, _extractor(workspace, config), out)


def _extractor(workspace: Workspace, config: Config) -> "Callable[[], Extractor]":
    """The network that features come from, loaded when it is needed."""
    from xrgan.evaluation import extractors, inception
    from xrgan.gan.models import choose_device

    chosen, device = config.evaluate, choose_device(config.device)
    kind, _, name = chosen.extractor.partition(":")

    def make() -> "Extractor":
        if kind == "inception":
            weights = inception.check_weights(Path(chosen.weights)) if chosen.weights else inception.fetch_weights()
            return extractors.inception(weights, device)
        from xrgan.downstream.saved import load_classifier

        run = workspace.find_run(name)
        saved = load_classifier(run.classify)
        network = saved.network.to(device)
        return extractors.custom(
            f"classifier:{run.name}", saved.sha256, saved.features, network.features, device, saved.about.channels
        )

    return make


def _extractor_of_training(workspace: Workspace, config: Config) -> "Extractor | None":
    """The network of the scores over time, looked for before the first step and not hours later."""
    if not config.train.evaluate_every:
        return None
    try:
        return _extractor(workspace, config)()
    except XrganError as error:
        raise XrganError(error.message, f"{error.hint} Or train without scores: `--evaluate-every 0`.") from None


def _score_of_training(run: RunDir, dataset: "PackedDataset", config: Config, extractor: "Extractor") -> "Score":
    """What training calls with the checkpoints that it reaches."""
    from xrgan.evaluation import over_time
    from xrgan.gan import checkpoint

    score = _scorer(run, dataset, config, extractor)

    def reached(path: Path, wanted: bool) -> None:
        there = checkpoint.on_disk(run.checkpoints)
        step = next(step for step in there if checkpoint.path_of(run.checkpoints, step) == path)
        over_time.forget_after(run.evaluation, step)
        if wanted:  # the best one, too, so that no other takes its place unless it is better under these settings
            score({of: file for of, file in there.items() if of == step or file.name == checkpoint.BEST})

    return reached


def _scorer(
    run: RunDir, dataset: "PackedDataset", config: Config, extractor: "Extractor"
) -> Callable[[Mapping[int, Path]], OverTime]:
    """What scores those checkpoints (step → file) that the run's table lacks, and marks the best of all.

    Raises:
        XrganError: there is nothing to compare with.
    """
    from xrgan.evaluation import over_time
    from xrgan.gan import checkpoint
    from xrgan.gan.batches import make_batches

    setting = _setting_over_time(dataset, config, extractor)
    steps_an_epoch = make_batches(dataset, config).an_epoch

    def distances(images: Any, what: str) -> "Distances":
        real = dataset.xrays(dataset.some_of((setting.split,), setting.n, setting.seed))
        return over_time.score(real, images, setting.layer, setting.seed, extractor, f"Features of {what} images")

    @functools.cache
    def floor() -> "Distances":
        return distances(dataset.xrays(dataset.some_of(("train",), setting.n, setting.seed)), "training")

    def row(step: int, file: Path) -> "Row":
        content = checkpoint.load(file)
        lowest, here = floor(), distances(_drawn_in_memory(run, config, file, setting.n), f"step {step}'s")
        return over_time.Row(
            checkpoint=checkpoint.path_of(run.checkpoints, step).stem,
            epoch=round(step / steps_an_epoch, 2),
            step=step,
            images_seen=content["images_seen"],
            **setting._asdict(),
            fid=here.fid,
            fid_floor=lowest.fid,
            kid=here.kid,
            kid_std=here.kid_std,
            kid_floor=lowest.kid,
            seconds=content["seconds"],
        )

    def score(checkpoints: Mapping[int, Path]) -> OverTime:
        rows = over_time.read(run.evaluation)
        known = {one.step for one in rows if one.setting == setting}
        for step, file in checkpoints.items():
            if step not in known:
                rows.append(row(step, file))
                over_time.write(run.evaluation, rows)  # interrupted, it goes on here
                console.notice(over_time.sentence(rows[-1]))
        there = checkpoint.on_disk(run.checkpoints)
        comparable, best = over_time.publish(run.evaluation, rows, setting, there)
        if best is not None:
            checkpoint.mark_best(there[best.step])
        return comparable, best

    return score


def _setting_over_time(dataset: "PackedDataset", config: Config, extractor: "Extractor") -> "Setting":
    """Which images the checkpoints of a run are scored by: the val split's, unless another one is asked for.

    Raises:
        XrganError: there are less than two images to compare with.
    """
    from xrgan.evaluation.over_time import CHOOSES, Setting

    chosen = config.evaluate
    split = str(chosen.split)
    if split == "held-out":
        split = CHOOSES if len(dataset.of_split(CHOOSES)) else "test"
    n = min(chosen.n, len(dataset.of_split(split)), len(dataset.of_split("train")))
    if n < 2:
        raise XrganError(
            f"{dataset.name} has no {split} images to score checkpoints by.", "`xrgan prepare --split` holds some out."
        )
    layer = chosen.fid_layer if extractor.is_inception else extractor.last
    return Setting(split, n, chosen.seed, extractor.name, layer)


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
    folder = synthetic or _drawn(workspace, run, config, wanted, data)
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


def _compared_of(dataset: "PackedDataset", config: Config) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """The training images that copies are looked for among, and the held-out ones.

    Raises:
        XrganError: there is no held-out image.
    """
    chosen = config.evaluate
    splits = ("val", "test") if chosen.split == "held-out" else (chosen.split,)
    held_out = dataset.some_of(splits, chosen.n, chosen.seed)
    if not len(held_out):
        raise XrganError(f"{dataset.name} has no {chosen.split} images to compare with.")
    return dataset.some_of(("train",), TRAINING_SEARCHED * chosen.n, chosen.seed), held_out


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


def _drawn(workspace: Workspace, run: RunDir, config: Config, count: int, data: str | None) -> Path:
    """The run's synthetic folder with at least `count` images: drawn now, where there are too few."""
    from xrgan.gan import sampling

    if len(sampling.list_drawn(run.synthetic)) < count:
        console.notice(f"{run.synthetic} holds fewer than {count:,} images: drawing the rest.")
        seed = sampling.seed_of(run.synthetic, config.sample.seed)
        of_those = sampling.checkpoint_of(run.synthetic, run)
        drawing = sampling.open_drawing(run, config.device, config.sample.ema, of_those)
        selection = reject_copies(workspace, run, config, data) if sampling.rejects_copies(run.synthetic) else None
        sampling.sample(drawing, run.synthetic, count, seed, run_name=run.name, selection=selection)
    return run.synthetic


def _drawn_in_memory(run: RunDir, config: Config, file: Path, count: int) -> Any:
    """X-rays that a checkpoint draws, without their masks: uint8 (count, C, S, S)."""
    import numpy as np

    from xrgan.gan import sampling

    drawing = sampling.open_drawing(run, config.device, checkpoint_name=str(file))
    first, blocks = SCORED_FROM // sampling.BLOCK, -(-count // sampling.BLOCK)
    images = [sampling.draw_block(drawing, config.evaluate.seed, first + k)[0] for k in range(blocks)]
    return np.concatenate(images)[:count, : drawing.spec.channels]
