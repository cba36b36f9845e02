"""KID's interval, by simulation: it holds the truth as often as it says, with several images per patient, too."""

import numpy as np
import pytest

from xrgan.evaluation.intervals import Interval, kid_interval

SCALE = np.linspace(1.5, 0.1, 8)  # a few directions matter most, as in features of networks


def draw(
    rng: np.random.Generator, patients: int, images: int = 1, alike: float = 0.0, shift: float = 0.0
) -> np.ndarray:
    """Features of so many images of each patient, whose variance they have in common to the share `alike`."""
    of_patient, of_image = rng.normal(size=(patients, 1, 8)), rng.normal(size=(patients, images, 8))
    mixed = np.sqrt(alike) * of_patient + np.sqrt(1 - alike) * of_image
    features: np.ndarray = mixed.reshape(-1, 8) * SCALE + shift
    return features


def interval(a: np.ndarray, b: np.ndarray, of_a: np.ndarray | None = None) -> Interval:
    """With the kernel (x · y)² / D² + x · y / D, whose truth is known: it compares the second moments and the means."""
    products = [first @ second.T / 8 for first, second in ((a, a), (b, b), (a, b))]
    return kid_interval(*(of + of**2 for of in products), of_a, None)


def truth(shift: float) -> float:
    means = np.full(8, shift)
    return float((means**2).sum() / 8 + (np.outer(means, means) ** 2).sum() / 64)


@pytest.mark.slow
@pytest.mark.parametrize(("patients", "images", "shift"), [(40, 1, 0), (40, 1, 0.2), (25, 4, 0), (25, 4, 0.4)])
def test_it_holds_the_truth_as_often_as_it_says(patients: int, images: int, shift: float) -> None:
    """300 sets; tests/benchmarks/kid_intervals.py asks more often, with KID's own kernel."""
    of_real = np.repeat(np.arange(patients), images)
    minded, unminded = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        real, synthetic = draw(rng, patients, images, 0.8), draw(rng, patients * images, shift=shift)
        for held, units in ((minded, of_real), (unminded, None)):
            found = interval(real, synthetic, units)
            held.append(found.low <= truth(shift) <= found.high)
    assert 0.92 <= np.mean(minded) <= 0.98
    assert images == 1 or np.mean(unminded) < 0.9, "images of one patient are not so many patients"


def test_patients_in_any_order_and_with_one_image_each_change_nothing() -> None:
    rng = np.random.default_rng(0)
    a, b, of_a = draw(rng, 10, 3, 0.5), draw(rng, 20, shift=0.3), np.repeat(np.arange(10), 3)
    order = rng.permutation(30)
    ordered, mixed = interval(a, b, of_a), interval(a[order], b, of_a[order])
    assert ordered.low == pytest.approx(mixed.low) and ordered.high == pytest.approx(mixed.high)
    assert interval(b, a, rng.permutation(20)).low == pytest.approx(interval(b, a).low)


def test_one_patient_tells_nothing_of_others_and_equal_images_nothing_at_all() -> None:
    a, b = draw(np.random.default_rng(0), 1, 5), draw(np.random.default_rng(1), 5)
    assert interval(a, b, np.zeros(5, np.int64)).standard_error == 0
    assert interval(np.ones((5, 8)), np.ones((5, 8))) == Interval(0, 0, 0)
