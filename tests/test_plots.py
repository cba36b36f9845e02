"""Pictures of numbers."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from xrgan.plots import REAL, SYNTHETIC, drawn_figure, new_figure, save_figure, show_image


def test_a_figure_has_its_size_in_pixels_and_is_white(tmp_path: Path) -> None:
    save_figure(new_figure(3, 2, dpi=50), tmp_path / "new/f.png")
    pixels = np.asarray(Image.open(tmp_path / "new/f.png").convert("RGB"))
    assert pixels.shape == (100, 150, 3) and (pixels == 255).all()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["f.png"]


def test_a_drawing_that_fails_leaves_the_old_picture(tmp_path: Path) -> None:
    path = tmp_path / "f.png"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), drawn_figure(path, 3, 2, dpi=50, font_size=9):
        raise ZeroDivisionError
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_the_size_of_the_words_is_the_figures_own(tmp_path: Path) -> None:
    before, dark = matplotlib.rcParams["font.size"], []
    for size in (5, 20):
        with drawn_figure(tmp_path / "f.png", 4, 2, dpi=100, font_size=size) as figure:
            figure.supxlabel("words")
        dark.append(int((np.asarray(Image.open(tmp_path / "f.png").convert("L")) < 128).sum()))
    assert dark[1] > 4 * dark[0] > 0
    assert matplotlib.rcParams["font.size"] == before


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_shown_in_its_own_gray_levels(tmp_path: Path, channels: int) -> None:
    image = np.full((channels, 8, 8), 100, np.uint8)  # flat: a scale of its own minimum and maximum would show it black
    with drawn_figure(tmp_path / "f.png", 2, 2, dpi=50, font_size=9) as figure:
        show_image(figure.subplots(), image)
    pixels = np.asarray(Image.open(tmp_path / "f.png").convert("RGB"))
    assert (pixels[40:60, 40:60] == 100).all()
    assert set(np.unique(pixels[:, 50])) <= {100, *range(100, 256)}, "no ticks and no frame"


def test_real_and_synthetic_have_colours_of_their_own() -> None:
    assert REAL != SYNTHETIC
