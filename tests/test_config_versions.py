"""A config.yaml of another version: what is retired is dropped, and what can't be had any more is said."""

from pathlib import Path

import pytest

from xrgan import config_resolve
from xrgan.config import Config, all_keys
from xrgan.config_resolve import read_config, refuse_retired, resolve
from xrgan.config_versions import RETIRED, check_format, take_out_retired, with_what_was_done_before
from xrgan.errors import XrganError

AS_NOW = "train:\n  epochs: 7\n  beta2: 0.999\n  horizontal_flip: false\n"
OTHERWISE = "train:\n  epochs: 7\n  horizontal_flip: true\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "config.yaml"
    file.write_text(text)
    return file


def test_a_retired_key_is_no_key() -> None:
    assert not set(RETIRED) & set(all_keys())
    with pytest.raises(XrganError, match=r"Unknown key 'train\.horizontal_flip'"):
        resolve(settings=["train.horizontal_flip=false"])


@pytest.mark.parametrize("text", [AS_NOW, "train.epochs: 7\ntrain.beta2: 0.999\n"])
def test_a_retired_key_that_changes_nothing_is_dropped_in_silence(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, f"{text}sample:\n  checkpoint: auto\n")
    assert read_config(file) == resolve(file=file) == resolve(settings=["train.epochs=7"])
    refuse_retired(file)
    assert capsys.readouterr().err == ""


def test_with_another_value_a_run_opens_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config_resolve._warn_of_retired.cache_clear()
    file = written(tmp_path, OTHERWISE)
    for _ in range(2):
        assert read_config(file).train.epochs == 7
    warned = " ".join(capsys.readouterr().err.split())
    assert warned.count("train.horizontal_flip = True") == 1
    with pytest.raises(XrganError, match=r"train\.horizontal_flip = True.*Start a new run"):
        refuse_retired(file)


def test_a_file_of_options_for_a_new_run_is_refused_with_it(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match=r"train\.horizontal_flip = True.*Leave train\.horizontal_flip out"):
        resolve(file=written(tmp_path, OTHERWISE))


@pytest.mark.parametrize(
    ("content", "sample"),
    [
        ({"sample": {"n": 7}}, {"n": 7, "checkpoint": "last"}),
        ({"train": {"evaluate_every": 5, "patience": 0}}, {"checkpoint": "last"}),
        ({"train": {"evaluate_every": 5, "patience": 60}}, None),  # the best one drew: so it does by "auto"
        ({"sample": {"checkpoint": "best"}}, {"checkpoint": "best"}),
        ({"sample": None}, None),  # which is refused with its name
    ],
)
def test_a_run_of_before_draws_from_the_checkpoint_that_drew(
    content: dict[str, object], sample: dict[str, object] | None
) -> None:
    assert with_what_was_done_before(content).get("sample") == sample


def test_the_content_itself_stays_as_it_was() -> None:
    content = {"train": {"beta2": 0.9, "lr": 0.1}, "train.horizontal_flip": False}
    assert take_out_retired(content) == ({"train": {"lr": 0.1}}, {"train.beta2": 0.9})
    assert content == {"train": {"beta2": 0.9, "lr": 0.1}, "train.horizontal_flip": False}


def test_the_format_is_written_and_a_file_without_one_is_of_the_first(tmp_path: Path) -> None:
    assert config_resolve.to_yaml(Config()).startswith("format: 1 ")
    check_format({}, tmp_path)
    check_format({"format": 1}, tmp_path)


def test_a_later_format_is_one_sentence(tmp_path: Path) -> None:
    file = written(tmp_path, "format: 2\ntrain:\n  unheard_of: 1\n")
    for read in (read_config, lambda path: resolve(file=path)):
        with pytest.raises(XrganError, match=r"newer xrgan: its format is 2\. Update xrgan"):
            read(file)
