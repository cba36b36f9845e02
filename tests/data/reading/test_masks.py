"""Masks and boxes become one binary picture per structure."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.preparing.test_resize import image_format, of, save
from xrgan.data.reading import masks


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


def test_a_coded_picture_of_drawn_masks_has_the_sources_values() -> None:
    channels = np.array([[[255, 0]], [[0, 200]]], np.uint8)
    assert masks.code(channels, ("left lung", "heart")).tolist() == [[200, 250]]
    assert masks.code(channels, ("lungs", "heart")).tolist() == [[150, 250]]
    assert masks.code(channels[:1], ("lungs",)).tolist() == [[255, 0]]


def label_map(path: Path, *values: int, kind: str = "uint8") -> Path:
    """Thirds of a picture: the values one beside the other, background above."""
    pixels = np.zeros((30, 30), kind)
    for k, value in enumerate(values):
        pixels[10:, 30 * k // len(values) : 30 * (k + 1) // len(values)] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("values", [(1, 2, 3), (1, 2), (85, 170, 255), (100, 255)])
@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_a_label_map_asks_what_its_values_are(tmp_path: Path, values: tuple[int, ...], kind: str) -> None:
    file = label_map(tmp_path / "m.png", *values, kind=kind)
    with pytest.raises(masks.UnknownValuesError, match="--mask-values") as caught:
        masks.in_file(file)
    assert caught.value.values == values


@pytest.mark.parametrize("name", ["labelsTr/a.png", "lung masks/a.png"])
def test_a_label_map_asks_whatever_its_folder_says(tmp_path: Path, name: str) -> None:
    pixels = np.repeat(np.arange(3, dtype=np.uint8), 10)[None].repeat(20, 0)
    with pytest.raises(masks.UnknownValuesError):
        masks.in_file(save(tmp_path / name, pixels), root=tmp_path)


def test_the_sides_of_scrs_values_are_lungs_in_a_folder_of_lungs_too(tmp_path: Path) -> None:
    pixels = np.repeat(np.array([0, 150, 200], np.uint8), 10)[None].repeat(20, 0)
    file = save(tmp_path / "lung masks" / "a.png", pixels)
    assert set(masks.in_file(file, root=tmp_path)) >= {"right lung", "left lung"}


@pytest.mark.parametrize("name", ["labelsTr/a.png", "train_masks/a.png", "masks/test/a.png"])
def test_the_name_of_a_split_is_no_structure(tmp_path: Path, name: str) -> None:
    file = save(tmp_path / name, np.eye(20, dtype=np.uint8))
    assert set(masks.in_file(file, root=tmp_path)) == {masks.UNNAMED}


def test_values_that_are_named_are_structures(tmp_path: Path) -> None:
    file = label_map(tmp_path / "m.png", 1, 2, 3, kind="uint16")
    names = {1: "right lung", 2: "left lung", 3: "heart"}
    shown = masks.in_file(file, names)
    assert {structure: int(binary.sum()) for structure, binary in shown.items()} == dict.fromkeys(names.values(), 200)
    lungs = masks.read([file], "", ["lungs"], 30, 30, {1: "lungs", 2: "lungs", 3: "heart"})[0]
    assert (np.asarray(lungs) == 255).sum() == 400
    with pytest.raises(ValueError, match="has the gray value 3, which --mask-values doesn't name"):
        masks.in_file(file, {1: "right lung", 2: "left lung"})


@pytest.mark.parametrize("values", [(1,), (255,), (254, 255), (7,)])
def test_one_value_or_nearly_is_one_structure(tmp_path: Path, values: tuple[int, ...]) -> None:
    shown = masks.in_file(label_map(tmp_path / "m.png", *values))
    assert {structure: int(binary.sum()) for structure, binary in shown.items()} == {"mask": 600}


def test_soft_edges_are_no_labels(tmp_path: Path) -> None:
    file = label_map(tmp_path / "m.png", 255)
    Image.open(file).resize((47, 47), Image.Resampling.BILINEAR).save(tmp_path / "soft.png")
    Image.open(file).save(tmp_path / "noisy.jpg", quality=60)
    for name in ("soft.png", "noisy.jpg"):
        assert masks.in_file(tmp_path / name).keys() == {"mask"}


@pytest.mark.parametrize(
    ("name", "structure"),
    [
        ("leftMask/a.png", "left lung"),
        ("lung masks/a.png", "lungs"),
        ("infection masks/a.png", "infection"),
        ("masks/heart/a.png", "heart"),
        ("a_right_mask.png", "right lung"),
        ("masks/a.png", "mask"),
        ("labels/a.png", "mask"),
    ],
)
def test_folders_and_ends_of_names_say_what_a_mask_shows(tmp_path: Path, name: str, structure: str) -> None:
    root = tmp_path / "heart masks"  # what stands above the source says nothing
    assert masks.in_file(label_map(root / name, 255), root=root).keys() == {structure}


def test_boxes_of_larger_pictures_are_scaled_or_refused() -> None:
    scaled = masks.read([], "512 256 256 512", ["opacity"], 64, 64, box_frame=1024)[0]
    inside = np.argwhere(np.asarray(scaled) == 255)
    assert (inside.min(axis=0).tolist(), inside.max(axis=0).tolist()) == ([16, 32], [47, 47])
    with pytest.raises(ValueError, match="lies outside of its 64×64 pixels"):
        masks.read([], "512 256 256 512", ["opacity"], 64, 64)
