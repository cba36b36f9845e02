"""Files are there whole or not at all, and damaged YAML is told in a sentence."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from xrgan.errors import XrganError
from xrgan.files import (
    bytes_below,
    no_such,
    parse_yaml,
    read_yaml,
    replacing,
    sha256,
    write_csv,
    write_text,
    write_yaml,
)
from xrgan.temporary_names import temporary_beside

ODD_SCALARS = ["2024-99-99", "0b_", "!!int x", "!!bool x", "!!timestamp x", "=", "9" * 5000, "[" * 3000]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_replacing_makes_the_folder_and_leaves_the_new_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "er" / "a.txt"
    with replacing(file) as temporary:
        temporary.write_text("new")
        assert not file.exists()
    assert file.read_text() == "new"
    assert names(file.parent) == ["a.txt"]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")
    with replacing(file) as temporary:
        temporary.write_text("half")
        assert file.read_text() == "old"
        temporary.write_text("whole")
    assert file.read_text() == "whole"


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path, failure: BaseException) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")
    with pytest.raises(type(failure)), replacing(file) as temporary:
        temporary.write_text("half")
        raise failure
    assert file.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_block_that_writes_nothing_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_text_is_utf8_whatever_the_machine(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Röntgen – ×2")
    assert (tmp_path / "a.txt").read_bytes() == "Röntgen – ×2".encode()


def test_yaml_keeps_the_order_and_the_letters(tmp_path: Path) -> None:
    content = {"z": 1, "a": [1.5, None, True], "Größe": {"k": "Lunge – links"}}
    write_yaml(tmp_path / "a.yaml", content)
    assert list(read_yaml(tmp_path / "a.yaml")) == ["z", "a", "Größe"]
    assert read_yaml(tmp_path / "a.yaml") == content
    assert "Größe" in (tmp_path / "a.yaml").read_text(encoding="utf-8")


def test_an_empty_file_is_an_empty_mapping(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# nothing yet\n")
    assert read_yaml(tmp_path / "a.yaml") == {}


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="There is no file .*a.yaml"):
        read_yaml(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a: [1, 2", "can't be read as YAML"),
        (b"a: 1\n\tb: 2", "can't be read as YAML"),
        (b"\xff\xfe\x00", "can't be read as YAML"),
        (b"a: 2024-99-99", "can't be read as YAML"),
        (b"train:\n  epochs: 3\ntrain:\n  lr: 0.1", "train stands there twice"),
        (b"a: {b: 1, b: 2}", "b stands there twice"),
        (b"- 1\n- 2", "holds no `key: value` lines"),
        (b"just text", "holds no `key: value` lines"),
    ],
)
def test_what_is_no_mapping_is_named_on_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(XrganError, match=reason) as error:
        read_yaml(tmp_path / "a.yaml")
    assert "a.yaml" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_is_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="can't be read as YAML"):
        read_yaml(tmp_path)


@pytest.mark.parametrize("text", ODD_SCALARS)
def test_of_a_text_that_is_no_yaml_only_a_value_error_comes(text: str) -> None:
    with pytest.raises(ValueError):
        parse_yaml(text)


@given(st.text())
def test_any_text_is_read_as_safe_load_does_or_refused(text: str) -> None:
    try:
        content = parse_yaml(text)
    except ValueError:
        return
    assert repr(content) == repr(yaml.safe_load(text))


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"x" * 100_000)
    assert sha256(tmp_path / "a.bin") == hashlib.sha256(b"x" * 100_000).hexdigest()


class Shape(BaseModel):
    size: int
    parts: list[str] = []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("parts: [a]", "size: field required"),
        ("size: large", "size: input should be a valid integer"),
        ("size: '3'", "size: input should be a valid integer"),
        ("size: 3\nparts: [a, 1]", "parts.1: input should be a valid string"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_key(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(XrganError) as error:
        read_yaml(tmp_path / "a.yaml", Shape, "Write it anew.")
    assert str(error.value) == f"{tmp_path / 'a.yaml'} is damaged: {said}. Write it anew."


def test_keys_beside_the_shape_are_let_through(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("size: 3\nother: [1]")
    assert read_yaml(tmp_path / "a.yaml", Shape) == {"size": 3, "other": [1]}


@pytest.mark.parametrize("cell", ["plain", "a, b", 'a "quoted" one', "two\nlines", "two\rlines", "Größe", ""])
def test_any_cell_of_a_csv_is_read_back(tmp_path: Path, cell: str) -> None:
    write_csv(tmp_path / "a.csv", [["file", "label"], ["a.png", cell], [3, cell]])
    read = pd.read_csv(tmp_path / "a.csv", dtype=str, keep_default_na=False)
    assert read.to_numpy().tolist() == [["a.png", cell], ["3", cell]]


def test_a_plain_csv_has_no_quotes(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [["file", "label"], ["a.png", "ill"]])
    assert (tmp_path / "a.csv").read_text() == "file,label\na.png,ill\n"


def test_what_a_killed_process_left_is_swept_at_the_next_write(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    own = temporary_beside(tmp_path / "step_00000001.pt", "tmp").name
    left, alive = (tmp_path / own.replace(f"-{os.getpid()}.", f"-{k}.") for k in (process.pid, 1))
    others = [alive, tmp_path / ".notes.tmp", tmp_path / f"a.{process.pid}.tmp"]
    for file in (left, *others):
        file.touch()
    write_text(tmp_path / "a.txt", "new")
    assert not left.exists()
    assert all(file.exists() for file in others), "another process may be at work"


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut could leave the new name with nothing behind it."""
    synced: list[tuple[str, bool]] = []

    def sync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        synced.append((name, (tmp_path / "a.txt").exists()))

    monkeypatch.setattr(os, "fsync", sync)
    write_text(tmp_path / "a.txt", "new")
    assert synced == [(temporary_beside(tmp_path / "a.txt", "tmp").name, False)]
    with replacing(tmp_path / "b.txt", sync=False) as temporary:
        temporary.touch()
    assert len(synced) == 1


def test_a_folder_in_the_place_of_a_file_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(IsADirectoryError) as error:
        write_text(tmp_path / "a.csv", "new")
    assert error.value.filename == str(tmp_path / "a.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_path_that_is_not_there_is_told_in_one_way(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").touch()
    near = no_such("table", tmp_path / "lables.csv")
    assert near.message == f"There is no table {tmp_path / 'lables.csv'}."
    assert near.hint == f"Did you mean {tmp_path / 'labels.csv'}?"
    assert no_such("file", tmp_path / "x" / "labels.csv").hint == "Check the path."
    assert no_such("archive", tmp_path / "set.zip", "A folder is taken by --folder.").hint.startswith("A folder")


def test_a_file_of_two_names_takes_its_bytes_once(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "one").write_bytes(b"12345")
    (tmp_path / "two").hardlink_to(tmp_path / "below" / "one")
    (tmp_path / "three").symlink_to(tmp_path / "two")
    assert bytes_below(tmp_path) == 5
