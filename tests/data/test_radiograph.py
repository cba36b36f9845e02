"""A drawn radiograph looks like one: organs in their places, air dark, pneumonia in the lungs."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.test_phantom import PATIENTS
from xrgan.data.phantom import LABELS, MASK_VALUES, Phantom, draw


def lungs(phantom: Phantom) -> NDArray[np.bool_]:
    return np.isin(phantom.mask, [MASK_VALUES["right lung"], MASK_VALUES["left lung"]])


def test_sizes_show_the_same_picture() -> None:
    small, large = draw(4, 1, "PNEUMONIA", 64), draw(4, 1, "PNEUMONIA", 256)
    shrunk = large.image.reshape(64, 4, 64, 4).mean(axis=(1, 3))
    assert np.abs(shrunk - small.image).mean() < 3
    assert (large.mask[2::4, 2::4] == small.mask).mean() > 0.97


@pytest.mark.parametrize("patient", PATIENTS)
def test_organs_lie_where_they_belong(patient: int) -> None:
    phantom = draw(patient, 1, "NORMAL", 128)
    columns = np.arange(128)[None, :] - np.zeros((128, 1))
    centre = {organ: columns[phantom.mask == value].mean() for organ, value in MASK_VALUES.items()}
    midline = (centre["right lung"] + centre["left lung"]) / 2
    assert centre["right lung"] < midline < centre["heart"] < centre["left lung"]
    heart = columns[phantom.mask == MASK_VALUES["heart"]]
    assert (heart > midline).mean() > 0.55
    assert 0.15 < lungs(phantom).mean() < 0.5


@pytest.mark.parametrize("patient", PATIENTS)
def test_air_is_dark_and_the_heart_bright(patient: int) -> None:
    phantom = draw(patient, 1, "NORMAL", 128)
    heart = phantom.image[phantom.mask == MASK_VALUES["heart"]]
    assert phantom.image[lungs(phantom)].mean() + 40 < heart.mean()


@pytest.mark.parametrize("patient", PATIENTS)
def test_pneumonia_brightens_the_lungs_and_little_else(patient: int) -> None:
    healthy, ill = (draw(patient, 1, label, 128) for label in LABELS)
    assert np.array_equal(healthy.mask, ill.mask)
    change = ill.image.astype(float) - healthy.image
    assert change[lungs(ill)].mean() > 1
    assert np.quantile(change[lungs(ill)], 0.95) > 10
    assert np.abs(change[~lungs(ill)]).mean() < 0.5 * change[lungs(ill)].mean()
