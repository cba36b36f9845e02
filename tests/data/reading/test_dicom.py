"""DICOM files of every kind: pydicom's own test files, written ones, other objects, torn and hostile ones."""

import io
import logging
import subprocess
import sys
import traceback
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid
from pydicom.encaps import encapsulate, get_frame

from tests.data.dicom_files import EXACT, table, write
from tests.data.phantoms import PICTURE, deep
from xrgan.data.reading import dicom
from xrgan.data.reading.dicom import Header, is_dicom, read_dicom, read_header

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
STUDIES = BUNDLED / "dicomdirtests"
NO_IMAGE = "holds no image"
JPEG_EXTENDED = "its pixels can't be decoded (JPEG Extended (Process 2 and 4))"
REFUSED = {
    "DICOMDIR": "is a DICOMDIR",
    "DICOMDIR-bigEnd": "is a DICOMDIR",
    "DICOMDIR-empty.dcm": "is a DICOMDIR",
    "DICOMDIR-implicit": "is a DICOMDIR",
    "DICOMDIR-nooffset": "is a DICOMDIR",
    "DICOMDIR-nopatient": "is a DICOMDIR",
    "DICOMDIR-reordered": "is a DICOMDIR",
    "ExplVR_BigEndNoMeta.dcm": "holds no image (modality RTPLAN)",
    "ExplVR_LitEndNoMeta.dcm": "holds no image (modality RTPLAN)",
    "GDCMJ2K_TextGBR.dcm": "its pixels can't be decoded (JPEG 2000 Image Compression (Lossless Only))",  # cut short
    "JPEG-lossy.dcm": JPEG_EXTENDED,  # of 12 bits
    "JPGExtended.dcm": JPEG_EXTENDED,
    "JPEG2000-embedded-sequence-delimiter.dcm": "its pixels can't be decoded (JPEG 2000 Image Compression)",  # broken
    "MR_truncated.dcm": "its pixels are cut short",
    "SC_rgb_rle_16bit_2frame.dcm": "has 2 frames",
    "SC_rgb_rle_2frame.dcm": "has 2 frames",
    "SC_rgb_rle_32bit_2frame.dcm": "has 2 frames",
    "UN_sequence.dcm": NO_IMAGE,
    "badVR.dcm": "holds no image (modality RTDOSE)",
    "empty_charset_LEI.dcm": NO_IMAGE,
    "examples_ybr_color.dcm": "has 30 frames",
    "liver_1frame.dcm": "holds no image (modality SEG)",
    "liver_expb_1frame.dcm": "holds no image (modality SEG)",
    "meta_missing_tsyntax.dcm": NO_IMAGE,
    "nested_priv_SQ.dcm": NO_IMAGE,
    "no_meta.dcm": "no DICOM file",  # a byte is missing at its start
    "no_meta_group_length.dcm": NO_IMAGE,
    "priv_SQ.dcm": NO_IMAGE,
    "reportsi.dcm": "holds no image (modality SR)",
    "reportsi_with_empty_number_tags.dcm": "holds no image (modality SR)",
    "rtdose.dcm": "holds no image (modality RTDOSE)",
    "rtdose_1frame.dcm": "holds no image (modality RTDOSE)",
    "rtdose_expb.dcm": "holds no image (modality RTDOSE)",
    "rtdose_expb_1frame.dcm": "holds no image (modality RTDOSE)",
    "rtdose_rle.dcm": "holds no image (modality RTDOSE)",
    "rtdose_rle_1frame.dcm": "holds no image (modality RTDOSE)",
    "rtplan.dcm": "holds no image (modality RTPLAN)",
    "rtplan_truncated.dcm": "holds no image (modality RTPLAN)",
    "rtstruct.dcm": "holds no image (modality RTSTRUCT)",
    "test-SR.dcm": "holds no image (modality SR)",
    "waveform_ecg.dcm": "holds no image (modality ECG)",
}


# What the files SC_rgb_… show: ten bars of 10 rows each.
BARS = np.array(
    [
        *[[255, 0, 0], [255, 128, 128], [0, 255, 0], [128, 255, 128], [0, 0, 255], [128, 128, 255]],
        *[[gray] * 3 for gray in (0, 64, 192, 255)],
    ]
)


def bundled(*names: str) -> list[Any]:
    return [pytest.param(BUNDLED / name, id=name) for name in names]


def outcome(path: Path) -> str:
    """ "" where the file is read, else the reason why not."""
    try:
        pixels = read_dicom(path, "dicom")
    except ValueError as error:
        return str(error)
    assert pixels.ndim == 2 and pixels.dtype == np.uint8
    return ""


def end_of(path: Path, count: int, kind: str) -> NDArray[Any]:
    """The last values of a file that stores its pixels plainly: no DICOM library has a hand in it."""
    return np.frombuffer(path.read_bytes()[-count * np.dtype(kind).itemsize :], kind).astype(np.float64)


def linear(x: NDArray[Any], center: float, width: float) -> NDArray[np.uint8]:
    """PS3.3 C.11.2.1.2.1, with an output range of 0–255."""
    y = ((x - (center - 0.5)) / (width - 1) + 0.5) * 255
    y = np.where(x <= center - 0.5 - (width - 1) / 2, 0, np.where(x > center - 0.5 + (width - 1) / 2, 255, y))
    return np.rint(y).astype(np.uint8)


def gray(rgb: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(rgb.astype(np.uint8)).convert("L"))


# --- pydicom's own test files


@pytest.mark.slow
def test_every_bundled_file_is_read_or_refused_for_its_reason() -> None:
    files = [path for path in sorted(BUNDLED.rglob("*")) if path.is_file() and is_dicom(path)]
    outcomes = {path.name: outcome(path) for path in files if "TINY_ALPHA" not in path.parts}
    refused = {name: reason for name, reason in outcomes.items() if reason}
    assert REFUSED.items() <= refused.items()
    assert set(refused.values()) <= set(REFUSED.values())  # a later pydicom may bring more of the same
    assert len(outcomes) - len(refused) >= 70


def test_headers_without_pixels_hold_no_image() -> None:
    tiny = [path for path in (STUDIES / "TINY_ALPHA").rglob("IM*") if path.is_file()]
    assert len(tiny) == 50
    assert {outcome(path) for path in tiny} == {NO_IMAGE}


@pytest.mark.parametrize(
    "file",
    bundled(
        "MR_small.dcm",
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
    ),
)
def test_signed_16_bits_through_a_window_in_every_syntax(file: Path) -> None:
    stored = end_of(BUNDLED / "MR_small_implicit.dcm", 64 * 64, "<i2").reshape(64, 64)
    np.testing.assert_array_equal(read_dicom(file, "dicom"), linear(stored, 600, 1600))


@pytest.mark.parametrize("series", ["CR1/6154", "CR2/6247", "CR3/6278"])
def test_a_computed_radiograph_is_rescaled_windowed_and_inverted(series: str) -> None:
    file = STUDIES / "77654033" / series  # 12 bits, MONOCHROME1, slope 0.684, intercept 200
    stored = end_of(file, 256, "<u2").reshape(16, 16)
    y = np.clip(((0.684 * stored + 200 - 1599.5) / 2799 + 0.5) * 255, 0, 255)
    np.testing.assert_array_equal(read_dicom(file, "dicom"), np.rint(255 - y))


def test_the_first_of_several_windows_is_taken() -> None:
    file = BUNDLED / "examples_overlay.dcm"  # 450/790 and 200/443
    stored = np.frombuffer(pydicom.dcmread(file).PixelData, "<u2").reshape(300, 484).astype(float)
    np.testing.assert_array_equal(read_dicom(file, "dicom"), linear(stored, 450, 790))


def test_without_a_window_the_whole_range_is_shown() -> None:
    file = BUNDLED / "CT_small.dcm"
    stored = np.frombuffer(pydicom.dcmread(file).PixelData, "<i2").reshape(128, 128).astype(float)
    expected = np.rint((stored - stored.min()) / np.ptp(stored) * 255)
    np.testing.assert_array_equal(read_dicom(file, "dicom"), expected)
    np.testing.assert_array_equal(read_dicom(file, "minmax"), expected)
    low, high = np.percentile(stored, (10, 90))
    np.testing.assert_array_equal(
        read_dicom(file, "p10-p90"), np.rint(np.clip((stored - low) / (high - low), 0, 1) * 255)
    )


def test_deflated_8_bits_come_as_they_are() -> None:
    file = BUNDLED / "image_dfl.dcm"
    content = file.read_bytes()
    start = 144 + int.from_bytes(content[140:144], "little")
    pixels = np.frombuffer(zlib.decompress(content[start:], -15)[-(512**2) :], np.uint8).reshape(512, 512)
    np.testing.assert_array_equal(read_dicom(file, "dicom"), pixels)


def test_padding_around_a_slice_is_black() -> None:
    file = BUNDLED / "693_J2KI.dcm"
    pixels = read_dicom(file, "p50-p99")
    assert pixels[0, 0] == pixels[-1, -1] == 0
    assert 100 < pixels[256, 256] < 255


@pytest.mark.parametrize("file", bundled("SC_rgb_small_odd.dcm", "SC_rgb_small_odd_big_endian.dcm"))
def test_colours_become_gray_as_pillow_makes_them(file: Path) -> None:
    little = pydicom.dcmread(BUNDLED / "SC_rgb_small_odd.dcm").PixelData[:27]
    np.testing.assert_array_equal(read_dicom(file, "dicom"), gray(np.frombuffer(little, np.uint8).reshape(3, 3, 3)))


@pytest.mark.parametrize(
    ("file", "tolerance"),
    [
        (BUNDLED / name, tolerance)
        for name, tolerance in {
            "SC_rgb_rle.dcm": 0,
            "SC_rgb_rle_16bit.dcm": 0,
            "SC_rgb_rle_32bit.dcm": 0,
            "SC_rgb_jpeg_gdcm.dcm": 0,  # JPEG Lossless
            "SC_rgb_gdcm_KY.dcm": 1,  # JPEG 2000
            "SC_ybr_full_422_uncompressed.dcm": 2,
            "SC_rgb_jls_lossy_line.dcm": 4,
            "SC_rgb_jls_lossy_sample.dcm": 4,
            "SC_rgb_dcmtk_+eb+cr.dcm": 8,  # JPEG, RGB
            "SC_rgb_dcmtk_+eb+cy+np.dcm": 8,  # JPEG, YBR_FULL_422
            "SC_rgb_jpeg_dcmtk.dcm": 8,  # JPEG, YBR_FULL
        }.items()
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_one_colour_picture_in_many_syntaxes(file: Path, tolerance: int) -> None:
    picture = np.repeat(gray(BARS[:, None]), 10, axis=0)
    assert np.abs(read_dicom(file, "dicom") - picture.astype(int)).max() <= tolerance


def test_a_palette_becomes_gray() -> None:
    file = BUNDLED / "examples_palette.dcm"
    dataset = pydicom.dcmread(file)
    names = [f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")]
    entries = np.stack([np.frombuffer(dataset[name].value, "<u2") for name in names], axis=-1).astype(float)
    luma = entries @ [0.299, 0.587, 0.114]
    stored = np.frombuffer(dataset.PixelData, np.uint8).reshape(350, 800)
    expected = (luma[stored] - luma[stored].min()) / np.ptp(luma[stored]) * 255
    np.testing.assert_allclose(read_dicom(file, "dicom"), expected, atol=0.51)


# --- one phantom, written in every transfer syntax


@pytest.mark.slow
@pytest.mark.parametrize("syntax", EXACT)
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_the_phantom_survives(tmp_path: Path, syntax: str, bits: int, signed: bool, photometric: str) -> None:
    stored = deep(bits) if photometric == "MONOCHROME2" else deep(bits).max() - deep(bits)
    stored = stored - 2 ** (bits - 1) if signed else stored
    file = write(tmp_path / "a.dcm", stored, bits=bits, signed=signed, photometric=photometric, syntax=syntax)
    np.testing.assert_array_equal(read_dicom(file, "dicom"), PICTURE)
    assert read_header(file) == Header("phantom00001", "PA")


def test_the_phantom_survives_jpeg(tmp_path: Path) -> None:
    file = write(tmp_path / "a.dcm", PICTURE, bits=8, syntax="JPEG")
    assert np.abs(read_dicom(file, "dicom") - PICTURE.astype(int)).max() <= 6


def test_the_phantom_in_colour(tmp_path: Path) -> None:
    rgb = np.stack([PICTURE, PICTURE // 2, 255 - PICTURE], axis=-1)
    for syntax in ("explicit", "big endian", "RLE"):
        file = write(tmp_path / "a.dcm", rgb, bits=8, photometric="RGB", syntax=syntax)
        np.testing.assert_array_equal(read_dicom(file, "dicom"), gray(rgb))
    planes = np.moveaxis(rgb, -1, 0)
    by_plane = {"PlanarConfiguration": 1, "PixelData": planes.tobytes()}
    file = write(tmp_path / "b.dcm", rgb, bits=8, photometric="RGB", **by_plane)
    np.testing.assert_array_equal(read_dicom(file, "dicom"), gray(rgb))


def test_a_palette_of_negative_numbers(tmp_path: Path) -> None:
    ramp = np.arange(0, 256, 2, np.uint8).tobytes()
    palette = {f"{colour}PaletteColorLookupTableData": ramp for colour in ("Red", "Green", "Blue")}
    palette |= {f"{colour}PaletteColorLookupTableDescriptor": [128, -64, 8] for colour in ("Red", "Green", "Blue")}
    stored = np.arange(-1000, 1000).reshape(40, 50)
    file = write(tmp_path / "a.dcm", stored, bits=16, signed=True, photometric="PALETTE COLOR", **palette)
    np.testing.assert_array_equal(read_dicom(file, "dicom"), 2 * (np.clip(stored, -64, 63) + 64))


@pytest.mark.parametrize("keyword", ["FloatPixelData", "DoubleFloatPixelData"])
def test_floating_pixels(tmp_path: Path, keyword: str) -> None:
    values = PICTURE.astype("<f4" if keyword == "FloatPixelData" else "<f8") * 1e-3 - 7
    floats = {keyword: values.tobytes(), "PixelData": None, "BitsAllocated": 8 * values.itemsize}
    file = write(tmp_path / "a.dcm", PICTURE, bits=8, **floats)
    np.testing.assert_array_equal(read_dicom(file, "dicom"), PICTURE)
    values[3, 4] = np.nan
    file = write(tmp_path / "a.dcm", PICTURE, bits=8, **(floats | {keyword: values.tobytes()}))
    assert outcome(file) == "holds NaN or infinite values"


def test_bits_beyond_the_stored_ones_are_no_gray(tmp_path: Path) -> None:
    overlay = (np.arange(PICTURE.size).reshape(PICTURE.shape) % 16) << 12  # old files kept drawings there
    file = write(tmp_path / "a.dcm", deep(12) + overlay, bits=12)
    np.testing.assert_array_equal(read_dicom(file, "dicom"), PICTURE)


@pytest.mark.parametrize("syntax", ["big endian", "explicit"])
def test_old_files_say_by_their_tags_in_which_order_bytes_stand(tmp_path: Path, syntax: str) -> None:
    file = write(tmp_path / "a.dcm", deep(12), syntax=syntax)
    content = file.read_bytes()
    file.write_bytes(content[144 + int.from_bytes(content[140:144], "little") :])
    np.testing.assert_array_equal(read_dicom(file, "dicom"), PICTURE)


def test_of_more_frames_than_the_header_says_the_first_is_read(tmp_path: Path) -> None:
    frames = []
    for pixels in (PICTURE, 255 - PICTURE):
        dataset = pydicom.dcmread(write(tmp_path / "a.dcm", pixels, bits=8, syntax="JPEG"))
        frames.append(get_frame(dataset.PixelData, 0, number_of_frames=1))
    dataset.PixelData = encapsulate(frames)
    dataset.save_as(tmp_path / "a.dcm")
    assert np.abs(read_dicom(tmp_path / "a.dcm", "dicom") - PICTURE.astype(int)).max() <= 6


# --- headers


def test_a_header_says_who_and_which_view(tmp_path: Path) -> None:
    assert read_header(write(tmp_path / "a.dcm", PICTURE, patient="A 7", view="ap")) == Header("A 7", "AP")
    assert read_header(write(tmp_path / "a.dcm", PICTURE, patient=" A7 ", view=" PA")) == Header("A7", "PA")
    assert read_header(write(tmp_path / "a.dcm", PICTURE, patient="", view="")) == Header("", "")
    assert read_header(write(tmp_path / "a.dcm", PICTURE, PatientID=None, ViewPosition=None)) == Header("", "")
    assert read_header(write(tmp_path / "a.dcm", PICTURE, patient="7\\8")).patient == "7\\8"
    greek = {"SpecificCharacterSet": "ISO_IR 126", "patient": "Διονυσιος"}
    assert read_header(write(tmp_path / "a.dcm", PICTURE, **greek)).patient == "Διονυσιος"


def test_a_header_is_read_without_the_pixels(tmp_path: Path) -> None:
    file = write(tmp_path / "a.dcm", PICTURE, patient="A7")
    file.write_bytes(file.read_bytes()[:-1000])
    assert read_header(file) == Header("A7", "PA")
    assert outcome(file) == "its pixels are cut short"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"NumberOfFrames": 12}, "has 12 frames"),
        ({"Modality": "SR", "Rows": None, "Columns": None}, "holds no image (modality SR)"),
        ({"Rows": None, "Columns": None, "PixelData": None}, NO_IMAGE),
        ({"Rows": 0}, NO_IMAGE),
        ({"SOPClassUID": dicom.MEDIA_DIRECTORY}, "is a DICOMDIR"),
        ({"Rows": 65535, "Columns": 65535}, "declares too many pixels"),
    ],
)
def test_both_refuse_what_is_no_single_image(tmp_path: Path, header: dict[str, Any], reason: str) -> None:
    file = write(tmp_path / "a.dcm", PICTURE, **header)
    for read in (read_header, lambda path: read_dicom(path, "dicom")):
        with pytest.raises(ValueError) as refused:
            read(file)
        assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"PixelData": None}, NO_IMAGE),
        ({"PhotometricInterpretation": "CMYK"}, "holds colours of an unknown kind"),
        (
            {"PhotometricInterpretation": "YBR_FULL", "SamplesPerPixel": 3, "Columns": 20, "PlanarConfiguration": 0},
            "its pixels can't be decoded (Explicit VR Little Endian)",  # not cut to 8 bits
        ),
        ({"BitsStored": 17}, "has impossible bits: BitsAllocated 16, BitsStored 17, HighBit 11"),
        ({"BitsAllocated": None}, "lacks the tag BitsAllocated"),
        ({"PhotometricInterpretation": None}, "lacks the tag PhotometricInterpretation"),
        ({"PixelRepresentation": None}, "lacks the tag PixelRepresentation"),
        ({"BitsStored": None}, "lacks the tag BitsStored"),
        ({"SamplesPerPixel": None}, "lacks the tag SamplesPerPixel"),
        ({"VOILUTSequence": table([1, 2, 3]), "PixelPaddingValue": [1, 2]}, "its gray scale can't be read"),
    ],
)
def test_pixels_that_make_no_sense_are_refused(tmp_path: Path, header: dict[str, Any], reason: str) -> None:
    file = write(tmp_path / "a.dcm", PICTURE, **header)
    assert read_header(file)
    assert outcome(file) == reason


def test_one_frame_that_says_so_is_read(tmp_path: Path) -> None:
    for frames in (1, 0, None, ""):
        more = {} if frames is None else {"NumberOfFrames": frames}
        np.testing.assert_array_equal(read_dicom(write(tmp_path / "a.dcm", deep(12), **more), "dicom"), PICTURE)


def test_dicom_is_told_by_its_preamble_or_its_name(tmp_path: Path) -> None:
    assert is_dicom(write(tmp_path / "IM000001", PICTURE))
    assert is_dicom(write(tmp_path / "a.DCM", PICTURE, syntax="bare"))
    assert is_dicom(write(tmp_path / "a.dicom", PICTURE, syntax="bare"))
    assert not is_dicom(write(tmp_path / "a.png", PICTURE, syntax="bare"))
    (tmp_path / "short").write_bytes(b"DICM")
    assert not is_dicom(tmp_path / "short")


# --- torn and hostile files


def test_what_is_no_dicom_file(tmp_path: Path) -> None:
    file = tmp_path / "a.dcm"
    for content, reason in {
        b"": "empty file",
        b"DICM": "no DICOM file",
        bytes(1000): "no DICOM file",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)): "no DICOM file",
        bytes(128) + b"DICM": NO_IMAGE,
        bytes(128) + b"DICM" + b"\xff" * 100: NO_IMAGE,
    }.items():
        file.write_bytes(content)
        assert outcome(file) == reason
        with pytest.raises(ValueError, match=f"^{reason}$"):
            read_header(file)
    with pytest.raises(ValueError, match="^no such file or directory$"):
        read_header(tmp_path / "nothing")


def test_a_deflated_bomb_is_not_inflated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "a.dcm", np.zeros((1000, 1000), int), syntax="deflated")
    assert outcome(file) == ""
    monkeypatch.setattr(dicom, "INFLATED_BYTES", 10**6)
    assert file.stat().st_size < 10**4
    assert outcome(file) == "inflates to too many bytes"
    with pytest.raises(ValueError, match="inflates to too many bytes"):
        read_header(file)


def test_a_jpeg_larger_than_its_header_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "a.dcm", PICTURE, bits=8, syntax="JPEG")
    content = file.read_bytes()
    at = content.index(b"\xff\xc0") + 5
    file.write_bytes(content[:at] + b"\xff\xf0\xff\xf0" + content[at + 4 :])
    assert outcome(file) == "its pixels can't be decoded (JPEG Baseline (Process 1))"


SHORT_TABLE = table([1, 2])
SHORT_TABLE[0].LUTDescriptor = [4711, 7, 16]
SECRETS = ["doe^jane", "4711007", "19560229", "kilmarnock"]
HOSTILE: dict[str, dict[str, Any]] = {
    "modality": {"Modality": "DOE^JANE", "Rows": 0},
    "frames": {"NumberOfFrames": 12345678},
    "colours": {"PhotometricInterpretation": "DOE^JANE"},
    "bits": {"BitsStored": 300},
    "rows": {"Rows": 60000},
    "window": {"WindowCenter": 12345678, "WindowWidth": 4711007},
    "rescale": {"RescaleSlope": 12345678, "RescaleIntercept": 4711007},
    "padding": {"PixelPaddingValue": [4711, 7]},
    "table": {"VOILUTSequence": SHORT_TABLE},
}


@pytest.fixture
def heard() -> Iterator[io.StringIO]:
    """What a root logger to the terminal would say, as some libraries install one."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("case", [*HOSTILE, "syntax", "cut header", "cut pixels", "JPEG", "JPEG Lossless"])
def test_no_value_of_the_header_leaves_it(
    tmp_path: Path, case: str, heard: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    identity = {"PatientName": "Doe^Jane", "PatientBirthDate": "19560229", "StudyInstanceUID": "2.25.4711007"}
    identity |= {"InstitutionName": "Kilmarnock", "StudyDate": "19560229", "patient": "4711007", "view": "DOE^JANE"}
    syntax = case if case.startswith("JPEG") else "explicit"
    file = write(tmp_path / "a.dcm", PICTURE, bits=8, syntax=syntax, **{**identity, **HOSTILE.get(case, {})})
    content = file.read_bytes().replace(b"12345678", b"Doe^Jane")
    if case == "syntax":
        private = b"2.25.4711007".ljust(len(uid.ExplicitVRLittleEndian), b"\0")
        content = content.replace(uid.ExplicitVRLittleEndian.encode(), private, 1)
    if case == "cut header":
        content = content[:500]
    if case in {"cut pixels", "JPEG", "JPEG Lossless"}:
        content = content[: -len(content) // 4]
    file.write_bytes(content)
    with pytest.raises(ValueError) as refused:
        read_dicom(file, "dicom")
    said = "".join([*traceback.format_exception(refused.value), heard.getvalue(), *capfd.readouterr()]).lower()
    assert str(refused.value).lower() in said
    assert not [secret for secret in SECRETS if secret in said]


def test_nothing_is_said_about_a_sloppy_file(
    tmp_path: Path, heard: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "a.dcm", deep(12), PatientAge="about 60", view="p.a.")
    heard.truncate(0)
    file.write_bytes(file.read_bytes() + bytes(10))
    np.testing.assert_array_equal(read_dicom(file, "dicom"), PICTURE)
    assert read_header(file).view == "P.A."
    assert (heard.getvalue(), *capfd.readouterr()) == ("", "", "")


def survives(file: Path) -> None:
    for read in (read_header, lambda path: read_dicom(path, "dicom")):
        try:
            read(file)
        except ValueError as error:
            assert str(error)


SMALL = ["MR_small_implicit.dcm", "MR_small_RLE.dcm", "MR_small_expb.dcm", "image_dfl.dcm", "SC_rgb_small_odd_jpeg.dcm"]
SMALL += ["MR_small_jp2klossless.dcm", "dicomdirtests/77654033/CR1/6154", "examples_palette.dcm", "no_meta.dcm"]


@hypothesis.given(content=st.binary(max_size=600), preamble=st.booleans())
@hypothesis.settings(max_examples=200)
@pytest.mark.slow
def test_random_bytes_raise_nothing_but_value_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, preamble: bool
) -> None:
    file = tmp_path_factory.getbasetemp() / "random.dcm"
    file.write_bytes(bytes(128) + b"DICM" + content if preamble else content)
    survives(file)


@hypothesis.given(
    name=st.sampled_from(SMALL),
    share=st.floats(0, 1),
    changes=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6),
)
@hypothesis.settings(max_examples=300)
@pytest.mark.slow
def test_torn_files_raise_nothing_but_value_error(
    tmp_path_factory: pytest.TempPathFactory, name: str, share: float, changes: list[tuple[int, int]]
) -> None:
    content = bytearray((BUNDLED / name).read_bytes())
    if not changes:
        del content[round(share * len(content)) :]
    for at, value in changes:
        content[at % len(content)] = value
    file = tmp_path_factory.getbasetemp() / "torn.dcm"
    file.write_bytes(content)
    survives(file)


def test_pydicom_waits_until_a_dicom_file_is_read() -> None:
    check = "import sys, xrgan.data.reading.dicom; sys.exit('pydicom' in sys.modules or 'gdcm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


def test_bits_that_say_another_depth_than_the_values_have_are_refused(tmp_path: Path) -> None:
    shifted = write(tmp_path / "a.dcm", deep(12) << 4, BitsStored=12, HighBit=15)
    with pytest.raises(ValueError, match="^has values of 16 bits, with BitsStored 12 and HighBit 15$"):
        read_dicom(shifted, "dicom")
    cut = write(tmp_path / "b.dcm", deep(12), BitsStored=8, HighBit=7)
    with pytest.raises(ValueError, match="^has values of 12 bits, with BitsStored 8 and HighBit 7$"):
        read_dicom(cut, "dicom")


def test_an_overlay_above_the_stored_bits_is_no_image(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.dcm", deep(12), BitsStored=12, HighBit=11)
    overlaid = write(tmp_path / "b.dcm", deep(12) | np.uint16(1 << 12), BitsStored=12, HighBit=11)
    assert np.array_equal(read_dicom(plain, "dicom"), read_dicom(overlaid, "dicom"))


def test_a_folder_that_is_called_as_a_module_of_gdcm_is_none(tmp_path: Path) -> None:
    write(tmp_path / "a.dcm", PICTURE)
    (tmp_path / "dl").mkdir()
    code = (
        "from pathlib import Path; from xrgan.data.reading.dicom import read_dicom; read_dicom(Path('a.dcm'), 'dicom')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
