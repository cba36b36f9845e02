"""Synthetic images as DICOM: read back by pydicom and GDCM, and by DCMTK and dciodvfy where they are installed."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom import dcmread

from tests.data.phantoms import PICTURE
from xrgan.config_resolve import resolve
from xrgan.data.packed import open_packed
from xrgan.data.prepare import prepare
from xrgan.data.reading.marked import mark_in
from xrgan.data.reading.pictures import read_picture
from xrgan.data.secondary_capture import save_dicom, uid_of
from xrgan.marks import Origin, mark_of

ORIGIN = Origin("jrs_64-1", "0123abcd", "f" * 64, "e" * 64)
MARK = mark_of(ORIGIN, seed=3, number=7, label="Lungenentzündung")


def written(path: Path, image: np.ndarray = PICTURE, **more: bool) -> Path:
    save_dicom(path, image, MARK, **more)
    return path


def test_it_says_in_every_place_that_it_is_synthetic(tmp_path: Path) -> None:
    dataset = dcmread(written(tmp_path / "a.dcm"))
    assert dataset.SOPClassUID.name == "Secondary Capture Image Storage"
    assert (dataset.Modality, dataset.ConversionType, dataset.SyntheticData) == ("OT", "SYN", "YES")
    assert list(dataset.ImageType) == ["DERIVED", "SECONDARY"]
    assert (str(dataset.PatientName), dataset.PatientID) == ("XRGAN^SYNTHETIC", "xrgan-jrs_64-1-3-7")
    assert (dataset.PhotometricInterpretation, dataset.BitsStored, dataset.BurnedInAnnotation) == (
        "MONOCHROME2",
        8,
        "NO",
    )
    assert "PixelSpacing" not in dataset and dataset.StudyDate == ""
    assert np.array_equal(dataset.pixel_array, PICTURE)
    assert mark_in(tmp_path / "a.dcm") == MARK


@pytest.mark.parametrize("low", [0, 40])
def test_every_reader_brings_the_same_pixels_back(tmp_path: Path, low: int) -> None:
    """Also where the image doesn't reach black and white: nothing is spread."""
    image = (PICTURE // 2 + low).astype(np.uint8)
    file = written(tmp_path / "a.dcm", image)
    assert np.array_equal(np.asarray(read_picture(file, 1, "dicom").image), image)
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(file))
    assert reader.Read()
    buffer = reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape")
    assert np.array_equal(np.frombuffer(buffer, np.uint8).reshape(image.shape), image)


@pytest.mark.skipif(shutil.which("dcm2pnm") is None, reason="DCMTK isn't installed")
def test_dcmtk_shows_the_same_pixels(tmp_path: Path) -> None:
    image = (PICTURE // 2 + 40).astype(np.uint8)
    written(tmp_path / "a.dcm", image)
    command = ["dcm2pnm", "+on", "+Wi", "1", str(tmp_path / "a.dcm"), str(tmp_path / "a.png")]
    subprocess.run(command, capture_output=True, check=True)
    with Image.open(tmp_path / "a.png") as shown:
        assert np.array_equal(np.asarray(shown.convert("L")), image)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools isn't installed")
@pytest.mark.parametrize("kind", ["gray", "RGB", "masks"])
def test_dciodvfy_finds_no_error(tmp_path: Path, kind: str) -> None:
    """But that older ones don't know (0008,001C): it came with the standard of 2023c."""
    image = np.stack([PICTURE] * 3) if kind == "RGB" else PICTURE
    file = written(tmp_path / "a.dcm", image, of_masks=kind == "masks")
    answer = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
    lines = (answer.stdout + answer.stderr).splitlines()
    assert "SCImage" in lines
    assert [line for line in lines if line.startswith("Error") and "(0x0008,0x001c)" not in line] == []


def test_the_same_image_has_the_same_uid_and_the_same_file(tmp_path: Path) -> None:
    assert written(tmp_path / "a.dcm").read_bytes() == written(tmp_path / "b.dcm").read_bytes()
    same = mark_of(Origin("renamed", "0123abcd", "f" * 64, "e" * 64), 3, 7, "Lungenentzündung")
    assert uid_of(same, "image") == uid_of(MARK, "image")


def test_another_image_has_another_uid() -> None:
    others = [
        mark_of(ORIGIN, 3, 8, "Lungenentzündung"),
        mark_of(ORIGIN, 4, 7, "Lungenentzündung"),
        mark_of(ORIGIN, 3, 7, "normal"),
        mark_of(Origin("jrs_64-1", "0123abcd", "0" * 64, "e" * 64), 3, 7, "Lungenentzündung"),
    ]
    uids = {uid_of(mark, what) for mark in [MARK, *others] for what in ("study", "images", "masks", "image", "mask")}
    assert len(uids) == 25 and all(uid.is_valid and uid.startswith("2.25.") for uid in uids)


def test_a_mask_stands_in_the_study_of_its_image(tmp_path: Path) -> None:
    image, mask = dcmread(written(tmp_path / "a.dcm")), dcmread(written(tmp_path / "m.dcm", of_masks=True))
    assert image.StudyInstanceUID == mask.StudyInstanceUID and image.PatientID == mask.PatientID
    assert image.SeriesInstanceUID != mask.SeriesInstanceUID and image.SOPInstanceUID != mask.SOPInstanceUID


@given(run=st.text(max_size=80), number=st.integers(1, 10**7))
@pytest.mark.slow
def test_any_name_of_a_run_makes_a_valid_id(run: str, number: int) -> None:
    from xrgan.data.secondary_capture import _patient_id

    found = _patient_id(mark_of(Origin(run), 2**62, number))
    assert len(found) <= 64 and found.endswith(f"-{2**62}-{number}") and "\\" not in found


def test_prepare_reads_them_back_to_the_same_pixels(tmp_path: Path) -> None:
    square = np.pad(PICTURE, ((0, 0), (2, 2)))
    images = [np.roll(square, 9 * k, axis=1) for k in range(4)]
    for k, image in enumerate(images):
        save_dicom(tmp_path / "drawn" / f"synthetic_{k}.dcm", image, mark_of(ORIGIN, 3, k + 1))
    options = resolve(flags={"prepare.size": 64, "prepare.workers": 1, "prepare.allow_synthetic": True}).prepare
    packed = open_packed(prepare(tmp_path / "drawn", tmp_path / "prepared", options))
    assert {one.tobytes() for one in packed.images[:, 0]} == {one.tobytes() for one in images}
    assert len(set(packed.patients)) == 4
