from pathlib import Path

import pytest

from tests.cards.cases import SCORES, known, unknown
from xrgan.cards.facts import gather, in_words, lowest_class, table
from xrgan.config import Config
from xrgan.errors import XrganError
from xrgan.files import write_yaml
from xrgan.rundir import RunDir


def test_a_score_is_told_with_its_floor_interval_and_n() -> None:
    said = in_words("Clipped coverage", SCORES["metrics"]["clipped_coverage"])
    assert said == "Clipped coverage 0.5 (95 % interval 0.4 to 0.6, real images 0.9, N = 20)"
    assert in_words("Suspected copies", {"value": 0.05}) == "Suspected copies 5.0 %"


def test_the_lowest_class() -> None:
    assert lowest_class(SCORES["metrics"]["clipped_coverage"]) == ("NORMAL", 0.31)
    assert lowest_class({"per_class": {"a": {"value": 1}}}) is None and lowest_class({}) is None


def test_what_is_found_and_what_is_not(tmp_path: Path) -> None:
    facts = known(tmp_path)
    found = facts.score("kid", "fid")
    assert found is not None and found[0] == "FID" and facts.minutes == 1.5 and facts.images_seen == 1000
    nothing = unknown(tmp_path)
    assert (nothing.score("fid"), nothing.minutes, nothing.images_seen, nothing.metrics) == (None, None, None, {})


def test_a_run_is_read(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "a")
    run.write_config(Config())
    write_yaml(run.classify / "summary.yaml", {"conclusion": "helps"})
    assert gather(run).studies == {"classify": {"conclusion": "helps"}}
    run.losses_file.write_text("epoch\nnone\n")
    with pytest.raises(XrganError, match="damaged"):
        gather(run)


def test_a_cell_breaks_no_table() -> None:
    assert table(["a", "b"], [["x|y", "two\nlines"]]).splitlines()[-1] == "| x\\|y | two lines |"
