from dataclasses import replace
from pathlib import Path

import pytest

from tests.cards.cases import unknown
from tests.report.cases import facts_of, put_run
from xrgan.errors import XrganError
from xrgan.report.curves import realism_and_variety, scores_over_time, training_curves


def test_the_training_is_drawn_from_losses(tmp_path: Path) -> None:
    losses, says, health = training_curves(facts_of(put_run(tmp_path)))
    assert [line.name for line in losses.lines] == ["discriminator", "generator"]
    assert says.y_ticks[0].text == "0" and says.y_ticks[-1].text == "1"
    assert health.rows[1] == ["2", "0.9", "0.1"] and health.rows[0] == ["1", "–", "–"]
    assert training_curves(unknown(tmp_path)) == []


def test_scores_over_time_are_those_of_the_last_setting_beside_their_floor(tmp_path: Path) -> None:
    run = put_run(tmp_path)
    table = run.evaluation / "over_time.csv"
    head, *lines = table.read_text().splitlines()
    other = lines[0].replace(",val,20,", ",val,10,").replace(",89,", ",5,")
    table.write_text("\n".join([head, other, *lines]) + "\n")
    fid, kid = scores_over_time(run.evaluation)
    assert fid.rows == [["160", "89", "60"], ["320", "88", "60"]] and kid.chart.title == "KID over the training"
    assert fid.lines[1].is_floor and not fid.lines[1].markers
    assert scores_over_time(tmp_path / "none") == []


@pytest.mark.parametrize("content", ["", "epoch\n1\n", "no,table\n1\n", "split,n,seed,extractor,layer\n"])
def test_a_damaged_table_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "over_time.csv").write_text(content)
    with pytest.raises(XrganError, match=r"over_time\.csv is damaged"):
        scores_over_time(tmp_path)


def test_realism_and_variety_stand_beside_real_images(tmp_path: Path) -> None:
    facts = facts_of(put_run(tmp_path))
    drawn = realism_and_variety(facts)
    assert drawn is not None
    names = [line.name for line in drawn.lines]
    assert names == ["synthetic, all", "real vs real, all", "synthetic, NORMAL", "synthetic, PNEUMONIA"]
    assert realism_and_variety(replace(facts, scores={})) is None
    old = {"precision": {"value": 0.5}, "recall": {"value": 0.4}}
    found = realism_and_variety(replace(facts, scores={"metrics": old}))
    assert found is not None and found.chart.x_label == "precision"
