"""Trees of folders, and images known by their stems."""

from pathlib import Path

from tests.data.trees import masks, plant
from xrgan.data.scan import scan
from xrgan.data.scanning.tree import read_by_stem


def test_kaggles_second_copies_are_counted_once(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "chest_xray/train/NORMAL/a.png",
        "chest_xray/chest_xray/train/NORMAL/a.png",
        "chest_xray/__MACOSX/chest_xray/train/NORMAL/._a.png",
        "__MACOSX/chest_xray/train/NORMAL/a.png",
        "chest_xray/train/NORMAL/._a.png",
        "chest_xray/train/NORMAL/.DS_Store",
    )
    assert list(scan(tmp_path)["file"]) == ["chest_xray/train/NORMAL/a.png"]


def test_a_folder_in_a_folder_of_its_name_is_no_copy_by_itself(tmp_path: Path) -> None:
    plant(tmp_path, "chest_xray/chest_xray/train/NORMAL/a.png", "NORMAL/NORMAL/b.png", "NORMAL/c.png")
    assert len(scan(tmp_path)) == 3


def test_a_second_file_of_a_stem_is_a_copy(tmp_path: Path) -> None:
    plant(tmp_path, "data/set/a.png", "set/a.png", "test/a.png", "set/deep/b.png", "data/set/far/off/b.jpeg", "c.png")
    assert list(read_by_stem(tmp_path)["file"]) == ["c.png", "set/a.png", "set/deep/b.png"]


def test_a_stem_finds_its_masks_anywhere(tmp_path: Path) -> None:
    plant(tmp_path, "All/a.IMG", "scr/fold1/masks/heart/a.gif", "scr/fold1/masks/left lung/a.gif", "data/masks/b.png")
    plant(tmp_path, "All/b.IMG", "masks/b_mask.png", "scr/fold1/masks/left clavicle/b.gif", "c.IMG")
    assert masks(read_by_stem(tmp_path)) == {
        "All/a.IMG": "scr/fold1/masks/heart/a.gif|scr/fold1/masks/left lung/a.gif",
        "All/b.IMG": "masks/b_mask.png",
    }
