"""Which files are images."""

import errno
import gzip
import os
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from tests.conftest import write_image
from tests.data.dicom_files import write
from tests.data.phantoms import deep
from xrgan.data.reading.kinds import count_others, find_images, in_words, stem
from xrgan.data.reading.pictures import read_picture
from xrgan.errors import XrganError


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


def test_a_folder_that_may_not_be_read_is_named_and_not_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "NORMAL" / "a.png")
    closed = tmp_path / "PNEUMONIA"
    closed.mkdir()
    scandir = os.scandir

    def refuse(path: str) -> object:  # root may read everything
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(XrganError, match="PNEUMONIA can't be read: Permission denied"):
        find_images(tmp_path)


def test_a_folder_that_is_not_there_holds_no_image(tmp_path: Path) -> None:
    assert find_images(tmp_path / "absent") == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[(f"a{extension}", kind) for extension, kind in ((".jfif", "JPEG"), (".jpe", "JPEG"), (".pgm", "PPM"))],
        *[("a", "PNG"), ("a.jpg.1", "JPEG"), ("a.jpg_", "JPEG"), ("a", "TIFF"), ("a", "WEBP"), ("a", "GIF")],
        *[("a.jp2", "JPEG2000"), ("a", "JPEG2000"), ("a.ppm", "PPM")],
    ],
)
def test_files_of_odd_names_are_read(tmp_path: Path, name: str, kind: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 12), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / name, kind)
    assert find_images(tmp_path) == [tmp_path / name]
    assert read_picture(tmp_path / name, 1, "minmax").image.size == (12, 9)


def test_dicom_without_a_preamble_and_an_extension_is_an_image(tmp_path: Path) -> None:
    pixels = deep(12)
    with_preamble = pydicom.dcmread(write(tmp_path / "a.dcm", pixels))
    bare = pydicom.Dataset()
    bare.update({element.tag: element for element in with_preamble})
    for implicit in (True, False):
        bare.save_as(tmp_path / f"bare{implicit}", implicit_vr=implicit, little_endian=True)
    assert [path.name for path in find_images(tmp_path)] == ["a.dcm", "bareFalse", "bareTrue"]
    shown = [np.asarray(read_picture(path, 1, "dicom").image) for path in find_images(tmp_path)]
    assert np.array_equal(shown[0], shown[1]) and np.array_equal(shown[0], shown[2])


def test_dicom_packed_by_gzip_is_read_as_it_is(tmp_path: Path) -> None:
    file = write(tmp_path / "a.dcm", deep(12))
    (tmp_path / "a.dcm.gz").write_bytes(gzip.compress(file.read_bytes()))
    shown = [np.asarray(read_picture(path, 1, "dicom").image) for path in find_images(tmp_path)]
    assert len(shown) == 2 and np.array_equal(*shown)
    (tmp_path / "b.dcm.gz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="^no DICOM file$"):
        read_picture(tmp_path / "b.dcm.gz", 1, "dicom")


@pytest.mark.parametrize(("name", "said"), [("a.b.png", "a.b"), ("a.nii.gz", "a"), ("a.DCM.GZ", "a"), ("a", "a")])
def test_the_stem_of_a_name(name: str, said: str) -> None:
    assert stem(Path(name)) == said


def test_what_is_no_image_is_counted_by_its_extension(tmp_path: Path) -> None:
    for name in ("a.png", "b.npz", "c.NPZ", "d.raw.gz", "e.heic", "f", "labels.csv", "README", ".hidden.npz"):
        (tmp_path / name).write_bytes(b"something else")
    assert count_others(tmp_path) == {".npz": 2, "no extension": 2, ".raw.gz": 1, ".heic": 1}
    assert in_words({".npy": 2000, ".mha": 1}) == ".npy 2,000, .mha 1"


def test_links_are_followed_once_and_never_in_a_circle(tmp_path: Path) -> None:
    write_image(tmp_path / "store" / "n" / "a.png")
    write_image(tmp_path / "set" / "PNEUMONIA" / "b.png")
    (tmp_path / "set" / "NORMAL").symlink_to(tmp_path / "store" / "n")
    (tmp_path / "set" / "again").symlink_to(tmp_path / "set" / "PNEUMONIA")
    (tmp_path / "set" / "PNEUMONIA" / "up").symlink_to(tmp_path / "set")
    found = [path.relative_to(tmp_path / "set").as_posix() for path in find_images(tmp_path / "set")]
    assert found == ["NORMAL/a.png", "PNEUMONIA/b.png"]
