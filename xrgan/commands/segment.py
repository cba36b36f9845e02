"""`xrgan segment`: do the synthetic images help? The study of segmenters, from a run to a verdict."""

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
from xrgan.commands.study_runs import config_of_study, dataset_of_study, find_study_run, refuse_without_generator
from xrgan.commands.synthetic_images import Origin, folder_of, origin_at
from xrgan.config import Config
from xrgan.config_resolve import resolve, to_yaml
from xrgan.errors import XrganError
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

if TYPE_CHECKING:
    from xrgan.data.packed import PackedDataset
    from xrgan.downstream.pool import Pool, SyntheticImages
    from xrgan.downstream.summary import Summary


EXAMPLES = ["xrgan segment --arms real,real+synthetic,synthetic --seeds 3"]
Synthetic = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="A folder that `sample` filled with masks, or a run. \\[default: the run's]",
        autocompletion=complete_run,
        rich_help_panel=DATA,
    ),
]
FLAGS = [
    *study_flags("segment"),
    *panel(
        "Segmenter",
        option("segment.width"),
        option("segment.epochs"),
        option("segment.patience"),
        option("segment.batch_size"),
        option("segment.lr"),
    ),
    *panel(MACHINE, option("device")),
]


@with_flags("flags", FLAGS)
def segment(
    *,
    run_name: RunName = None,
    data: DataName = None,
    data_root: DataRoot = DATA_ROOT,
    synthetic: Synthetic = None,
    external: External = None,
    generator_data: GeneratorDataName = None,
    flags: Flags,
    nproc: Processes = 1,
    as_json: Json = False,
    runs_root: RunsRoot = RUNS_ROOT,
    config_file: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Do synthetic X-rays with masks help? U-Nets on real ones against others that learned from synthetic ones, too."""
    processes.begin(quiet or as_json, nproc, "segment")
    workspace = Workspace(data_root, runs_root)
    run = find_study_run(workspace, run_name, data, lambda: resolve(None, config_file, settings or (), flags).segment)
    config = resolve(config_of_study(run), config_file, settings or (), flags)
    if dry_run:
        console.show_text(to_yaml(config))
        return
    console.waiting("Loading PyTorch")
    others = Others(external, generator_data=generator_data)
    with processes.shared(nproc, config.device), console.hint_when_interrupted():
        summary = compare_segmenters(workspace, run, config, data, synthetic, others)
    if launched.rank() == 0:
        refresh_cards(workspace, run)
        refresh_report(workspace, run)
        _show_summary(run, config, summary, as_json)


def _show_summary(run: RunDir, config: Config, summary: "Summary", as_json: bool) -> None:
    """Show the study's table and conclusion, and where the report is."""
    if as_json:
        console.show_json(summary)
        return
    from xrgan.downstream import report
    from xrgan.downstream.segmentation.task import Segmentation

    task = Segmentation(config.segment)
    title = f"{run.name}: U-Net on the untouched test split, {' and '.join(summary['dataset']['structures'])}"
    console.show_table(title, report.columns(task, summary), report.rows(task, summary), optional=[report.INTERVAL])
    console.show_sentence(summary["conclusion"])
    console.show_text(str(run.segment / "report.md"))


def compare_segmenters(
    workspace: Workspace,
    run: RunDir,
    config: Config,
    data: str | None = None,
    synthetic: str | None = None,
    others: Others = NO_OTHERS,
) -> "Summary":
    """Compare segmenters on real images and masks with others that learned from synthetic pairs, too.

    Args:
        synthetic: a folder that `sample` filled with masks, or a run; the run's own images without any.
        others: other datasets beside its own, with masks.

    Returns:
        What segment/summary.yaml holds.
    """
    from xrgan import ranks
    from xrgan.downstream.arms import needs_synthetic
    from xrgan.downstream.segmentation.data import check_real
    from xrgan.downstream.segmentation.task import Segmentation

    with ranks.in_turn():  # the first process draws and fetches what the others then find
        check_others(workspace, config.segment, others)
        needed = needs_synthetic(config.segment.arms)
        refuse_without_generator(run, config, needed, synthetic)
        dataset = dataset_of_study(workspace, run, config, data)
        if needed and config.segment.trains_generators:
            check_real(dataset)
            _refuse_without_masks(run)
        origin = origin_at(workspace, synthetic) if synthetic else Origin(run.path, run)
        refuse_unused_images(config.segment, needed, synthetic)
        request = StudyRequest(workspace, run, with_folds(config, "segment"), "segment", dataset, data, others)

        def shared_images(pool: "Pool", known: Known) -> "SyntheticImages":
            if origin.run:
                _refuse_without_masks(origin.run)
            count = round(len(pool.learned_from) * request.options.ratio)
            folder = folder_of(workspace, origin, run, request.config, count, data, request.folder)
            return _paired(dataset, folder, known)

        def fold_images(folder: Path, known: Known) -> "SyntheticImages":
            return _paired(dataset, folder, known)

        study = study_with_images(request, Segmentation(request.config.segment), [origin], shared_images, fold_images)
    return study()


def _paired(dataset: "PackedDataset", folder: Path, known: Known) -> "SyntheticImages":
    """The images of a folder with their masks."""
    from xrgan.data.synthetic import read_pairs
    from xrgan.downstream.segmentation.data import paired_images

    images, masks = read_pairs(folder, dataset.masks, dataset.channels)
    return paired_images(dataset, images, masks, known)


def _refuse_without_masks(run: RunDir) -> None:
    from xrgan.gan.plan import network_plan

    if not network_plan(run.read_config().model).masks:
        raise XrganError(
            f"{run.name} draws no masks: a segmenter can't learn from its images.",
            "Train one with `xrgan train --masks` on a dataset with masks, and name it with --run or --synthetic.",
        )
