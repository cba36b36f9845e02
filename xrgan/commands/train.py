"""`xrgan train` and `xrgan resume`: a run from its dataset to its last epoch."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from xrgan import console, launched
from xrgan.commands import processes
from xrgan.commands.cards import refresh_cards
from xrgan.commands.completion import complete_dataset, complete_run
from xrgan.commands.flags import Flags, option, panel, with_flags
from xrgan.commands.inputs import choose_dataset, dataset_of, extractor_of, find_run, find_run_or_export
from xrgan.commands.options import (
    DATA,
    MACHINE,
    RECORDS,
    ConfigFile,
    DataName,
    DataRoot,
    DryRun,
    Quiet,
    RunName,
    RunsRoot,
    Settings,
)
from xrgan.commands.processes import Processes
from xrgan.commands.report import refresh_report
from xrgan.config import Config
from xrgan.config_resolve import resolve, to_yaml
from xrgan.errors import XrganError
from xrgan.exported import Export
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

if TYPE_CHECKING:
    from xrgan.evaluation.extractors import Extractor
    from xrgan.gan.job import Job
    from xrgan.gan.scoring import Score
    from xrgan.gan.training import Trained

    Work = tuple[Job, Score | None]

EXAMPLES = [
    "xrgan train --data jrs_64 --minutes 60 --evaluate-every 10",
    "xrgan train --model dcgan --loss hinge --set train.r1=0.5",
]
RESUME_EXAMPLES = ["xrgan resume --epochs 100"]
MODEL, TRAINING = "Model", "Training"
TrainingData = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="A prepared dataset, or a fetched source.",
        autocompletion=complete_dataset,
        rich_help_panel=DATA,
    ),
]
InitFrom = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Start from another run's networks, or an export's: of another dataset, or of half the resolution.",
        autocompletion=complete_run,
        rich_help_panel=MODEL,
    ),
]
NewRunName = Annotated[
    str | None,
    typer.Option(
        "--run",
        metavar="NAME",
        help="The run's path or name; one that exists goes on.",
        autocompletion=complete_run,
        rich_help_panel=RECORDS,
    ),
]
FLAGS = [
    *panel(
        MODEL,
        option("model.name", "--model"),
        option("model.conditional", "--conditional", "--unconditional"),
        option("model.masks"),
        option("model.progressive"),
        option("model.latent_size"),
    ),
    *panel(
        TRAINING,
        option("train.epochs"),
        option("train.minutes"),
        option("train.batch_size"),
        option("train.lr"),
        option("train.loss"),
        option("train.augment"),
        option("train.feature_matching"),
        option("train.variance"),
        option("train.perceptual"),
        option("train.perceptual_weights"),
        option("train.gradient_clip"),
        option("train.seed"),
    ),
    *panel(RECORDS, option("train.sample_every"), option("train.evaluate_every"), option("train.patience")),
    *panel(
        MACHINE,
        option("device"),
        option("train.precision"),
        option("train.cuda_graph"),
        option("train.compile"),
        option("train.deterministic"),
    ),
]
RESUME_FLAGS = [
    option("train.epochs", help="Train to this epoch.", default_text="as planned"),
    option("train.minutes", help="Train for so many minutes in all.", default_text="as planned"),
    option(
        "train.evaluate_every",
        help="Epochs between scores of the checkpoints, 0 = never.",
        default_text="as planned",
    ),
    option("train.patience", help="Minutes without a better score that end it.", default_text="as planned"),
    option("device"),
]


@with_flags("flags", FLAGS)
def train(
    *,
    data: TrainingData = None,
    data_root: DataRoot = DATA_ROOT,
    init_from: InitFrom = "",
    flags: Flags,
    nproc: Processes = 1,
    run_name: NewRunName = None,
    runs_root: RunsRoot = RUNS_ROOT,
    config_file: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Train a GAN on a prepared dataset: → runs/<run>/."""
    processes.begin(quiet, nproc, "train")
    workspace = Workspace(data_root, runs_root)
    run = workspace.run_at(run_name) if run_name else None
    saved = run.read_config() if run is not None and run.exists() else None
    config = resolve(saved, config_file, settings or (), flags)
    if dry_run:
        console.show_text(to_yaml(config if saved else _decided(workspace, config, data)))
        return
    processes.need_name(run_name)
    if flags["train.perceptual_weights"] and not config.train.perceptual:
        raise XrganError(
            "--perceptual-weights is of use beside --perceptual only.",
            "Say how much it weighs: `--perceptual 1`.",
            exit_code=2,
        )

    def make() -> "Work":
        of_all = processes.of_all(nproc)
        if run is None or saved is None:
            source = find_run_or_export(workspace, init_from) if init_from else None
            return create_run(workspace, run, config, data, source, of_all)
        if init_from:
            raise XrganError(f"{run.path} exists, and goes on from itself.", "Start a new run: `--run NEW`.")
        find_run(workspace, str(run.path))  # it has a generator
        console.notice(f"{run.path} exists: going on with it.")
        return reopen_run(workspace, run, saved, config, data, of_all)

    _train(workspace, make, run, data, config.device, nproc, quiet)


@with_flags("flags", RESUME_FLAGS)
def resume(
    *,
    run_name: RunName = None,
    flags: Flags,
    nproc: Processes = 1,
    data: DataName = None,
    settings: Settings = None,
    quiet: Quiet = False,
    data_root: DataRoot = DATA_ROOT,
    runs_root: RunsRoot = RUNS_ROOT,
) -> None:
    """Go on with a run from its last good checkpoint, as if it had never stopped."""
    processes.begin(quiet, nproc, "resume")
    processes.need_name(run_name)
    workspace = Workspace(data_root, runs_root)
    run = find_run(workspace, run_name)
    saved = run.read_config()
    wanted = resolve(saved, None, settings or (), flags)

    def make() -> "Work":
        return reopen_run(workspace, run, saved, wanted, data, processes.of_all(nproc))

    _train(workspace, make, run, data, wanted.device, nproc, quiet)


def _train(
    workspace: Workspace,
    make: "Callable[[], Work]",
    run: RunDir | None,
    data: str | None,
    device: str,
    nproc: int,
    quiet: bool,
) -> None:
    """Train what is made: in this process, with those that torchrun started beside it, or in others.

    Args:
        make: makes or updates the run, once; other processes then open it as it is.
    """
    console.waiting("Loading PyTorch")
    from xrgan import ranks
    from xrgan.gan import training

    if nproc > 1:
        ranks.share_threads(nproc)
        job, _ = make()
        where = ["--run", job.run.path, "--data", job.dataset.path]
        roots = ["--data-root", workspace.data_root, "--runs-root", workspace.runs_root]
        said = ["--device", device, *(["--quiet"] if quiet else [])]
        processes.start(nproc, ["resume", *map(str, [*where, *roots]), *said])
    with ranks.joined(device):
        job, score = _made_once(make) or _open_run(workspace, run, data, device)
        trained = training.train(job, score)
    if launched.rank() == 0:
        _end(workspace, trained)


def _made_once(make: "Callable[[], Work]") -> "Work | None":
    """What the first process makes, when it has; None in the others."""
    from xrgan import ranks

    made = None
    if ranks.is_first():
        with ranks.alone():
            made = make()
    ranks.wait()
    return made


def _open_run(workspace: Workspace, run: RunDir | None, data: str | None, device: str) -> "Work":
    """A run that another process made or updated, and writes."""
    from xrgan.gan import setup
    from xrgan.gan.job import make_job
    from xrgan.hardware import choose_device

    assert run is not None, "torchrun needs its name"
    config = run.read_config()
    dataset = dataset_of(workspace, run, config, data)
    setup.check_dataset(run, dataset)
    return make_job(run, dataset, config, choose_device(device)), None


def _decided(workspace: Workspace, config: Config, data: str | None) -> Config:
    """What a new run's config.yaml would hold, as far as its dataset is prepared: `auto` depends on it."""
    wanted, prepared = data or config.dataset, workspace.prepared()
    names = {path.name for path in prepared}
    if not prepared or (wanted in {path.name for path in workspace.fetched()} - names):
        return config
    if not wanted and workspace.fetched_since_prepared():
        return config
    from xrgan.data.packed import open_packed
    from xrgan.gan import setup
    from xrgan.hardware import choose_device

    dataset = open_packed(workspace.find_prepared(wanted) if wanted else prepared[-1])
    return setup.resolve_auto(config, dataset, choose_device(config.device))


def create_run(
    workspace: Workspace,
    run: RunDir | None,
    config: Config,
    data: str | None,
    init_from: RunDir | Export | None = None,
    of_all: int = 1,
) -> "Work":
    """Choose (and, where need be, prepare) the dataset, and make the run directory: what is to be trained.

    Args:
        init_from: a run or an export whose networks are the first ones.
        of_all: how many processes will share the training.

    Raises:
        XrganError: there is no dataset, a choice to make, or training can't start; then no run directory is made.
    """
    from xrgan.commands.score_checkpoints import CheckpointScorer
    from xrgan.data.packed import check_content, open_packed
    from xrgan.gan import setup
    from xrgan.gan.claim import refuse_other_folder
    from xrgan.gan.job import make_job
    from xrgan.hardware import choose_device

    if run is not None:
        refuse_other_folder(run)
    if not config.generator:
        raise XrganError("Training makes a generator: `generator` can't be false.", "Leave it out.", exit_code=2)
    extractor = _extractor_of_training(workspace, config)
    dataset = open_packed(choose_dataset(workspace, data or config.dataset or None, config))
    check_content(dataset)
    device = choose_device(config.device)
    config = setup.resolve_auto(config, dataset, device, of_all)
    run = run or workspace.new_run(dataset.name)
    score = CheckpointScorer(run, dataset, config, extractor).score_reached if extractor else None
    job = make_job(run, dataset, config, device)
    setup.check_shares(job.plan, of_all)
    setup.create_run(job, config, init_from)
    console.notice(f"Run: {run.path}")
    return job, score


def reopen_run(
    workspace: Workspace, run: RunDir, saved: Config, wanted: Config, data: str | None, of_all: int = 1
) -> "Work":
    """Open a run that exists, to be trained to the epoch that is wanted now, in so many processes.

    Raises:
        XrganError: what is wanted would make it another run, or the dataset is not the one that it was trained on.
    """
    from xrgan.commands.score_checkpoints import CheckpointScorer
    from xrgan.gan import setup
    from xrgan.gan.job import make_job
    from xrgan.gan.plan import training_plan
    from xrgan.hardware import choose_device

    dataset = dataset_of(workspace, run, wanted, data)
    setup.check_dataset(run, dataset)
    extractor = _extractor_of_training(workspace, wanted)
    score = CheckpointScorer(run, dataset, wanted, extractor).score_reached if extractor else None
    setup.check_shares(training_plan(wanted), of_all)
    setup.update_config(run, saved, wanted)
    device = choose_device(wanted.device)
    job = make_job(run, dataset, wanted, device)
    setup.warn_of_other_machine(run, device, job.plan.precision)
    return job, score


def _extractor_of_training(workspace: Workspace, config: Config) -> "Extractor | None":
    """The network of the scores over time, looked for before the first step and not hours later."""
    if not config.train.evaluate_every:
        if config.train.patience:
            raise XrganError("--patience waits for a better score, and none is taken.", "Add `--evaluate-every 5`.")
        return None
    try:
        return extractor_of(workspace, config)()
    except XrganError as error:
        raise XrganError(error.message, f"{error.hint} Or train without scores: `--evaluate-every 0`.") from None


def _end(workspace: Workspace, trained: "Trained") -> None:
    """Write the cards (and the report, if there is one) of what was trained to its end, and show it."""
    if trained.stopped_by is None:
        refresh_cards(workspace, trained.run)
        refresh_report(workspace, trained.run)
    _show_trained(trained)


def _show_trained(trained: "Trained") -> None:
    """Say where the pictures are, or how to resume."""
    run = trained.run
    if trained.stopped_by is not None:
        console.notice(f"Stopped after step {trained.step}; `xrgan resume --run {run.path}` goes on from there.")
        raise typer.Exit(128 + trained.stopped_by)
    minutes = run.read_config().train.minutes
    after = f" in its {minutes:g} minutes; `xrgan resume --minutes" if minutes else "; `xrgan resume --epochs"
    console.notice(f"{run.path} has trained {trained.epochs:g} epochs{after} N` trains on to N.")
    for file in (*sorted(run.samples.glob("*.png"))[-1:], run.path / "losses.png", run.evaluation / "over_time.png"):
        if file.exists():
            console.show_text(str(file))
