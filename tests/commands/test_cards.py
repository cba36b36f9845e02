from pathlib import Path

import pytest

from tests.gan.helpers import tiny_config, trained
from xrgan.commands.cards import refresh_cards
from xrgan.config_resolve import resolve
from xrgan.data.packed import open_packed
from xrgan.data.phantom import write_dataset
from xrgan.data.prepare import prepare
from xrgan.workspace import Workspace


@pytest.mark.slow
def test_cards_find_the_dataset_by_its_content(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_dataset(tmp_path / "tiny", 60, size=16)
    options = resolve(flags={"prepare.size": 16, "prepare.workers": 1, "prepare.masks": "none"}).prepare
    dataset = open_packed(prepare(tmp_path / "tiny", tmp_path / "data/prepared", options, name="tiny"))
    run = trained(tmp_path / "runs/a", dataset, tiny_config("train.epochs=1"))
    dataset.path.rename(dataset.path.with_name("renamed"))
    workspace = Workspace(tmp_path / "data", tmp_path / "runs")
    refresh_cards(workspace, run)
    capfd.readouterr()
    card = (run.path / "MODEL_CARD.md").read_text()
    assert "# Model card: a" in card and "components; together they draw" in card
    assert "| images found | 60 |" in (run.path / "DATASHEET.md").read_text()
    kept = (run.path / "traces.yaml").read_text()
    (run.path / "traces.yaml").write_text(kept.replace("images: ", "images: 1"))
    refresh_cards(workspace, run)
    assert (run.path / "MODEL_CARD.md").read_text() != card  # what was measured before isn't measured again
    (run.path / "traces.yaml").write_text("images: many\n")
    refresh_cards(workspace, run)
    assert (run.path / "MODEL_CARD.md").read_text() == card and (run.path / "traces.yaml").read_text() == kept
    run.losses_file.write_text("epoch\nnone\n")
    refresh_cards(workspace, run)
    assert "The cards of" in capfd.readouterr().err
    assert (run.path / "MODEL_CARD.md").read_text() == card
