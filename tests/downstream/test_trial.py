"""What a training gave, as it is stored and listed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.downstream.blobs import HISTORY
from xrgan.downstream.results_cache import load, store
from xrgan.downstream.trial import Epoch, History, Trial, TrialKey, by_arm

VALIDATION = ["auroc", "balanced_accuracy"]
RNG = np.random.default_rng(1)
TRIAL = Trial(TrialKey("synthetic→real", 0.05, 4, 2), 31, 17, HISTORY, RNG.random((7, 3)), RNG.random((0, 3)), 1.25)


def test_a_training_comes_back_bit_for_bit(tmp_path: Path) -> None:
    store(tmp_path, "abc", TRIAL.to_dict(), TRIAL.arrays())
    found = load(tmp_path, "abc")
    assert found
    again = Trial.from_cache(found, VALIDATION)
    assert (again.key, again.n_real, again.n_synthetic, again.history, again.seconds) == (
        TRIAL.key,
        31,
        17,
        HISTORY,
        1.25,
    )
    assert isinstance(again.key, TrialKey) and isinstance(again.history.kept, Epoch)
    assert np.array_equal(again.on_test, TRIAL.on_test) and again.on_fold.shape == (0, 3)


def test_one_of_xrgan_1_is_read_though_its_figures_stand_in_another_order(tmp_path: Path) -> None:
    epoch = {"loss": 0.7, "balanced_accuracy": 0.5, "auroc": 0.6}
    old = {
        "place": ["real", 1.0, 0, 1],
        "n_real": 3,
        "n_synthetic": 0,
        "history": {"epochs": [epoch], "best": 0, "steps": 2},
        "seconds": 0.5,
    }
    store(tmp_path, "abc", old, TRIAL.arrays())
    found = load(tmp_path, "abc")
    assert found
    kept = Trial.from_cache(found, VALIDATION).history.kept
    assert (kept.score, kept.rank) == (0.6, (0.6, 0.5))
    with pytest.raises(KeyError):
        Trial.from_cache(found, ["dice"])


@pytest.mark.parametrize(
    "change",
    [
        {"place": ["real", 1.0, 0]},
        {"place": "real"},
        {"n_real": "many"},
        {"seconds": None},
        {"history": 3},
        {"history": {"epochs": [], "best": 0, "steps": 1}},
        {"history": {"epochs": [{"loss": 1.0, "auroc": 0.5, "balanced_accuracy": 0.5}], "best": 1, "steps": 1}},
        {"history": {"epochs": [{"loss": "low", "auroc": 0.5, "balanced_accuracy": 0.5}], "best": 0, "steps": 1}},
    ],
)
def test_a_stored_training_of_other_types_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    store(tmp_path, "abc", TRIAL.to_dict() | change, TRIAL.arrays())
    found = load(tmp_path, "abc")
    assert found
    with pytest.raises(ValueError):
        Trial.from_cache(found, VALIDATION)


def test_answers_are_to_so_many_images_and_classes() -> None:
    assert TRIAL.answers_to((7, 0), 3)
    for images, classes in (((6, 0), 3), ((7, 1), 3), ((7, 0), 2)):
        assert not TRIAL.answers_to(images, classes)
    for shape in ((), (7,), (7, 3, 1), (0, 3)):
        assert not replace(TRIAL, on_test=np.zeros(shape)).answers_to((7, 0), 3)


def test_the_later_of_two_trainings_decides_which_weights_were_kept() -> None:
    later = History((Epoch(0.4, {"auroc": 0.7}), Epoch(0.3, {"auroc": 0.6})), best=0, steps=5)
    both = HISTORY.followed_by(later)
    assert (len(both.epochs), both.best, both.steps) == (4, 2, 13) and both.kept == later.kept


def test_trainings_of_an_arm_and_fraction_stand_together_in_their_order() -> None:
    keys = [TrialKey(arm, fraction, 0, seed) for seed in (1, 2) for fraction in (0.1, 1.0) for arm in ("real", "b")]
    grouped = by_arm([replace(TRIAL, key=key) for key in keys])
    assert list(grouped) == [("real", 0.1), ("b", 0.1), ("real", 1.0), ("b", 1.0)]
    assert [one.key.seed for one in grouped["b", 0.1]] == [1, 2]


def test_a_row_counts_epochs_from_one() -> None:
    row = TRIAL.row()
    assert list(row) == ["arm", "fraction", "fold", "seed", "n_real", "n_synthetic", "steps", "best_epoch"]
    assert (row["arm"], row["best_epoch"]) == ("synthetic→real", 2)
