"""Which masks become channels: what is asked for, and what the first files show."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.preparing.test_resize import save
from xrgan.data.preparing.mask_channels import choose_mask_channels
from xrgan.errors import XrganError


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


def test_no_structure_is_left_out_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("lung masks", "infection masks"):
        save(tmp_path / folder / "a.png", np.eye(20, dtype=np.uint8) * 255)
    rows = table(["lung masks/a.png|infection masks/a.png"])
    assert choose_mask_channels("auto", rows, tmp_path, ()) == ("lungs",)
    assert "Masks of infection are left out; --masks lungs,infection packs them, too." in capsys.readouterr().err
    assert choose_mask_channels("auto", table(["infection masks/a.png"]), tmp_path, ()) == ("infection",)
    assert "left out" not in capsys.readouterr().err


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


def test_values_that_nobody_explains_are_listed_and_asked_for(tmp_path: Path) -> None:
    pixels = np.zeros((20, 20), np.uint8)
    pixels[5:10], pixels[10:15], pixels[15:] = 1, 2, 3
    save(tmp_path / "m.png", pixels)
    rows = table(["m.png"])
    with pytest.raises(XrganError, match="the gray values 1, 2, 3 .m.png.*--mask-values .1=right lung,2=left lung"):
        choose_mask_channels("auto", rows, tmp_path, ())
    said = "1=right_lung,2=left lung,3=heart"
    assert choose_mask_channels("auto", rows, tmp_path, (), said) == ("lungs", "heart")
    assert choose_mask_channels("none", rows, tmp_path, ()) == ()
