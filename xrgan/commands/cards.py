"""The cards of a run, written by the commands that learn something of it: train, evaluate, the studies, export."""

from pathlib import Path
from typing import TYPE_CHECKING

from xrgan import console
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.cards.facts import Traces

TRACES = "traces.yaml"  # in the run


def refresh_cards(workspace: Workspace, run: RunDir, folder: Path | None = None) -> None:
    """Write MODEL_CARD.md and DATASHEET.md of a run, into it or into another folder.

    What is wrong with a file that they would be written from is a warning: it must not end what was asked for.
    """
    from xrgan.cards.facts import gather
    from xrgan.cards.writing import write_cards

    try:
        if not run.read_config().generator:
            return  # there is no model to make a card of
        dataset = workspace.prepared_of(run.trained_on())  # told by its content, not by its name
        traces = _traces(run, dataset, keep=folder is None) if dataset else None
        write_cards(gather(run, dataset, traces), folder or run.path)
    except (XrganError, KeyError, TypeError, ValueError, AttributeError) as error:
        console.warn(f"The cards of {run.path} were not written: {' '.join(str(error).split())}")


def _traces(run: RunDir, dataset: Path, keep: bool) -> "Traces | None":
    """How much of single patients is in the generator's averages; None where that can't be told.

    It takes up to a minute, and never changes: components are computed before the first step. So a run keeps it.

    Args:
        keep: whether what is measured here may be written into the run.
    """
    from xrgan.cards.facts import Traces
    from xrgan.data.packed import open_packed
    from xrgan.gan.sampler import load_sampler
    from xrgan.gan.traces import measure_traces

    if kept := kept_traces(run):
        return kept
    try:
        sampler = load_sampler(run, "cpu")
    except XrganError:  # nothing was trained yet
        return None
    console.waiting("Measuring how much of single patients the generator holds")
    figures = measure_traces(sampler.generator, open_packed(dataset))
    if figures and keep:
        write_yaml(run.path / TRACES, dict(figures))
    return Traces(**figures) if figures else None


def kept_traces(run: RunDir) -> "Traces | None":
    """What was measured before; None where it wasn't, or its file is damaged."""
    from pydantic import TypeAdapter

    from xrgan.cards.facts import Traces

    if not (run.path / TRACES).is_file():
        return None
    try:
        return TypeAdapter(Traces).validate_python(read_yaml(run.path / TRACES))
    except (XrganError, ValueError):
        return None
