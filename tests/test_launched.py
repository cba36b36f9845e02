"""What torchrun says in the environment is believed where it started several processes."""

import pytest

from xrgan import launched


def test_a_process_of_its_own_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert (launched.size(), launched.rank(), launched.local_rank()) == (1, 0, 0)
    monkeypatch.setenv("WORLD_SIZE", "4")  # another program's
    assert launched.size() == 1


def test_one_of_several_knows_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8"}.items():
        monkeypatch.setenv(name, value)
    assert (launched.size(), launched.rank(), launched.local_rank()) == (8, 5, 1)
    monkeypatch.setenv("WORLD_SIZE", "1")  # torchrun --nproc-per-node 1
    assert (launched.size(), launched.rank()) == (1, 0)
