"""What several tests of data share: folders, datasets, an archive, and a Kaggle on loopback that gives it."""

import contextlib
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import write_image
from tests.data.fake_kaggle import FakeKaggle, Loopback, serving
from tests.data.fetch_runs import SCRIPT, home, order
from xrgan.config import PrepareConfig
from xrgan.config_resolve import resolve
from xrgan.data.phantom import draw, write_dataset
from xrgan.data.prepare import prepare

Start = Callable[..., subprocess.Popen[str]]
Ask = Callable[..., Path]


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


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two classes of 20 and 10 images, of sizes and formats that differ."""
    for k in range(20):
        write_image(tmp_path / "raw" / "chests" / "NORMAL" / f"n{k:02d}.{('png', 'jpg', 'bmp')[k % 3]}", 24 + k, 20, k)
    for k in range(10):
        write_image(
            tmp_path / "raw" / "chests" / "ILL" / f"i{k:02d}.tiff", 20, 24 + k, 100 + k, "RGB" if k % 2 else "L"
        )
    return tmp_path / "raw" / "chests"


@pytest.fixture
def ask(tmp_path: Path, raw: Path) -> Ask:
    """`prepare` at 16 pixels, with options of prepare by name."""

    def prepared(name: str = "", force: bool = False, source: Path = raw, **wish: object) -> Path:
        return prepare(source, tmp_path / "prepared", options(**wish), name, force)

    return prepared


def options(**wish: object) -> PrepareConfig:
    return resolve(
        flags={f"prepare.{key}": value for key, value in ({"size": 16, "workers": 1} | wish).items()}
    ).prepare


@pytest.fixture
def phantoms(tmp_path: Path) -> Path:
    """20 phantoms with masks, of 15 or so patients."""
    write_dataset(tmp_path / "raw" / "phantom", 20, size=32)
    return tmp_path / "raw" / "phantom"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my scans"
    for name in ("NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def coded(tmp_path: Path) -> Path:
    """A phantom's mask: 150 right lung, 200 left lung, 250 heart."""
    Image.fromarray(draw(1, 1, "NORMAL", 64).mask).save(tmp_path / "coded.png")
    return tmp_path / "coded.png"
