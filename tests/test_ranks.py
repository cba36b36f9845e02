"""Two processes that work together do what one does alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.gan.helpers import assert_same, create, job_of, last, tiny_dataset
from tests.gan.in_ranks import CASES, EPOCHS, IMAGES, config_to, dataset_folder, finished, first_gradients, started
from xrgan import ranks
from xrgan.config_resolve import to_yaml
from xrgan.data.packed import open_packed
from xrgan.errors import XrganError
from xrgan.gan import sample_folder, training
from xrgan.gan.sampler import load_sampler
from xrgan.rundir import RunDir

pytestmark = pytest.mark.usefixtures("one_thread")  # as each of several processes has


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what two processes found, trained (in two parts) and drew together."""
    folder = tmp_path_factory.mktemp("of_two")
    tiny_dataset(folder / "plain")
    tiny_dataset(folder / "masked", masks=("lungs", "heart"))
    finished(started(["-m", "tests.gan.in_ranks", str(folder)], 2))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_processes_find_the_gradients_of_one(of_two: Path, case: str) -> None:
    ours, theirs = first_gradients(of_two, case), torch.load(of_two / f"{case}.pt")
    for name, alone in ours.items():
        assert float((alone - theirs[name]).norm() / alone.norm().clamp(min=1e-12)) < 2e-6, name
    assert ours["generator"].norm() > 0 and ours["discriminator"].norm() > 0


@pytest.mark.slow
def test_two_processes_draw_the_same_files_as_one(of_two: Path, tmp_path: Path) -> None:
    sampler = load_sampler(RunDir(of_two / "parts"), "cpu")
    assert sample_folder.fill(sampler, tmp_path, IMAGES, seed=1).added == IMAGES
    files = {file.name: file.read_bytes() for file in (of_two / "drawn").iterdir()}
    assert files == {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert len(files) == IMAGES + 3


@pytest.mark.slow
def test_a_run_that_torchrun_trains_resumes_bit_for_bit_and_goes_on_in_one_process(
    of_two: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole, data = RunDir(tmp_path / "whole"), dataset_folder(of_two)
    (tmp_path / "config.yaml").write_text(to_yaml(config_to(EPOCHS)))
    line = f"-m xrgan train --run {whole.path} --data {data} --config {tmp_path / 'config.yaml'}"
    of_first, of_second = finished(started(line.split(), 2))
    assert "has trained" in of_first[1] and of_first[0].endswith("losses.png\n")
    assert of_second == ("", ""), "one process speaks"
    assert_same(whole, RunDir(of_two / "parts"))
    training.train(job_of(whole, open_packed(data), config_to(EPOCHS + 1)))
    assert "It was trained in 2 processes and goes on in one process" in capfd.readouterr().err
    assert "processes" not in last(whole)


@pytest.mark.slow
def test_where_one_process_is_killed_all_begin_anew_and_end_as_if_it_had_not_been(of_two: Path, tmp_path: Path) -> None:
    run, data = RunDir(tmp_path / "killed"), dataset_folder(of_two)
    create(run, open_packed(data), config_to(EPOCHS))
    line = f"-m xrgan resume --run {run.path} --data {data} --nproc 2"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, *line.split()], env=environment, stderr=subprocess.PIPE, text=True) as agent:
        while not any(run.checkpoints.glob("*.pt")):
            assert agent.poll() is None
            time.sleep(0.02)
        os.kill(int((run.path / ".lock").read_text().split()[0]), signal.SIGKILL)  # the first process
        said = agent.communicate(timeout=300)[1]
    assert agent.returncode == 0, said
    assert "Warning: One of the 2 processes was ended by SIGKILL: they begin anew." in said
    assert "Error: Process 2 of 2 stops, because another one ended; see its message." in said
    assert "Going on from step_" in said and "Traceback" not in said
    assert_same(run, RunDir(of_two / "parts"))


def test_a_process_alone_is_the_first_and_does_it_all() -> None:
    with ranks.joined("cpu"):
        assert (ranks.size(), ranks.rank(), ranks.is_first()) == (1, 0, True)
        assert ranks.part(16) == slice(0, 16)
        x = torch.ones(2, requires_grad=True)
        assert ranks.mean(x) is x
        assert ranks.of_first("word") == "word" and ranks.largest(3) == 3 and ranks.total(3) == 3
        assert ranks.by_first(lambda: "made") == "made" and ranks.deal(["all"]) == "all"
        assert ranks.gathered("said") == ["said"]
        with ranks.in_turn():
            assert ranks.is_first()
        layer = torch.nn.BatchNorm2d(2)
        assert ranks.with_common_batch_norm(layer, torch.device("cuda")) is layer


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ("cuda", "Process 2 of this machine finds no GPU of its own: there is 1"),
        ("cuda:1", "cuda:1 is one GPU, and each process takes its own"),
        ("mps", "can't share an MPS device"),
    ],
)
def test_devices_that_processes_can_not_share_are_a_sentence(
    monkeypatch: pytest.MonkeyPatch, device: str, sentence: str
) -> None:
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(ranks, "choose_device", torch.device)
    with pytest.raises(XrganError, match=sentence), ranks.joined(device):
        pass


def test_each_gpu_is_taken_by_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(ranks, "choose_device", torch.device)
    joined: list[str] = []
    monkeypatch.setattr(ranks.dist, "init_process_group", lambda backend, **_: joined.append(backend))
    monkeypatch.setattr(ranks.dist, "destroy_process_group", lambda: None)
    with ranks.joined("cuda"):
        pass
    assert taken == [1] and joined == ["cpu:gloo,cuda:nccl"]
