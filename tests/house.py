"""Counts what makes the house easy or hard to change, read from the code: `python tests/house.py` prints them.

tests/test_architecture.py holds them to their limits.
"""

import ast
import functools
from itertools import pairwise
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
HOUSE = REPOSITORY / "xrgan"
LONGEST_FUNCTION = 50  # lines
CONFIGURATIONS = {"config", "model", "train", "chosen", "plan", "section"}  # what a configuration is called in the code

# From a command to the mathematics: each calls the next one.
TRAIN_TO_LOSS = (
    "commands/train.py:train",
    "commands/train.py:_train",  # in this process, beside others, or in others
    "gan/training.py:train",
    "gan/step.py:train_step",
    "gan/step.py:update_networks",
    "gan/step.py:train_generator",
    "gan/losses.py:generator_loss",
)
# What there is to open between `evaluate --fid` and the number in scores.yaml.
FID_TO_NUMBER = (
    "commands/evaluate.py",  # the flag, and what happens
    "commands/inputs.py",  # which images, which extractor
    "evaluation/image_sets.py",  # which of them are compared, and the floor
    "evaluation/evaluate.py",  # what is computed, what is known, what is written
    "evaluation/metric_table.py",  # the record
    "evaluation/feature_metrics.py",  # with its floor, per class
    "evaluation/metrics.py",  # the formula
    "evaluation/extractors.py",  # the features
    "evaluation/inception.py",
)


def modules() -> dict[str, ast.Module]:
    """Full name of each module of the package → its syntax tree."""
    return {_name(file): tree_of(file) for file in sorted(HOUSE.rglob("*.py"))}


@functools.cache
def tree_of(file: Path) -> ast.Module:
    """The syntax tree of a module, which nobody changes: parsed once for all that is counted in it."""
    return ast.parse(file.read_text(encoding="utf-8"))


def _name(file: Path) -> str:
    return ".".join(file.relative_to(HOUSE.parent).with_suffix("").parts).removesuffix(".__init__")


def imported(name: str, tree: ast.Module, names: set[str]) -> set[str]:
    """The modules of the package that a module imports, wherever in it, for type checking included."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return {one for one in found if one in names and one != name and not name.startswith(f"{one}.")}


def circles() -> list[set[str]]:
    """Sets of modules that import one another in a circle (strongly connected components of the imports)."""
    trees = modules()
    arrows = {name: imported(name, tree, set(trees)) for name, tree in trees.items()}
    reached = {name: _reach(name, arrows) for name in arrows}
    groups = {frozenset(other for other in reached[name] if name in reached[other]) for name in arrows}
    return [set(group) for group in groups if group]


def _reach(start: str, arrows: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    todo = list(arrows[start])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += arrows[name]
    return found


def without_tests() -> list[str]:
    """Modules without a test file of their own at the same place: xrgan/a/b.py ↔ tests/a/test_b.py."""
    missing = []
    for file in sorted(HOUSE.rglob("*.py")):
        place = file.relative_to(HOUSE)
        if file.name not in {"__init__.py", "__main__.py"}:
            mirror = REPOSITORY / "tests" / place.with_name(f"test_{place.name}")
            if not mirror.is_file():
                missing.append(place.as_posix())
    return missing


def long_functions() -> dict[str, int]:
    """Functions of more than LONGEST_FUNCTION lines, signature and docstring included → their lines."""
    found = {}
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    found[f"{name}.{node.name}"] = lines
    return found


def casts() -> list[str]:
    """Where an option of a configuration is cast to a plain type, because it might still be `auto`."""
    found = []
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"int", "float", "str"}
                and len(node.args) == 1
                and isinstance(node.args[0], ast.Attribute)
                and set(ast.unparse(node.args[0]).split(".")[:-1]) & CONFIGURATIONS
            ):
                found.append(f"{name}:{node.lineno}: {ast.unparse(node)}")
    return found


def handwritten_flags() -> list[str]:
    """Entries `"section.key": flag` (or `"key": key`) of a dictionary, by which a command hands its flags on."""
    found = []
    for name, tree in modules().items():
        if not name.startswith(("xrgan.cli", "xrgan.commands")):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if (
                        isinstance(key, ast.Constant)
                        and isinstance(key.value, str)
                        and isinstance(value, ast.Name)
                        and (key.value.rpartition(".")[2] == value.id or "." in key.value)
                    ):
                        found.append(f"{name}:{node.lineno}: {key.value}")
    return found


def hops(path: tuple[str, ...] = TRAIN_TO_LOSS) -> int:
    """How often a path of calls goes from one file to another.

    Raises:
        AssertionError: a function of the path is not there, or doesn't call the next one.
    """
    for here, there in pairwise(path):
        file, _, name = here.partition(":")
        tree = ast.parse((HOUSE / file).read_text(encoding="utf-8"))
        bodies = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]
        assert bodies, f"there is no {here}"
        called = {ast.unparse(node.func) for node in ast.walk(bodies[0]) if isinstance(node, ast.Call)}
        assert there.partition(":")[2] in {call.rpartition(".")[2] for call in called}, f"{here} doesn't call {there}"
    return sum(here.partition(":")[0] != there.partition(":")[0] for here, there in pairwise(path))


def main() -> None:
    counts = {
        "modules": len(modules()),
        "lines": sum(len(file.read_text(encoding="utf-8").splitlines()) for file in HOUSE.rglob("*.py")),
        "import circles": circles(),
        "modules without a mirrored test file": without_tests(),
        f"functions over {LONGEST_FUNCTION} lines": long_functions(),
        "casts of an unresolved configuration": casts(),
        "hand-written flag → key lines": handwritten_flags(),
    }
    for what, found in counts.items():
        print(f"{what}: {found if isinstance(found, int) else len(found)}")
        for one in [] if isinstance(found, int) else found:
            print(f"    {one}{f': {found[one]}' if isinstance(found, dict) else ''}")
    print(f"hops from file to file between `xrgan train` and the loss formula: {hops()}")
    print(f"files between `evaluate --fid` and its number: {len(FID_TO_NUMBER)}")


if __name__ == "__main__":
    main()
