from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from tests.report.pages import Page
from xrgan.readers.choice import REAL, SYNTHETIC, Shown
from xrgan.readers.page import study_of, write_study

SHOWN = [Shown(REAL, "NORMAL", 1), Shown(SYNTHETIC, "NORMAL", 0), Shown(SYNTHETIC, "b", 1), Shown(REAL, "b", 0)]
RANDOM = np.random.default_rng(0)
FIRST, SECOND = (RANDOM.integers(0, 256, (2, 1, 8, 8), dtype=np.uint8) for _ in range(2))


def written(folder: Path, classes: Sequence[str] = (), of_phantoms: bool = False) -> Page:
    write_study(folder, SHOWN, FIRST, SECOND, classes, of_phantoms)
    return Page((folder / "readers.html").read_text(encoding="utf-8"))


def test_the_images_stand_in_their_order_and_say_nothing(tmp_path: Path) -> None:
    page = written(tmp_path)
    images = [Image.open(BytesIO(content)) for _, content in page.pictures()]
    expected = [FIRST[1], SECOND[0], SECOND[1], FIRST[0]]
    assert all((np.asarray(image) == one[0]).all() for image, one in zip(images, expected, strict=True))
    assert all(not image.info for image in images) and b"xmp" not in b"".join(content for _, content in page.pictures())
    attributes = [{k: v for k, v in image.items() if k != "src"} for image in page.all("img")]
    assert attributes == [{"alt": f"Chest X-ray {k}", "hidden": ""} for k in range(1, 5)]


def test_the_key_is_beside_the_page_and_not_in_it(tmp_path: Path) -> None:
    page = written(tmp_path)
    assert (tmp_path / "key.csv").read_text().splitlines() == [
        *("image,is,class,number", "1,real,NORMAL,2", "2,synthetic,NORMAL,1", "3,synthetic,b,2", "4,real,b,1"),
    ]
    assert page.all("body")[0]["data-study"] == study_of(tmp_path / "key.csv")
    swapped = [Shown(SYNTHETIC if one.is_ == REAL else REAL, one.label, one.number) for one in SHOWN]
    (tmp_path / "other").mkdir()
    write_study(tmp_path / "other", swapped, SECOND, FIRST, (), False)
    other = (tmp_path / "other/readers.html").read_text().replace(study_of(tmp_path / "other/key.csv"), "STUDY")
    assert page.html.replace(study_of(tmp_path / "key.csv"), "STUDY") == other  # the same images, the other answers


def test_it_says_that_it_holds_patients(tmp_path: Path) -> None:
    assert "This page holds real patients' X-rays." in written(tmp_path).text
    assert "phantoms: nobody's" in written(tmp_path, of_phantoms=True).text


def test_classes_are_asked_for_on_wish_and_are_text(tmp_path: Path) -> None:
    assert not [one for one in written(tmp_path).all("input") if one.get("name") == "class"]
    page = written(tmp_path, ["NORMAL", "<script>alert(1)</script>"])
    values = [one["value"] for one in page.all("input") if one.get("name") == "class"]
    assert values == ["NORMAL", "<script>alert(1)</script>"] and len(page.all("script")) == 1
