"""Results go to stdout, all else to stderr; without a terminal, bars become plain lines."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from xrgan import console
from xrgan.errors import XrganError


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """rich takes stderr and stdout for terminals."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    console.configure(quiet=False)


def say_everything() -> None:
    console.notice("a notice")
    console.warn("a warning")
    console.show_error(XrganError("an error.", "the next step"))
    console.show_text("a result")
    console.show_table("a table", ["name", "figure"], [["a", 1]])
    with console.progress("Working", 2) as bar:
        bar.advance(2)


def test_results_go_to_stdout_and_all_else_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say_everything()
    out, err = capsys.readouterr()
    assert "a result\n" in out
    assert "a table" in out
    assert not any(said in out for said in ("notice", "warning", "error", "Working"))
    assert err.splitlines() == ["a notice", "Warning: a warning", "Error: an error.", "the next step"]


def test_quiet_hides_notices_and_bars_but_no_warning_error_or_result(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "SECONDS_BETWEEN_PLAIN_LINES", -1)
    console.configure(quiet=True)
    say_everything()
    out, err = capsys.readouterr()
    assert "a result" in out
    assert "a table" in out
    assert err.splitlines() == ["Warning: a warning", "Error: an error.", "the next step"]


def test_a_mute_process_says_its_errors_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "SECONDS_BETWEEN_PLAIN_LINES", -1)
    console.configure(quiet=False, mute=True)
    say_everything()
    console.show_sentence("a sentence")
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines() == ["Error: an error.", "the next step"]


def test_an_error_without_a_next_step_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_error(XrganError("The disk is full."))
    assert capsys.readouterr().err == "Error: The disk is full.\n"


def test_a_sentence_stays_as_it_is_however_long_and_bracketed(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "Look at [red]data/raw/x[/red] and [1, 2]: " + "word " * 100 + "end."
    console.notice(sentence)
    console.warn(sentence)
    assert capsys.readouterr().err == f"{sentence}\nWarning: {sentence}\n"


def test_text_ends_with_one_line_break(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_text("a")
    console.show_text("b\n")
    assert capsys.readouterr().out == "a\nb\n"


def test_json_can_be_parsed_and_read(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_json({"FID": 12.5, "of": "Größe"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"FID": 12.5, "of": "Größe"}
    assert "Größe" in out


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_json([{"fid": float("nan"), "kid": (1.5, float("-inf"))}])
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == [{"fid": None, "kid": [1.5, None]}]


def test_a_table_is_text_with_every_cell_whole_and_numbers_right(capsys: pytest.CaptureFixture[str]) -> None:
    path = "runs/" + "long" * 30
    console.show_table("Scores [1]", ["run", "FID"], [[path, 7.25], ["[bold]b[/bold]", 1234.5]])
    out = capsys.readouterr().out
    assert "Scores [1]" in out
    assert path in out
    assert "[bold]b[/bold]" in out
    assert "\x1b" not in out
    rows = [line for line in out.splitlines() if "7.25" in line or "1234.5" in line]
    assert len({line.rindex("5") for line in rows}) == 1  # aligned at the right


def test_a_table_without_rows_shows_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_table("Runs", ["run", "FID"], [])
    assert "FID" in capsys.readouterr().out


def test_a_short_task_leaves_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("Working", 3) as bar:
        bar.advance(3)
    assert list(console.track([1, 2, 3], "Working")) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")


def test_a_long_task_says_how_far_it_is_in_plain_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(0, 1000, 6))
    monkeypatch.setattr(console.time, "monotonic", lambda: float(next(seconds)))
    with console.progress("Training", 1200) as bar:
        bar.describe("D 0.5 [G 0.7]")
        bar.advance(300)
        bar.advance(300)
        bar.advance(600)
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith("Training: 600/1,200 images (")
    assert "/s, 0:" in first
    assert first.endswith(" left) · D 0.5 [G 0.7]")
    assert last.startswith("Training: 1,200/1,200 images (")
    assert "left" not in last


def test_a_plain_line_has_the_rate_since_the_last_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU's first steps take as long as hundreds of the later ones."""
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    with console.progress("Training", 4000) as bar:
        for seconds, images in ((20.0, 16), (40.0, 2000), (60.0, 0), (61.0, 1984)):
            now[0] = seconds
            bar.advance(images)
    assert [line.removeprefix("Training: ") for line in capsys.readouterr().err.splitlines()] == [
        "16/4,000 images (0.8/s, 1:23:00 left)",
        "2,016/4,000 images (100/s, 0:20 left)",
        "2,016/4,000 images (34/s, 0:59 left)",
        "4,000/4,000 images (66/s)",
    ]


def test_a_rate_leaves_out_what_else_was_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that is scored in the midst of a training isn't a training that has become slow."""
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    with console.progress("Training", 4000) as bar:
        now[0] = 20.0
        bar.advance(2000)
        now[0] = 25.0
        bar.advance(500)
        now[0] = 125.0
        bar.leave_out(since=25.0)
        now[0] = 132.0
        bar.advance(700)
    assert [line.removeprefix("Training: ") for line in capsys.readouterr().err.splitlines()] == [
        "2,000/4,000 images (100/s, 0:20 left)",
        "3,200/4,000 images (100/s, 0:08 left)",
        "3,200/4,000 images (24/s, 0:33 left)",
    ]


def test_a_task_of_unknown_length_says_what_is_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "SECONDS_BETWEEN_PLAIN_LINES", -1)
    with console.progress("Downloading", None, "MB") as bar:
        bar.advance(2.5)
        bar.set_total(10)
        bar.advance(2.5)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("Downloading: 2.5 MB (")
    assert second.startswith("Downloading: 5.0/10.0 MB (")


@pytest.mark.parametrize("unit", ["images", "MB"])
@pytest.mark.parametrize("total", [4, None])
def test_a_terminal_shows_a_bar(
    capsys: pytest.CaptureFixture[str], terminal: None, total: int | None, unit: str
) -> None:
    with console.progress("Working [1]", total, unit) as bar:
        bar.advance(1)
        bar.describe("D 0.5 [G 0.7]")
        bar.set_total(4)
        bar.advance(3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Working [1]" in err
    assert "D 0.5 [G 0.7]" in err
    assert "4/4" in err or "4.0/4.0 MB" in err


def test_a_failure_inside_a_bar_comes_through(terminal: None) -> None:
    with pytest.raises(ZeroDivisionError), console.progress("Working", 4):
        raise ZeroDivisionError


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_a_terminal_that_lacks_letters_shows_question_marks(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    console.take_any_stream()
    console.show_table("Scores → all", ["KID ×1000"], [["– 肺"]])
    console.show_text("synthetic→real")
    console.flush()
    said = raw.getvalue().decode(encoding)
    assert "Scores ? all" in said
    assert "synthetic?real" in said


@pytest.mark.slow
def test_the_help_is_shown_in_ascii() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    for command in ([], ["train"], ["classify"]):
        shown = subprocess.run(
            [sys.executable, "-m", "xrgan", *command, "--help"], env=environment, capture_output=True, timeout=120
        )
        assert (shown.returncode, shown.stderr) == (0, b"")
        assert b"Usage" in shown.stdout


def test_a_closed_stdout_is_no_error(tmp_path: Path) -> None:
    line = f"exec {sys.executable} -m xrgan --version >&-"
    done = subprocess.run(["sh", "-c", line], capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminal_shows_the_bar_of_a_score_within_that_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr(console, "_notices", shown)
    with console.progress("Training", 2) as outer, console.progress("Features", 1) as inner:
        inner.advance()
        outer.advance()
    assert "Features" in shown.file.getvalue() and "Training" in shown.file.getvalue()  # type: ignore[attr-defined]


def at_width(width: int, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal of so many columns, for results and notices: what it has shown."""
    shown = io.StringIO()
    for name in ("_notices", "_results"):
        monkeypatch.setattr(console, name, Console(file=shown, force_terminal=True, width=width, color_system=None))
    return shown


@pytest.mark.parametrize("width", [80, 120])
def test_a_bar_keeps_count_rate_and_time_left_and_drops_figures(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = at_width(width, monkeypatch)
    with console.progress("Training", 232_000) as bar:
        bar.advance(12_345)
        bar.describe("epoch 1/50 · loss D 0.693 G 1.234 · D(x) 0.51 D(G(z)) 0.49")
        bar.end_in(3600)
        bar.advance(1)
    line = next(line for line in reversed(shown.getvalue().splitlines()) if "Training" in line)
    assert "12,346/232,000 images" in line and "/s" in line and " left" in line and "epoch 1/50" in line
    assert "D(G(z)) 0.49" not in line


def test_the_time_left_of_slow_steps_is_told_from_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """rich forgets what is older than half a minute."""
    shown = at_width(120, monkeypatch)
    clock = [0.0]
    with console.progress("Training", 10, "steps") as bar:
        assert bar._progress is not None
        task = bar._progress.tasks[0]
        task.start_time, task._get_time = 0.0, lambda: clock[0]
        for seconds in (100.0, 200.0, 300.0):
            clock[0] = seconds
            bar._progress.get_time = lambda: clock[0]
            bar.advance(1)
        bar._progress.refresh()
    assert "11:40 left" in shown.getvalue()


def test_the_time_left_runs_down_between_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar that stands still for half a minute looks as if the program did, too."""
    shown, clock = at_width(120, monkeypatch), [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: clock[0])
    with console.progress("Classifiers", 4, "steps") as bar:
        assert bar._progress is not None
        bar._progress.get_time = lambda: clock[0]
        task = bar._progress.tasks[0]
        task.start_time, task._get_time = 0.0, lambda: clock[0]
        for clock[0], steps, said in ((5.0, 0, "0:05"), (20.0, 1, "1:00 left"), (35.0, 0, "0:45 left")):
            if steps:
                bar.advance(steps)
            bar._progress.refresh()
            assert said in shown.getvalue().splitlines()[-1]


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_leaves_columns_out_before_it_breaks_words(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = at_width(width, monkeypatch)
    columns = ["run", "dataset", "model", "epochs", "loss D", "FID", "what it is"]
    row = [
        "phantom_128-2026-11-25-1",
        "phantom_128_of_many",
        "eigen",
        "50/50",
        "0.693",
        "123.4",
        "several plain words " * 3,
    ]
    console.show_table("Runs", columns, [row], optional=["loss D", "model"])
    out = shown.getvalue()
    assert all(cell in out for cell in row[:2]) and "123.4" in out and "several" in out
    assert max(map(len, out.splitlines())) <= width
    assert ("No room for loss D" in out) == (width == 80)


def test_no_figure_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = at_width(80, monkeypatch)
    columns = ["metric", "value", "95 %", "real vs real", "N", "note"]
    row = ["– PNEUMONIA", "0.616 ± 0.108", "0.0757 … 0.1126", "46.39 (N = 39)", "46", "500 pairs; 80 % of them"]
    console.show_table("Scores", columns, [row])
    for sentence in ("FID is biased at N = 81, " * 9, "0.616 ± 0.108, of " * 9):
        console.notice(sentence)
    broken = shown.getvalue()
    assert all(whole in broken for whole in ("– PNEUMONIA", "0.616 ± 0.108", "(N = 39)", "80 %"))
    assert broken.count("N = 81") == broken.count("0.616 ± 0.108,") == 9
    assert max(map(len, broken.splitlines())) <= 80


def test_columns_have_a_name_each() -> None:
    with pytest.raises(AssertionError):
        console.show_table("", ["95 %", "95 %"], [["1", "2"]])


def test_sentences_break_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = at_width(80, monkeypatch)
    sentence = "Unabbreviated " * 20
    for say in (console.notice, console.warn, console.show_sentence):
        say(sentence)
    assert set(shown.getvalue().split()) == {"Unabbreviated", "Warning:"}


def test_a_terminal_is_never_silent_until_a_result_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = at_width(80, monkeypatch)
    console.waiting("Loading PyTorch")
    assert is_waiting()
    console.notice("here")
    assert is_waiting() and "here\n" in shown.getvalue() and "Loading PyTorch …" in shown.getvalue()
    with console.progress("Drawing", 1):
        assert not is_waiting(), "the bar moves"
    assert is_waiting()
    console.show_sentence("result")
    assert not is_waiting() and "Working …" in shown.getvalue()
    with console.progress("Drawing", 1):
        pass
    console.notice("That was all.")
    assert not is_waiting(), "nothing is waited for that nobody has begun"
    for say in (lambda: console.show_table("", ["a"], [["b"]]), lambda: console.show_error(XrganError("no"))):
        console.waiting("Loading")
        say()
        assert not is_waiting()
    console.configure(quiet=True)
    console.waiting("Loading again")
    assert not is_waiting()


def is_waiting() -> bool:
    return console._waiting is not None


def test_without_a_terminal_a_long_wait_is_said_in_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "SECONDS_OF_SILENCE", 0.02)
    console.waiting("Loading PyTorch")
    console.stop_waiting()
    time.sleep(0.05)
    assert capsys.readouterr() == ("", "")
    console.waiting("Loading PyTorch")
    console.notice("here")
    time.sleep(0.05)
    assert capsys.readouterr() == ("", "here\n")
    console.waiting("Comparing")
    time.sleep(0.5)
    assert capsys.readouterr() == ("", "Comparing …\n"), "where it takes longer"


def test_prose_that_begins_with_a_number_stands_left(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = at_width(80, monkeypatch)
    console.show_table("", ["note", "MB"], [["5 pairs", "1.5"], ["500 pairs; more", "20 GB"]])
    assert "│ 5 pairs         │   1.5 │" in shown.getvalue()
