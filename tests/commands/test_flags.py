"""Flags that are read from the schema: their type, choices and help, and what the command receives."""

from typing import Any, Literal

import pytest
import typer
from typer.testing import CliRunner

from tests.terminal import Terminal
from xrgan import cli
from xrgan.commands import train
from xrgan.commands.flags import Flag, Flags, Switch, SwitchCommand, option, panel, with_flags
from xrgan.config import all_keys, default, meaning
from xrgan.config_resolve import resolve


def typed(line: str, *flags: Flag) -> Any:
    """What a command with those flags receives; the exit code and what is said where it is refused."""
    received: list[Flags] = []
    app = typer.Typer()

    @with_flags("flags", flags)
    def command(*, before: int = 1, flags: Flags, after: bool = False) -> None:
        assert (before, after) == (1, False)
        received.append(flags)

    app.command(cls=SwitchCommand)(command)
    answer = CliRunner().invoke(app, line.split())
    return received[0] if received else (answer.exit_code, " ".join(answer.output.split()))


def test_a_command_receives_its_flags_by_their_keys() -> None:
    flags = [option("train.epochs"), option("model.name", "--model"), option("sample.n", "--n", "-n")]
    assert typed("--epochs 3 -n 5", *flags) == {"train.epochs": 3, "model.name": None, "sample.n": 5}


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("train.epochs", int),
        ("train.minutes", float),
        ("prepare.clahe", bool),
        ("model.name", Literal["eigen", "dcgan"]),
        ("evaluate.fid_layer", Literal[64, 192, 768, 2048]),
        ("model.masks", Switch),
        ("train.lr", str),  # a number or auto
        ("train.augment", str),
        ("classify.arms", str),
        ("evaluate.weights", str),
    ],
)
def test_a_flag_has_the_type_of_its_field(key: str, kind: object) -> None:
    assert option(key).kind == kind


@pytest.mark.parametrize("key", all_keys())
def test_any_key_makes_a_flag_with_its_meaning_and_default(key: str) -> None:
    flag = option(key)
    assert flag.help.startswith(f"{meaning(key)} \\[default: ")
    assert flag.names[0].startswith("--" + key.rpartition(".")[2].replace("_", "-"))
    assert not flag.help.endswith("default: ]"), default(key)


def test_a_wrong_choice_is_a_matter_of_usage_and_names_the_choices() -> None:
    code, said = typed("--loss wasserstein", option("train.loss"))
    assert code == 2
    for choice in ("bce", "non-saturating", "hinge", "relativistic", "auto"):
        assert choice in said


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("--masks", "yes"),
        ("--masks yes", "yes"),
        ("--masks auto", "auto"),
        ("--masks no", "no"),
        ("--no-masks", "no"),
        ("--masks --no-masks", "no"),
        ("--no-masks --masks", "yes"),
        ("--before 1 --masks", "yes"),
        ("--masks --before 1", "yes"),
        ("", None),
    ],
)
def test_a_switch_that_may_be_left_to_the_default(line: str, value: str | None) -> None:
    assert typed(line, option("model.masks")) == {"model.masks": value}


def test_what_a_switch_says_is_what_the_option_means() -> None:
    for word, value in (("yes", True), ("no", False), ("auto", "auto")):
        assert resolve(flags={"model.masks": word}).model.masks == value


def test_a_switch_takes_no_other_word() -> None:
    code, said = typed("--masks lungs", option("model.masks"))
    assert code == 2 and "auto" in said


@pytest.mark.parametrize(
    ("typed_path", "taken"),
    [("~/w.pth", "/anna/w.pth"), ("~", "/anna"), ("a~/b", "a~/b"), ("~anna/b", "~anna/b"), ("a~", "a~")],
)
def test_a_tilde_is_the_home_where_no_shell_says_so(
    monkeypatch: pytest.MonkeyPatch, typed_path: str, taken: str
) -> None:
    """--out=~/drawn made a folder that is called ~, and `rm -r ~` is no way to be rid of it."""
    monkeypatch.setenv("HOME", "/anna")
    for line in (f"--weights={typed_path}", f"--weights {typed_path}"):
        assert typed(line, option("evaluate.weights")) == {"evaluate.weights": taken}


def test_the_masks_of_prepare_are_no_switch(type_: Terminal) -> None:
    assert "masks: lungs" in type_("prepare --dry-run --masks lungs").out


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("--masks auto --conditional auto", ("auto", "auto")),
        ("--masks --unconditional", ("true", "false")),
        ("--no-masks --conditional --epochs 3", ("false", "true")),
    ],
)
def test_train_takes_switches_in_every_way(type_: Terminal, line: str, written: tuple[str, str]) -> None:
    out = type_(f"train --dry-run {line}").out
    assert f"  masks: {written[0]} " in out and f"  conditional: {written[1]} " in out


def test_flags_of_a_panel_stand_under_its_title() -> None:
    assert {flag.panel for flag in panel("Model", option("model.name"), option("model.masks"))} == {"Model"}
    assert {flag.panel for flag in train.FLAGS} == {"Model", "Training", "Records", "Machine"}


def test_no_key_has_two_flags_in_a_command() -> None:
    keys = [flag.key for flag in train.FLAGS]
    assert len(keys) == len(set(keys)) and set(keys) <= set(all_keys())
    assert [command.callback for command in cli.app.registered_commands if command.callback is train.train]
