"""README's commands, as they stand in README, typed in an empty folder."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal import Answer
from xrgan import cli
from xrgan.data.phantom import write_dataset
from xrgan.downloads import cache_dir
from xrgan.evaluation.inception_weights import fetch_weights

pytestmark = pytest.mark.slow

README = Path(__file__).parent.parent / "README.md"
CLOSED = "http://127.0.0.1:9"  # the discard port of this machine: nobody listens


def blocks() -> list[list[str]]:
    """The commands of every ```bash block, comments and `make` lines left out."""
    text = README.read_text(encoding="utf-8")
    found = []
    for block in re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL):
        lines = [line.split("  #")[0].strip() for line in block.splitlines()]
        found.append([line for line in lines if line.startswith("xrgan ")])
    return [block for block in found if block]


def test_readme_names_every_command() -> None:
    written = {line.split()[1] for block in blocks() for line in block}
    assert written >= {"fetch", "prepare", "train", "resume", "sample", "evaluate", "classify", "segment", "runs"}


def in_a_shell(line: str) -> Answer:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.run(
        line, shell=True, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=600
    )
    return Answer(answer.returncode, answer.stdout, answer.stderr)


def in_this_process(line: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Answer:
    """What a shell hands over, and no torch imported once more: that takes longer than most of these commands."""
    capfd.readouterr()
    monkeypatch.setattr(sys, "argv", [os.path.expanduser(word) for word in shlex.split(line, comments=True)])  # noqa: PTH111
    with pytest.raises(SystemExit) as ended:
        cli.main()
        sys.exit(0)
    assert ended.value.code is None or isinstance(ended.value.code, int)
    return Answer(ended.value.code or 0, *capfd.readouterr())


def test_readmes_commands_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The tour, in a shell, must succeed; the others may end in one clear sentence where no GPU or Kaggle is there."""
    fetch_weights()  # or the tour's evaluate could not be asked to succeed
    write_dataset(tmp_path / "my-xrays", 40, 32)
    (tmp_path / "Downloads").mkdir()
    shutil.make_archive(str(tmp_path / "Downloads/archive"), "zip", tmp_path / "my-xrays/images")
    cache = str(cache_dir())
    for key in [key for key in os.environ if key.startswith(("XRGAN", "KAGGLE"))]:
        monkeypatch.delenv(key)
    home = {"HOME": str(tmp_path), "XRGAN_CACHE": cache, "MPLCONFIGDIR": str(tmp_path / "mpl")}
    closed = {"HTTPS_PROXY": CLOSED, "https_proxy": CLOSED, "NO_PROXY": "", "no_proxy": ""}
    for key, value in (home | closed).items():
        monkeypatch.setenv(key, value)
    monkeypatch.chdir(tmp_path)
    for number, block in enumerate(blocks()):
        for line in block:
            # The kaggle package looks for its key where HOME was as it was imported.
            alone = number == 0 or line.startswith("xrgan fetch")
            answer = in_a_shell(line) if alone else in_this_process(line, monkeypatch, capfd)
            said = f"{line}\n{answer.out}\n{answer.err}"
            assert "Traceback" not in answer.err, said
            if number == 0:
                assert answer.code == 0, said
            else:
                assert answer.code in {0, 1}, said
                assert (answer.code == 1) == ("Error:" in answer.err), said
            if "fetch jrs" in line:
                assert answer.code == 1 and "--archive" in answer.err, said


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")))))
def test_readmes_links_lead_somewhere(path: str) -> None:
    assert (README.parent / path).exists(), path


def test_the_options_that_readme_names_exist() -> None:
    """A `section.key` in README is a key of the configuration."""
    from xrgan.config import default

    sections = "prepare|model|train|sample|evaluate|classify|segment"
    text = README.read_text().replace("`model.safetensors`", "")  # the name of a file
    keys = re.findall(rf"`(?:--set )?((?:{sections})\.[a-z0-9_]+)", text)
    assert keys
    for key in keys:
        default(key)
