"""`xrgan sample`, and the images that other commands need: in files, or in memory."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xrgan import console, launched
from xrgan.commands import processes
from xrgan.commands.completion import complete_prepared
from xrgan.commands.flags import Flags, option, panel, with_flags
from xrgan.commands.inputs import compared_of, dataset_of, extractor_of, find_run_or_export
from xrgan.commands.options import (
    DATA,
    MACHINE,
    RECORDS,
    ConfigFile,
    DataRoot,
    DryRun,
    Quiet,
    RunName,
    RunsRoot,
    Settings,
)
from xrgan.commands.processes import Processes
from xrgan.config import Config
from xrgan.config_resolve import resolve, to_yaml
from xrgan.errors import XrganError
from xrgan.exported import Export
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

if TYPE_CHECKING:
    from xrgan.gan.rejection import Rejection
    from xrgan.gan.sample_folder import Sampled

EXAMPLES = ["xrgan sample -n 500 --seed 1 --reject-copies"]
IMAGES = "Images"
CheckpointName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="A checkpoint's file or step, best or last. \\[default: best, if training scored them; else last]",
        rich_help_panel=DATA,
    ),
]
TrainingData = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Beside --reject-copies: where the training images are. \\[default: the run's]",
        autocompletion=complete_prepared,
        rich_help_panel=DATA,
    ),
]
Label = Annotated[
    str, typer.Option(metavar="CLASS", help="Draw this class only (conditional models).", rich_help_panel=IMAGES)
]
Balance = Annotated[
    bool,
    typer.Option(
        "--balance", metavar="", help="Draw as many of each class (conditional models).", rich_help_panel=IMAGES
    ),
]
RejectCopies = Annotated[
    bool,
    typer.Option(
        "--reject-copies",
        metavar="",
        help="Leave out suspected copies of training images, and draw others.",
        rich_help_panel=IMAGES,
    ),
]
Interpolate = Annotated[
    bool,
    typer.Option("--interpolate", metavar="", help="Also write walk.gif, between latents.", rich_help_panel=IMAGES),
]
OutFolder = Annotated[
    Path | None,
    typer.Option(
        help="Folder. \\[default: the run's synthetic/]", metavar="DIR", file_okay=False, rich_help_panel=RECORDS
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", metavar="", help="Replace images of another origin.", rich_help_panel=RECORDS)
]
FLAGS = [
    *panel(
        IMAGES, option("sample.n", "--n", "-n"), option("sample.seed"), option("sample.ema"), option("sample.format")
    ),
    *panel(MACHINE, option("device")),
]


@with_flags("flags", FLAGS)
def sample(
    *,
    run_name: RunName = None,
    checkpoint: CheckpointName = "",
    data: TrainingData = None,
    data_root: DataRoot = DATA_ROOT,
    flags: Flags,
    nproc: Processes = 1,
    label: Label = "",
    balance: Balance = False,
    reject_copies: RejectCopies = False,
    interpolate: Interpolate = False,
    out: OutFolder = None,
    overwrite: Overwrite = False,
    runs_root: RunsRoot = RUNS_ROOT,
    config_file: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Draw synthetic X-rays: → runs/<run>/synthetic/; asked for more, the missing ones are added."""
    processes.begin(quiet, nproc, "sample")
    workspace = Workspace(data_root, runs_root)
    run = find_run_or_export(workspace, run_name)
    config = resolve(run.read_config(), config_file, settings or (), flags)
    if dry_run:
        console.show_text(to_yaml(config))
        return
    _refuse_what_excludes_itself(label, balance, interpolate, reject_copies, data, processes.of_all(nproc))
    console.waiting("Loading PyTorch")
    from xrgan.gan import sample_folder
    from xrgan.gan.sampler import load_sampler

    folder, seed, formats, n = out or run.synthetic, config.sample.seed, config.sample.format, config.sample.n
    with processes.shared(nproc, config.device):
        checkpoint = checkpoint or _checkpoint_that_draws(run, config)
        sampler = load_sampler(run, config.device, config.sample.ema, checkpoint)
        sampler = dataclasses.replace(sampler, balance=balance)
        rejection = rejection_of_copies(workspace, run, config, data) if reject_copies else None
        sampled = sample_folder.fill(sampler, folder, n, seed, label, run.name, overwrite, rejection, formats)
    _show_sampled(sampled, rejects_copies=rejection is not None)
    if interpolate and launched.rank() == 0:
        from xrgan.gan import interpolation

        console.show_text(str(interpolation.interpolate(sampler, folder / "walk.gif", seed, label)))


def _checkpoint_that_draws(run: RunDir | Export, config: Config) -> str:
    """The checkpoint to draw from where none was named, said where it isn't the last; empty: an export has one."""
    from xrgan.gan.sampler import LAST, drawing_checkpoint

    if isinstance(run, Export):
        return ""
    chosen = drawing_checkpoint(run, config)
    if chosen != LAST:
        console.notice(
            f"Drawing from the best checkpoint, chosen on val; `--checkpoint {LAST}` draws from the last one."
        )
    return chosen


def _refuse_what_excludes_itself(
    label: str, balance: bool, interpolate: bool, reject_copies: bool, data: str | None, of_all: int
) -> None:
    if label and balance:
        raise XrganError("--label and --balance can't go together.", "Give one of them.", exit_code=2)
    if interpolate and reject_copies:
        raise XrganError(
            "--interpolate and --reject-copies can't go together: nobody judges the images of a walk.",
            "Give one of them.",
            exit_code=2,
        )
    if reject_copies and of_all > 1:
        raise XrganError(
            "--reject-copies works in one process: which images it draws depends on those before them.",
            "Leave out --nproc.",
            exit_code=2,
        )
    if data and not reject_copies:
        raise XrganError(
            "--data is of use beside --reject-copies only: drawing needs no dataset.", "Leave it out.", exit_code=2
        )


def _show_sampled(sampled: "Sampled", rejects_copies: bool) -> None:
    """Say how many images the folder holds, how many copies were left out, and where the sheet is."""
    console.notice(f"{sampled.folder} holds {sampled.images:,} images, {sampled.added:,} of them new.")
    if rejects_copies:
        dropped, judged = len(sampled.record.dropped), sampled.record.judged
        console.notice(f"{dropped:,} of {judged:,} images looked like copies of training images, and were left out.")
    console.show_text(str(sampled.sheet))


def rejection_of_copies(
    workspace: Workspace, run: RunDir | Export, config: Config, data: str | None = None
) -> "Rejection":
    """Make what turns down the images that `evaluate` would suspect to be copies of training images.

    Where the features' weights can't be had, pixels alone are compared, and the user is told.

    Raises:
        XrganError: no image was held out, or the dataset is not the one that the run was trained on; or it is an
            export, which holds nobody's.
    """
    if isinstance(run, Export):
        raise XrganError(
            f"{run.path} holds no training image to compare with: copies can't be left out.",
            "Leave out --reject-copies, or draw from the run itself.",
        )
    from xrgan.evaluation.memorisation import copies
    from xrgan.gan.rejection import Rejection

    dataset = dataset_of(workspace, run, config, data)
    training, held_out = compared_of(dataset, config)
    if len(training) < (present := len(dataset.of_split("train"))):
        console.warn(f"Copies are looked for among {len(training):,} of {present:,} training images (evaluate.n).")
    extractor = None
    try:
        extractor = extractor_of(workspace, config)()
    except XrganError as error:
        console.warn(f"{error} Copies are looked for by their pixels alone.")
    spaces = f"pixels and {extractor.name} features" if extractor else "pixels"
    return Rejection(
        f"{spaces}, against {dataset.name}",
        lambda: copies.copy_filter(dataset.xrays(training), dataset.xrays(held_out), extractor),
    )


def drawn(
    workspace: Workspace, run: RunDir, config: Config, count: int, data: str | None, aside: Path | None = None
) -> Path:
    """Return a folder with at least `count` of the run's images: drawn now by this process, if synthetic/ has too few.

    Args:
        aside: where to draw all of them, so that synthetic/ stays as it is; none = the rest, into synthetic/.
    """
    from xrgan import ranks
    from xrgan.gan import sample_folder
    from xrgan.gan.sampler import drawing_checkpoint, load_sampler

    if len(sample_folder.list_images(run.synthetic)) >= count:
        return run.synthetic
    seed = sample_folder.recorded_seed(run.synthetic, config.sample.seed)
    of_those = sample_folder.recorded_checkpoint(run.synthetic, run) or drawing_checkpoint(run, config)
    sampler = load_sampler(run, config.device, config.sample.ema, of_those)
    rejects = sample_folder.rejects_copies(run.synthetic)
    if aside and sample_folder.holds(aside, count, sampler, seed, run.name, rejects):
        return aside
    where = f"drawing as many into {aside}" if aside else "drawing the rest"
    console.notice(f"{run.synthetic} holds fewer than {count:,} images: {where}.")
    folder, rejection = aside or run.synthetic, rejection_of_copies(workspace, run, config, data) if rejects else None
    with ranks.alone():
        sample_folder.fill(
            sampler, folder, count, seed, run_name=run.name, overwrite=aside is not None, rejection=rejection
        )
    return folder
