"""Nothing in a file of tensors is believed before it was looked at."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from xrgan.tensor_files import read_entry, read_tensors, write_tensors

CONTENT = {"about": {"arch": "resnet18", "classes": ["a", "b"]}, "weights": torch.arange(1000.0)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_tensors(tmp_path / "a.pt", CONTENT)
    return tmp_path / "a.pt"


def test_what_was_written_is_read(file: Path) -> None:
    content = read_tensors(file)
    assert content["about"] == CONTENT["about"]
    assert torch.equal(content["weights"], CONTENT["weights"])  # type: ignore[arg-type]
    assert read_entry(file, "about") == CONTENT["about"]
    assert [path.name for path in file.parent.iterdir()] == ["a.pt"]


def test_what_an_older_version_wrote_by_name_is_read(tmp_path: Path) -> None:
    torch.save(CONTENT, tmp_path / "a.pt")
    assert read_entry(tmp_path / "a.pt", "about") == CONTENT["about"]
    assert torch.equal(read_tensors(tmp_path / "a.pt")["weights"], CONTENT["weights"])  # type: ignore[arg-type]


def test_every_flipped_bit_of_a_weight_is_found(file: Path) -> None:
    whole = file.read_bytes()
    start = whole.index(torch.arange(1000.0).numpy().tobytes())
    for place in np.random.default_rng(0).integers(start, start + 4000, 40):
        spoiled = bytearray(whole)
        spoiled[place] ^= 0x40
        file.write_bytes(spoiled)
        with pytest.raises(ValueError, match="fails its checksum"):
            read_tensors(file)


def test_any_other_damage_is_one_line(file: Path) -> None:
    whole = file.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(200):
        spoiled = bytearray(whole[: rng.integers(len(whole))] if rng.random() < 0.3 else whole)
        for place in rng.integers(0, max(1, len(spoiled)), 3):
            spoiled[place : place + 1] = rng.bytes(1)
        file.write_bytes(spoiled)
        for read in (read_tensors, lambda path: read_entry(path, "about")):
            try:
                read(file)
            except ValueError as error:
                assert "\n" not in str(error)


@pytest.mark.parametrize("content", [b"", b"a text", b"PK\5\6" + bytes(18)])
def test_what_is_no_archive_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    for read in (read_tensors, lambda path: read_entry(path, "about")):
        with pytest.raises(ValueError):
            read(tmp_path / "a.pt")


def test_what_is_compressed_could_fill_the_memory_and_is_refused(file: Path) -> None:
    bomb = file.with_name("bomb.pt")
    with zipfile.ZipFile(file) as given, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            made.writestr(name, bytes(50_000_000) if name.endswith("data/0") else given.read(name))
    assert bomb.stat().st_size < 1_000_000
    with pytest.raises(ValueError, match="claim to be larger than the file"):
        read_tensors(bomb)


def test_a_pipe_or_a_device_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    (tmp_path / "zero.pt").symlink_to("/dev/zero")
    for name in ("pipe.pt", "zero.pt"):
        with pytest.raises(ValueError, match="no regular file"):
            read_tensors(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_tensors(tmp_path / "absent.pt")


def test_another_type_and_an_entry_that_lacks_are_said(file: Path) -> None:
    with pytest.raises(ValueError, match="other"):
        read_entry(file, "other")
    torch.save([1], file)
    with pytest.raises(ValueError, match="holds a list"):
        read_tensors(file)
