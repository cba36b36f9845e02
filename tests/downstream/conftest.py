import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torchvision import models

from tests.downstream.blobs import small_build
from xrgan.downstream import report
from xrgan.downstream.classification import inference, task


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Such small tensors gain nothing from a second core, and lose much to a busy one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, scope="session")
def little_garbage() -> Iterator[None]:
    """statsmodels' Holm collects garbage at every call, which takes half a second where torch is loaded; the modules
    themselves are none."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def small_networks() -> Iterator[None]:
    """Every classifier of the module's tests is a network of one convolution, whatever `--arch` says."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (task, inference):
            patch.setattr(module, "build", small_build)
        yield


@pytest.fixture(scope="module")
def no_pictures() -> Iterator[None]:
    """They take four times as long as all the small networks of a study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "save_pictures", lambda *_: {})
        yield


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like torchvision's own for resnet18: 3 channels, 1000 classes; the numbers are random."""
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(models.resnet18().state_dict(), path)
    return path
