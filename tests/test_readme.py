"""README's commands, as they stand in README, typed into a shell in an empty folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_readmes_commands_as_they_stand(tmp_path: Path) -> None:
    """The tour must succeed; the others may end in one clear sentence where a GPU or Kaggle is not there."""
    fetch_weights()  # or the tour's evaluate could not be asked to succeed
    write_dataset(tmp_path / "my-xrays", 40, 32)
    (tmp_path / "Downloads").mkdir()
    shutil.make_archive(str(tmp_path / "Downloads/archive"), "zip", tmp_path / "my-xrays/images")
    home = {"HOME": str(tmp_path), "XRGAN_CACHE": str(cache_dir()), "MPLCONFIGDIR": str(tmp_path / "mpl")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("XRGAN", "KAGGLE"))}
    environment |= home | {"PATH": path, "HTTPS_PROXY": CLOSED, "https_proxy": CLOSED, "NO_PROXY": "", "no_proxy": ""}
    for number, block in enumerate(blocks()):
        for line in block:
            answer = subprocess.run(
                line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
            )
            said = f"{line}\n{answer.stdout}\n{answer.stderr}"
            assert "Traceback" not in answer.stderr, said
            if number == 0:
                assert answer.returncode == 0, said
            else:
                assert answer.returncode in {0, 1}, said
                assert (answer.returncode == 1) == ("Error:" in answer.stderr), said
            if "fetch jrs" in line:
                assert answer.returncode == 1 and "--archive" in answer.stderr, said


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
