"""An error is a sentence, the next step and an exit code."""

from xrgan.errors import XrganError


def test_it_reads_as_the_sentence_and_the_next_step() -> None:
    error = XrganError("There is no run runs/a.", "`xrgan runs` lists the runs.")
    assert str(error) == "There is no run runs/a. `xrgan runs` lists the runs."
    assert (error.message, error.hint) == ("There is no run runs/a.", "`xrgan runs` lists the runs.")


def test_without_a_next_step_it_is_the_sentence_alone() -> None:
    assert str(XrganError("The disk is full.")) == "The disk is full."


def test_it_ends_with_1_unless_the_command_line_itself_is_wrong() -> None:
    assert XrganError("a").exit_code == 1
    assert XrganError("a", exit_code=2).exit_code == 2
