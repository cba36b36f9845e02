from pathlib import Path

import pytest

from tests.conftest import write_image, write_marked
from xrgan.data.fetching.synthetic_images import remove_synthetic
from xrgan.errors import XrganError


def test_marked_images_are_removed_and_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for k in range(6):
        write_image(tmp_path / "ill" / f"{k}.png", seed=k)
    write_marked(tmp_path / "ill", range(5))
    assert remove_synthetic(tmp_path, "mine") == 5
    assert [file.name for file in sorted((tmp_path / "ill").iterdir())] == [f"{k}.png" for k in range(6)]
    said = " ".join(capfd.readouterr().err.split())
    assert "5 of 11 images say that they are synthetic" in said
    assert "ill/drawn_0.png, ill/drawn_1.png, ill/drawn_2.png and 2 more" in said


def test_nothing_is_said_where_nothing_is_marked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_image(tmp_path / "a.png")
    assert remove_synthetic(tmp_path, "mine") == 0
    assert capfd.readouterr().err == ""


def test_a_folder_of_marked_images_alone_is_refused(tmp_path: Path) -> None:
    write_marked(tmp_path, range(2))
    with pytest.raises(XrganError, match=r"All 2 images of mine.*--allow-synthetic"):
        remove_synthetic(tmp_path, "mine")
    assert len(list(tmp_path.iterdir())) == 2
