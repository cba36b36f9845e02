"""`xrgan fetch`: a public source, or the user's own images, into data/raw/."""

from pathlib import Path
from typing import Annotated

import typer

from xrgan import console
from xrgan.commands.completion import complete_source
from xrgan.commands.flags import Flags, option, panel, with_flags
from xrgan.commands.options import DataRoot, Quiet
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

EXAMPLES = ["xrgan fetch phantom --n 500", "xrgan fetch my-xrays --folder ~/xrays"]
SourceName = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A source (--list shows them), a name for your own, or inception, the weights of FID.",
        autocompletion=complete_source,
    ),
]
ShowList = Annotated[bool, typer.Option("--list", metavar="", help="Show what can be fetched, and what is here.")]
Archive = Annotated[Path | None, typer.Option(help="An archive that is here already.", metavar="FILE")]
Folder = Annotated[Path | None, typer.Option(help="A folder of images that is here already.", metavar="DIR")]
AllowSynthetic = Annotated[
    bool, typer.Option("--allow-synthetic", metavar="", help="Take images that say they are synthetic, too.")
]
Force = Annotated[bool, typer.Option("--force", metavar="", help="Fetch again what is there.")]
FLAGS = panel("Phantom", option("phantom.n", "--n", "-n"), option("phantom.size"), option("phantom.seed"))


@with_flags("flags", FLAGS)
def fetch(
    *,
    source: SourceName = "",
    show_list: ShowList = False,
    archive: Archive = None,
    folder: Folder = None,
    flags: Flags,
    force: Force = False,
    allow_synthetic: AllowSynthetic = False,
    quiet: Quiet = False,
    data_root: DataRoot = DATA_ROOT,
) -> None:
    """Fetch a public source, or take in your own images: → data/raw/<source>/."""
    console.configure(quiet)
    console.waiting("Loading")
    if source == "inception":
        from xrgan.evaluation.inception_weights import fetch_weights

        console.show_text(str(fetch_weights()))
        return
    raw_root = Workspace(data_root, RUNS_ROOT).raw_root
    if show_list:
        _show_sources(raw_root)
        return
    from xrgan.data.fetch import fetch as fetch_source

    phantom = {key.removeprefix("phantom."): value for key, value in flags.items()}
    raw = fetch_source(
        source, raw_root, archive=archive, folder=folder, force=force, allow_synthetic=allow_synthetic, **phantom
    )
    console.show_text(str(raw))


def _show_sources(raw_root: Path) -> None:
    """List what can be fetched, and what is here of it."""
    from xrgan.data import listing

    console.show_table("Sources", *listing.catalogue(raw_root), optional=("licence", "GB on disk", "masks"))
    for note in listing.notes():
        console.notice(note)
