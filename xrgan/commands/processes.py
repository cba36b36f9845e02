"""`--nproc`: a command in several processes, whether it starts them itself or torchrun did."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from xrgan import console, launched
from xrgan.commands.options import MACHINE
from xrgan.errors import XrganError

Processes = Annotated[
    int,
    typer.Option(
        "--nproc",
        metavar="INT",
        min=1,
        help="Processes that share the work: one for each GPU. \\[default: 1]",
        show_default=False,
        rich_help_panel=MACHINE,
    ),
]


def begin(quiet: bool, processes: int, command: str) -> None:
    """Let the first of several processes speak alone, before a command does anything.

    Raises:
        XrganError: torchrun started this process, and it shall start some itself.
    """
    console.configure(quiet, mute=launched.rank() > 0)
    if processes > 1 and launched.size() > 1:
        raise XrganError(
            f"torchrun started {launched.size()} processes: each of them can't start others.",
            f"Leave out --nproc, or start `xrgan {command}` without torchrun.",
            exit_code=2,
        )


def need_name(run_name: str | None) -> None:
    """Raise XrganError where several processes would have to guess which run is meant: one that began anew, too."""
    if launched.size() > 1 and run_name is None:
        raise XrganError("Under torchrun, a run needs a name.", "Add `--run NAME`: processes that begin anew find it.")


def of_all(processes: int) -> int:
    """How many processes share the work, or will."""
    return max(processes, launched.size())


def start(processes: int, arguments: Sequence[str]) -> None:
    """Run `xrgan` with those arguments in so many processes, and end as they end."""
    from xrgan import ranks

    console.stop_waiting()  # they say what is waited for
    raise typer.Exit(ranks.launch(processes, arguments))


@contextmanager
def shared(processes: int, device: str) -> Iterator[None]:
    """Work in several processes: with those that torchrun started beside this one, or in others, if they are wanted.

    Args:
        device: its name, as in the configuration.
    """
    from xrgan import ranks

    if processes > 1:
        start_again(processes)
    with ranks.joined(device):
        yield


def start_again(processes: int) -> None:
    """Run this very command line in so many processes, and end as they end."""
    arguments = sys.argv[1:]
    if "--nproc" in arguments:
        place = arguments.index("--nproc")
        del arguments[place : place + 2]
    start(processes, [argument for argument in arguments if not argument.startswith("--nproc=")])
