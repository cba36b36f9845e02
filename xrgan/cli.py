"""The command `xrgan`: which commands there are, and how a mistake ends. What a command does stands in commands/.

The stages are imported inside the commands: `xrgan --help` must not wait for torch.
"""

from typing import Annotated

import typer

import xrgan
from xrgan import console
from xrgan.commands import classify, evaluate, fetch, listings, prepare, sample, segment, train
from xrgan.commands.flags import Command, SwitchCommand
from xrgan.failures import one_sentence

app = typer.Typer(
    name="xrgan",
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
    (listings.runs, listings.RUNS_EXAMPLES),
    (listings.data, listings.DATA_EXAMPLES),
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
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        console.show_text(xrgan.__version__)
        raise typer.Exit
