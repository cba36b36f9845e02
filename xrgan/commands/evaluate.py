"""`xrgan evaluate`: synthetic images beside real ones, or each checkpoint of a run beside held-out ones."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xrgan import console
from xrgan.commands import processes
from xrgan.commands.cards import refresh_cards
from xrgan.commands.completion import complete_extractor
from xrgan.commands.flags import Flag, Flags, option, panel, with_flags
from xrgan.commands.inputs import check_extractor, compared_of, dataset_of, extractor_of, find_run
from xrgan.commands.options import (
    DATA,
    MACHINE,
    RECORDS,
    ConfigFile,
    DataName,
    DataRoot,
    DryRun,
    Json,
    Quiet,
    RunName,
    RunsRoot,
    Settings,
)
from xrgan.commands.processes import Processes
from xrgan.commands.report import refresh_report
from xrgan.commands.sample import drawn
from xrgan.config import Config
from xrgan.config_resolve import resolve, to_yaml
from xrgan.errors import XrganError
from xrgan.evaluation import metric_table, scores_table
from xrgan.evaluation.scores_file import ScoreKey
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

if TYPE_CHECKING:
    from xrgan.evaluation.scores_file import Scores

EXAMPLES = [
    "xrgan evaluate --run jrs_64-2025-01-31-1 --fid --memorisation",
    "xrgan evaluate --real held-out/ --synthetic drawn/",
]
Score = Callable[[], None]
"""Scores, and shows it."""

METRICS, COMPARISON = "Metrics", "Comparison"
SCORED = 1  # place of the synthetic side among those of a comparison without a run
METRIC_FLAGS = [Flag(metric.name, (f"--{metric.name}",), bool, metric.help, METRICS) for metric in metric_table.METRICS]
SyntheticFolder = Annotated[
    Path | None,
    typer.Option(help="A folder of images. \\[default: the run's synthetic/]", metavar="DIR", rich_help_panel=DATA),
]
RealFolder = Annotated[
    Path | None,
    typer.Option(help="Without a run: a folder of real images to compare with.", metavar="DIR", rich_help_panel=DATA),
]
TrainingFolder = Annotated[
    Path | None,
    typer.Option(
        help="Beside --real: the images that the generator learned from, if known.",
        metavar="DIR",
        rich_help_panel=DATA,
    ),
]
AllowSynthetic = Annotated[
    bool,
    typer.Option(
        "--allow-synthetic",
        metavar="",
        help="Beside --real: let images count as real that say they are synthetic.",
        rich_help_panel=DATA,
    ),
]
EveryCheckpoint = Annotated[
    bool,
    typer.Option(
        "--every-checkpoint",
        metavar="",
        help="FID, KID, clipped coverage of each checkpoint; mark the best.",
        rich_help_panel=METRICS,
    ),
]
OutFolder = Annotated[
    Path | None,
    typer.Option(
        help="Beside --real: where to. \\[default: evaluation/<synthetic>]",
        metavar="DIR",
        file_okay=False,
        rich_help_panel=RECORDS,
    ),
]
FLAGS = [
    *panel(
        COMPARISON,
        option("evaluate.n", "--n", "-n"),
        option("evaluate.split"),
        option("evaluate.reference"),
        option("evaluate.extractor", complete=complete_extractor),
        option("evaluate.weights"),
        option("evaluate.fid_layer"),
        option("evaluate.size"),
        option("evaluate.seed"),
    ),
    *panel(MACHINE, option("device")),
]


@with_flags("flags", FLAGS)
@with_flags("metrics", METRIC_FLAGS)
def evaluate(
    *,
    run_name: RunName = None,
    data: DataName = None,
    data_root: DataRoot = DATA_ROOT,
    synthetic: SyntheticFolder = None,
    real: RealFolder = None,
    training: TrainingFolder = None,
    allow_synthetic: AllowSynthetic = False,
    metrics: Flags,
    every_checkpoint: EveryCheckpoint = False,
    flags: Flags,
    nproc: Processes = 1,
    out: OutFolder = None,
    as_json: Json = False,
    runs_root: RunsRoot = RUNS_ROOT,
    config_file: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Score the synthetic X-rays against real ones that the generator never saw; no metric named = all."""
    processes.begin(quiet or as_json, nproc, "evaluate")
    workspace = Workspace(data_root, runs_root)
    run = None if real else find_run(workspace, run_name)
    config = resolve(run.read_config() if run else None, config_file, settings or (), flags)
    named = [name for name, wanted in metrics.items() if wanted]
    if dry_run:
        console.show_text(to_yaml(config))
        return
    score: Score
    if every_checkpoint:
        reference = flags["evaluate.reference"]
        _refuse_beside_every_checkpoint(
            named, real=real, training=training, synthetic=synthetic, out=out, reference=reference
        )
        assert run is not None
        score = partial(_score_over_time, workspace, run, config, data, as_json)
    elif run is None:
        assert real is not None
        synthetic = _folder_to_score(synthetic, real, run_name, data)
        sides = real, synthetic, training
        score = partial(_score_folders, workspace, sides, config, named, out, allow_synthetic, as_json)
    else:
        _refuse_beside_a_run(training=training, out=out)
        score = partial(_score_run, workspace, run, config, named, data, synthetic, as_json)
    console.waiting("Loading PyTorch")
    check_extractor(workspace, config, run)
    with processes.shared(nproc, config.device):
        _score_or_help(score, workspace, config)


def _score_or_help(score: Score, workspace: Workspace, config: Config) -> None:
    """Score in the first of several processes, and extract features for it in the others."""
    from xrgan import ranks
    from xrgan.evaluation import features

    if not ranks.is_first():
        features.help_first(extractor_of(workspace, config))
        return
    with features.shared():
        score()


def evaluate_run(
    workspace: Workspace,
    run: RunDir,
    config: Config,
    metrics: Sequence[str] = (),
    data: str | None = None,
    synthetic: Path | None = None,
) -> "Scores":
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
        ImageSet(dataset.xrays(held_out), dataset.labels[held_out], dataset.groups[held_out]),
        ImageSet(*read_synthetic(folder, dataset.classes, channels=dataset.channels, brightness=dataset.brightness())),
        ImageSet(dataset.xrays(training), dataset.labels[training], dataset.groups[training]),
        chosen.n,
        chosen.seed,
        dataset.classes,
        chosen.reference,
    )
    return score(
        comparison,
        metrics,
        chosen,
        extractor_of(workspace, config),
        run.evaluation,
        f"{run.name} · {dataset.name}",
    )


def evaluate_folders(
    workspace: Workspace,
    real: Path,
    synthetic: Path,
    training: Path | None,
    config: Config,
    metrics: Sequence[str],
    out: Path,
    allow_synthetic: bool = False,
) -> "Scores":
    """Score one folder of images against another, whoever drew them; each may be a prepared dataset instead.

    Args:
        real: of a prepared dataset, the images of `evaluate.split` count; of `training`, its training images.
        training: what the generator learned from, where that is known: without it, copies can't be looked for.
        out: gets scores.yaml and the pictures.
        allow_synthetic: let images count as real ones that say they are synthetic.

    Returns:
        What scores.yaml holds.
    """
    from xrgan.commands.image_folders import Side, common_classes, left_out_as_synthetic, read_sides
    from xrgan.data.packed import SPLITS
    from xrgan.evaluation.evaluate import evaluate as score
    from xrgan.evaluation.image_sets import sample_comparison, sample_comparison_without_training

    chosen = config.evaluate
    held_out = ("val", "test") if chosen.split == "held-out" else (chosen.split,)
    sides = [(real, held_out), (synthetic, SPLITS), *([(training, ("train",))] if training else [])]
    classes = common_classes([folder for folder, _ in sides])
    leave_out = [
        [] if allow_synthetic or k == SCORED else left_out_as_synthetic(folder) for k, (folder, _) in enumerate(sides)
    ]
    named = [Side(folder, splits, names) for (folder, splits), names in zip(sides, leave_out, strict=True)]
    sets = read_sides(named, classes, chosen.size)
    if training is None:
        comparison = sample_comparison_without_training(sets[0], sets[1], chosen.n, chosen.seed, classes)
    else:
        comparison = sample_comparison(sets[0], sets[1], sets[2], chosen.n, chosen.seed, classes, chosen.reference)
    return score(comparison, metrics, chosen, extractor_of(workspace, config), out, f"{synthetic} against {real}")


def _score_run(
    workspace: Workspace,
    run: RunDir,
    config: Config,
    metrics: Sequence[str],
    data: str | None,
    synthetic: Path | None,
    as_json: bool,
) -> None:
    """Score a run's images, write it into cards and report, and show the table."""
    scores = evaluate_run(workspace, run, config, metrics, data, synthetic)
    refresh_cards(workspace, run)
    refresh_report(workspace, run)
    title = f"{run.name}: {synthetic or 'synthetic'} against {config.evaluate.split} images"
    _show_scores(scores, title, run.evaluation, as_json)


def _score_folders(
    workspace: Workspace,
    sides: tuple[Path, Path, Path | None],
    config: Config,
    metrics: Sequence[str],
    out: Path | None,
    allow_synthetic: bool,
    as_json: bool,
) -> None:
    """Score two folders' images, and show the table.

    Args:
        sides: real images, synthetic ones, and what their generator learned from, if known.
        out: the folder of the scores; one below evaluation/ without it.
    """
    real, synthetic, training = sides
    folder = out or Path("evaluation") / synthetic.resolve().name
    scores = evaluate_folders(workspace, real, synthetic, training, config, metrics, folder, allow_synthetic)
    _show_scores(scores, f"{synthetic} against {real}", folder, as_json)


def _show_scores(scores: "Scores", title: str, folder: Path, as_json: bool) -> None:
    """Show the scores as a table, and where the pictures are."""
    if as_json:
        console.show_json(scores)
        return
    for extractor, called in scores_table.extractors(scores).items():
        lines = scores_table.rows(scores, extractor)
        whose = f"{title}, by {called}" if called else title
        console.show_table(whose, scores_table.COLUMNS, lines, optional=("ratio", "note"))
    scored = {ScoreKey.parse(key).name for key in scores["metrics"]}  # a picture of other images stays unmentioned
    pictures = [metric.picture for metric in metric_table.METRICS if metric.picture and scored & set(metric.scores)]
    for picture in (*pictures, "overview.png"):
        if (folder / picture).is_file():
            console.show_text(str(folder / picture))


def _score_over_time(workspace: Workspace, run: RunDir, config: Config, data: str | None, as_json: bool) -> None:
    """Score every checkpoint of a run, show them with the best one, and write it into the report."""
    from xrgan.commands.score_checkpoints import evaluate_checkpoints
    from xrgan.evaluation import checkpoint_report, checkpoint_scores

    rows, best = evaluate_checkpoints(workspace, run, config, data)
    refresh_report(workspace, run)
    if as_json:
        console.show_json(checkpoint_report.summary(rows, best))
        return
    title = f"{run.name}: {rows[0].n:,} images a checkpoint against as many of {rows[0].split}"
    console.show_table(title, checkpoint_report.COLUMNS, checkpoint_report.table(rows, best))
    if best is None:
        console.notice(f"None is marked best: only scores on the {checkpoint_scores.CHOOSES} split choose one.")
    else:
        console.notice(
            f"Best by KID and clipped coverage: {best.checkpoint}; `xrgan sample --checkpoint best` draws from it."
        )
    console.show_text(str(run.evaluation / checkpoint_report.PICTURE))


def _refuse_beside_every_checkpoint(metrics: Sequence[str], **others: object) -> None:
    """Raise XrganError where a flag was given that has no place beside --every-checkpoint."""
    given = [*metrics, *(name for name, value in others.items() if value)]
    if given:
        raise XrganError(
            "--every-checkpoint scores a run's checkpoints by FID, KID and clipped coverage: "
            f"--{given[0]} has no place beside it.",
            f"Leave out --{given[0]}.",
            exit_code=2,
        )


def _folder_to_score(synthetic: Path | None, real: Path | None, run: str | None, data: str | None) -> Path:
    if synthetic is None:
        raise XrganError(
            f"--real {real} needs --synthetic DIR beside it: the images to score.",
            "Leave --real out to score a run's images against its dataset's held-out ones.",
            exit_code=2,
        )
    if run or data:
        raise XrganError("--real scores two folders: --run and --data have no place beside it.", exit_code=2)
    return synthetic


def _refuse_beside_a_run(**options_of_folders: Path | None) -> None:
    for name, value in options_of_folders.items():
        if value is not None:
            raise XrganError(
                f"--{name} goes with --real: a run knows its own {'folder' if name == 'out' else 'training images'}.",
                exit_code=2,
            )
