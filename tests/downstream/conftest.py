from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torchvision import models


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Such small tensors gain nothing from a second core, and lose much to a busy one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like torchvision's own for resnet18: 3 channels, 1000 classes; the numbers are random."""
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(models.resnet18().state_dict(), path)
    return path
