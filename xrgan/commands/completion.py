"""What the shell offers where a run, a dataset or a source is to be named: those that are there.

Nothing heavy is imported: the shell asks at each press of the tab key.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import typer

from xrgan.config import EXTRACTORS
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace


def complete_run(context: typer.Context, incomplete: str) -> list[str]:
    """The runs, the latest first."""
    return _beginning(incomplete, [run.name for run in reversed(_workspace(context).runs())])


def complete_prepared(context: typer.Context, incomplete: str) -> list[str]:
    """The prepared datasets, the latest first."""
    return _beginning(incomplete, [path.name for path in reversed(_workspace(context).prepared())])


def complete_fetched(context: typer.Context, incomplete: str) -> list[str]:
    """The fetched sources."""
    return _beginning(incomplete, [path.name for path in _workspace(context).fetched()])


def complete_dataset(context: typer.Context, incomplete: str) -> list[str]:
    """What `train` can learn from: the prepared datasets and the fetched sources."""
    return [*complete_prepared(context, incomplete), *complete_fetched(context, incomplete)]


def complete_source(incomplete: str) -> list[str]:
    """What `fetch` knows by name."""
    from xrgan.data.sources import SOURCES

    return _beginning(incomplete, [*SOURCES, "inception"])


def complete_extractor(context: typer.Context, incomplete: str) -> list[str]:
    """The networks that features can come from; of the classifiers, those of the runs that have some."""
    runs = [run for run in reversed(_workspace(context).runs()) if (run.classify / "checkpoints").is_dir()]
    return _beginning(incomplete, [*EXTRACTORS, *(f"classifier:{run.name}" for run in runs)])


def complete_list(choices: Sequence[str]) -> Callable[[str], list[str]]:
    """Make what completes a list by commas: with the choices that it doesn't hold yet."""

    def complete(incomplete: str) -> list[str]:
        before, comma, _ = incomplete.rpartition(",")
        left = [choice for choice in choices if choice not in before.split(",")]
        return _beginning(incomplete, [f"{before}{comma}{choice}" for choice in left])

    return complete


def _workspace(context: typer.Context) -> Workspace:
    """The folders that the flags before, or the environment, name."""
    roots = context.params
    return Workspace(Path(roots.get("data_root") or DATA_ROOT), Path(roots.get("runs_root") or RUNS_ROOT))


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
