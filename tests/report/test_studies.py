from pathlib import Path

from tests.report.cases import STUDY, put_run
from xrgan.report.studies import studies


def test_a_study_has_its_verdict_first_and_its_arms(tmp_path: Path) -> None:
    run = put_run(tmp_path)
    classify, segment = studies({"classify": STUDY, "segment": STUDY}, run.path, public=False)
    assert classify.conclusion.startswith("Against real") and len(classify.columns) == len(classify.rows[0])
    assert classify.rows[0][-1] == "baseline" and classify.rows[1][-3:] == [
        "−0.010",
        "−0.050 … +0.030",
        "nothing shown",
    ]
    assert [picture.caption for picture in segment.pictures] == ["Test X-rays with true and predicted masks"]


def test_in_public_no_picture_shows_patients(tmp_path: Path) -> None:
    run = put_run(tmp_path)
    classify, segment = studies({"classify": STUDY, "segment": STUDY}, run.path, public=True)
    assert len(classify.pictures) == 1 and not segment.pictures


def test_an_arm_that_is_held_against_another_one_says_which(tmp_path: Path) -> None:
    (one,) = STUDY["comparisons"]
    study = STUDY | {"comparisons": [one | {"against": "real+classic"}]}
    (classify,) = studies({"classify": study}, put_run(tmp_path).path, public=False)
    assert classify.rows[1][-1] == "nothing shown (against real+classic)"
