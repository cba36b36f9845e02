"""What the shell offers when the tab key is pressed."""

from pathlib import Path

import pytest

from tests.terminal import Terminal
from xrgan.config import Config
from xrgan.rundir import RunDir


class Offered:
    """The words that bash is offered behind a line."""

    def __init__(self, type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
        self._type, self._monkeypatch = type_, monkeypatch

    def __call__(self, line: str) -> list[str]:
        with self._monkeypatch.context() as patch:
            patch.setenv("_XRGAN_COMPLETE", "complete_bash")
            patch.setenv("COMP_WORDS", f"xrgan {line}")
            patch.setenv("COMP_CWORD", str(len(line.split(" "))))
            return self._type("").out.split()


@pytest.fixture
def offered(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> Offered:
    return Offered(type_, monkeypatch)


def put(*names: str, file: str = "config.yaml") -> None:
    for name in names:
        Path(name).mkdir(parents=True)
        (Path(name) / file).write_text("name: a\n")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("train --model ", ["eigen", "dcgan"]),
        ("train --loss h", ["hinge"]),
        ("train --masks ", ["auto", "yes", "no"]),
        ("prepare --fit ", ["pad", "crop", "stretch"]),
        ("classify --arch resnet1", ["resnet18", "resnet101"]),
        ("evaluate --fid-layer ", ["64", "192", "768", "2048"]),
        ("segment --device c", ["cpu", "cuda", *(f"cuda:{k}" for k in range(8))]),
        ("re", ["readers", "report", "resume"]),
        ("classify --arms synthetic", ["synthetic", "synthetic→real", "synthetic→real+classic"]),
        (
            "segment --arms real,real",
            [f"real,real+{more}" for more in ("agreed", "classic", "classic+synthetic", "synthetic")],
        ),
    ],
)
def test_choices_are_offered(offered: Offered, line: str, words: list[str]) -> None:
    assert sorted(offered(line)) == sorted(words)


def test_runs_that_are_here_are_offered(offered: Offered) -> None:
    for name in ("first", "second"):
        RunDir(Path("runs", name)).write_config(Config())
    Path("runs/second/classify/checkpoints").mkdir(parents=True)
    Path("runs/first/classify/synthetic").mkdir(parents=True)
    assert sorted(offered("sample --run ")) == ["first", "second"]
    assert offered("train --init-from s") == ["second"]
    assert offered("classify --synthetic f") == ["first"]
    assert offered("sample --runs-root elsewhere --run ") == []
    assert offered("evaluate --extractor ") == ["inception", "lite1", "lite2", "lite0", "classifier:second"]


def test_datasets_and_sources_that_are_here_are_offered(offered: Offered) -> None:
    put("data/prepared/jrs_64", file="dataset.yaml")
    put("data/raw/jrs", "data/raw/mine", file="source.yaml")
    assert offered("evaluate --data ") == ["jrs_64"]
    assert sorted(offered("train --data ")) == ["jrs", "jrs_64", "mine"]
    assert sorted(offered("prepare ")) == ["jrs", "mine"]
    assert offered("train --data-root nowhere --data ") == []


def test_sources_that_can_be_fetched_are_offered(offered: Offered) -> None:
    assert offered("fetch ph") == ["phantom"]
    assert {"jrs", "nih", "inception"} <= set(offered("fetch "))
