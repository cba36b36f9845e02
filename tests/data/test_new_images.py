"""Images of no dataset come in a dataset's form, whatever they are, exactly as `prepare` would have packed them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import write_image
from tests.data import dicom_files
from xrgan.config import PrepareConfig
from xrgan.data.new_images import read_new_images
from xrgan.data.packed import open_packed
from xrgan.data.prepare import prepare
from xrgan.errors import XrganError

OPTIONS = {"size": 16, "fit": "pad", "channels": 1, "window": "dicom", "clahe": False}


def dicom(path: Path, seed: int = 0, **more: Any) -> Path:
    pixels = np.add.outer(np.arange(40), np.arange(30)) * 40 + np.random.default_rng(seed).integers(0, 99, (40, 30))
    return dicom_files.write(path, pixels, **more)


def test_one_file(tmp_path: Path) -> None:
    file = write_image(tmp_path / "a" / "x.png", 50, 30)
    names, pixels, problems, _ = read_new_images(file, OPTIONS)
    assert (names, problems) == (["x.png"], {})
    assert pixels.shape == (1, 1, 16, 16) and pixels.dtype == np.uint8


def test_a_folder_with_all_below_it_in_the_order_of_names(tmp_path: Path) -> None:
    for seed, name in enumerate(["b/2.png", "b/1.jpg", "a.tif", "B.bmp", ".hidden.png", "notes.txt"]):
        if name.endswith("txt"):
            (tmp_path / name).write_text("no image")
        else:
            write_image(tmp_path / name, seed=seed)
    names, pixels, problems, _ = read_new_images(tmp_path, OPTIONS)
    assert names == sorted(names) == ["B.bmp", "a.tif", "b/1.jpg", "b/2.png"]
    assert len(pixels) == 4 and problems == {}
    assert len({image.tobytes() for image in pixels}) == 4
    for name, image in zip(names, pixels, strict=True):
        np.testing.assert_array_equal(read_new_images(tmp_path / name, OPTIONS)[1][0], image)


def test_of_drawn_images_neither_the_sheet_nor_the_masks(tmp_path: Path) -> None:
    for name in ("synthetic_00001.png", "synthetic_00001_mask.png", "sheet.png"):
        write_image(tmp_path / name)
    assert len(read_new_images(tmp_path, OPTIONS)[0]) == 3, "of anybody's own folder, everything"
    (tmp_path / "sample.yaml").write_text("seed: 0\n")
    assert read_new_images(tmp_path, OPTIONS)[0] == ["synthetic_00001.png"]


@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_colour_depth_and_kind(tmp_path: Path, channels: int) -> None:
    write_image(tmp_path / "tall.png", 9, 200)
    write_image(tmp_path / "colour.jpg", 300, 40, mode="RGB")
    write_image(tmp_path / "palette.png", 20, 20, mode="P")
    write_image(tmp_path / "transparent.png", 20, 20, mode="RGBA")
    write_image(tmp_path / "deep.png", 20, 20, mode="I;16")
    dicom(tmp_path / "chest.dcm")
    dicom(tmp_path / "without_ending", seed=1)
    names, pixels, problems, _ = read_new_images(tmp_path, OPTIONS | {"channels": channels})
    assert problems == {} and len(names) == 7
    assert pixels.shape == (7, channels, 16, 16) and (pixels.std(axis=(1, 2, 3)) > 10).all()


@pytest.mark.parametrize(
    "options", [{}, {"fit": "crop"}, {"fit": "stretch", "clahe": True}, {"size": 24, "channels": 3, "window": "p1-p99"}]
)
def test_it_is_what_prepare_would_have_packed(tmp_path: Path, options: dict[str, Any]) -> None:
    raw = tmp_path / "raw"
    for seed in range(3):
        write_image(raw / f"{seed}.png", 40 + 9 * seed, 30, seed=seed)
        dicom(raw / f"{seed}.dcm", seed=seed, patient=f"p{seed}", bits=12)
    wish = PrepareConfig(size=16).model_copy(update=options)
    packed = open_packed(prepare(raw, tmp_path / "prepared", wish))
    renamed = pd.read_csv(tmp_path / "prepared" / ".hidden-names" / f"raw_{wish.size}.csv", index_col="name")
    files = [renamed["file"].get(name, name) for name in packed.copies_of.tolist()]
    there = dict(zip(files, packed.xrays(np.arange(6)), strict=True))
    names, pixels, problems, _ = read_new_images(raw, packed.options)
    assert sorted(names) == sorted(there) and problems == {}
    for name, image in zip(names, pixels, strict=True):
        np.testing.assert_array_equal(image, there[name])


def test_what_can_t_be_read_is_listed_with_its_reason(tmp_path: Path) -> None:
    whole = write_image(tmp_path / "a.png")
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "torn.png").write_bytes(whole.read_bytes()[:60])
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    names, pixels, problems, _ = read_new_images(tmp_path, OPTIONS)
    assert names == ["a.png"] and len(pixels) == 1
    assert problems.keys() == {"empty.png", "text.jpg", "torn.png", "link.png"}
    assert problems["empty.png"] == "empty file" and all(problems.values())


def test_where_there_is_nothing_to_read_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="There is no file or folder .*nowhere"):
        read_new_images(tmp_path / "nowhere", OPTIONS)
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(XrganError, match="There is no image in .*PNG, JPEG.*DICOM"):
        read_new_images(tmp_path, OPTIONS)
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").touch()
    with pytest.raises(XrganError, match="None of the 2 images in .* can be read; a.png: empty file"):
        read_new_images(tmp_path, OPTIONS)
    with pytest.raises(XrganError, match="can be read; a.png: empty file"):
        read_new_images(tmp_path / "a.png", OPTIONS)


def test_dicom_files_have_numbers_for_outputs(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    dicom(tmp_path / "Doe^Jane" / "1")
    dicom(tmp_path / "Roe.dcm", seed=1)
    read = read_new_images(tmp_path, OPTIONS)
    assert read.numbered == {"Doe^Jane/1": "dicom_0001.dcm", "Roe.dcm": "dicom_0002.dcm"}
    assert set(read.names) == {"a.png", *read.numbered}


def test_names_that_are_no_text_can_be_written_down(tmp_path: Path) -> None:
    """An old system wrote them in Latin-1."""
    write_image(tmp_path / "a.png").rename(tmp_path / b"M\xfcller.png".decode("utf-8", "surrogateescape"))
    (tmp_path / b"Gr\xfcn.png".decode("utf-8", "surrogateescape")).touch()
    names, _, problems, _ = read_new_images(tmp_path, OPTIONS)
    for name in (*names, *problems):
        assert name.encode(), "a CSV file takes it"
    assert names == ["Müller.png"] and [*problems] == ["Grün.png"]


@pytest.mark.parametrize(
    "change", [{"size": "large"}, {"size": 10**9}, {"window": [1]}, {"fit": "?"}, {"channels": None}]
)
def test_damaged_options_are_one_sentence(tmp_path: Path, change: dict[str, Any]) -> None:
    write_image(tmp_path / "a.png")
    key = next(iter(change))
    for options in (OPTIONS | change, {name: value for name, value in OPTIONS.items() if name != key}):
        with pytest.raises(XrganError, match=rf"is damaged: (no )?{key}.*xrgan classify"):
            read_new_images(tmp_path, options)
