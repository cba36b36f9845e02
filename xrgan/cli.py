"""The command `xrgan`: which commands there are, and how a mistake ends. What a command does stands in commands/.

The stages are imported inside the commands: `xrgan --help` must not wait for torch.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import xrgan
from xrgan import console
from xrgan.commands import (
    classify,
    evaluate,
    export,
    fetch,
    inspect,
    listings,
    prepare,
    prune,
    readers,
    report,
    sample,
    segment,
    train,
)
from xrgan.commands.flags import Command, SwitchCommand
from xrgan.errors import XrganError
from xrgan.failures import one_sentence

MEANT = {
    "help": "xrgan --help",
    "list": "xrgan runs, xrgan data or xrgan fetch --list",
    "ls": "xrgan runs or xrgan data",
    "status": "xrgan runs or xrgan data",
    "version": "xrgan --version",
    "download": "xrgan fetch",
    "preprocess": "xrgan prepare",
    "continue": "xrgan resume",
    "generate": "xrgan sample",
    "draw": "xrgan sample",
    "score": "xrgan evaluate",
    "predict": "xrgan classify --predict PATH",
}
"""What other programs call it → the command."""


class Commands(TyperGroup):
    """The commands; one that isn't there is answered with the one that was meant."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As Typer does, but for the words of `MEANT`."""
        if args and args[0] in MEANT:
            raise XrganError(f"There is no command {args[0]}.", f"Did you mean {MEANT[args[0]]}?", exit_code=2)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="xrgan",
    cls=Commands,
    help="Train a GAN on your chest X-rays, draw synthetic ones, and learn honestly how good they are.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="The way: fetch → prepare → train → sample → evaluate → classify or segment. Try it: xrgan fetch phantom",
)

COMMANDS: list[tuple[Command, list[str]]] = [
    (fetch.fetch, fetch.EXAMPLES),
    (prepare.prepare, prepare.EXAMPLES),
    (train.train, train.EXAMPLES),
    (train.resume, train.RESUME_EXAMPLES),
    (sample.sample, sample.EXAMPLES),
    (evaluate.evaluate, evaluate.EXAMPLES),
    (classify.classify, classify.EXAMPLES),
    (segment.segment, segment.EXAMPLES),
    (readers.readers, readers.EXAMPLES),
    (report.report, report.EXAMPLES),
    (export.export, export.EXAMPLES),
    (prune.prune, prune.EXAMPLES),
    (listings.runs, listings.RUNS_EXAMPLES),
    (listings.data, listings.DATA_EXAMPLES),
    (inspect.inspect, inspect.EXAMPLES),
]
for command, examples in COMMANDS:
    app.command(cls=SwitchCommand, epilog="\n\n".join(f"Example: {example}" for example in examples))(command)


def main() -> None:
    """Run the command line; a user's mistake, or the disk's, ends in one sentence and exit code 1 (2 for usage)."""
    console.take_any_stream()
    with one_sentence():
        app(prog_name="xrgan")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    context.call_on_close(console.stop_waiting)  # however the command ends
    if version:
        console.show_text(xrgan.__version__)
        raise typer.Exit
