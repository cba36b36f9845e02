"""The commands that examples/ shows are commands of xrgan, with options that exist."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
import typer

from xrgan.cli import app

EXAMPLES = Path(__file__).parent.parent / "examples"


def commands() -> list[str]:
    demo = runpy.run_path(str(EXAMPLES / "demo.py"), run_name="demo")["COMMANDS"].strip().splitlines()
    blocks = [
        block
        for page in sorted(EXAMPLES.glob("*.md"))
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    ]
    written = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [*demo, *(line for line in written if line.startswith("xrgan "))]


@pytest.mark.parametrize("line", commands())
def test_an_example_is_a_command_with_options_that_exist(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    command.make_context(name, arguments)  # parses, and raises where it can't; nothing is run


@pytest.mark.parametrize("page", sorted(EXAMPLES.glob("*.md")), ids=lambda page: page.name)
def test_every_picture_of_an_example_is_there(page: Path) -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    for picture in pictures:
        assert (page.parent / picture).is_file(), picture
