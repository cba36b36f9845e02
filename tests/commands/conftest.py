"""What the tests of the commands share: a trained run; of the studies tiny networks, one thread, and no pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.commands.toy_studies import TOYS, put_dataset, put_run
from tests.downstream.blobs import small_build
from tests.gan.helpers import tiny_config, tiny_dataset, trained
from tests.terminal import Terminal
from xrgan.data import packed
from xrgan.data.images import Pixels
from xrgan.downstream import report
from xrgan.downstream.classification import inference, task
from xrgan.rundir import RunDir


@pytest.fixture
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (task, inference):
        monkeypatch.setattr(module, "build", small_build)


@pytest.fixture
def any_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toys may say any content hash."""
    monkeypatch.setattr(packed, "check_content", lambda _: None)


@pytest.fixture
def pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """None, as they take long: but for the test that asks for this fixture by name."""
    if "pictures" not in request.function.__code__.co_varnames:
        monkeypatch.setattr(report, "save_pictures", lambda *_: {})


@pytest.fixture
def here(type_: Terminal) -> Terminal:
    """In a folder with the dataset `toys` and the run `a` on it."""
    put_dataset(TOYS)
    put_run("a")
    return type_


@pytest.fixture
def run(type_: Terminal) -> RunDir:
    """A trained run on a dataset that is here."""
    dataset = tiny_dataset(type_.folder / "data/prepared")
    return trained(type_.folder / "runs/mine", dataset, tiny_config("train.epochs=2"))


@pytest.fixture
def real_patients(type_: Terminal, real_data: Path) -> tuple[Pixels, list[str]]:
    """The real X-rays, and their files, that a run `real` here was trained on; it drew twelve images."""
    type_("fetch kermany --folder", str(real_data / "kermany_224"))
    type_("prepare kermany --size 32 --limit 120 --workers 1")
    type_("train --run real --epochs 1 --device cpu --set train.tensorboard=false")
    type_("sample -n 12")
    files = pd.read_csv("data/prepared/kermany_32/index.csv")["file"]
    return np.asarray(packed.open_packed(Path("data/prepared/kermany_32")).images), list(files)
