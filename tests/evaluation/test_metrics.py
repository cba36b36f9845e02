import io
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

from xrgan.evaluation.extractors import inception
from xrgan.evaluation.features import extract
from xrgan.evaluation.metrics import diversity, fid, inception_score, kid

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=(60, 3))


def _with_moments(mean: list[float], std: list[float]) -> np.ndarray:
    """Features (60, 3) of exactly this sample mean and diagonal sample covariance."""
    white = NOISE - NOISE.mean(axis=0)
    white = white @ np.linalg.inv(np.linalg.cholesky(np.cov(white, rowvar=False))).T
    return white * std + mean


def test_fid_is_the_formula_of_two_gaussians() -> None:
    a, b = _with_moments([0, 0, 0], [1, 2, 3]), _with_moments([1, 0, -2], [2, 2, 1])
    # |Δmean|² + Σ (σ_a − σ_b)² where both covariances are diagonal
    assert fid(a, b) == pytest.approx(5 + 1 + 0 + 4, rel=1e-6)
    assert fid(a, b) == pytest.approx(fid(b, a))


def test_fid_of_one_set_with_itself_is_0_even_where_n_is_small() -> None:
    features = RNG.gamma(0.5, 1, (10, 64)).astype(np.float32)
    assert 0 <= fid(features, features) < 1e-4
    assert fid(features[:2], features[:2]) < 1e-4


def test_kid_is_the_kernel_formula() -> None:
    x, y = np.array([1.0, 0, 2, 1]), np.array([0.0, 1, 1, 1])
    result = kid(np.tile(x, (8, 1)), np.tile(y, (6, 1)), seed=0)

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 4 + 1) ** 3)

    assert result.value == pytest.approx(kernel(x, x) + kernel(y, y) - 2 * kernel(x, y))
    assert result.std == pytest.approx(0, abs=1e-9)
    assert result.subset_images == 3


def test_kid_is_0_between_equal_distributions_and_repeats_with_its_seed() -> None:
    a, b, c = (RNG.normal(shift, 1, (200, 16)) for shift in (0, 0, 0.5))
    same, other = kid(a, b, seed=1), kid(a, c, seed=1)
    assert abs(same.value) < 2 * same.std < other.value
    assert kid(a, c, seed=1) == other != kid(a, c, seed=2)
    assert np.isfinite(kid(a[:2], c[:2], seed=0).value)


@pytest.mark.parametrize(("n", "m"), [(20, 20), (20, 31), (64, 50), (2, 5)])
def test_fid_of_few_images_is_torch_fidelitys(n: int, m: int) -> None:
    a, b = RNG.gamma(0.5, 1, (n, 64)), RNG.gamma(0.6, 1, (m, 64))
    first, second = (fid_features_to_statistics(torch.from_numpy(features)) for features in (a, b))
    theirs = fid_statistics_to_metric(first, second, False)[KEY_METRIC_FID]
    assert fid(a, b) == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("n", [2, 40])
def test_kid_of_all_images_is_torch_fidelitys(n: int) -> None:
    a, b = RNG.gamma(0.5, 1, (n, 64)), RNG.gamma(0.6, 1, (n, 64))
    theirs = kid_features_to_metric(torch.from_numpy(a), torch.from_numpy(b), kid_subsets=1, kid_subset_size=n)
    assert kid(a, b, seed=0).value == pytest.approx(theirs[KEY_METRIC_KID_MEAN], rel=1e-6)


def test_kid_interval_holds_the_true_distance_as_often_as_it_says() -> None:
    """With linear features the truth is known from a sample far larger than those that are judged."""
    far = 3000
    truth = kid(RNG.normal(0, 1, (far, 4)), RNG.normal(0.5, 1, (far, 4)), seed=0).value
    held, errors, values = 0, [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        a, b = rng.normal(0, 1, (80, 4)), rng.normal(0.5, 1, (80, 4))
        interval = kid(a, b, seed=1).interval
        held += interval.low <= truth <= interval.high
        errors.append(interval.standard_error)
        values.append(kid(a, b, seed=1).value)
    assert 0.86 <= held / 100 <= 0.99
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.25)


def test_kid_interval_of_two_images() -> None:
    interval = kid(RNG.normal(size=(2, 4)), RNG.normal(size=(2, 4)), seed=0).interval
    assert np.isfinite([interval.low, interval.high, interval.standard_error]).all()


def test_inception_score_is_its_formula() -> None:
    logits = np.zeros((40, 1008))
    assert inception_score(logits, seed=0).mean == pytest.approx(1)  # nothing recognised
    logits[np.arange(40), np.arange(40) % 4] = 100  # sure of four classes, equally often
    result = inception_score(logits, seed=0)
    assert result.splits == 10 and 1.5 < result.mean <= 4 + 1e-6  # a split has 4 images, seldom of all four classes
    assert inception_score(logits[:4], seed=0).splits == 4


class _InitialInception(FeatureExtractorInceptionV3):
    def load_state_dict(self, *_: object) -> None: ...


def _no_weights() -> io.BytesIO:
    file = io.BytesIO()
    torch.save({}, file)
    file.seek(0)
    return file


def test_torchmetrics_documented_examples(weights: Path) -> None:
    """FID 12.7202 at 64 features and KID 0.0337 ± 0.0023; KID's random subsets are others here.

    The example seeds, makes the metric, whose network draws initial weights, and then draws the images.
    """
    torch.manual_seed(123)
    _InitialInception("inception-v3-compat", ["64"], feature_extractor_weights_path=_no_weights())
    images = [
        torch.randint(low, high, (100, 3, 299, 299), dtype=torch.uint8).numpy() for low, high in ((0, 200), (100, 255))
    ]
    a, b = (extract(of_one, inception(weights, "cpu"), "images") for of_one in images)
    assert fid(a[64], b[64]) == pytest.approx(12.7202, abs=2e-3)
    result = kid(a[2048], b[2048], seed=0)
    assert result.subset_images == 50
    assert result.value == pytest.approx(0.0337, abs=5e-4)
    assert result.std == pytest.approx(0.0023, abs=5e-4)


def test_diversity_is_the_ratio_of_mean_distances() -> None:
    synthetic, real = np.array([[0.0], [1.0], [3.0]]), np.array([[0.0], [4.0], [8.0]])
    assert diversity(synthetic, real, 0).value == pytest.approx((1 + 2 + 3) / (4 + 4 + 8))


def test_diversity_of_equal_sets_is_1_and_of_one_image_0() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(40):
        ours = diversity(rng.normal(size=(60, 8)), rng.normal(size=(60, 8)), seed)
        held += ours.interval.low <= 1 <= ours.interval.high
    assert held >= 35
    real = rng.normal(size=(60, 8))
    assert diversity(np.repeat(real[:1], 60, axis=0), real, 0).value == pytest.approx(0, abs=1e-6)
    assert diversity(0.5 * real, real, 0).value == pytest.approx(0.5, rel=1e-5)
    assert diversity(np.concatenate([real[:30], real[:30]]), real, 0).value < 1
    assert np.isfinite(diversity(real, np.repeat(real[:1], 60, axis=0), 0).value)
