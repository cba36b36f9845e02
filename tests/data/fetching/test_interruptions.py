"""A fetch that ends at any moment, by Ctrl-C or a killed process: nothing half-made is left, and the next one succeeds.

At each of its steps in turn (it touches a file, connects, gets a block, moves a bar on), a fetch is sent a signal; then
what it left is looked at, and the same fetch runs again.
"""

import os
import shutil
import signal
import zipfile
from collections.abc import Callable
from functools import partial as given
from pathlib import Path

import pytest

from tests.data.fake_kaggle import FakeKaggle
from tests.data.fetch_process import UNIMPRESSED
from tests.data.fetch_runs import Done, content_of, partial, run, tree

pytestmark = pytest.mark.slow

INTERRUPTED = 130
by_each_signal = pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill"])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Two images, one of them in a folder, in an archive: as few steps as make a fetch."""
    with zipfile.ZipFile(tmp_path / "small.zip", "w") as file:
        file.writestr("a.png", b"a" * 100)
        file.writestr("more/b.png", b"b" * 100)
    return tmp_path / "small.zip"


RUNS_TO_END = 3


def strike_each_step(by: int, scratch: Path, run_in: Callable[..., Done], check: Callable[[Path, Done], None]) -> int:
    """Run until a run comes to its end; returns how many steps it takes.

    Args:
        run_in: fetches into a folder, and takes `dies` as `run` does.
        check: looks at the folder once the run was struck.
    """
    ended = 0  # runs in a row: one alone may have swallowed its Ctrl-C, in a destructor or a callback
    for step in range(1, 10_000):
        root = scratch / f"step {step}"
        root.mkdir()
        done = run_in(root, dies=(step, by))
        assert "Traceback" not in done.stderr
        ended = ended + 1 if done.returncode == 0 else 0
        if ended == RUNS_TO_END:
            return step - RUNS_TO_END
        if ended:
            continue
        assert done.returncode in {-by, INTERRUPTED, UNIMPRESSED}
        check(root, done)
        shutil.rmtree(root)
    raise AssertionError("it never ends")


@by_each_signal
def test_archive(by: int, kaggle: FakeKaggle, small: Path, tmp_path: Path) -> None:
    again = given(run, kaggle, name="mine", archive=small)

    def check(root: Path, struck: Done) -> None:
        target = root / "raw" / "mine"
        assert not target.exists() or (tree(target) == content_of(small) and (target / "source.yaml").is_file())
        assert again(root).returncode == 0
        assert tree(target) == content_of(small)
        assert {path.name for path in (root / "raw" / ".staging").iterdir()} <= {"mine.lock"}

    assert strike_each_step(by, tmp_path, again, check) > 20


@by_each_signal
def test_force_leaves_the_old_or_the_new(
    by: int, kaggle: FakeKaggle, small: Path, archive: Path, tmp_path: Path
) -> None:
    old, new = content_of(archive), content_of(small)
    again = given(run, kaggle, name="mine", archive=small, force=True)

    assert run(kaggle, tmp_path, name="mine", archive=archive).returncode == 0

    def replace(root: Path, dies: tuple[int, int]) -> Done:
        shutil.copytree(tmp_path / "raw", root / "raw")
        return again(root, dies=dies)

    def check(root: Path, struck: Done) -> None:
        target = root / "raw" / "mine"
        if target.exists() or by != signal.SIGKILL:
            assert tree(target) in (old, new)
        else:  # killed between the two renames: the next fetch, whatever comes of it, puts the old one back
            assert run(kaggle, root, name="mine", archive=tmp_path / "absent.zip", force=True).returncode == 1
            assert tree(target) == old
        assert again(root).returncode == 0
        assert tree(target) == new
        assert {path.name for path in (root / "raw" / ".staging").iterdir()} <= {"mine.lock"}

    assert strike_each_step(by, tmp_path, replace, check) > 30


def test_folder_of_archives(kaggle: FakeKaggle, small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "labels.csv").write_text("file,label")
    shutil.copy(small, folder / "images_001.zip")
    again = given(run, kaggle, name="mine", folder=folder)
    expected = {"labels.csv": b"file,label", "images_001/a.png": b"a" * 100, "images_001/more/b.png": b"b" * 100}

    def check(root: Path, struck: Done) -> None:
        target = root / "raw" / "mine"
        assert not target.exists() or tree(target) == expected
        assert again(root).returncode == 0
        assert tree(target) == expected

    assert strike_each_step(signal.SIGINT, tmp_path, again, check) > 20


@by_each_signal
def test_download_goes_on_where_it_stopped(by: int, kaggle: FakeKaggle, small: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(small, "a") as file:
        file.writestr("c.png", os.urandom(150_000))
    kaggle.archive = small.read_bytes()
    sizes = set()

    def check(root: Path, struck: Done) -> None:
        target = root / "raw" / "jrs"
        was_whole, had = target.exists(), partial(root).stat().st_size if partial(root).exists() else 0
        assert not was_whole or tree(target) == content_of(small)
        if struck.returncode == INTERRUPTED and not was_whole:
            assert "Stopped: nothing half-made is left" in struck.stderr
            assert f"goes on with the {had / 1e6:.1f} MB" in struck.stderr or not had
        kaggle.ranges.clear()
        assert run(kaggle, root).returncode == 0
        assert tree(target) == content_of(small)
        if not was_whole and had < len(kaggle.archive):
            assert kaggle.ranges[-1] == (f"bytes={had}-" if had else "")
        sizes.add(had)

    assert strike_each_step(by, tmp_path, given(run, kaggle), check) > 30
    assert sizes == {0, 1 << 16, 2 << 16, len(kaggle.archive)}


def test_drawing(kaggle: FakeKaggle, tmp_path: Path) -> None:
    again = given(run, kaggle, name="phantom", n=1, size=16)

    def check(root: Path, struck: Done) -> None:
        images = root / "raw" / "phantom" / "images"
        assert not images.exists() or len(list(images.glob("*/*.png"))) == 1
        assert again(root).returncode == 0
        assert len(list(images.glob("*/*.png"))) == 1

    assert strike_each_step(signal.SIGINT, tmp_path, again, check) > 10
