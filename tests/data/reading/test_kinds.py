"""Which files are images."""

from pathlib import Path

from tests.conftest import write_image
from xrgan.data.reading.kinds import find_images


def test_images_are_found_by_name_and_what_is_hidden_is_none(tmp_path: Path) -> None:
    shown = ["a/1.PNG", "a/2.jpeg", "b.TIF", "c.bmp"]
    hidden = ["a/._1.png", ".thumbs/1.png", "__MACOSX/a/1.png", "notes.txt", "d.png.part"]
    for name in (*shown, *hidden):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    assert [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)] == shown


def test_a_folder_below_a_hidden_one_is_searched(tmp_path: Path) -> None:
    file = write_image(tmp_path / ".cache" / "scans" / "a.png")
    assert find_images(file.parent) == [file]
