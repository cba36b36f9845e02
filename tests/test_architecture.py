"""The house stays as it was drawn: who imports whom, who prints, and what the help waits for."""

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import xrgan
from tests import house

HOUSE = Path(xrgan.__file__).parent
GROUND = {"errors", "failures", "files", "downloads", "wheels", "plots", "option_syntax", "console"}
GROUND |= {
    "layout",
    "config",
    "config_resolve",
    "config_versions",
    "rundir",
    "workspace",
    "marks",
    "exported",
    "launched",
    "temporary_names",
}
STUDIES = {"classification", "segmentation"}  # rooms of downstream: neighbours, above what they share
STAGES = {"gan", "evaluation", "downstream"}
NETWORKS = {"efficientnet_lite", "lite_weights", "frozen_convolutions"}
BELOW_STAGES = {"", "ground", "data", "hardware", "tensor_files", "ranks", *NETWORKS}
KNOW_TORCH = {
    *STAGES,
    "hardware.py",
    "ranks.py",
    "tensor_files.py",
    "efficientnet_lite.py",
    "frozen_convolutions.py",
    "torch_dataset.py",
}
TORCH = {"torch", "torchvision", "torch_fidelity", "tensorboard"}
FILES = sorted(path.relative_to(HOUSE).as_posix() for path in HOUSE.rglob("*.py"))


def room(module: str) -> str:
    """The part of the house in which `xrgan.<room>…` stands; the package itself says its version only."""
    parts = module.split(".")
    if parts[1:2] == ["downstream"] and set(parts[2:3]) & STUDIES:
        return parts[2]
    return "" if len(parts) == 1 else "ground" if parts[1] in GROUND else parts[1]


def may_enter(room: str) -> set[str]:
    """The rooms that a room may import from: itself and those below."""
    return {
        "": {"api"},
        "ground": {"", "ground"},
        "data": {"", "ground", "data"},
        "hardware": {"", "ground"},
        "ranks": {"", "ground", "hardware"},
        "tensor_files": {"", "ground", "tensor_files"},
        "torch_dataset": {"", "ground", "data", "torch_dataset"},
        "api": {*BELOW_STAGES, *STAGES, "torch_dataset", "commands", "api"},
        "efficientnet_lite": {"frozen_convolutions"},
        "lite_weights": {"", "ground", "efficientnet_lite"},
        "frozen_convolutions": set(),
        **{stage: {*BELOW_STAGES, stage} for stage in STAGES},
        "cards": {"", "ground", "data", "evaluation", "cards"},  # it knows the scores by name
        "report": {"", "ground", "data", "evaluation", "downstream", "cards", "report"},  # and the studies' wording
        "readers": {"", "ground", "data", "report", "readers"},  # the page looks as the report does
        **{study: {*BELOW_STAGES, "downstream", study} for study in STUDIES},
        "commands": {*BELOW_STAGES, *STAGES, *STUDIES, "cards", "report", "readers", "commands"},
        "cli": {"", "ground", "data", *STAGES, *STUDIES, "commands", "cli"},
        "entry": {"cli"},
        "__main__": {"entry"},
    }[room]


def imports(tree: ast.AST) -> Iterator[str]:
    """The full name of everything imported anywhere in a module: `from xrgan import console` is xrgan.console."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the module in full"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def foreign_rooms(module: str, tree: ast.AST) -> set[str]:
    """The rooms that a module enters and must not."""
    entered = {room(name) for name in imports(tree) if name.split(".")[0] == "xrgan" and name != "xrgan.__version__"}
    return entered - may_enter(room(module))


def speech(tree: ast.AST) -> list[str]:
    """Where a module writes to the terminal by itself."""
    said = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "input"}:
            said.append(f"line {node.lineno}: {node.func.id}")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            spoken = f"{node.value.id}.{node.attr}"
            if spoken in {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__", "typer.echo", "typer.secho"}:
                said.append(f"line {node.lineno}: {spoken}")
    return said


def parsed(file: str) -> tuple[str, ast.Module]:
    """The module's name and its syntax tree."""
    module = "xrgan." + file.removesuffix(".py").replace("/", ".")
    return module.removesuffix(".__init__"), house.tree_of(HOUSE / file)


@pytest.mark.parametrize("file", FILES)
def test_a_module_imports_only_from_below_it(file: str) -> None:
    assert foreign_rooms(*parsed(file)) == set()


@pytest.mark.parametrize("file", [file for file in FILES if file.split("/")[0] not in KNOW_TORCH])
def test_torch_is_known_to_the_stages_and_the_hardware_alone(file: str) -> None:
    _, tree = parsed(file)
    assert {name.split(".")[0] for name in imports(tree)} & TORCH == set()


@pytest.mark.parametrize("file", [file for file in FILES if file != "ranks.py"])
def test_torch_distributed_is_known_to_the_ranks_alone(file: str) -> None:
    _, tree = parsed(file)
    assert [name for name in imports(tree) if name.startswith("torch.distributed")] == []


@pytest.mark.parametrize("file", [file for file in FILES if file != "console.py"])
def test_only_the_console_speaks(file: str) -> None:
    _, tree = parsed(file)
    assert speech(tree) == []
    assert "rich" not in {name.split(".")[0] for name in imports(tree)}


@pytest.mark.parametrize(
    ("module", "line", "entered"),
    [
        ("xrgan.config", "from xrgan.data.images import grid", {"data"}),
        ("xrgan.data.scan", "from xrgan.gan import training", {"gan"}),
        ("xrgan.gan.training", "import xrgan.evaluation.metrics", {"evaluation"}),
        ("xrgan.evaluation.fid", "def f():\n    from xrgan import cli", {"cli"}),
        ("xrgan.downstream.classification.study", "from xrgan import config, gan", {"gan"}),
        ("xrgan.downstream.classification.study", "from xrgan.commands import evaluate", {"commands"}),
        ("xrgan.downstream.segmentation.pool", "from xrgan.downstream.classification import pool", {"classification"}),
        ("xrgan.downstream.study", "from xrgan.downstream.segmentation.study import run", {"segmentation"}),
    ],
)
def test_the_rule_sees_a_step_up_or_sideways(module: str, line: str, entered: set[str]) -> None:
    assert foreign_rooms(module, ast.parse(line)) == entered


def test_the_rule_hears_speech() -> None:
    assert speech(ast.parse("print(1)\nsys.stdout.write('a')\nbar.print(2)")) == ["line 1: print", "line 2: sys.stdout"]


def test_every_module_stands_in_a_known_room() -> None:
    for file in FILES:
        may_enter(room(parsed(file)[0]))
    assert {file.split("/")[0] for file in FILES} >= {"data", "gan", "cli.py", "console.py"}


# A command's own packages are imported when it runs: the help must not wait for them.
LATE = ["torch", "torchvision", "torch_fidelity", "tensorboard", "pandas", "kaggle", "matplotlib", "sklearn", "skimage"]
LATE += ["monai", "statsmodels", "scipy", "jinja2"]
LOADED = f"print(sorted(set({LATE}) & set(sys.modules)))"


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=True)


def test_the_late_packages_are_names_that_exist() -> None:
    assert [name for name in LATE if importlib.util.find_spec(name) is None] == []


def test_xrgan_is_imported_without_the_late_packages() -> None:
    assert run_python("-c", f"import sys, xrgan; xrgan.open_run, xrgan.evaluate; {LOADED}").stdout == "[]\n"


def test_the_command_line_is_imported_without_the_late_packages() -> None:
    assert run_python("-c", f"import sys, xrgan.cli; {LOADED}").stdout == "[]\n"


def test_the_help_is_shown_without_the_late_packages() -> None:
    code = (
        f"import atexit, sys; atexit.register(lambda: {LOADED}); sys.argv = ['xrgan', '--help']; import xrgan.__main__"
    )
    out = run_python("-c", code).stdout
    assert all(command in out for command in ("fetch", "prepare", "train", "sample", "evaluate", "classify"))
    assert out.endswith("[]\n")


def test_python_m_xrgan_is_the_command() -> None:
    assert "Usage" in run_python("-m", "xrgan", "--help").stdout


# What makes a house hard to change stays small: tests/house.py counts, `python tests/house.py` prints where.


def test_no_imports_run_in_a_circle() -> None:
    assert house.circles() == []


def test_functions_fit_on_a_screen() -> None:
    assert len(house.long_functions()) <= 2, house.long_functions()


def test_modules_have_tests_of_their_own_in_the_same_place() -> None:
    assert len(house.without_tests()) <= 15, house.without_tests()


def test_options_are_resolved_before_they_are_used() -> None:
    assert house.casts() == []


def test_a_flag_is_written_once() -> None:
    assert house.handwritten_flags() == []


def test_the_formulas_are_few_rooms_from_the_commands() -> None:
    assert house.hops(house.TRAIN_TO_LOSS) <= 4
    assert all((HOUSE / file).is_file() for file in house.FID_TO_NUMBER) and len(house.FID_TO_NUMBER) <= 9


def test_the_counts_can_be_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each count finds what it is there to find."""
    package = tmp_path / "xrgan"
    (package / "commands").mkdir(parents=True)
    (package / "a.py").write_text("from xrgan import b\nx = int(config.train.lr)\n")
    (package / "b.py").write_text("from xrgan.a import x\ndef f():\n" + "    pass\n" * 60)
    (package / "commands" / "c.py").write_text('flags = {"train.lr": lr, "seed": seed, "n": 3}\n')
    monkeypatch.setattr(house, "REPOSITORY", tmp_path)
    monkeypatch.setattr(house, "HOUSE", package)
    assert house.circles() == [{"xrgan.a", "xrgan.b"}]
    assert house.long_functions() == {"xrgan.b.f": 61}
    assert house.without_tests() == ["a.py", "b.py", "commands/c.py"]
    assert house.casts() == ["xrgan.a:2: int(config.train.lr)"]
    assert [flag.rpartition(" ")[2] for flag in house.handwritten_flags()] == ["train.lr", "seed"]
    with pytest.raises(AssertionError, match="doesn't call"):
        house.hops(("b.py:f", "a.py:g"))
