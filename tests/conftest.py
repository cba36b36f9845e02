"""What all tests share: a plain console, reproducible examples, X-rays to write and real ones to read."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from PIL import Image

from tests.terminal import Terminal
from xrgan import console
from xrgan.marks import Origin, mark_of, png_info

REAL_DATA = Path(os.environ.get("XRGAN_REAL_DATA", "../shared/data")).resolve()

# The same examples everywhere: a failure on one machine is a failure on all. HYPOTHESIS_PROFILE=explore looks for more.
hypothesis.settings.register_profile("xrgan", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=3000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "xrgan"))


@pytest.fixture(autouse=True, scope="session")
def plain_environment() -> Iterator[None]:
    """No test sees the user's own settings, or waits for a busy disk: its files need not outlive a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XRGAN_DATA", "XRGAN_RUNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            patch.delenv(name, raising=False)
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One thread for PyTorch here, and for the commands that a test starts: of more, other last bits come."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def talkative_console() -> Iterator[None]:
    console.configure(quiet=False)
    yield
    console.stop_waiting()  # of a function that failed: nothing of it is said in the next test


@pytest.fixture
def real_data() -> Path:
    """The folder of real X-rays; a test that asks for it is skipped where there is none."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real X-rays in {REAL_DATA}")
    return REAL_DATA


def write_image(path: Path, width: int = 24, height: int = 20, seed: int = 0, mode: str = "L") -> Path:
    """A smooth picture that differs by seed, in the format that the extension names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    image.convert(mode).save(path)
    return path


@pytest.fixture
def type_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, monkeypatch, capfd)


def write_marked(folder: Path, numbers: Iterable[int], width: int = 24, height: int = 20) -> list[Path]:
    """Pictures drawn_0.png … that say they are synthetic, as xrgan marks them."""
    files = []
    for k in numbers:
        file = write_image(folder / f"drawn_{k}.png", width, height, seed=1000 + k)
        with Image.open(file) as image:
            image.load()
        image.save(file, pnginfo=png_info(mark_of(Origin("somebody's"), 0, k + 1)))
        files.append(file)
    return files
