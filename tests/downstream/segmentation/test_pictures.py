from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from xrgan.data.sheets import COLOURS
from xrgan.downstream.segmentation.pictures import CELL, save_overlays

SIZE = 32


def picture(path: Path, images: int = 2, channels: int = 1, structures: int = 2) -> np.ndarray:
    """Black X-rays; the first structure truly lies at the top, and is predicted at the bottom. RGB (H, W, 3)."""
    true = np.zeros((images, structures, SIZE, SIZE), bool)
    predicted = true.copy()
    true[:, 0, :16], predicted[:, 0, 16:] = True, True
    xrays = np.zeros((images, channels, SIZE, SIZE), np.uint8)
    names = ["lungs", "heart", "opacity"][:structures]
    save_overlays(
        path, xrays, true, {"predicted": predicted}, names, [f"JPCLN{k:03d}\nDice 0.97" for k in range(images)]
    )
    return np.asarray(Image.open(path).convert("RGB"))


def coloured(pixels: np.ndarray) -> np.ndarray:
    """Where the colour of the first structure is laid over black: bool (H, W)."""
    return (np.abs(pixels - 0.35 * np.array(COLOURS[0])) < 2).all(axis=2)


@pytest.mark.parametrize("channels", [1, 3])
def test_true_masks_stand_in_the_middle_and_predicted_ones_on_the_right(tmp_path: Path, channels: int) -> None:
    pixels = picture(tmp_path / "overlays.png", images=1, channels=channels)
    rows, columns = np.nonzero(coloured(pixels))
    blocks = np.split(np.unique(columns), np.flatnonzero(np.diff(np.unique(columns)) > 1) + 1)
    assert len(blocks) == 2 and len(blocks[0]) == pytest.approx(len(blocks[1]), abs=2)
    assert blocks[0].min() > pixels.shape[1] / 3  # nothing is laid over the X-ray itself
    on_truth = np.isin(columns, blocks[0])
    assert rows[on_truth].max() <= rows[~on_truth].min() + 1  # top half, bottom half


@pytest.mark.slow
def test_a_row_for_each_image_but_no_endless_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xrgan.downstream.segmentation.pictures.MOST_ROWS", 3)
    one, two, many = (picture(tmp_path / "overlays.png", images=n) for n in (1, 2, 5))
    row = CELL * 120
    assert two.shape[0] - one.shape[0] == pytest.approx(row, abs=2)
    assert many.shape[0] - one.shape[0] == pytest.approx(2 * row, abs=2)


def test_the_legend_names_each_structure_in_its_colour(tmp_path: Path) -> None:
    pixels = picture(tmp_path / "overlays.png", structures=2)
    bottom = pixels[-60:]
    for colour in COLOURS[:2]:
        assert (np.abs(bottom.astype(int) - colour) < 3).all(axis=2).sum() > 50
    assert not (np.abs(bottom.astype(int) - COLOURS[2]) < 3).all(axis=2).any()


def test_titles_and_masks_must_fit_the_images(tmp_path: Path) -> None:
    masks = np.zeros((2, 1, SIZE, SIZE), bool)
    xrays = np.zeros((2, 1, SIZE, SIZE), np.uint8)
    with pytest.raises(AssertionError):
        save_overlays(tmp_path / "overlays.png", xrays, masks, {"predicted": masks}, ["lungs"], ["only one"])
    assert list(tmp_path.iterdir()) == []
