"""Flags that are read from the configuration's schema.

A flag that overrides a key takes its type, choices, meaning and default from the key's field in config.py:
`option("train.epochs")` is `--epochs INT`. A command receives what was typed as one dictionary, dotted key → value.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand

from xrgan.commands.completion import complete_list
from xrgan.config import NONE, Auto, default, field_of, meaning

SHORT = 20  # characters of choices that fit beside a flag in the help; longer ones stand in its text only

Flags = dict[str, Any]
"""Dotted key → what was typed; None where the flag was not given."""

Command = Callable[..., None]
Switch = Literal["auto", "yes", "no"]


@dataclasses.dataclass(frozen=True)
class Flag:
    """A flag that a command need not spell out in its signature.

    Attributes:
        key: under which the command receives the value.
        names: such as --n and -n; of a switch the second one is the name of "no".
        kind: the type that Typer parses.
        panel: the title of its group in the help.
        complete: what the shell offers; the choices without one.
    """

    key: str
    names: tuple[str, ...]
    kind: object
    help: str
    panel: str | None = None
    complete: Callable[..., list[str]] | None = None

    @property
    def parameter(self) -> inspect.Parameter:
        """The parameter of a command that Typer makes this flag of."""
        name = "flag_" + self.key.replace(".", "_").replace("-", "_")
        info = typer.Option(
            None,
            *self.names,
            help=self.help,
            show_default=False,
            metavar=_metavar(self.kind),
            rich_help_panel=self.panel,
            autocompletion=self.complete,
        )
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=info, annotation=self.kind)


def option(
    key: str,
    *names: str,
    help: str = "",
    default_text: str = "",
    complete: Callable[..., list[str]] | None = None,
) -> Flag:
    """The flag that overrides a key of the configuration.

    Args:
        names: of the flag; the key's last part without any: train.batch_size is --batch-size, and a switch such as
            prepare.clahe is --clahe/--no-clahe.
        help: another text than the key's meaning, and `default_text` another one than its default.
    """
    kind = _kind(key)
    plain = key.rpartition(".")[2].replace("_", "-")
    if not names and kind is bool:
        names = (f"--{plain}/--no-{plain}",)
    elif not names:
        names = (f"--{plain}", f"--no-{plain}") if kind is Switch else (f"--{plain}",)
    text = f"{help or meaning(key)} \\[default: {default_text or _plain(default(key))}]"
    return Flag(key, names, kind, text, complete=complete or _completion(key))


def panel(title: str, *flags: Flag) -> list[Flag]:
    """Those flags, under a title of their own in the help."""
    return [dataclasses.replace(flag, panel=title) for flag in flags]


def with_flags(parameter: str, flags: Sequence[Flag]) -> Callable[[Command], Command]:
    """Put flags in the place of one parameter of a command, which receives what was typed: key → value."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def parsed(**values: object) -> None:
            given = {flag.key: _joined(values.pop(flag.parameter.name)) for flag in flags}
            command(**values, **{parameter: given})

        spelled_out = inspect.signature(command)
        parameters: list[inspect.Parameter] = []
        for known in spelled_out.parameters.values():
            parameters += [flag.parameter for flag in flags] if known.name == parameter else [known]
        vars(parsed)["__signature__"] = spelled_out.replace(parameters=parameters)  # Typer reads it
        return parsed

    return decorate


class SwitchCommand(TyperCommand):
    """A command some of whose switches can also be left to the default: --masks, --no-masks, and --masks auto.

    And in whose arguments `~` is the user's home.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.switches = [flag for flag in self.params if getattr(flag, "metavar", "") == _metavar(Switch)]
        for flag in self.switches:
            flag.opts, flag.secondary_opts = flag.opts[:1], flag.opts[1:]  # the help shows the name of "no" apart

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Write --masks as --masks yes, --no-masks as --masks no, and `~` as the home, before Typer parses them."""
        args = [_from_home(argument) for argument in args]
        yes = {flag.opts[0] for flag in self.switches}
        no = {flag.secondary_opts[0]: flag.opts[0] for flag in self.switches}
        spelled_out: list[str] = []
        for argument, following in zip(args, [*args[1:], "-"], strict=False):
            if argument in no:
                spelled_out += [no[argument], "no"]
            elif argument in yes and following.startswith("-"):
                spelled_out += [argument, "yes"]
            else:
                spelled_out.append(argument)
        return super().parse_args(ctx, spelled_out)


def _from_home(argument: str) -> str:
    """Expand `~` also where no shell does: --out=~/drawn would make a folder of that name here."""
    before, equals, value = argument.rpartition("=")
    if value == "~" or value.startswith(("~/", "~\\")):
        return f"{before}{equals}{Path(value).expanduser()}"
    return argument


def _kind(key: str) -> object:
    """What Typer parses: a number, a switch, one of a few words, a flag that may be repeated; or any text."""
    annotation = field_of(key).annotation
    if annotation in (int, float, bool) or get_origin(annotation) is Literal:
        return annotation
    if annotation == tuple[str, ...]:
        return list[str]
    parts = get_args(annotation)
    return Switch if bool in parts and Auto in parts else str


def _joined(typed: object) -> object:
    """What was typed; of a repeated flag all of it, by commas; None where the flag was not given."""
    return (",".join(typed) or None) if isinstance(typed, list) else typed


def _completion(key: str) -> Callable[..., list[str]] | None:
    """What the shell offers for a list of some words, such as --arms; for a single word Typer offers the choices."""
    annotation = field_of(key).annotation
    element = get_args(annotation)[0] if get_origin(annotation) is tuple else None
    return complete_list(get_args(element)) if get_origin(element) is Literal else None


def _metavar(kind: object) -> str:
    """What stands beside a flag in the help."""
    if kind is bool:
        return ""
    if get_origin(kind) is not Literal:
        return "INT" if kind is int else "NUMBER" if kind is float else "TEXT"
    choices = "|".join(str(choice) for choice in get_args(kind))
    return choices if len(choices) <= SHORT else "NAME"


def _plain(value: object) -> str:
    """A default as the user would type it."""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value) or NONE
    return {"True": "yes", "False": "no", "": "empty"}.get(str(value), str(value))
