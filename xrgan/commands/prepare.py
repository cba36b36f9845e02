"""`xrgan prepare`: a fetched source to one size, packed, into data/prepared/."""

from typing import Annotated

import typer

from xrgan import console
from xrgan.commands.completion import complete_fetched
from xrgan.commands.flags import Flags, option, panel, with_flags
from xrgan.commands.inputs import find_source
from xrgan.commands.options import DATA, MACHINE, ConfigFile, DataRoot, DryRun, Quiet, Settings
from xrgan.config import Config
from xrgan.config_resolve import resolve, to_yaml
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

EXAMPLES = [
    "xrgan prepare jrs --size 128 --masks none",
    "xrgan prepare my-xrays --table labels.csv --label-column diagnosis",
]
SourceName = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE", help="A fetched source, or any folder of images.", autocompletion=complete_fetched
    ),
]
NewName = Annotated[
    str,
    typer.Option(metavar="NAME", help="The prepared dataset's. \\[default: <source>_<size>]", rich_help_panel=DATA),
]
Force = Annotated[
    bool, typer.Option("--force", metavar="", help="Replace a dataset of that name.", rich_help_panel=DATA)
]
FLAGS = [
    *panel(
        "Images",
        option("prepare.size"),
        option("prepare.fit"),
        option("prepare.channels"),
        option("prepare.window"),
        option("prepare.clahe"),
        option("prepare.masks"),
        option("prepare.mask_pattern"),
        option("prepare.mask_values"),
    ),
    *panel(
        "Which images",
        option("prepare.labels"),
        option("prepare.map"),
        option("prepare.view"),
        option("prepare.fraction"),
        option("prepare.limit"),
        option("prepare.drop_duplicates", "--drop-duplicates"),
        option("prepare.keep_blank", "--keep-blank"),
        option("prepare.allow_synthetic", "--allow-synthetic"),
    ),
    *panel(
        "Split, patients and labels",
        option("prepare.split"),
        option("prepare.patient_pattern"),
        option("prepare.label_pattern"),
        option("prepare.fix_leaks", "--fix-leaks/--keep-leaks"),
        option("prepare.seed"),
    ),
    *panel(
        "A table of your own",
        option("prepare.table"),
        option("prepare.file_column"),
        option("prepare.label_column"),
        option("prepare.patient_column"),
        option("prepare.split_column"),
        option("prepare.view_column"),
        option("prepare.mask_column"),
        option("prepare.sex_column"),
        option("prepare.age_column"),
        option("prepare.uncertain"),
    ),
    *panel(MACHINE, option("prepare.workers")),
]


@with_flags("flags", FLAGS)
def prepare(
    *,
    source: SourceName = None,
    name: NewName = "",
    force: Force = False,
    flags: Flags,
    config_file: ConfigFile = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    data_root: DataRoot = DATA_ROOT,
) -> None:
    """Bring a source's images to one size and pack them: → data/prepared/<name>/."""
    console.configure(quiet)
    config = resolve(None, config_file, settings or (), flags)
    workspace = Workspace(data_root, RUNS_ROOT)
    if dry_run:
        console.show_text(to_yaml(_planned(workspace, source, name, config)))
        return
    console.waiting("Looking at the files")
    from xrgan.data.prepare import prepare as pack
    from xrgan.data.preparing import summary

    raw = find_source(workspace, source)
    _say_what_is_drawn(config.prepare.size)
    with console.hint_when_interrupted():
        prepared = pack(raw, workspace.prepared_root, config.prepare, name, force)
    console.show_table(str(prepared), *summary.table(prepared))
    console.show_table("", *summary.facts_table(prepared))
    console.show_text(str(prepared / "preview.png"))


def _say_what_is_drawn(size: int) -> None:
    """Say before the work is done that no generator will learn from images of that size."""
    from xrgan.gan.sizes import nearest_sizes

    nearest = nearest_sizes(size)
    if size not in nearest:
        named = " or ".join(f"`--size {one}`" for one in nearest)
        console.notice(
            f"No generator draws {size} × {size} pixels; {named} can be drawn. "
            "Studies of real images alone take any size."
        )


def _planned(workspace: Workspace, source: str | None, name: str, config: Config) -> Config:
    """The configuration with the dataset's name and what `auto` means for its source; as it is where there is none."""
    if source is None and len(workspace.fetched()) != 1:
        return config
    from xrgan.data.prepare import plan

    return plan(find_source(workspace, source), config, name)
