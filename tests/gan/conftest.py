"""One thread for networks of four feature maps: two would wait for each other longer than they compute. A tiny run."""

import pytest

from tests.gan.helpers import tiny_config, tiny_dataset, trained
from xrgan.gan.sampler import Sampler, load_sampler
from xrgan.rundir import RunDir


@pytest.fixture(autouse=True)
def in_one_thread(one_thread: None) -> None:
    pass


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run of two epochs; tests read it and leave it alone."""
    root = tmp_path_factory.mktemp("tiny_run")
    return trained(root / "run", tiny_dataset(root), tiny_config("train.epochs=2"))


@pytest.fixture(scope="session")
def sampler(tiny_run: RunDir) -> Sampler:
    return load_sampler(tiny_run, "cpu")
