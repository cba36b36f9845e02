"""Commands typed in a folder of their own, in this process, so that torch is imported once."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from xrgan import cli

TINY = ["--set", "model.generator_width=4", "--set", "model.discriminator_width=4", "--precision", "fp32"]


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


class Terminal:
    """Types commands in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder, self._monkeypatch, self._capfd = folder, monkeypatch, capfd
        monkeypatch.chdir(folder)
        monkeypatch.delenv("XRGAN_DATA", raising=False)
        monkeypatch.delenv("XRGAN_RUNS", raising=False)

    def __call__(self, line: str, *more: str, code: int = 0) -> Answer:
        self._capfd.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["xrgan", *line.split(), *more])
        with pytest.raises(SystemExit) as ended:
            cli.main()
            sys.exit(0)
        out, err = self._capfd.readouterr()
        assert "Traceback" not in err
        assert (ended.value.code or 0) == code, (line, out, err)
        return Answer(code, out, err)


def words(text: str) -> str:
    """A text on one line, however the terminal broke it."""
    return " ".join(text.split())


def tree(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
