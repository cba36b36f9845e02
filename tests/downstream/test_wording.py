"""Figures as they stand in sentences and tables."""

import math

import pytest

from xrgan.downstream.wording import (
    between,
    known,
    mean_of,
    number,
    p_value,
    pair,
    setting_of,
    share,
    signed,
    with_holm,
)


def test_differences_have_a_sign_and_nothing_has_none_of_its_own() -> None:
    assert [signed(value) for value in (0.1234, -0.1234, -0.0001, None)] == ["+0.123", "−0.123", "+0.000", "–"]
    assert (number(0.5), number(None)) == ("0.500", "–")
    assert between([0.1, None]) == "0.100 … –" and between([-0.1, 0.2], signed) == "−0.100 … +0.200"


def test_small_probabilities_are_bounded() -> None:
    assert [p_value(p) for p in (0.04567, 0.0009, None)] == ["0.046", "< 0.001", "–"]
    assert with_holm(0.012, 0.024) == "p = 0.012, with Holm 0.024"
    assert with_holm(1e-5, math.nan) == "p < 0.001, with Holm –"


def test_what_is_no_number_is_null() -> None:
    assert known(math.nan) is None and known(math.inf) is None and known(1) == 1.0
    assert pair([0.5, math.nan]) == [0.5, None]


@pytest.mark.parametrize(("values", "mean"), [([20, 20], 20), ([20, 21], 20.5), ([1, 1, 2], 1.3)])
def test_a_mean_of_counts_is_whole_where_it_can_be(values: list[int], mean: float) -> None:
    assert mean_of(values) == mean and isinstance(mean_of(values), type(mean))


def test_settings_in_words() -> None:
    assert share(0.05) == "5 %" and share(1) == "100 %"
    assert setting_of({"k_folds": 5, "seeds": 1}) == "5 folds by patient, 1 training each"
    assert setting_of({"k_folds": 0, "seeds": 3}) == "the dataset's own split, 3 trainings each"
