"""Two processes that work together do what one does alone."""

from pathlib import Path

import pytest
import torch

from tests.gan.helpers import CPU, tiny_dataset
from tests.gan.in_ranks import CASES, first_gradients, started
from xrgan import ranks
from xrgan.errors import XrganError


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what two processes found together."""
    folder = tmp_path_factory.mktemp("of_two")
    tiny_dataset(folder / "plain")
    tiny_dataset(folder / "masked", masks=("lungs", "heart"))
    for process in started(folder, 2):
        said = process.communicate(timeout=300)[1]
        assert process.returncode == 0, said
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_processes_find_the_gradients_of_one(of_two: Path, case: str) -> None:
    ours, theirs = first_gradients(of_two, case), torch.load(of_two / f"{case}.pt")
    for name, alone in ours.items():
        assert float((alone - theirs[name]).norm() / alone.norm().clamp(min=1e-12)) < 2e-6, name
    assert ours["generator"].norm() > 0 and ours["discriminator"].norm() > 0


def test_a_process_alone_is_the_first_and_does_it_all() -> None:
    with ranks.joined(CPU):
        assert (ranks.size(), ranks.rank(), ranks.is_first()) == (1, 0, True)
        assert ranks.part(16) == slice(0, 16)
        x = torch.ones(2, requires_grad=True)
        assert ranks.mean(x) is x
        assert ranks.of_first("word") == "word" and ranks.largest(3) == 3
        layer = torch.nn.BatchNorm2d(2)
        assert ranks.with_common_batch_norm(layer, torch.device("cuda")) is layer


def test_too_few_gpus_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(XrganError, match="finds 1 GPU"), ranks.joined(torch.device("cuda")):
        pass
    with pytest.raises(XrganError, match="can't share an MPS device"), ranks.joined(torch.device("mps")):
        pass
