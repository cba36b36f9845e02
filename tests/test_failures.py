"""Whatever ends a command is one sentence, an exit code and no traceback."""

import errno
import io
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from xrgan.data import staging
from xrgan.errors import XrganError
from xrgan.failures import INTERRUPTED, one_sentence
from xrgan.files import failed_write, replacing
from xrgan.gan import claim
from xrgan.rundir import RunDir


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A limit of this process's own stands for a disk that refuses: every file of more bytes fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def ended(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    with pytest.raises(SystemExit) as end, one_sentence():
        raise error
    return end.value.code, capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS, errno.ENODEV])
@pytest.mark.parametrize("name", ["runs/a/losses.csv", None])
def test_every_errno_is_one_sentence_with_and_without_a_name(
    number: int, name: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = ended(OSError(number, os.strerror(number), name), capsys)
    assert code == 1
    assert said.startswith(f"Error: {os.strerror(number)}: {name or 'the disk'}.")


def test_a_file_in_the_place_of_a_folder_is_told_with_the_way_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(SystemExit), one_sentence(), replacing(tmp_path / "taken" / "report.html"):
        pass
    said = " ".join(capsys.readouterr().err.split())
    assert "taken. A folder is needed" in said and "name another place" in said


def test_the_disk_is_named_behind_what_a_library_made_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        try:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        except OSError:
            raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598")  # noqa: B904
    except RuntimeError as error:
        code, said = ended(error, capsys)
    assert code == 1
    assert said.startswith("Error: Disk quota exceeded: the disk.")


def test_an_oserror_without_a_number_is_its_own_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ended(OSError("encoder error -2 when writing image file"), capsys)
    assert (code, said) == (1, "Error: A file can't be read or written: encoder error -2 when writing image file.\n")


def test_the_memory_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for error in (
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("MPS backend out of memory"),
    ):
        code, said = ended(error, capsys)
        assert code == 1 and said.startswith("Error: The memory is used up.")


def test_the_users_own_mistakes_keep_their_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(XrganError("No.", "Do.", exit_code=2), capsys) == (2, "Error: No.\nDo.\n")


def test_ctrl_c_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(KeyboardInterrupt(), capsys) == (INTERRUPTED, "")


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError), one_sentence():
        raise ZeroDivisionError


def test_a_mistake_met_while_a_disk_failed_stays_that_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    error = XrganError("The checkpoint is torn.")
    error.__context__ = OSError(errno.EIO, "Input/output error")
    assert failed_write(error) is None
    assert ended(error, capsys) == (1, "Error: The checkpoint is torn.\n")


def test_a_full_stdout_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(SystemExit), one_sentence():
        pass
    assert "No space left on device" in capsys.readouterr().err


def save_checkpoint(path: Path) -> None:
    from xrgan.gan import checkpoint

    checkpoint.save(path.parent, 1, {"weights": torch.zeros(100_000)}, keep=3)


def save_figure(path: Path) -> None:
    from xrgan.gan.monitor import plot_losses

    row = {"epoch": 1.0, "discriminator_loss": 1.0, "generator_loss": 1.0, "d_real": 0.5, "d_fake": 0.5}
    plot_losses([row], path)


def save_picture(path: Path) -> None:
    from xrgan.data.images import save_png

    save_png(path, np.random.default_rng(0).integers(0, 256, (1, 300, 300), dtype=np.uint8))


def save_arrays(path: Path) -> None:
    from xrgan.downstream import results_cache

    results_cache.store(path.parent, "a", {}, {"a": np.random.default_rng(0).random(10_000)})


def save_text(path: Path) -> None:
    from xrgan.files import write_text

    write_text(path, "a" * 10_000)


@pytest.mark.parametrize("write", [save_checkpoint, save_figure, save_picture, save_arrays, save_text])
def test_whoever_writes_the_disks_refusal_names_the_file_and_leaves_none(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with largest_file(4096), pytest.raises(OSError) as refused:
        write(tmp_path / "file")
    assert refused.value.errno == errno.EFBIG
    assert refused.value.filename.startswith(str(tmp_path))
    assert ".tmp" not in refused.value.filename
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_is_no_refusal_of_the_disk_comes_through(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="bug"), replacing(tmp_path / "a"):
        raise RuntimeError("bug")


@pytest.mark.parametrize("work", [staging.locked, lambda path: claim.locked(RunDir(path))])
def test_a_refusal_that_knows_no_name_is_told_with_the_folder(work: Callable[[Path], Any], tmp_path: Path) -> None:
    """A file that is open knows no name: pixels are written so, and the journal beside them."""
    file = tmp_path / "a"
    with pytest.raises(OSError) as refused, work(tmp_path / "chests"), largest_file(100), file.open("wb") as opened:
        opened.write(bytes(10_000_000))
    assert refused.value.errno == errno.EFBIG
    assert str(refused.value.filename).startswith(str(tmp_path))
    with pytest.raises(FileNotFoundError) as absent, work(tmp_path / "chests"):
        (tmp_path / "no" / "where").open()
    assert absent.value.filename == str(tmp_path / "no" / "where")
