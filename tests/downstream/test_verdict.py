from collections.abc import Sequence
from typing import Any

import pytest

from tests.downstream.toys import QUICK, changed, toy_dataset, toy_synthetic
from xrgan.downstream import verdict
from xrgan.downstream.classifier import Epoch, History
from xrgan.downstream.outcome import ARMS, Outcome
from xrgan.downstream.pool import gather
from xrgan.downstream.scores import METRICS


def summary_of(
    real: Sequence[float], augmented: Sequence[float], n_synthetic: int = 32, **fields: Any
) -> dict[str, Any]:
    """The summary of a study on toys whose every figure has those values, a value a fold."""
    history = History((Epoch(0.5, 0.8, 0.9),), best=0, steps=4)
    outcomes = [
        Outcome(arm, fold, 32, n_synthetic if arm == ARMS[1] else 0, history, dict.fromkeys(METRICS, value), 1.0)
        for arm, values in zip(ARMS, (real, augmented), strict=True)
        for fold, value in enumerate(values, start=1)
    ]
    dataset = changed(toy_dataset(test=400), **fields)
    config = QUICK.model_copy(update={"k_folds": len(real)})
    return verdict.summarise(dataset, gather(dataset, *toy_synthetic()), config, outcomes, seconds=9)


@pytest.mark.parametrize(
    ("augmented", "said"),
    [
        ([0.81, 0.78, 0.80], "no larger than the spread between folds: nothing shows that they help or harm"),
        ([0.82, 0.82, 0.83], "chance in drawing 400 test images can do as much: nothing shows that they help or harm"),
        ([0.90, 0.89, 0.90], "a hint that they help, no proof"),
        ([0.70, 0.71, 0.70], "a hint that they harm, no proof"),
        ([0.80, 0.80, 0.80], "nothing shows"),
    ],
)
def test_no_more_is_concluded_than_the_figures_bear(augmented: list[float], said: str) -> None:
    assert said in summary_of([0.80, 0.80, 0.80], augmented)["conclusion"]


def test_caveats_tell_how_far_chance_goes_and_what_the_generator_saw() -> None:
    caveats = summary_of([0.80, 0.80], [0.81, 0.82])["caveats"]
    assert "400 test images" in caveats[0] and "± 0.039" in caveats[0]  # 1.96 · sqrt(0.8 · 0.2 / 400)
    assert any("A generator that was trained on this dataset saw" in caveat for caveat in caveats)
    assert not any("patients have images in training and in test" in caveat for caveat in caveats)


def test_too_few_synthetic_images_and_shared_patients_are_said_first() -> None:
    patients = toy_dataset(test=400).patients.copy()
    patients[-2:] = patients[0]
    summary = summary_of([0.80, 0.80], [0.81, 0.82], n_synthetic=8, patients=patients)
    assert summary["synthetic_per_real"] == 0.25 and summary["patients_in_training_and_test"] == 1
    assert summary["caveats"][0].startswith("Only 0.25 synthetic images a real one were used, not 1")
    assert summary["caveats"][1].startswith("1 patients have images in training and in test")


def test_differences_carry_their_sign_but_nothing_has_none() -> None:
    table = verdict.rows(summary_of([0.80, 0.82], [0.70, 0.71]))
    assert table[0] == ["Accuracy", "0.810 ± 0.014", "0.705 ± 0.007", "−0.105 ± 0.007"]
    assert verdict.rows(summary_of([0.8, 0.8], [0.8 - 1e-9, 0.8 - 1e-9]))[0][3] == "+0.000 ± 0.000"
