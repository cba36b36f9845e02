"""`--nproc`, and commands that torchrun starts: who makes the run, who speaks, and what can't be shared."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.gan.helpers import create, tiny_config, tiny_dataset
from tests.terminal import Terminal
from xrgan import ranks
from xrgan.config_resolve import to_yaml
from xrgan.data.packed import open_packed
from xrgan.rundir import RunDir

LINE = "train --run runs/a --data tiny --config config.yaml"


@pytest.fixture(autouse=True)
def dataset(tmp_path: Path) -> None:
    tiny_dataset(tmp_path)
    (tmp_path / "config.yaml").write_text(to_yaml(tiny_config("train.batch_size=8")))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Sequence[str]]]:
    """What would be started in several processes."""
    calls: list[tuple[int, Sequence[str]]] = []

    def launch(processes: int, arguments: Sequence[str]) -> int:
        calls.append((processes, arguments))
        return 0

    monkeypatch.setattr(ranks, "launch", launch)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return calls


def under_torchrun(monkeypatch: pytest.MonkeyPatch, rank: int) -> None:
    for name, value in {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)


def test_the_run_is_made_once_and_then_trained_in_processes_of_its_own(
    type_: Terminal, started: list[tuple[int, Sequence[str]]]
) -> None:
    answer = type_(f"{LINE} --nproc 2 --device cpu --epochs 3")
    run = RunDir(Path("runs/a"))
    assert run.read_config().train.epochs == 3 and "Run: runs/a" in answer.err
    [(processes, arguments)] = started
    assert processes == 2 and arguments[:3] == ["resume", "--run", "runs/a"] and "--nproc" not in arguments
    assert arguments[arguments.index("--device") + 1] == "cpu"
    type_("resume --run runs/a --data tiny --nproc 4 --epochs 5 --quiet")
    assert run.read_config().train.epochs == 5 and started[1][0] == 4 and started[1][1][-1] == "--quiet"


def test_what_fails_fails_before_anything_is_started(type_: Terminal, started: list[tuple[int, Sequence[str]]]) -> None:
    err = type_(f"{LINE} --nproc 3", code=1).err
    assert "Error: 3 processes can't share 8 images a step: each takes the same even number." in err
    assert "`--batch-size 12`" in err and not Path("runs/a").exists()
    type_(f"{LINE} --nproc 2")
    assert "8 processes can't share 8 images" in type_("resume --run runs/a --data tiny --nproc 8", code=1).err
    type_(f"{LINE} --nproc 0", code=2)
    assert len(started) == 1


def test_torchrun_needs_a_name_and_no_nproc(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    under_torchrun(monkeypatch, 0)
    assert "Under torchrun, a run needs a name." in type_("train --data tiny", code=1).err
    assert "Under torchrun, a run needs a name." in type_("resume", code=1).err
    for command in ("train", "resume", "sample", "evaluate", "classify", "segment"):
        assert "torchrun started 2 processes: each of them can't start" in type_(f"{command} --nproc 2", code=2).err


def test_the_first_of_several_processes_speaks_alone(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []
    for rank in (0, 1):
        under_torchrun(monkeypatch, rank)
        texts.append(type_(f"{LINE} --dry-run").out)
    assert "batch_size: 8" in texts[0] and texts[1] == ""


def test_the_same_sampling_is_started_in_several_processes(
    type_: Terminal, started: list[tuple[int, Sequence[str]]]
) -> None:
    type_(f"{LINE} --nproc 2")
    type_("sample --run runs/a --nproc 2 -n 5 --out here")
    type_("sample --run runs/a --nproc=3 -n 5 --out here")
    line = ["sample", "--run", "runs/a", "-n", "5", "--out", "here"]
    assert started[1:] == [(2, line), (3, line)]
    assert "works in one process" in type_("sample --run runs/a --nproc 2 --reject-copies", code=2).err


@pytest.mark.parametrize(
    "line",
    [
        "evaluate --run runs/a --fid --json",
        "evaluate --run runs/a --every-checkpoint",
        "evaluate --real here --synthetic there",
        "classify --run runs/a --arms real",
        "segment --run runs/a",
    ],
)
def test_scores_and_studies_are_started_in_several_processes(
    type_: Terminal, started: list[tuple[int, Sequence[str]]], line: str
) -> None:
    create(RunDir(Path("runs/a")), open_packed(Path("tiny")), tiny_config())
    type_(f"{line} --nproc 2")
    assert started == [(2, line.split())]


def test_what_works_in_one_process_or_nowhere_starts_none(
    type_: Terminal, started: list[tuple[int, Sequence[str]]]
) -> None:
    create(RunDir(Path("runs/a")), open_packed(Path("tiny")), tiny_config())
    assert "in one process" in type_("classify --run runs/a --predict tiny --nproc 2", code=2).err
    assert "needs --synthetic DIR" in type_("evaluate --real tiny --nproc 2", code=2).err
    assert "no place beside it" in type_("evaluate --run runs/a --every-checkpoint --fid --nproc 2", code=2).err
    assert started == []
