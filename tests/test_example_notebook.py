"""examples/python.ipynb runs from its first cell to its last, at a tiny size, and shows what it showed."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

REPOSITORY = Path(__file__).parents[1]
NOTEBOOK = REPOSITORY / "examples" / "python.ipynb"
TINY = "N, SIZE, EPOCHS = 80, 16, 1"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Jupyter's event loops
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    parameters = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    assert len(parameters) == 1
    parameters[0].source = TINY
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    assert any("ssim_diversity" in str(output.get("data", {})) for output in outputs)
    assert (tmp_path / "runs/notebook/report.html").is_file()


def test_it_is_kept_as_it_ran() -> None:
    """With its pictures, and without a path of the machine that it ran on."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    assert not any(output.output_type == "error" for output in outputs)
    text = NOTEBOOK.read_text()
    assert "/home/" not in text and "/tmp/" not in text and "/root/" not in text and len(text) < 400_000
