"""`xrgan export`: what of a run may be shared, in one ZIP, without a picture or a feature of a real patient."""

import dataclasses
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xrgan import console
from xrgan.commands.cards import refresh_cards
from xrgan.commands.flags import Flags, option, with_flags
from xrgan.commands.inputs import find_run
from xrgan.commands.options import DataRoot, Quiet, RunArgument, RunsRoot
from xrgan.commands.sample import CheckpointName
from xrgan.commands.synthetic_images import learned_from
from xrgan.config_resolve import resolve, write_config
from xrgan.errors import XrganError
from xrgan.exported import CONFIG, GENERATOR, MANIFEST, Export, without_paths
from xrgan.files import MEGABYTE, bytes_below, replacing, write_text, write_yaml
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

if TYPE_CHECKING:
    from xrgan.gan.sampler import Sampler

EXAMPLES = ["xrgan export exp1 --out exp1.zip", "xrgan sample --run exp1.zip -n 1000"]
SHARED_ENVIRONMENT = (
    *("xrgan", "git_commit", "python", "torch", "torchvision", "numpy", "pandas", "pillow"),
    *("platform", "device", "threads", "seed", "run_id", "initialised_from"),
)
SHARED_DATASET = ("name", "content_hash", "training_images", "classes", "size", "channels", "source")
PLAIN_FILES = ("losses.csv", "losses.png", "evaluation/over_time.csv", "evaluation/over_time.png")  # figures alone
NO_DATE = (1980, 1, 1, 0, 0, 0)  # the same run makes the same file
OutFile = Annotated[Path | None, typer.Option(help="Where to. \\[default: <run>.zip]", metavar="FILE.zip")]
Overwrite = Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace a file of that name.")]
FLAGS = [option("sample.n", "--n", "-n", help="How many synthetic images to put in."), option("device")]


@with_flags("flags", FLAGS)
def export(
    *,
    run_name: RunArgument = None,
    out: OutFile = None,
    checkpoint: CheckpointName = "",
    flags: Flags,
    overwrite: Overwrite = False,
    data_root: DataRoot = DATA_ROOT,
    runs_root: RunsRoot = RUNS_ROOT,
    quiet: Quiet = False,
) -> None:
    """Write what of a run may be shared: → <run>.zip, with the generator, cards, scores, and synthetic images."""
    console.configure(quiet)
    workspace = Workspace(data_root, runs_root)
    run = find_run(workspace, run_name)
    file = out or Path(f"{run.name}.zip")
    if file.exists() and not overwrite:
        raise XrganError(f"{file} is there already.", "Name another one with --out, or replace it with --overwrite.")
    config = resolve(run.read_config(), flags=flags)
    console.waiting("Loading PyTorch")
    from xrgan.gan import sample_folder
    from xrgan.gan.sampler import load_sampler

    checkpoint = checkpoint or sample_folder.recorded_checkpoint(run.synthetic, run)
    sampler = load_sampler(run, config.device, checkpoint_name=checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        staging = Path(folder)
        write_core(workspace, run, sampler, checkpoint, staging)
        write_records(run, staging)
        with replacing(file) as temporary:
            _zip(staging, temporary)
            draw_images(run, load_sampler(Export(temporary), config.device), config.sample.n, staging)
            write_text(staging / "README.md", about(run, sampler))
            refresh_cards(workspace, run, staging)
            _zip(staging, temporary)
    _say_what_it_holds(file, run)


def write_core(workspace: Workspace, run: RunDir, sampler: "Sampler", checkpoint: str, folder: Path) -> None:
    """Write what `sample` and `train --init-from` need: manifest, configuration and weights."""
    from xrgan.gan.export import manifest_of, weights_of

    before = [one for one in learned_from(workspace, run) if one != run.trained_on()]
    manifest = manifest_of(run, sampler, checkpoint, before)
    write_yaml(folder / MANIFEST, manifest.model_dump(mode="json"))
    write_config(folder / CONFIG, without_paths(run.read_config()), leave_out=["phantom", "prepare"])
    (folder / GENERATOR).write_bytes(weights_of(sampler))


def write_records(run: RunDir, folder: Path) -> None:
    """Write what is known of the run, as far as it is no picture, no feature and no file's name of a patient."""
    write_yaml(folder / "environment.yaml", shared_environment(run))
    for name in PLAIN_FILES:
        if (run.path / name).is_file():
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(run.path / name, folder / name)
    if scores := run.read_scores():
        write_yaml(folder / "evaluation" / "scores.yaml", without_pairs(scores))


def shared_environment(run: RunDir) -> dict[str, Any]:
    """What of a run's environment.yaml names no file and no folder."""
    environment = run.read_environment()
    shared = {key: environment[key] for key in SHARED_ENVIRONMENT if key in environment}
    of_dataset = environment.get("dataset", {})
    return shared | {"dataset": {key: of_dataset[key] for key in SHARED_DATASET if key in of_dataset}}


def without_pairs(scores: Any) -> Any:
    """Scores without the pairs of synthetic and training images that they name."""
    if isinstance(scores, dict):
        return {key: without_pairs(value) for key, value in scores.items() if key != "closest"}
    return [without_pairs(one) for one in scores] if isinstance(scores, list) else scores


def draw_images(run: RunDir, sampler: "Sampler", n: int, folder: Path) -> None:
    """Draw the export's images anew, so that nothing else that lies in the run's synthetic/ comes with them.

    They are the first ones of synthetic/, without the suspected copies that were left out there; the first of the
    configured seed where this generator drew none.
    """
    from xrgan.gan import sample_folder

    drawn = sample_folder.drawn_in(run.synthetic, sampler)
    seed, label, numbers = run.read_config().sample.seed, "", tuple(range(n))
    if drawn is not None:
        last = drawn.numbers[-1] + 1
        more = () if drawn.without_copies else tuple(range(last, last + n))
        seed, label, numbers = drawn.seed, drawn.label, (*drawn.numbers, *more)[:n]
        sampler = dataclasses.replace(sampler, balance=drawn.balance)
    sample_folder.draw_numbers(sampler, folder / "synthetic", numbers, seed, label, run.name, ("png",))


def about(run: RunDir, sampler: "Sampler") -> str:
    """The export's README.md."""
    return f"""# {run.name}

A generator of synthetic chest X-rays of {sampler.spec.size} × {sampler.spec.size} pixels, exported by xrgan. No picture
and no feature of a single patient is in here; the weights were learned from patients' X-rays: MODEL_CARD.md says from
which, how well, and what was looked for.

    xrgan sample --run {run.name}.zip -n 1000 --seed 1    # the same images everywhere, bit for bit on a like machine
    xrgan train --init-from {run.name}.zip                # starts from it
    sha256sum {GENERATOR}                  # as in the mark of every image that it drew (xrgan inspect)

{GENERATOR} holds the averaged generator; {MANIFEST} and {CONFIG} say how to build it.
"""


def _zip(folder: Path, file: Path) -> None:
    """Put every file below a folder into a ZIP, uncompressed: weights and PNGs shrink no more."""
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            record = zipfile.ZipInfo(path.relative_to(folder).as_posix(), NO_DATE)
            record.external_attr = 0o644 << 16
            archive.writestr(record, path.read_bytes())


def _say_what_it_holds(file: Path, run: RunDir) -> None:
    size = file.stat().st_size / MEGABYTE
    whole = bytes_below(run.path) / MEGABYTE
    console.notice(f"{file} has {size:,.1f} MB; the run has {whole:,.1f} MB, with pictures of patients in it.")
    console.show_text(str(file))
