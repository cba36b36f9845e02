"""What several tests of data share: an archive, and a Kaggle on loopback that gives it."""

import contextlib
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.data.fake_kaggle import FakeKaggle, Loopback, serving
from tests.data.fetch_runs import SCRIPT, home, order

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 kB, as Kaggle gives jrs; its images are noise."""
    path = tmp_path_factory.mktemp("archive") / "jsrt.zip"
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("jsrt_metadata.csv", "study_id,state\nJPCLN001.png,malignant\n")
        for number in range(1, 7):
            file.writestr(f"images/images/JPCLN{number:03d}.png", rng.bytes(50_000))
        file.writestr("__MACOSX/images/._JPCLN001.png", b"junk")
    return path


@pytest.fixture(scope="session")
def loopback() -> Iterator[Loopback]:
    with serving() as server:
        yield server


@pytest.fixture
def kaggle(loopback: Loopback, archive: Path) -> Iterator[FakeKaggle]:
    fake = loopback.put(FakeKaggle(archive.read_bytes()))
    yield fake
    fake.gate.set()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a fetch and go on; whatever a failing test leaves is killed."""
    with contextlib.ExitStack() as stack:

        def start_one(kaggle: FakeKaggle, root: Path, name: str = "jrs", wrap: Iterable[str] = ()) -> object:
            pipe, environment = subprocess.PIPE, kaggle.environment(home(root))
            line = [*wrap, *SCRIPT, json.dumps(order(root, name))]
            process = subprocess.Popen(line, env=environment, stdout=pipe, stderr=pipe, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start_one
