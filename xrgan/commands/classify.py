"""`xrgan classify`: do the synthetic images help? The study of classifiers, from a run to a verdict."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xrgan import console, launched
from xrgan.commands import processes
from xrgan.commands.cards import refresh_cards
from xrgan.commands.completion import complete_run
from xrgan.commands.flags import Flags, option, panel, with_flags
from xrgan.commands.options import (
    DATA,
    MACHINE,
    ConfigFile,
    DataName,
    DataRoot,
    DryRun,
    External,
    ExternalMap,
    GeneratorDataName,
    Json,
    Quiet,
    RunName,
    RunsRoot,
    Settings,
    study_flags,
)
from xrgan.commands.processes import Processes
from xrgan.commands.report import refresh_report
from xrgan.commands.studies import (
    NO_OTHERS,
    Known,
    Others,
    StudyRequest,
    check_others,
    refuse_unused_images,
    study_with_images,
    with_folds,
)
from xrgan.commands.study_arch import with_arch
from xrgan.commands.study_runs import config_of_study, dataset_of_study, find_study_run, refuse_without_generator
from xrgan.commands.synthetic_images import Origin, folder_of, origins_by_class
from xrgan.config import Config
from xrgan.config_resolve import resolve, to_yaml
from xrgan.errors import XrganError
from xrgan.files import write_text
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

if TYPE_CHECKING:
    import pandas as pd

    from xrgan.data.packed import PackedDataset
    from xrgan.downstream.pool import Pool, SyntheticImages
    from xrgan.downstream.summary import Summary


EXAMPLES = [
    "xrgan classify --arms real,real+synthetic --fractions 0.1,1 --seeds 3",
    "xrgan classify --predict new-xrays/ --arms real+synthetic",
]
CLASSIFIER, PREDICTION = "Classifier", "Prediction"
Synthetic = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATH",
        help="A folder of labelled images or a run; or one a class, as CLASS=PATH, repeated. \\[default: the run's]",
        autocompletion=complete_run,
        rich_help_panel=DATA,
    ),
]
Predict = Annotated[
    Path | None,
    typer.Option(
        help="No study: ask the run's best classifier (of --arms) of this image or folder.",
        metavar="PATH",
        rich_help_panel=PREDICTION,
    ),
]
OutFile = Annotated[
    Path | None,
    typer.Option(
        help="Beside --predict: the CSV. \\[default: predictions.csv]",
        metavar="FILE",
        dir_okay=False,
        rich_help_panel=PREDICTION,
    ),
]
FLAGS = [
    *study_flags("classify"),
    *panel(
        CLASSIFIER,
        option("classify.arch"),
        option("classify.weights"),
        option("classify.unfreeze"),
        option("classify.epochs"),
        option("classify.patience"),
        option("classify.batch_size"),
        option("classify.lr"),
    ),
    *panel(MACHINE, option("device")),
]


@with_flags("flags", FLAGS)
def classify(
    *,
    run_name: RunName = None,
    data: DataName = None,
    data_root: DataRoot = DATA_ROOT,
    synthetic: Synthetic = None,
    external: External = None,
    generator_data: GeneratorDataName = None,
    external_map: ExternalMap = "",
    flags: Flags,
    nproc: Processes = 1,
    predict: Predict = None,
    out: OutFile = None,
    as_json: Json = False,
    runs_root: RunsRoot = RUNS_ROOT,
    config_file: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Do the synthetic X-rays help? Classifiers on real images against others that learned from synthetic ones, too."""
    processes.begin(quiet or as_json, nproc, "classify")
    workspace = Workspace(data_root, runs_root)
    run = find_study_run(workspace, run_name, data, lambda: resolve(None, config_file, settings or (), flags).classify)
    config = resolve(config_of_study(run), config_file, settings or (), flags)
    if dry_run:
        console.show_text(to_yaml(config))
        return
    _refuse_to_share_prediction(predict, processes.of_all(nproc))
    console.waiting("Loading PyTorch")
    if predict is not None:
        arm = _one_arm(config) if flags["classify.arms"] else ""
        table = predict_images_of(run, config, predict, out or Path("predictions.csv"), arm)
        _show_predictions(table, out or Path("predictions.csv"), as_json)
    elif out is not None:
        raise XrganError("--out goes with --predict: a study stays in its run.", "Leave it out.", exit_code=2)
    else:
        others = Others(external, external_map, generator_data)
        with processes.shared(nproc, config.device), console.hint_when_interrupted():
            summary = compare_classifiers(workspace, run, config, data, synthetic or (), others)
        if launched.rank() == 0:
            refresh_cards(workspace, run)
            refresh_report(workspace, run)
            _show_summary(run, config, summary, as_json)


def _refuse_to_share_prediction(predict: Path | None, of_all: int) -> None:
    if predict is not None and of_all > 1:
        raise XrganError("--predict asks a classifier in one process.", "Leave out --nproc.", exit_code=2)


def _one_arm(config: Config) -> str:
    """Choose the arm whose classifier is asked.

    Raises:
        XrganError: there are several.
    """
    arms = config.classify.arms
    if len(arms) > 1:
        raise XrganError("--predict asks the classifier of one arm.", f"Name one: `--arms {arms[0]}`.", exit_code=2)
    return arms[0]


def _show_predictions(table: "pd.DataFrame", out: Path, as_json: bool) -> None:
    from xrgan.downstream.classification.inference import NO_DEVICE

    if as_json:
        console.show_json([row.dropna().to_dict() for _, row in table.iterrows()])
        return
    console.show_text(NO_DEVICE)
    console.show_text(str(out))


def _show_summary(run: RunDir, config: Config, summary: "Summary", as_json: bool) -> None:
    """Show the study's table and conclusion, and where the report is."""
    if as_json:
        console.show_json(summary)
        return
    from xrgan.downstream import report
    from xrgan.downstream.classification.task import Classification

    task = Classification(config.classify)
    title = f"{run.name}: {summary['options']['arch']} on the untouched test split"
    console.show_table(title, report.columns(task, summary), report.rows(task, summary), optional=[report.INTERVAL])
    console.show_sentence(summary["conclusion"])
    console.show_text(str(run.classify / "report.md"))


def compare_classifiers(
    workspace: Workspace,
    run: RunDir,
    config: Config,
    data: str | None = None,
    synthetic: Sequence[str] = (),
    others: Others = NO_OTHERS,
) -> "Summary":
    """Compare classifiers on real images with others that learned from synthetic ones, too.

    Args:
        synthetic: a folder or a run, or one per class as CLASS=PATH; the run's own images without any.
        others: other datasets beside its own.

    Returns:
        What classify/summary.yaml holds.
    """
    from xrgan import ranks
    from xrgan.downstream.arms import needs_synthetic
    from xrgan.downstream.classification.task import Classification

    with ranks.in_turn():  # the first process draws and fetches what the others then find
        check_others(workspace, config.classify, others)
        needed = needs_synthetic(config.classify.arms)
        refuse_without_generator(run, config, needed, synthetic)
        dataset = dataset_of_study(workspace, run, config, data)
        origins = origins_by_class(workspace, run, dataset, synthetic) if needed or synthetic else []
        refuse_unused_images(config.classify, needed, synthetic)
        if needed and config.classify.trains_generators and not config.model.conditional:
            raise XrganError(
                f"{run.name} draws no classes: generators like it would give images without labels.",
                "Train one with `xrgan train --conditional`, and name it with --run.",
            )
        config = with_folds(with_arch(config, run), "classify")
        request = StudyRequest(workspace, run, config, "classify", dataset, data, others)

        def shared_images(pool: "Pool", known: Known) -> "SyntheticImages":
            return _labelled(request, origins, pool, known)

        def fold_images(folder: Path, known: Known) -> "SyntheticImages":
            return _of_part(dataset, folder, others.generator_data is None, known)

        study = study_with_images(request, Classification(request.config.classify), origins, shared_images, fold_images)
    return study()


def _of_part(dataset: "PackedDataset", folder: Path, known_only: bool, known: Known) -> "SyntheticImages":
    """Read what a generator of the study's own drew, with its classes."""
    from xrgan.data.synthetic import read_synthetic
    from xrgan.downstream.classification.data import labelled_images

    read = read_synthetic(
        folder, dataset.classes, known_only, channels=dataset.channels, brightness=dataset.brightness()
    )
    return labelled_images(dataset, *read, known)


def _labelled(request: StudyRequest, origins: Sequence[Origin], pool: "Pool", known: Known) -> "SyntheticImages":
    """Read the images of those origins with their classes; where a run has too few, more are drawn."""
    import numpy as np

    from xrgan.data.synthetic import read_synthetic
    from xrgan.downstream.classification.data import class_counts, labelled_images

    dataset, config = request.dataset, request.config
    real = class_counts(pool.targets[pool.learned_from], pool.names)
    images, labels = [], []
    for origin in origins:
        label = dataset.classes.index(origin.label) if origin.label else -1
        wanted = round(float(real[label] if origin.label else real.sum()) * config.classify.ratio)
        folder = folder_of(request.workspace, origin, request.run, config, wanted, request.data, request.folder)
        its_images, its_labels = read_synthetic(
            folder,
            dataset.classes,
            known_only=not origin.label,
            channels=dataset.channels,
            brightness=dataset.brightness(),
        )
        images.append(its_images)
        labels.append(np.full(len(its_images), label) if origin.label else its_labels)
    shapes = {one.shape[1:] for one in images}
    if len(shapes) > 1:
        raise XrganError(
            "The synthetic images of the classes differ in size.", "Draw them from runs of one resolution."
        )
    return labelled_images(dataset, np.concatenate(images), np.concatenate(labels), known)


def predict_images_of(run: RunDir, config: Config, images: Path, out: Path, arm: str = "") -> "pd.DataFrame":
    """Ask the best classifier of a run's study (of that arm) of other images: → a CSV, one row per image.

    Raises:
        XrganError: there is no classifier, or no image that can be read.
    """
    import pandas as pd

    from xrgan.data.new_images import read_new_images
    from xrgan.data.preparing.hidden_names import write_names
    from xrgan.downstream.classification.inference import load_classifier, predict_images
    from xrgan.hardware import choose_device

    saved = load_classifier(run.classify, arm)
    names, pixels, problems, numbered = read_new_images(images, saved.metadata.options)
    table = predict_images(saved, names, pixels, choose_device(config.device), problems)
    files, table["file"] = table["file"], table["file"].replace(numbered)
    write_text(out, table.to_csv(index=False, lineterminator="\n"))
    if numbered:
        key = pd.DataFrame({"name": table["file"], "file": files})
        write_names(out.with_name(f".{out.stem}-names.csv"), key[key["name"] != key["file"]])
    known = saved.metadata
    console.notice(f"{known.arch} of the arm {known.arm}, validation AUROC {known.auroc:.3f}.")
    given = table["predicted"].dropna().unique()
    if len(names) > 1 and len(given) == 1:
        alike = f"All {len(names):,} images are predicted as {given[0]}"
        console.warn(f"{alike}: they are, or this classifier tells nothing apart (`report.md` has its sensitivity).")
    for name, reason in problems.items():
        console.warn(f"{name} can't be read: {reason}.")
    return table
