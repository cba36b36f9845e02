"""The flags that several commands share, with the titles of their groups in the help."""

from pathlib import Path
from typing import Annotated

import typer

from xrgan.commands.completion import complete_prepared, complete_run
from xrgan.commands.flags import Flag, option, panel

DATA, RECORDS, MACHINE = "Data", "Records", "Machine"

RunArgument = Annotated[
    str | None,
    typer.Argument(metavar="RUN", help="A run's path or name. \\[default: the latest]", autocompletion=complete_run),
]
RunName = Annotated[
    str | None,
    typer.Option(
        "--run",
        metavar="NAME",
        help="A run's path or name. \\[default: the latest]",
        autocompletion=complete_run,
        rich_help_panel=DATA,
    ),
]
DataName = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="NAME",
        help="A prepared dataset's path or name. \\[default: the run's]",
        autocompletion=complete_prepared,
        rich_help_panel=DATA,
    ),
]
External = Annotated[
    str | None,
    typer.Option(
        "--external",
        metavar="NAME",
        help="Another prepared dataset, of whose images every network is asked; it chooses nothing.",
        autocompletion=complete_prepared,
        rich_help_panel=DATA,
    ),
]
GeneratorDataName = Annotated[
    str | None,
    typer.Option(
        "--generator-data",
        metavar="NAME",
        help="Another prepared dataset, from which --gan-per-fold and --gan-per-fraction learn, too; labels may lack.",
        autocompletion=complete_prepared,
        rich_help_panel=DATA,
    ),
]
ExternalMap = Annotated[
    str,
    typer.Option(
        "--map",
        metavar="TEXT",
        help="Beside --external: its classes as the study's, first match wins: 'TB=PNEUMONIA,*=NORMAL'. "
        "\\[default: by name]",
        rich_help_panel=DATA,
    ),
]
DataRoot = Annotated[
    Path,
    typer.Option(
        "--data-root",
        envvar="XRGAN_DATA",
        callback=Path.expanduser,  # of a variable that no shell has set
        help="Folder of raw and prepared data.",
        metavar="DIR",
        file_okay=False,
        rich_help_panel=DATA,
    ),
]
RunsRoot = Annotated[
    Path,
    typer.Option(
        "--runs-root",
        envvar="XRGAN_RUNS",
        callback=Path.expanduser,  # of a variable that no shell has set
        help="Folder of the runs.",
        metavar="DIR",
        file_okay=False,
        rich_help_panel=RECORDS,
    ),
]
Json = Annotated[bool, typer.Option("--json", metavar="", help="Print the figures as JSON.", rich_help_panel=RECORDS)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", metavar="", help="Show results, warnings and errors only.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", metavar="", help="Print the resolved configuration as YAML, and do nothing.")
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="YAML file of options; it may name some only.", metavar="FILE", dir_okay=False),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any option, as section.key=value; repeatable.", metavar="KEY=VALUE"),
]


def study_flags(section: str) -> list[Flag]:
    """The flags that both studies have: who learns from what, and who is judged by what."""
    return panel(
        "Study",
        option(f"{section}.arms"),
        option(f"{section}.fractions"),
        option(f"{section}.seeds"),
        option(f"{section}.k_folds"),
        option(f"{section}.gan_per_fold", "--gan-per-fold/--one-gan"),
        option(f"{section}.gan_per_fraction", "--gan-per-fraction"),
        option(f"{section}.leaks"),
        option(f"{section}.ratio"),
        option(f"{section}.seed"),
    )
