"""`xrgan readers`: can people tell synthetic images from real ones? The page for readers, and what they answered."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xrgan import console
from xrgan.commands.completion import complete_run
from xrgan.commands.flags import Flags, option, with_flags
from xrgan.commands.inputs import compared_of, dataset_of, find_run
from xrgan.commands.options import RECORDS, DataName, DataRoot, Json, Quiet, RunsRoot
from xrgan.commands.report import refresh_report
from xrgan.commands.sample import drawn
from xrgan.config import Config
from xrgan.config_resolve import resolve
from xrgan.errors import XrganError
from xrgan.files import write_yaml
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

if TYPE_CHECKING:
    from xrgan.readers.statistics import Summary

EXAMPLES = ["xrgan readers exp1 --n 60", "xrgan readers exp1 --answers anna.csv ben.csv"]
SUMMARY = "summary.yaml"  # in the run's readers/
COLUMNS = ("reader", "N", "right", "95 %", "found", "suspected", "AUC", "class")
RunAndFiles = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN",
        help="A run's path or name. \\[default: the latest]",
        autocompletion=complete_run,
    ),
]
Answers = Annotated[
    list[Path] | None,
    typer.Option(help="The readers' files: judge them. Several behind one --answers.", metavar="FILE.csv…"),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        metavar="",
        help="Replace a page that is there: answers to it no longer count.",
        rich_help_panel=RECORDS,
    ),
]
FLAGS = [
    option("readers.n", "--n", "-n"),
    option("readers.ask_class", "--ask-class"),
    option("readers.seed"),
]


@with_flags("flags", FLAGS)
def readers(
    *,
    run_and_files: RunAndFiles = None,
    answers: Answers = None,
    flags: Flags,
    overwrite: Overwrite = False,
    as_json: Json = False,
    data: DataName = None,
    data_root: DataRoot = DATA_ROOT,
    runs_root: RunsRoot = RUNS_ROOT,
    quiet: Quiet = False,
) -> None:
    """Can readers tell? Write a page that shows real and synthetic images to people; judge what they answered."""
    console.configure(quiet or as_json)
    workspace = Workspace(data_root, runs_root)
    name, files = _run_and_files(run_and_files or [], answers or [])
    _refuse_idle(files, as_json, overwrite=overwrite or None, data=data, **flags)
    run = find_run(workspace, name)
    console.waiting("Reading the answers" if files else "Choosing the images")
    if files:
        summary = judge_answers(run, files)
        refresh_report(workspace, run)
        _show(run, summary, as_json)
        return
    page = write_page(workspace, run, resolve(run.read_config(), flags=flags), data, overwrite)
    console.notice(f"{page.parent / 'key.csv'} is the key: keep it from the readers.")
    console.notice(f"Then: `xrgan readers {run.name} --answers FILE.csv…`")
    console.show_text(str(page))


def _run_and_files(names: list[str], answers: list[Path]) -> tuple[str | None, list[Path]]:
    """Tell the run's name from the CSVs that follow --answers: the shell hands them on alike."""
    more = [Path(name) for name in names if name.lower().endswith(".csv")]
    runs = [name for name in names if not name.lower().endswith(".csv")]
    if more and not answers:
        raise XrganError(f"{more[0]} stands alone.", f"Readers' files go behind --answers: `--answers {more[0]}`.", 2)
    if len(runs) > 1:
        raise XrganError(f"Readers judge one run at a time, not {' and '.join(runs)}.", "Name one.", exit_code=2)
    return (runs[0] if runs else None), [*answers, *more]


def _refuse_idle(files: list[Path], as_json: bool, **of_page: Any) -> None:
    """Refuse what would do nothing: options of the page beside answers to it, and --json without figures.

    Args:
        of_page: options; None = not given.
    """
    given = [key for key, value in of_page.items() if value is not None]
    if files and given:
        raise XrganError(
            f"--{given[0].rpartition('.')[2].replace('_', '-')} goes with the page, which is written already.",
            "Leave it out beside --answers.",
            exit_code=2,
        )
    if as_json and not files:
        raise XrganError("--json prints what was answered.", "Name the readers' files: `--answers FILE.csv`.", 2)


def write_page(workspace: Workspace, run: RunDir, config: Config, data: str | None, overwrite: bool) -> Path:
    """Write the page for readers of a run, with the key beside it: the page.

    Raises:
        XrganError: there is one already; or there are too few images.
    """
    from xrgan.data.synthetic import read_synthetic
    from xrgan.readers.choice import choose
    from xrgan.readers.page import PAGE, write_study

    folder, chosen = run.readers, config.readers
    if (folder / PAGE).exists() and not overwrite:
        raise XrganError(f"{folder / PAGE} is there already, and readers may be at it.", "Replace it with --overwrite.")
    dataset = dataset_of(workspace, run, config, data)
    _, held_out = compared_of(dataset, config)
    images, labels = read_synthetic(
        drawn(workspace, run, config, 2 * chosen.n, data),
        dataset.classes,
        channels=dataset.channels,
        brightness=dataset.brightness(),
    )
    shown = choose(dataset.labels[held_out], dataset.groups[held_out], labels, dataset.classes, chosen.n, chosen.seed)
    if len(shown) < chosen.n:
        console.warn(f"There are {len(shown)} images to show, not {chosen.n}: too few held-out patients of a class.")
    asked = sorted({one.label for one in shown} - {""}) if chosen.ask_class else []
    (folder / SUMMARY).unlink(missing_ok=True)  # of an earlier page
    write_study(folder, shown, dataset.xrays(held_out), images, asked, dataset.source == "phantom")
    return folder / PAGE


def judge_answers(run: RunDir, files: list[Path]) -> "Summary":
    """Judge readers' answers, and keep the summary in the run.

    Raises:
        XrganError: a file holds no answers to this run's page.
    """
    from xrgan.readers.answers import read_answers
    from xrgan.readers.choice import read_key
    from xrgan.readers.page import KEY, study_of
    from xrgan.readers.statistics import summarise

    key_file = run.readers / KEY
    key = read_key(key_file)
    study = study_of(key_file)
    summary = summarise(read_answers(files, study, key), study)
    write_yaml(run.readers / SUMMARY, dict(summary))
    return summary


def _show(run: RunDir, summary: "Summary", as_json: bool) -> None:
    if as_json:
        console.show_json(summary)
        return
    from xrgan.report.readers import reader_row

    rows = [reader_row(one) for one in summary["readers"]]
    console.show_table(f"{run.name}: real or synthetic?", COLUMNS, rows, optional=("class", "AUC"))
    agreement = summary["agreement"]
    if agreement and agreement["kappa"] is not None:
        console.notice(f"Fleiss' kappa of {agreement['images']:,} images: {agreement['kappa']:.2f}")
    for caveat in summary["caveats"]:
        console.notice(caveat)
    console.show_sentence(summary["conclusion"])
    console.show_text(str(run.readers / SUMMARY))
