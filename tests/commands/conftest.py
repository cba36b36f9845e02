"""What the tests of the studies share: tiny networks, one thread, and no pictures."""

from collections.abc import Iterator

import pytest
import torch

from tests.commands.toy_studies import TOYS, put_dataset, put_run
from tests.downstream.blobs import small_build
from tests.terminal import Terminal
from xrgan.data import packed
from xrgan.downstream import report
from xrgan.downstream.classification import inference, task


@pytest.fixture
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (task, inference):
        monkeypatch.setattr(module, "build", small_build)


@pytest.fixture
def any_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toys may say any content hash."""
    monkeypatch.setattr(packed, "check_content", lambda _: None)


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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
