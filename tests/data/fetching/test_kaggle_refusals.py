"""What Kaggle refuses ends in a sentence that says what to do."""

import time
from pathlib import Path

import pytest

from tests.data.fake_kaggle import FakeKaggle
from tests.data.fetch_runs import (
    NETWORKLESS,
    assert_refused,
    home,
    run,
    run_alone,
)

pytestmark = pytest.mark.slow


def test_no_network(tmp_path: Path) -> None:
    begin = time.monotonic()
    done = run_alone(NETWORKLESS, tmp_path, credentials=False)
    assert time.monotonic() - begin < 8
    assert_refused(done, tmp_path, "Kaggle can't be reached", "settings/api", "--archive FILE.zip")
    assert not (tmp_path / "raw" / ".downloads").exists()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "refused the credentials"),
        (403, "Accept its terms at https://www.kaggle.com/datasets/raddar/nodules-in-chest-xrays-jsrt, signed in"),
        (404, "no dataset raddar/nodules-in-chest-xrays-jsrt"),
        (429, "again in 17 seconds"),
        (503, "error (503)"),
    ],
)
def test_refusal_is_a_sentence_with_both_ways_on(status: int, message: str, kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.status, kaggle.headers = status, {"Retry-After": "17"}
    assert_refused(run(kaggle, tmp_path), tmp_path, message, "xrgan fetch jrs --archive FILE.zip")
    assert len(kaggle.asked) == 1  # who is refused doesn't knock again


@pytest.mark.parametrize("status", [401, 403])
def test_competition_whose_rules_were_not_accepted(status: int, kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.status = status
    done = run(kaggle, tmp_path, "rsna-dicom")
    rules = (
        "Accept the competition's rules at https://www.kaggle.com/competitions/rsna-pneumonia-detection-challenge/rules"
    )
    assert_refused(done, tmp_path, rules, "xrgan fetch rsna-dicom --archive FILE.zip", name="rsna-dicom")


def test_no_credentials(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.open_to_all = False
    done = run_alone(kaggle, tmp_path, credentials=False)
    says = ("this machine has none", "https://www.kaggle.com/settings/api", "xrgan fetch jrs --archive FILE.zip")
    assert_refused(done, tmp_path, *says)


def test_spoilt_credentials(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.open_to_all = False
    (home(tmp_path) / ".kaggle").mkdir()
    (home(tmp_path) / ".kaggle" / "kaggle.json").write_text('{"username": "somebody", "key"')
    assert_refused(run_alone(kaggle, tmp_path, credentials=False), tmp_path, "https://www.kaggle.com/settings/api")
