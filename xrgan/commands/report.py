"""`xrgan report`: one page that tells the whole run, or several side by side."""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xrgan import console
from xrgan.commands.cards import kept_traces
from xrgan.commands.completion import complete_run
from xrgan.commands.export import draw_images, shared_environment, without_pairs
from xrgan.commands.inputs import find_run
from xrgan.commands.options import DATA, RECORDS, DataRoot, Quiet, RunsRoot
from xrgan.errors import XrganError
from xrgan.exported import without_paths
from xrgan.files import write_text
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

if TYPE_CHECKING:
    from xrgan.report.page import Sources

EXAMPLES = ["xrgan report --open", "xrgan report exp1 exp2 --out both.html", "xrgan report exp1 --public"]
PUBLIC_IMAGES = 200  # drawn for a public page
RunArguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN",
        help="Paths or names of runs; several stand side by side. \\[default: the latest]",
        autocompletion=complete_run,
    ),
]
OutFile = Annotated[
    Path | None,
    typer.Option(
        help="Where to. \\[default: <run>/report.html, or report-public.html; of several runs, beside them]",
        metavar="FILE.html",
        rich_help_panel=RECORDS,
    ),
]
Public = Annotated[
    bool,
    typer.Option(
        "--public",
        metavar="",
        help="Leave real patients out, as `export` does; synthetic images are drawn anew for it.",
        rich_help_panel=DATA,
    ),
]
Open = Annotated[bool, typer.Option("--open", metavar="", help="Open it in the browser.", rich_help_panel=RECORDS)]


def report(
    *,
    run_names: RunArguments = None,
    public: Public = False,
    out: OutFile = None,
    open_it: Open = False,
    data_root: DataRoot = DATA_ROOT,
    runs_root: RunsRoot = RUNS_ROOT,
    quiet: Quiet = False,
) -> None:
    """Write one page that tells the whole run: is it any good, does it copy, does it help? → <run>/report.html."""
    console.configure(quiet)
    workspace = Workspace(data_root, runs_root)
    runs = [find_run(workspace, name) for name in run_names] if run_names else [find_run(workspace, None)]
    if len({run.path.resolve() for run in runs}) < len(runs):
        raise XrganError("A run is named twice.", "Name each once.", exit_code=2)
    console.waiting("Writing the report")
    from xrgan.report.page import FILE, PUBLIC_FILE

    usual = PUBLIC_FILE if public else FILE
    file = out or (runs[0].path if len(runs) == 1 else runs_root) / usual
    if file.is_dir():
        raise XrganError(f"{file} is a folder.", f"Name a file: `--out {file / usual}`.", exit_code=2)
    write_report(workspace, runs, file, public)
    console.show_text(str(file))
    if open_it:
        import webbrowser

        if not webbrowser.open(file.resolve().as_uri()):
            console.notice("No browser could be started: open the file by hand.")


def write_report(workspace: Workspace, runs: Sequence[RunDir], file: Path, public: bool = False) -> None:
    """Write the page of one run, or that of several side by side.

    Raises:
        XrganError: a file that it is written from is damaged; or a public page is asked of a run that can't draw.
    """
    from xrgan.report.comparison import comparison_page
    from xrgan.report.page import run_page

    with tempfile.TemporaryDirectory() as drawn:
        sources = [_sources(workspace, run, Path(drawn) / str(k), public) for k, run in enumerate(runs)]
        write_text(file, run_page(sources[0]) if len(sources) == 1 else comparison_page(sources))


def refresh_report(workspace: Workspace, run: RunDir) -> None:
    """Write a run's report anew, where it has one; what is wrong with a file of it is a warning."""
    from xrgan.report.page import FILE

    if not (run.path / FILE).is_file():
        return
    try:
        write_report(workspace, [run], run.path / FILE)
    except XrganError as error:
        console.warn(f"{run.path / FILE} was not written anew: {error}")


def _sources(workspace: Workspace, run: RunDir, drawn: Path, public: bool) -> "Sources":
    from xrgan.cards.facts import gather
    from xrgan.report.page import Sources

    facts = gather(run, workspace.prepared_of(run.trained_on()), kept_traces(run))
    if not public:
        return Sources(facts, run.synthetic)
    shared = dataclasses.replace(
        facts,
        config=without_paths(facts.config),
        environment=shared_environment(run),
        scores=without_pairs(facts.scores),
    )
    _draw(run, drawn)
    return Sources(shared, drawn / "synthetic", public=True)


def _draw(run: RunDir, folder: Path) -> None:
    """Draw a run's first images anew, so that nothing else that lies in its synthetic/ is shown."""
    from xrgan.gan import sample_folder
    from xrgan.gan.sampler import load_sampler

    checkpoint = sample_folder.recorded_checkpoint(run.synthetic, run)
    draw_images(run, load_sampler(run, "auto", checkpoint_name=checkpoint), PUBLIC_IMAGES, folder)
