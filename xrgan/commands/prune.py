"""`xrgan prune`: a run brought down to what draws."""

from pathlib import Path
from typing import Annotated

import typer

from xrgan import console
from xrgan.commands.completion import complete_run
from xrgan.commands.options import Quiet, RunsRoot
from xrgan.errors import XrganError
from xrgan.files import MEGABYTE
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

EXAMPLES = ["xrgan prune exp1"]
NamedRun = Annotated[
    str | None,
    typer.Argument(metavar="RUN", help="A run's path or name; no default.", autocompletion=complete_run),
]


def prune(*, run_name: NamedRun = None, quiet: Quiet = False, runs_root: RunsRoot = RUNS_ROOT) -> None:
    """Keep of a run's checkpoints the averaged generator, of the last and the best one: it draws, and can't go on."""
    console.configure(quiet)
    if run_name is None:
        raise XrganError("Which run shall be pruned? It can't be resumed afterwards.", "Name it.", exit_code=2)
    run = Workspace(DATA_ROOT, runs_root).find_run(run_name)
    console.waiting("Loading PyTorch")
    from xrgan.gan.claim import locked
    from xrgan.gan.prune import prune as prune_run

    for one in (run, *_generators_of_studies(run)):
        with locked(one):
            done = prune_run(one)
        before, after = done.before / MEGABYTE, done.after / MEGABYTE
        console.notice(f"{one.path}/checkpoints: {before:,.1f} MB before, {after:,.1f} MB now.")
    console.notice(f"`xrgan train --init-from {run.path}` starts from it; it can't be resumed.")
    console.show_text(str(run.path))


def _generators_of_studies(run: RunDir) -> list[RunDir]:
    """The generators that studies trained, one a fold: they have drawn what was asked for."""
    found: list[Path] = sorted(file.parent for file in run.path.glob("*/generators/*/config.yaml"))
    return [RunDir(path) for path in found if any((path / "checkpoints").glob("*.pt"))]
