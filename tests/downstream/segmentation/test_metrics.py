import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from xrgan.downstream.segmentation.metrics import METRICS, dice, score

pytestmark = pytest.mark.slow

Mask = NDArray[np.bool_]


def disc(radius: float, centre: tuple[float, float] = (32, 32), size: int = 64) -> Mask:
    y, x = np.mgrid[:size, :size]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2


def of(predicted: Mask, true: Mask) -> dict[str, float]:
    """The scores of one image with one structure."""
    return {name: values.item() for name, values in score(predicted[None, None], true[None, None]).items()}


def outline(mask: Mask) -> NDArray[np.int64]:
    """(P, 2): the pixels with a neighbour above, below, left or right that is not in the mask."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.argwhere(mask & ~inner)


def brute_hd95(a: Mask, b: Mask) -> float:
    """Every distance between two outlines, looked at one by one."""
    distances = np.linalg.norm(outline(a)[:, None] - outline(b)[None], axis=2)
    return float(max(np.percentile(distances.min(axis=1), 95), np.percentile(distances.min(axis=0), 95)))


shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
pairs = shapes.flatmap(lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape)))


@given(pairs)
def test_scores_are_those_of_brute_force(pair: tuple[Mask, Mask]) -> None:
    a, b = pair
    scores = of(a, b)
    union = int((a | b).sum())
    if a.any() and b.any():
        assert scores["dice"] == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
        assert scores["iou"] == pytest.approx((a & b).sum() / union)
        assert scores["hd95"] == pytest.approx(brute_hd95(a, b), rel=1e-5, abs=1e-5)
    assert scores["iou"] == pytest.approx(scores["dice"] / (2 - scores["dice"]))
    assert 0 <= scores["hd95"] <= np.hypot(*a.shape) * (1 + 1e-6)
    assert of(b, a) == pytest.approx(scores)


def test_two_discs_of_one_centre_are_the_difference_of_their_radii_apart() -> None:
    scores = of(disc(10), disc(20))
    assert scores["hd95"] == pytest.approx(10, abs=0.5)
    assert scores["dice"] == pytest.approx(2 * 100 / (100 + 400), abs=0.01)
    assert scores["iou"] == pytest.approx(100 / 400, abs=0.01)


def test_two_pixels_are_as_far_apart_as_pythagoras_says() -> None:
    a, b = np.zeros((16, 16), bool), np.zeros((16, 16), bool)
    a[2, 3], b[5, 7] = True, True
    assert of(a, b) == {"dice": 0, "iou": 0, "hd95": 5}


def test_a_speck_far_away_is_one_of_the_worst_five_percent() -> None:
    true = disc(12)
    with_speck = true.copy()
    with_speck[0, 0] = True
    assert of(with_speck, true)["hd95"] == 0  # the plain Hausdorff distance would be 33


def test_the_image_s_edge_bounds_a_mask() -> None:
    everything, inside = np.ones((10, 10), bool), np.zeros((10, 10), bool)
    inside[3:7, 3:7] = True
    assert of(everything, inside)["hd95"] == pytest.approx(brute_hd95(everything, inside))
    assert brute_hd95(everything, inside) > 3


def test_nothing_where_nothing_is_fits_perfectly() -> None:
    nothing = np.zeros((30, 40), bool)
    assert of(nothing, nothing) == {"dice": 1, "iou": 1, "hd95": 0}


@pytest.mark.parametrize("missed", [True, False])
def test_something_against_nothing_is_as_far_off_as_the_image_is_wide(missed: bool) -> None:
    nothing = np.zeros((30, 40), bool)
    something = nothing.copy()
    something[5:9, 5:9] = True
    pair = (nothing, something) if missed else (something, nothing)
    assert of(*pair) == {"dice": 0, "iou": 0, "hd95": 50}


def test_a_table_of_images_and_structures_in_their_order() -> None:
    full, nothing = disc(9), np.zeros((64, 64), bool)
    true = np.array([[full, nothing, disc(20)], [disc(5), full, full]])
    predicted = np.array([[full, nothing, disc(10)], [nothing, full, nothing]])
    scores = score(predicted, true)
    assert list(scores) == list(METRICS) and list(METRICS) == ["dice", "iou", "hd95"]
    assert all(values.shape == (2, 3) and values.dtype == np.float64 for values in scores.values())
    np.testing.assert_allclose(scores["dice"], [[1, 1, 0.4], [0, 1, 0]], atol=0.01)
    np.testing.assert_allclose(scores["hd95"], [[0, 0, 10], [90.51, 0, 90.51]], atol=0.5)
    np.testing.assert_array_equal(dice(predicted, true), scores["dice"])
