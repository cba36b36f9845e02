"""Which images are suspected copies."""

from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.chests import CHANGES, chests
from tests.evaluation.conftest import FakeNetwork
from xrgan.config import PrepareConfig
from xrgan.data.packed import open_packed
from xrgan.data.prepare import prepare
from xrgan.evaluation.extractors import inception
from xrgan.evaluation.inception_weights import WITHOUT_LOGITS
from xrgan.evaluation.memorisation import copies


@pytest.fixture(scope="module")
def detector() -> copies.CopyDetector:
    return copies.fit(chests(150, 0), chests(40, 1))


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_planted_copies_are_suspects_and_genuine_images_are_not(detector: copies.CopyDetector, change: str) -> None:
    planted = CHANGES[change](chests(150, 0)[40:48], np.random.default_rng(2))
    judged = copies.judge(detector, np.concatenate([planted, chests(16, 3)]))
    assert judged.suspects[:8].all()
    assert judged.suspects[8:].mean() < 0.2
    assert (judged.neighbours[copies.PIXELS].index[:8] == np.arange(40, 48)).all()


def test_the_thresholds_let_no_more_genuine_images_through_than_they_promise() -> None:
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(200):
        known = {"one": rng.random(800), "other": rng.random(800)}
        limits = copies.thresholds(known)
        fresh = {name: rng.random(2000) for name in known}
        shares.append(np.any([fresh[name] <= limits[name] for name in known], axis=0).mean())
    assert 0.5 * copies.FALSE_ALARMS < np.mean(shares) <= 1.2 * copies.FALSE_ALARMS


def test_few_images_set_a_threshold_below_the_nearest_of_them() -> None:
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(300):
        known = {"one": rng.normal(0.75, 0.08, 60), "other": rng.normal(0.7, 0.08, 60)}
        limits = copies.thresholds(known)
        assert all(limits[name] <= known[name].min() for name in known)
        fresh = {"one": rng.normal(0.75, 0.08, 2000), "other": rng.normal(0.7, 0.08, 2000)}
        shares.append(np.any([fresh[name] <= limits[name] for name in known], axis=0).mean())
    assert np.mean(shares) <= 1.2 * copies.FALSE_ALARMS
    assert copies.thresholds({"one": np.array([0.9, 0.5, 0.7])}) == {"one": copies.LEAKED}
    assert copies.thresholds({"one": np.array([0.2, 0.1])}) == {"one": 0.1}


def test_false_alarms_are_counted_on_images_that_set_no_threshold(detector: copies.CopyDetector) -> None:
    assert detector.false_alarms is not None and detector.false_alarms < 0.2
    alone = copies.fit(chests(20, 0), chests(1, 1))
    assert alone.false_alarms is None
    assert copies.judge(alone, chests(20, 0)[:3]).suspects.all()


@pytest.mark.slow
def test_held_out_images_that_are_training_images_set_no_threshold() -> None:
    training, genuine = chests(100, 0), chests(20, 1)
    detector = copies.fit(training, np.concatenate([genuine, training[:3], training[7:9] // 2 + 60]))
    assert list(np.flatnonzero(detector.leaked)) == list(range(20, 25))
    assert detector.thresholds == pytest.approx(copies.fit(training, genuine).thresholds)
    same = copies.fit(training, training[:10])
    assert same.leaked.all() and same.false_alarms is None
    assert copies.judge(same, training[50:60]).suspects.all()
    assert not copies.judge(same, genuine[:10]).suspects.any()


@pytest.mark.slow
def test_features_find_what_pixels_do_not() -> None:
    """Features that don't change when an image is turned upside down."""
    training, held_out = chests(100, 0), chests(30, 1)

    def features(images: np.ndarray) -> np.ndarray:
        small = images[:, 0, 8:24, 8:24].astype(np.float32)
        return (small + small[:, ::-1, ::-1]).reshape(len(images), -1)

    turned = training[:10, :, ::-1, ::-1]
    assert copies.judge(copies.fit(training, held_out), turned).suspects.mean() < 0.3
    detector = copies.fit(training, held_out, features(training), features(held_out))
    judged = copies.judge(detector, turned, features(turned))
    assert judged.suspects.all()
    assert list(judged.neighbours[copies.FEATURES].index) == list(range(10))
    with pytest.raises(ValueError, match="features"):
        copies.judge(detector, turned)


@pytest.mark.slow
@pytest.mark.parametrize("features", [np.zeros((2, 4)), np.full((2, 4), np.nan), np.eye(2, 4)])
def test_two_images_of_each_and_any_features_will_do(features: np.ndarray) -> None:
    training, flat = chests(2, 0), np.zeros((2, 1, 32, 32), np.uint8)
    for held_out in (chests(2, 1), training, flat):
        for images in (chests(2, 2), training, flat):
            detector = copies.fit(training, held_out, features, features)
            assert copies.judge(detector, images, features).suspects.shape == (2,)


@pytest.mark.slow
@pytest.mark.parametrize("with_features", [False, True])
def test_drawn_images_are_judged_silently(
    with_features: bool, fake_network: FakeNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    extractor = inception(Path(WITHOUT_LOGITS.name), "cpu") if with_features else None
    training = chests(100, 0)
    genuine = copies.copy_filter(training, chests(30, 1), extractor)
    capsys.readouterr()
    images = np.concatenate([training[:4], chests(16, 5)])
    accepted = genuine(images)
    assert accepted.dtype == bool and not accepted[:4].any() and accepted[4:].mean() > 0.8
    assert list(genuine(images)) == list(accepted)
    assert capsys.readouterr().err == ""


@pytest.mark.real
def test_copies_of_real_x_rays_are_found(tmp_path: Path, real_data: Path) -> None:
    wish = PrepareConfig(limit=600, workers=1)
    dataset = open_packed(prepare(real_data / "kermany_224", tmp_path / "prepared", wish))
    training, held_out = (dataset.xrays(dataset.of_split(*splits)) for splits in (("train",), ("val", "test")))
    detector = copies.fit(training, held_out)
    assert detector.false_alarms is not None and detector.false_alarms <= 0.02
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(training), (2, 10), replace=False)
    moved = {"mirrored": lambda images, _: images[..., ::-1], "inverted": lambda images, _: 255 - images}
    for name, change in (CHANGES | moved).items():
        copied = change(training[chosen[0]], rng)
        if name == "blended":
            copied = (0.7 * training[chosen[0]] + 0.3 * training[chosen[1]]).astype(np.uint8)
        assert copies.judge(detector, copied).suspects.mean() >= 0.9, name
