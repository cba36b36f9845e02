import pytest
import torch

from xrgan.gan import contention
from xrgan.gan.contention import Contention


class Clocks:
    """Stands in for `time`: seconds of the wall, of which this process's threads computed so many."""

    wall = at_work = 0.0

    def monotonic(self) -> float:
        return 100 + self.wall

    def process_time(self) -> float:
        return 7 + self.at_work


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(contention, "time", clocks)
    monkeypatch.delenv("OMP_NUM_THREADS")
    torch.set_num_threads(2)  # the room's fixture takes it back
    return clocks


def after_ten_seconds(watch: Contention, clocks: Clocks, at_work: float) -> str:
    clocks.wall, clocks.at_work = 10, at_work
    return watch.advice()


def test_threads_that_share_their_cores_with_other_programs_are_told_of_once(clocks: Clocks) -> None:
    watch = Contention(torch.device("cpu"))
    clocks.wall, clocks.at_work = 9, 12
    assert watch.advice() == ""  # too early to tell
    assert after_ten_seconds(watch, clocks, at_work=15).startswith(
        "2 threads compute on 1.5 cores: other programs use the rest, or steps are too small. OMP_NUM_THREADS=1 "
    )
    assert after_ten_seconds(watch, clocks, at_work=15) == ""


def test_threads_with_cores_of_their_own_are_not(clocks: Clocks) -> None:
    assert after_ten_seconds(Contention(torch.device("cpu")), clocks, at_work=19) == ""


def test_one_thread_waits_for_none(clocks: Clocks) -> None:
    torch.set_num_threads(1)
    assert after_ten_seconds(Contention(torch.device("cpu")), clocks, at_work=5) == ""


def test_a_number_that_the_user_chose_is_left_alone(clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert after_ten_seconds(Contention(torch.device("cpu")), clocks, at_work=15) == ""


def test_a_gpu_has_no_such_threads(clocks: Clocks) -> None:
    assert after_ten_seconds(Contention(torch.device("cuda")), clocks, at_work=5) == ""
