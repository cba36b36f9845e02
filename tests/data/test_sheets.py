"""Contact sheets: captioned bands of images, and their masks in colour beside them."""

import numpy as np

from xrgan.data.images import GAP
from xrgan.data.sheets import (
    CAPTION_HEIGHT,
    COLOUR_NAMES,
    COLOURS,
    LINE_HEIGHT,
    TINT,
    WIDEST,
    legend_of,
    sheet,
    shown,
    tinted,
    with_caption,
)


def test_a_mask_is_tinted_in_its_colour_and_the_rest_stays_gray() -> None:
    images = np.full((1, 3, 2, 2), 100, np.uint8)
    images[0, 1:] = 0
    images[0, 1, 0, 0] = images[0, 2, 1, 1] = 255
    rgb = tinted(images, channels=1)[0]
    for (y, x), colour in (((0, 0), COLOURS[0]), ((1, 1), COLOURS[1])):
        assert rgb[:, y, x].tolist() == np.rint(100 * (1 - TINT) + np.array(colour) * TINT).tolist()
    assert rgb[:, 0, 1].tolist() == [100, 100, 100]


def test_masks_stand_beside_their_image() -> None:
    images = np.random.default_rng(0).integers(1, 256, (3, 2, 8, 8), dtype=np.uint8)
    cells = shown(images, channels=1)
    assert cells.shape == (3, 3, 8, 16)
    assert np.array_equal(cells[:, 0, :, :8], images[:, 0])
    assert shown(images[:, :1], channels=1).shape == (3, 1, 8, 8)


def test_a_sheet_has_a_captioned_band_per_class_as_wide_as_the_widest() -> None:
    many, one = np.full((5, 1, 8, 8), 200, np.uint8), np.full((1, 1, 8, 8), 200, np.uint8)
    drawn = sheet([("many", many), ("one", one)], channels=1, columns=3)
    heights = [2 * (8 + GAP) + GAP + CAPTION_HEIGHT, 8 + 2 * GAP + CAPTION_HEIGHT]
    assert drawn.shape == (1, sum(heights), 3 * (8 + GAP) + GAP)
    assert (drawn[0, :CAPTION_HEIGHT] == 255).any(), "the caption is written"


def test_a_caption_stands_on_a_margin_and_not_on_pixels() -> None:
    image = np.full((1, 30, 200), 90, np.uint8)
    drawn = with_caption(image, "Synthetic X-rays, nobody's: ten of them, of a run with a long name")
    assert np.array_equal(drawn[:, :30], image) and drawn.shape[0] == 1 and drawn.shape[2] == 200
    assert drawn.shape[1] > 30 + 2 * LINE_HEIGHT and (drawn[:, 30:] == 255).any(), "two lines or more are written"


def test_a_grid_of_large_images_fits_on_a_screen() -> None:
    drawn = with_caption(np.full((3, 258, 2066), 90, np.uint8), "Synthetic")
    assert drawn.shape[2] == WIDEST and drawn.shape[1] == round(258 * WIDEST / 2066) + LINE_HEIGHT + 6


def test_the_colours_of_masks_are_named() -> None:
    assert legend_of(["lungs", "heart"]) == "lungs blue, heart red"
    assert len(COLOUR_NAMES) == len(COLOURS)
