"""The command `xrgan`: one function a command, that parses, calls a stage, and shows what it returned.

The stages are imported inside the commands: `xrgan --help` must not wait for torch.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import xrgan
from xrgan import config as options
from xrgan import console
from xrgan.commands import classify as classifying
from xrgan.commands import evaluate as evaluating
from xrgan.commands import sample as drawing_of_runs
from xrgan.commands import score_checkpoints
from xrgan.commands import segment as segmenting
from xrgan.commands import train as training_of_runs
from xrgan.config_resolve import resolve, to_yaml
from xrgan.errors import XrganError
from xrgan.failures import one_sentence
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.gan.training import Trained

app = typer.Typer(
    name="xrgan",
    help="Train a GAN on your chest X-rays, draw synthetic ones, and learn honestly how good they are.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="The way: fetch → prepare → train → sample → evaluate → classify or segment. Try it: xrgan fetch phantom",
)


def _option(key: str, *names: str) -> Any:
    """A flag that overrides one key of the configuration; its meaning and default stand in config.py alone."""
    text = f"{options.meaning(key)} \\[default: {_plain(options.default(key))}]"
    return typer.Option(*names, help=text, show_default=False)


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return {"True": "yes", "False": "no", "": "none"}.get(str(value), str(value))


DataRoot = Annotated[Path, typer.Option("--data-root", envvar="XRGAN_DATA", help="Folder of raw and prepared data.")]
RunsRoot = Annotated[Path, typer.Option("--runs-root", envvar="XRGAN_RUNS", help="Folder of the runs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show results, warnings and errors only.")]
Json = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the resolved configuration as YAML, and do nothing.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="YAML file of options; it may name some only.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="Any option, as section.key=value; repeatable.")]
Run = Annotated[str | None, typer.Option("--run", help="A run's path or name. \\[default: the latest]")]
Data = Annotated[str | None, typer.Option("--data", help="A prepared dataset's path or name. \\[default: the run's]")]
Device = Annotated[str | None, _option("device", "--device")]
DATA = Path("data")
RUNS = Path("runs")


def main() -> None:
    """Run the command line; a user's mistake, or the disk's, ends in one sentence and exit code 1 (2 for usage)."""
    console.take_any_stream()
    with one_sentence():
        app(prog_name="xrgan")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        console.show_text(xrgan.__version__)
        raise typer.Exit


@app.command()
def fetch(
    source: Annotated[
        str, typer.Argument(help="A source (--list shows them), a name for your own, or inception, the weights of FID.")
    ] = "",
    show_list: Annotated[bool, typer.Option("--list", help="Show what can be fetched, and what is here.")] = False,
    archive: Annotated[Path | None, typer.Option(help="An archive that is here already.")] = None,
    folder: Annotated[Path | None, typer.Option(help="A folder of images that is here already.")] = None,
    n: Annotated[int | None, _option("phantom.n", "--n", "-n")] = None,
    size: Annotated[int | None, _option("phantom.size", "--size")] = None,
    seed: Annotated[int | None, _option("phantom.seed", "--seed")] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is there.")] = False,
    quiet: Quiet = False,
    data_root: DataRoot = DATA,
) -> None:
    """Fetch a public source, or take in your own images: → data/raw/<source>/."""
    console.configure(quiet)
    if source == "inception":
        from xrgan.evaluation.inception_weights import fetch_weights

        console.show_text(str(fetch_weights()))
        return
    raw_root = Workspace(data_root, RUNS).raw_root
    if show_list:
        from xrgan.data import listing

        console.show_table("Sources", *listing.catalogue(raw_root))
        for note in listing.notes():
            console.notice(note)
        return
    from xrgan.data.fetch import fetch as fetch_source

    raw = fetch_source(source, raw_root, archive=archive, folder=folder, n=n, size=size, seed=seed, force=force)
    console.show_text(str(raw))


@app.command()
def prepare(
    source: Annotated[str | None, typer.Argument(help="A fetched source, or any folder of images.")] = None,
    name: Annotated[str, typer.Option(help="The prepared dataset's. \\[default: <source>_<size>]")] = "",
    size: Annotated[int | None, _option("prepare.size", "--size")] = None,
    fit: Annotated[str | None, _option("prepare.fit", "--fit")] = None,
    channels: Annotated[int | None, _option("prepare.channels", "--channels")] = None,
    fraction: Annotated[float | None, _option("prepare.fraction", "--fraction")] = None,
    limit: Annotated[int | None, _option("prepare.limit", "--limit")] = None,
    split: Annotated[str | None, _option("prepare.split", "--split")] = None,
    window: Annotated[str | None, _option("prepare.window", "--window")] = None,
    clahe: Annotated[bool | None, _option("prepare.clahe", "--clahe/--no-clahe")] = None,
    masks: Annotated[str | None, _option("prepare.masks", "--masks")] = None,
    labels: Annotated[str | None, _option("prepare.labels", "--labels")] = None,
    label_map: Annotated[str | None, _option("prepare.map", "--map")] = None,
    view: Annotated[str | None, _option("prepare.view", "--view")] = None,
    patient_pattern: Annotated[str | None, _option("prepare.patient_pattern", "--patient-pattern")] = None,
    fix_leaks: Annotated[bool | None, _option("prepare.fix_leaks", "--fix-leaks/--keep-leaks")] = None,
    drop_duplicates: Annotated[bool | None, _option("prepare.drop_duplicates", "--drop-duplicates")] = None,
    seed: Annotated[int | None, _option("prepare.seed", "--seed")] = None,
    workers: Annotated[int | None, _option("prepare.workers", "--workers")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a dataset of that name.")] = False,
    config: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    data_root: DataRoot = DATA,
) -> None:
    """Bring a source's images to one size and pack them: → data/prepared/<name>/."""
    console.configure(quiet)
    flags = {
        "size": size,
        "fit": fit,
        "channels": channels,
        "fraction": fraction,
        "limit": limit,
        "split": split.split(",") if split else None,
        "window": window,
        "clahe": clahe,
        "masks": masks,
        "labels": labels,
        "map": label_map,
        "view": view,
        "patient_pattern": patient_pattern,
        "fix_leaks": fix_leaks,
        "drop_duplicates": drop_duplicates,
        "seed": seed,
        "workers": workers,
    }
    resolved = resolve(None, config, settings or (), {f"prepare.{key}": value for key, value in flags.items()})
    if dry_run:
        console.show_text(to_yaml(resolved))
        return
    workspace = Workspace(data_root, RUNS)
    from xrgan.data.prepare import prepare as pack
    from xrgan.data.preparing import summary

    raw = workspace.find_raw(_canonical(source))
    with _going_on():
        prepared = pack(raw, workspace.prepared_root, resolved.prepare, name, force)
    console.show_table(str(prepared), *summary.table(prepared))
    console.show_table("", *summary.facts_table(prepared))
    console.show_text(str(prepared / "preview.png"))


def _canonical(source: str | None) -> str | None:
    """`prepare jsrt` means what `fetch jsrt` made: data/raw/jrs."""
    from xrgan.data.sources import SOURCES

    names = {alias: known.name for known in SOURCES.values() for alias in known.aliases}
    return names.get(source, source) if source else None


@app.command()
def train(
    run: Annotated[str | None, typer.Option(help="The run's path or name; one that exists goes on.")] = None,
    data: Annotated[str | None, typer.Option(help="A prepared dataset, or a fetched source.")] = None,
    epochs: Annotated[int | None, _option("train.epochs", "--epochs")] = None,
    minutes: Annotated[float | None, _option("train.minutes", "--minutes")] = None,
    model: Annotated[str | None, _option("model.name", "--model")] = None,
    init_from: Annotated[
        str, typer.Option(help="Start from another run's networks: of another dataset, or of half the resolution.")
    ] = "",
    progressive: Annotated[str | None, _option("model.progressive", "--progressive")] = None,
    masks: Annotated[bool | None, _option("model.masks", "--masks/--no-masks")] = None,
    loss: Annotated[str | None, _option("train.loss", "--loss")] = None,
    augment: Annotated[str | None, _option("train.augment", "--augment")] = None,
    feature_matching: Annotated[float | None, _option("train.feature_matching", "--feature-matching")] = None,
    perceptual: Annotated[float | None, _option("train.perceptual", "--perceptual")] = None,
    perceptual_weights: Annotated[str | None, _option("train.perceptual_weights", "--perceptual-weights")] = None,
    batch_size: Annotated[str | None, _option("train.batch_size", "--batch-size")] = None,
    lr: Annotated[str | None, _option("train.lr", "--lr")] = None,
    latent_size: Annotated[int | None, _option("model.latent_size", "--latent-size")] = None,
    conditional: Annotated[bool | None, _option("model.conditional", "--conditional/--unconditional")] = None,
    gradient_clip: Annotated[float | None, _option("train.gradient_clip", "--gradient-clip")] = None,
    precision: Annotated[str | None, _option("train.precision", "--precision")] = None,
    compiled: Annotated[bool | None, _option("train.compile", "--compile/--no-compile")] = None,
    sample_every: Annotated[int | None, _option("train.sample_every", "--sample-every")] = None,
    evaluate_every: Annotated[int | None, _option("train.evaluate_every", "--evaluate-every")] = None,
    seed: Annotated[int | None, _option("train.seed", "--seed")] = None,
    device: Device = None,
    config: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    data_root: DataRoot = DATA,
    runs_root: RunsRoot = RUNS,
) -> None:
    """Train a GAN on a prepared dataset: → runs/<run>/."""
    console.configure(quiet)
    workspace = Workspace(data_root, runs_root)
    flags = {
        "device": device,
        "model.latent_size": latent_size,
        "model.conditional": conditional,
        "train.epochs": epochs,
        "train.minutes": minutes,
        "model.masks": masks,
        "model.name": model,
        "model.progressive": progressive,
        "train.loss": loss,
        "train.feature_matching": feature_matching,
        "train.perceptual": perceptual,
        "train.perceptual_weights": perceptual_weights,
        "train.compile": compiled,
        "train.augment": augment,
        "train.batch_size": batch_size,
        "train.lr": lr,
        "train.gradient_clip": gradient_clip,
        "train.precision": precision,
        "train.sample_every": sample_every,
        "train.evaluate_every": evaluate_every,
        "train.seed": seed,
    }
    there = workspace.run_at(run) if run else None
    exists = there is not None and there.exists()
    base = there.read_config() if there is not None and exists else None
    resolved = resolve(base, config, settings or (), flags)
    if dry_run:
        console.show_text(to_yaml(resolved))
    elif there is not None and base is not None:
        if init_from:
            raise XrganError(f"{there.path} exists, and goes on from itself.", "Start a new run: `--run NEW`.")
        console.notice(f"{there.path} exists: going on with it.")
        _show_trained(training_of_runs.resume(workspace, there, base, resolved, data))
    else:
        source = workspace.find_run(init_from) if init_from else None
        _show_trained(training_of_runs.train_new(workspace, there, resolved, data, source))


@app.command()
def resume(
    run: Run = None,
    epochs: Annotated[int | None, typer.Option(help="Train to this epoch. \\[default: as planned]")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Train for so many minutes in all. \\[default: as planned]")
    ] = None,
    evaluate_every: Annotated[
        int | None, typer.Option(help="Epochs between scores of the checkpoints, 0 = never. \\[default: as planned]")
    ] = None,
    data: Data = None,
    device: Device = None,
    settings: Settings = None,
    quiet: Quiet = False,
    data_root: DataRoot = DATA,
    runs_root: RunsRoot = RUNS,
) -> None:
    """Go on with a run from its last good checkpoint, as if it had never stopped."""
    console.configure(quiet)
    workspace = Workspace(data_root, runs_root)
    there = _find_run(workspace, run)
    saved = there.read_config()
    flags = {"train.epochs": epochs, "train.minutes": minutes, "train.evaluate_every": evaluate_every, "device": device}
    wanted = resolve(saved, None, settings or (), flags)
    _show_trained(training_of_runs.resume(workspace, there, saved, wanted, data))


@app.command()
def sample(
    run: Run = None,
    n: Annotated[int | None, _option("sample.n", "--n", "-n")] = None,
    seed: Annotated[int | None, _option("sample.seed", "--seed")] = None,
    label: Annotated[str, typer.Option(help="Draw this class only (conditional models).")] = "",
    balance: Annotated[
        bool, typer.Option("--balance", help="Draw as many of each class (conditional models).")
    ] = False,
    checkpoint: Annotated[str, typer.Option(help="A checkpoint's file or step, or best. \\[default: the last]")] = "",
    ema: Annotated[bool | None, _option("sample.ema", "--ema/--no-ema")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder. \\[default: the run's synthetic/]")] = None,
    reject_copies: Annotated[
        bool, typer.Option("--reject-copies", help="Leave out suspected copies of training images, and draw others.")
    ] = False,
    data: Annotated[
        str | None, typer.Option(help="Beside --reject-copies: where the training images are. \\[default: the run's]")
    ] = None,
    interpolate: Annotated[bool, typer.Option("--interpolate", help="Also write walk.gif, between latents.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace images of another origin.")] = False,
    device: Device = None,
    config: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    data_root: DataRoot = DATA,
    runs_root: RunsRoot = RUNS,
) -> None:
    """Draw synthetic X-rays: → runs/<run>/synthetic/; asked for more, the missing ones are added."""
    console.configure(quiet)
    workspace = Workspace(data_root, runs_root)
    there = _find_run(workspace, run)
    flags = {"sample.n": n, "sample.seed": seed, "sample.ema": ema, "device": device}
    resolved = resolve(there.read_config(), config, settings or (), flags)
    if dry_run:
        console.show_text(to_yaml(resolved))
        return
    from xrgan.gan import sample_folder
    from xrgan.gan.sampler import load_sampler

    if label and balance:
        raise XrganError("--label and --balance can't go together.", "Give one of them.", exit_code=2)
    if interpolate and reject_copies:
        raise XrganError(
            "--interpolate and --reject-copies can't go together: nobody judges the images of a walk.",
            "Give one of them.",
            exit_code=2,
        )
    if data and not reject_copies:
        raise XrganError(
            "--data is of use beside --reject-copies only: drawing needs no dataset.", "Leave it out.", exit_code=2
        )
    sampler = load_sampler(there, resolved.device, resolved.sample.ema, checkpoint)
    sampler = dataclasses.replace(sampler, balance=balance)
    folder = out or there.synthetic
    wish = resolved.sample
    rejection = drawing_of_runs.reject_copies(workspace, there, resolved, data) if reject_copies else None
    sampled = sample_folder.fill(sampler, folder, wish.n, wish.seed, label, there.name, overwrite, rejection)
    console.notice(f"{sampled.folder} holds {sampled.images:,} images, {sampled.drawn:,} of them new.")
    if rejection:
        dropped, judged = len(sampled.record.dropped), sampled.record.judged
        console.notice(f"{dropped:,} of {judged:,} images looked like copies of training images, and were left out.")
    console.show_text(str(sampled.sheet))
    if interpolate:
        from xrgan.gan import interpolation

        console.show_text(str(interpolation.interpolate(sampler, folder / "walk.gif", wish.seed, label)))


@app.command()
def evaluate(
    run: Run = None,
    data: Data = None,
    ssim: Annotated[bool, typer.Option("--ssim", help="Structural similarity: diversity and copying.")] = False,
    fid: Annotated[bool, typer.Option("--fid", help="Fréchet Inception distance.")] = False,
    kid: Annotated[bool, typer.Option("--kid", help="Kernel Inception distance.")] = False,
    is_: Annotated[bool, typer.Option("--is", help="Inception Score; needs the full Inception weights.")] = False,
    prdc: Annotated[bool, typer.Option("--prdc", help="Precision, recall, density, coverage.")] = False,
    ms_ssim: Annotated[bool, typer.Option("--ms-ssim", help="Multi-scale SSIM, from 176 pixels on.")] = False,
    memorisation: Annotated[bool, typer.Option("--memorisation", help="Copies of training images.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="All that can be computed here, as without any of them.")] = False,
    every_checkpoint: Annotated[
        bool, typer.Option("--every-checkpoint", help="FID and KID of each checkpoint over time, and mark the best.")
    ] = False,
    n: Annotated[int | None, _option("evaluate.n", "--n", "-n")] = None,
    split: Annotated[str | None, _option("evaluate.split", "--split")] = None,
    reference: Annotated[str | None, _option("evaluate.reference", "--reference")] = None,
    extractor: Annotated[str | None, _option("evaluate.extractor", "--extractor")] = None,
    weights: Annotated[str | None, _option("evaluate.weights", "--weights")] = None,
    fid_layer: Annotated[int | None, _option("evaluate.fid_layer", "--fid-layer")] = None,
    seed: Annotated[int | None, _option("evaluate.seed", "--seed")] = None,
    synthetic: Annotated[
        Path | None, typer.Option(help="A folder of images. \\[default: the run's synthetic/]")
    ] = None,
    real: Annotated[Path | None, typer.Option(help="Without a run: a folder of real images to compare with.")] = None,
    training: Annotated[
        Path | None, typer.Option(help="Beside --real: the images that the generator learned from, if known.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Beside --real: where to. \\[default: evaluation/<synthetic>]")
    ] = None,
    device: Device = None,
    config: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    data_root: DataRoot = DATA,
    runs_root: RunsRoot = RUNS,
) -> None:
    """Score the synthetic X-rays against real ones that the generator never saw; no metric named = all."""
    console.configure(quiet or as_json)
    workspace = Workspace(data_root, runs_root)
    there = None if real else _find_run(workspace, run)
    wish = {"n": n, "split": split, "reference": reference, "fid_layer": fid_layer, "seed": seed}
    flags = {"device": device} | {f"evaluate.{key}": value for key, value in wish.items()}
    flags |= {"evaluate.extractor": extractor, "evaluate.weights": weights}
    resolved = resolve(there.read_config() if there else None, config, settings or (), flags)
    if dry_run:
        console.show_text(to_yaml(resolved))
        return
    asked = {"fid": fid, "kid": kid, "is": is_, "prdc": prdc, "ssim": ssim, "ms-ssim": ms_ssim}
    asked["memorisation"] = memorisation
    metrics = [] if all_ else [name for name, wanted in asked.items() if wanted]
    if every_checkpoint:
        beside = {"real": real, "training": training, "synthetic": synthetic, "out": out, "reference": reference}
        given = [*metrics, *(name for name, value in beside.items() if value), *["all"] * all_]
        _show_over_time(workspace, there, resolved, data, as_json, given)
        return
    if there is None:
        folder = out or Path("evaluation") / _folder_to_score(synthetic, real, run, data).resolve().name
        assert real is not None and synthetic is not None
        scores = evaluating.evaluate_folders(workspace, real, synthetic, training, resolved, metrics, folder)
        title = f"{synthetic} against {real}"
    else:
        _refuse_beside_a_run(training=training, out=out)
        scores = evaluating.evaluate(workspace, there, resolved, metrics, data, synthetic)
        folder = there.evaluation
        of_what = f"{resolved.evaluate.split} images"
        title = f"{there.name}: {synthetic or 'synthetic'} against {of_what}"
    if as_json:
        console.show_json(scores)
        return
    from xrgan.evaluation import scores_file as report

    console.show_table(title, report.COLUMNS, report.rows(scores))
    for picture in ("memorisation.png", "overview.png"):
        if (folder / picture).is_file():
            console.show_text(str(folder / picture))


def _show_over_time(
    workspace: Workspace, run: RunDir | None, config: options.Config, data: str | None, as_json: bool, given: list[str]
) -> None:
    """Score every checkpoint of a run; `given` are the flags which have no place beside that."""
    if given or run is None:
        raise XrganError(
            f"--every-checkpoint scores a run's checkpoints by FID and KID: --{given[0]} has no place beside it.",
            f"Leave out --{given[0]}.",
            exit_code=2,
        )
    rows, best = score_checkpoints.evaluate_checkpoints(workspace, run, config, data)
    from xrgan.evaluation import checkpoint_report, checkpoint_scores

    if as_json:
        console.show_json(checkpoint_report.summary(rows, best))
        return
    title = f"{run.name}: {rows[0].n:,} images a checkpoint against as many of {rows[0].split}"
    console.show_table(title, checkpoint_report.COLUMNS, checkpoint_report.table(rows, best))
    if best is None:
        console.notice(f"None is marked best: only scores on the {checkpoint_scores.CHOOSES} split choose one.")
    else:
        console.notice(f"Best by KID: {best.checkpoint}; `xrgan sample --checkpoint best` draws from it.")
    console.show_text(str(run.evaluation / checkpoint_report.PICTURE))


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


Arms = Annotated[str | None, _option("classify.arms", "--arms")]
Fractions = Annotated[str | None, _option("classify.fractions", "--fractions")]
Seeds = Annotated[int | None, _option("classify.seeds", "--seeds")]
Folds = Annotated[int | None, _option("classify.k_folds", "--k-folds")]
PerFold = Annotated[bool | None, _option("classify.gan_per_fold", "--gan-per-fold/--one-gan")]
Leaks = Annotated[str | None, _option("classify.leaks", "--leaks")]
Ratio = Annotated[float | None, _option("classify.ratio", "--ratio")]


@app.command()
def classify(
    run: Run = None,
    data: Data = None,
    synthetic: Annotated[
        list[str] | None,
        typer.Option(
            help="A folder of labelled images or a run; or one a class, as CLASS=PATH, repeated. \\[default: the run's]"
        ),
    ] = None,
    arms: Arms = None,
    fractions: Fractions = None,
    seeds: Seeds = None,
    k_folds: Folds = None,
    gan_per_fold: PerFold = None,
    leaks: Leaks = None,
    ratio: Ratio = None,
    arch: Annotated[str | None, _option("classify.arch", "--arch")] = None,
    weights: Annotated[str | None, _option("classify.weights", "--weights")] = None,
    unfreeze: Annotated[bool | None, _option("classify.unfreeze", "--unfreeze/--no-unfreeze")] = None,
    epochs: Annotated[int | None, _option("classify.epochs", "--epochs")] = None,
    patience: Annotated[int | None, _option("classify.patience", "--patience")] = None,
    batch_size: Annotated[int | None, _option("classify.batch_size", "--batch-size")] = None,
    lr: Annotated[float | None, _option("classify.lr", "--lr")] = None,
    seed: Annotated[int | None, _option("classify.seed", "--seed")] = None,
    predict: Annotated[
        Path | None, typer.Option(help="No study: ask the run's best classifier (of --arms) of this image or folder.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Beside --predict: the CSV. \\[default: predictions.csv]")] = None,
    device: Device = None,
    config: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    data_root: DataRoot = DATA,
    runs_root: RunsRoot = RUNS,
) -> None:
    """Do the synthetic X-rays help? Classifiers on real images against others that learned from synthetic ones, too."""
    console.configure(quiet or as_json)
    workspace = Workspace(data_root, runs_root)
    there = _find_run(workspace, run)
    wish = {
        "arms": arms,
        "fractions": fractions,
        "seeds": seeds,
        "k_folds": k_folds,
        "gan_per_fold": gan_per_fold,
        "leaks": leaks,
        "ratio": ratio,
        "arch": arch,
        "weights": weights,
        "unfreeze": unfreeze,
        "epochs": epochs,
        "patience": patience,
        "batch_size": batch_size,
        "lr": lr,
        "seed": seed,
    }
    flags = {"device": device} | {f"classify.{key}": value for key, value in wish.items()}
    resolved = resolve(there.read_config(), config, settings or (), flags)
    if dry_run:
        console.show_text(to_yaml(resolved))
        return
    if predict is not None:
        _predict(there, resolved, predict, out or Path("predictions.csv"), _one_arm(arms, resolved), as_json)
        return
    if out is not None:
        raise XrganError("--out goes with --predict: a study stays in its run.", "Leave it out.", exit_code=2)
    with _going_on():
        summary = classifying.classify(workspace, there, resolved, data, synthetic or ())
    if as_json:
        console.show_json(summary)
        return
    from xrgan.downstream.classification import verdict

    title = f"{there.name}: {resolved.classify.arch} on the untouched test split"
    console.show_table(title, verdict.columns(summary), verdict.rows(summary))
    console.show_text(str(summary["conclusion"]))
    console.show_text(str(there.classify / "report.md"))


def _predict(run: RunDir, config: options.Config, images: Path, out: Path, arm: str, as_json: bool) -> None:
    table = classifying.predict(run, config, images, out, arm)
    from xrgan.downstream.classification.prediction import NO_DEVICE

    if as_json:
        console.show_json([row.dropna().to_dict() for _, row in table.iterrows()])
        return
    console.show_text(NO_DEVICE)
    console.show_text(str(out))


def _one_arm(given: str | None, config: options.Config) -> str:
    """The arm whose classifier is asked; empty where any is."""
    if given is None:
        return ""
    arms = config.classify.arms
    if len(arms) > 1:
        raise XrganError("--predict asks the classifier of one arm.", f"Name one: `--arms {arms[0]}`.", exit_code=2)
    return arms[0]


@app.command()
def segment(
    run: Run = None,
    data: Data = None,
    synthetic: Annotated[
        str | None, typer.Option(help="A folder that `sample` filled with masks, or a run. \\[default: the run's]")
    ] = None,
    arms: Arms = None,
    fractions: Fractions = None,
    seeds: Seeds = None,
    k_folds: Folds = None,
    gan_per_fold: PerFold = None,
    leaks: Leaks = None,
    ratio: Ratio = None,
    width: Annotated[int | None, _option("segment.width", "--width")] = None,
    epochs: Annotated[int | None, _option("segment.epochs", "--epochs")] = None,
    patience: Annotated[int | None, _option("segment.patience", "--patience")] = None,
    batch_size: Annotated[int | None, _option("segment.batch_size", "--batch-size")] = None,
    lr: Annotated[float | None, _option("segment.lr", "--lr")] = None,
    seed: Annotated[int | None, _option("segment.seed", "--seed")] = None,
    device: Device = None,
    config: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    data_root: DataRoot = DATA,
    runs_root: RunsRoot = RUNS,
) -> None:
    """Do synthetic X-rays with masks help? U-Nets on real ones against others that learned from synthetic ones, too."""
    console.configure(quiet or as_json)
    workspace = Workspace(data_root, runs_root)
    there = _find_run(workspace, run)
    wish = {
        "arms": arms,
        "fractions": fractions,
        "seeds": seeds,
        "k_folds": k_folds,
        "gan_per_fold": gan_per_fold,
        "leaks": leaks,
        "ratio": ratio,
        "width": width,
        "epochs": epochs,
        "patience": patience,
        "batch_size": batch_size,
        "lr": lr,
        "seed": seed,
    }
    flags = {"device": device} | {f"segment.{key}": value for key, value in wish.items()}
    resolved = resolve(there.read_config(), config, settings or (), flags)
    if dry_run:
        console.show_text(to_yaml(resolved))
        return
    with _going_on():
        summary = segmenting.segment(workspace, there, resolved, data, synthetic)
    if as_json:
        console.show_json(summary)
        return
    from xrgan.downstream.segmentation import verdict as segment_verdict

    title = f"{there.name}: U-Net on the untouched test split, {' and '.join(summary['dataset']['structures'])}"
    console.show_table(title, segment_verdict.columns(summary), segment_verdict.rows(summary))
    console.show_text(str(summary["conclusion"]))
    console.show_text(str(there.segment / "report.md"))


@contextmanager
def _going_on() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        console.warn("Stopped: the same command goes on where it stopped.")
        raise


@app.command()
def runs(as_json: Json = False, quiet: Quiet = False, runs_root: RunsRoot = RUNS) -> None:
    """List the runs: dataset, model, epochs, last losses, scores; the latest last."""
    console.configure(quiet or as_json)
    found = [_summary(run) for run in Workspace(DATA, runs_root).runs()]
    if as_json:
        console.show_json(found)
    elif not found:
        console.notice(f"There is no run in {runs_root}; `xrgan train` makes one.")
    else:
        _show_records(f"Runs in {runs_root}", found)


@app.command()
def data(as_json: Json = False, quiet: Quiet = False, data_root: DataRoot = DATA) -> None:
    """List what is here: the fetched sources and the prepared datasets."""
    console.configure(quiet or as_json)
    from xrgan.data import listing

    workspace = Workspace(data_root, RUNS)
    fetched, prepared = listing.fetched(workspace.fetched()), listing.prepared(workspace.prepared())
    if as_json:
        console.show_json({"fetched": fetched, "prepared": prepared})
        return
    if not fetched and not prepared:
        console.notice(f"There is nothing in {data_root}; `xrgan fetch phantom` works offline.")
    for title, records in (("Fetched", fetched), ("Prepared", prepared)):
        if records:
            _show_records(f"{title}, in {data_root}", records)


def _show_records(title: str, records: list[dict[str, Any]]) -> None:
    console.show_table(
        title, list(records[0]), [["–" if cell is None else cell for cell in r.values()] for r in records]
    )


def _summary(run: RunDir) -> dict[str, Any]:
    config, losses, scores = run.read_config(), run.read_losses(), run.read_scores()
    last = losses[-1] if losses else {}
    metrics = scores.get("metrics", {})
    return {
        "run": run.name,
        "dataset": config.dataset,
        "model": config.model.name,
        "epochs": f"{int(last.get('epoch', 0))}/{config.train.epochs}",
        "loss D": _rounded(last.get("discriminator_loss")),
        "loss G": _rounded(last.get("generator_loss")),
        "FID": _rounded(metrics.get("fid", {}).get("value"), 1),
        "KID ×1000": _rounded(metrics.get("kid", {}).get("value"), 2, 1000),
    }


def _rounded(value: float | None, digits: int = 3, factor: float = 1) -> float | None:
    return None if value is None else round(value * factor, digits)


def _find_run(workspace: Workspace, name: str | None) -> RunDir:
    run = workspace.find_run(name)
    if name is None:
        console.notice(f"Run: {run.path}, the latest.")
    return run


def _show_trained(trained: "Trained") -> None:
    """Say where the pictures are, or how to go on."""
    run = trained.run
    if trained.stopped_by is not None:
        console.notice(f"Stopped after step {trained.step}; `xrgan resume --run {run.path}` goes on from there.")
        raise typer.Exit(128 + trained.stopped_by)
    console.notice(f"{run.path} has trained {trained.epochs} epochs; `xrgan resume --epochs N` trains on to N.")
    over_time = run.evaluation / "over_time.png"
    for picture in (sorted(run.samples.glob("*.png"))[-1:], [run.path / "losses.png", over_time]):
        for file in picture:
            if file.exists():
                console.show_text(str(file))
