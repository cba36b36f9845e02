"""Masks and boxes follow their image through every fit, and CLAHE brings out what is faint."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from xrgan.data.phantom import draw
from xrgan.data.preparing.mask_channels import choose_mask_channels
from xrgan.data.preparing.resize import ImageFormat, read_masks, read_resized
from xrgan.data.reading import masks
from xrgan.errors import XrganError


def image_format(
    size: int = 32, fit: str = "pad", clahe: bool = False, structures: tuple[str, ...] = ("lungs",)
) -> ImageFormat:
    return ImageFormat(size, fit, 1, "minmax", clahe, structures)


def save(path: Path, pixels: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def coded(tmp_path: Path) -> Path:
    """A phantom's mask: 150 right lung, 200 left lung, 250 heart."""
    return save(tmp_path / "coded.png", draw(1, 1, "NORMAL", 64).mask)


def of(files: list[Path], wanted: ImageFormat, width: int = 64, height: int = 64, boxes: str = "") -> NDArray[np.uint8]:
    return read_masks(files, boxes, wanted, width, height)


def test_a_coded_mask_gives_each_structure_its_channel(coded: Path) -> None:
    mask = np.asarray(Image.open(coded))
    names = ("right lung", "left lung", "heart", "lungs")
    right, left, heart, lungs = of([coded], image_format(64, structures=names))
    for channel, value in ((right, 150), (left, 200), (heart, 250)):
        assert np.array_equal(channel == 255, mask == value)
    assert np.array_equal(lungs, right | left)
    assert set(np.unique(lungs)) == {0, 255}


def test_a_file_a_structure_is_told_by_its_folder(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64), np.uint8)
    pixels[10:30, 5:25] = 1  # SCR's are 0 and 255, others 0 and 1
    right = save(tmp_path / "masks" / "right lung" / "a.gif", pixels)
    left = save(tmp_path / "masks" / "Left_Lung" / "a.gif", pixels[:, ::-1])
    lungs, left_only = of([right, left], image_format(64, structures=("lungs", "left lung")))
    assert np.array_equal(left_only == 255, pixels[:, ::-1] == 1)
    assert np.array_equal(lungs == 255, (pixels | pixels[:, ::-1]) == 1)


def test_a_binary_mask_is_what_it_is_asked_as(tmp_path: Path) -> None:
    pixels = np.zeros((40, 40), np.uint8)
    pixels[5:20, 5:20] = 255
    file = save(tmp_path / "m.png", pixels)
    assert np.array_equal(of([file], image_format(40, structures=("tumour",)))[0], pixels)


def test_an_empty_mask_is_an_answer(tmp_path: Path) -> None:
    file = save(tmp_path / "m.png", np.zeros((40, 40), np.uint8))
    assert of([file], image_format(structures=("lungs",))).sum() == 0
    assert of([file], image_format(structures=("tumour",))).sum() == 0


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize(("width", "height"), [(90, 60), (60, 90), (64, 64)])
def test_a_mask_stays_upon_its_image(tmp_path: Path, fit: str, width: int, height: int) -> None:
    """A bright disc as image, the same disc as mask, at another scale: after any fit they cover one another."""
    y, x = np.mgrid[:height, :width]
    disc = ((x - 0.45 * width) ** 2 + (y - 0.55 * height) ** 2 < (0.3 * min(width, height)) ** 2) * np.uint8(255)
    image = save(tmp_path / "image.png", disc)
    mask = save(tmp_path / "mask.png", np.asarray(Image.fromarray(disc).resize((width * 2 // 3, height * 2 // 3), 0)))
    wanted = image_format(48, fit)
    pixels, picture = read_resized(image, wanted)
    shown = of([mask], wanted, picture.width, picture.height)[0]
    bright = pixels[0] > 127
    assert bright.sum() > 100
    assert ((shown == 255) != bright).sum() <= 0.1 * bright.sum()


def test_a_mask_of_another_aspect_was_squashed(tmp_path: Path) -> None:
    pixels = np.zeros((100, 200), np.uint8)
    pixels[20:60, 40:160] = 255
    straight = save(tmp_path / "a.png", pixels)
    squashed = save(tmp_path / "b.png", np.asarray(Image.fromarray(pixels).resize((64, 64), 0)))
    one, other = (of([file], image_format(50), 200, 100)[0] for file in (straight, squashed))
    assert (one != other).mean() < 0.05


def test_boxes_are_drawn_in_the_images_own_pixels() -> None:
    wanted = image_format(64, structures=("opacity",))
    mask = of([], wanted, 1024, 1024, "256 512 128 256;0 0 64.5 64")[0]
    assert (mask[32:48, 16:24] == 255).all()
    assert (mask[:4, :4] == 255).all()
    assert (mask == 255).sum() == 16 * 8 + 16
    assert of([], wanted, 1024, 1024, "none").sum() == 0


@pytest.mark.parametrize(
    ("structures", "reason"),
    [(("lungs",), "has no mask"), (("opacity",), "has no mask"), (("heart", "lungs"), "has no mask")],
)
def test_an_image_without_a_mask_is_a_reason(structures: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        of([], image_format(structures=structures))


def test_a_structure_that_the_mask_does_not_show_is_a_reason(tmp_path: Path) -> None:
    file = save(tmp_path / "masks" / "heart" / "a.png", np.full((9, 9), 255, np.uint8))
    with pytest.raises(ValueError, match="has no mask of lungs"):
        of([file], image_format(structures=("heart", "lungs")))


# --- which structures become channels


def table(cells: list[str], boxes: str = "") -> pd.DataFrame:
    return pd.DataFrame({"mask": cells, "boxes": [boxes] * len(cells)})


def test_auto_takes_lungs_and_heart_and_sides_only_if_asked(coded: Path) -> None:
    rows = table([coded.name])
    assert choose_mask_channels("auto", rows, coded.parent, ()) == ("lungs", "heart")
    assert choose_mask_channels("lungs", rows, coded.parent, ()) == ("lungs",)
    sides = ("right lung", "left lung", "heart")
    assert choose_mask_channels("right_lung, left-lung,heart", rows, coded.parent, ()) == sides
    assert choose_mask_channels("none", rows, coded.parent, ()) == ()


def test_a_binary_mask_is_named_after_the_source_or_the_wish(tmp_path: Path) -> None:
    save(tmp_path / "m.png", np.eye(20, dtype=np.uint8) * 255)
    rows = table(["m.png"])
    assert choose_mask_channels("auto", rows, tmp_path, ("lungs",)) == ("lungs",)
    assert choose_mask_channels("auto", rows, tmp_path, ()) == ("mask",)
    assert choose_mask_channels("tumour", rows, tmp_path, ()) == ("tumour",)


def test_boxes_are_packed_if_asked_only(tmp_path: Path) -> None:
    rows = table(["", ""], "none")
    assert choose_mask_channels("auto", rows, tmp_path, ("opacity",)) == ()
    assert choose_mask_channels("opacity", rows, tmp_path, ("opacity",)) == ("opacity",)


def test_few_masks_are_packed_if_asked_only(coded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = table([coded.name, "", ""])
    assert choose_mask_channels("auto", rows, coded.parent, ()) == ()
    assert "1 of 3 images have one; --masks lungs,heart packs those alone" in capsys.readouterr().err
    assert choose_mask_channels("lungs", rows, coded.parent, ()) == ("lungs",)


@pytest.mark.parametrize("wish", ["spine", "lungs,spine", "opacity"])
def test_a_structure_that_nothing_shows_is_told(coded: Path, wish: str) -> None:
    with pytest.raises(XrganError) as error:
        choose_mask_channels(wish, table([coded.name]), coded.parent, ())
    assert error.value.message.startswith("There is no mask of ")
    assert "There are masks of heart, left lung, lungs, right lung." in error.value.hint


def test_a_coded_picture_of_drawn_masks_has_the_sources_values() -> None:
    channels = np.array([[[255, 0]], [[0, 200]]], np.uint8)
    assert masks.code(channels, ("left lung", "heart")).tolist() == [[200, 250]]
    assert masks.code(channels, ("lungs", "heart")).tolist() == [[150, 250]]
    assert masks.code(channels[:1], ("lungs",)).tolist() == [[255, 0]]


# --- CLAHE


def test_clahe_spreads_faint_contrast_and_leaves_the_margins_black(tmp_path: Path) -> None:
    faint = (100 + 8 * np.random.default_rng(0).random((60, 90))).astype(np.uint8)
    file = save(tmp_path / "a.png", faint)
    plain, _ = read_resized(file, image_format(90))
    even, _ = read_resized(file, image_format(90, clahe=True))
    inside, margin = even[0, 15:75], even[0, :15]
    assert inside.std() > 5 * plain[0, 15:75].std()
    assert margin.max() == 0
