"""Deep gray keeps its depth: whole range or percentiles."""

from typing import Any

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.phantoms import PICTURE, deep
from xrgan.data.reading.bit_depth import to_8_bits

KINDS = ["u1", "i1", "u2", "i2", ">u2", ">i2", "u4", "i4", "u8", "i8", "f4", "f8"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", ["minmax", "dicom", "p0-p100"])
def test_the_whole_range_of_any_type(kind: str, window: str) -> None:
    values = PICTURE.astype(kind) if kind not in {"i1", "u1"} else (PICTURE // 2).astype(kind)
    expected = PICTURE if kind not in {"i1", "u1"} else np.rint(PICTURE // 2 * (255 / 127))
    np.testing.assert_array_equal(to_8_bits(values, window), expected)


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_deep_gray_is_not_cut_to_its_low_byte(bits: int) -> None:
    np.testing.assert_array_equal(to_8_bits(deep(bits).astype(np.uint16), "minmax"), PICTURE)


def test_percentiles_clip_what_lies_beyond() -> None:
    ramp = np.arange(1001).reshape(7, 143)
    got = to_8_bits(ramp, "p10-p90").ravel()
    assert (got[:101] == 0).all() and (got[900:] == 255).all()
    np.testing.assert_array_equal(got[100:901], np.rint(np.arange(801) / 800 * 255))
    np.testing.assert_array_equal(to_8_bits(ramp + 0.0, "p10-p90").ravel(), got)


def test_a_spot_does_not_darken_the_rest() -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint16), (100, 1))
    ramp[0, 0] = 60000
    assert to_8_bits(ramp, "minmax")[1].max() <= 1
    np.testing.assert_allclose(to_8_bits(ramp, "p0-p99.9")[1], np.arange(256), atol=1)


def test_an_almost_empty_image_does_not_vanish() -> None:
    dots = np.zeros((50, 50), np.uint16)
    dots[25, 25] = 900
    assert to_8_bits(dots, "p1-p99")[25, 25] == 255


@pytest.mark.parametrize("value", [-3, 0, 7, 60000])
@pytest.mark.parametrize("window", ["minmax", "p1-p99"])
def test_a_constant_image_is_black(value: int, window: str) -> None:
    assert not to_8_bits(np.full((3, 4), value), window).any()


def test_padding_counts_in_no_range() -> None:
    values, valid = deep(12), np.ones(PICTURE.shape, bool)
    valid[:5] = False
    expected = to_8_bits(values[5:], "p2-p98")
    for filler in (-30000, 0, 30000):
        values[:5] = filler
        got = to_8_bits(values, "p2-p98", valid)
        assert not got[:5].any()
        np.testing.assert_array_equal(got[5:], expected)
    assert not to_8_bits(values, "minmax", np.zeros(PICTURE.shape, bool)).any()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e305])
def test_what_is_no_number_is_refused(wrong: float) -> None:
    values = PICTURE.astype(float)
    values[3, 3] = wrong
    with pytest.raises(ValueError, match="^holds NaN or infinite values$"):
        to_8_bits(values, "minmax")
    valid = np.isfinite(values) & (values < 256)
    assert to_8_bits(values, "minmax", valid)[3, 3] == 0
    np.testing.assert_array_equal(np.where(valid, to_8_bits(values, "minmax", valid), PICTURE), PICTURE)


@hypothesis.given(
    values=st.sampled_from(KINDS).flatmap(
        lambda kind: hnp.arrays(
            kind,
            hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
            elements=st.floats(-(2.0**100), 2.0**100, width=32) if "f" in kind else None,
        )
    ),
    window=st.sampled_from(["minmax", "p1-p99", "p20-p60"]),
)
@pytest.mark.slow
def test_brighter_stays_brighter(values: NDArray[Any], window: str) -> None:
    got = to_8_bits(values, window).ravel().astype(int)
    order = np.argsort(values.ravel(), kind="stable")
    assert (np.diff(got[order]) >= 0).all()
    if window == "minmax" and values.min() < values.max():
        assert got.min() == 0 and got.max() == 255
