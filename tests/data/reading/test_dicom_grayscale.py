"""Windows, tables, rescaling and padding: each way of writing one picture must bring the picture back."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import DataElement

from tests.data.dicom_files import table, write
from tests.data.phantoms import PICTURE, deep
from xrgan.data.reading.dicom import read_dicom

GRAY = PICTURE.astype(np.int64)
ROOT = np.rint(np.sqrt(np.arange(4096) / 4095) * 4095).astype(int)  # a table that undoes a square
SQUARED = np.rint((GRAY / 255) ** 2 * 4095).astype(int)


def spotted(stored: NDArray[Any], low: int, high: int) -> NDArray[Any]:
    """The same with two single pixels, which a window must clip and a whole range would be led astray by."""
    spotted = stored.copy()
    spotted[5, 5], spotted[6, 6] = low, high
    return spotted


SPOTTED = spotted(GRAY, 0, 255)


class Way(NamedTuple):
    """Stored values, the header that makes a picture of them, and the picture."""

    stored: NDArray[Any]
    header: dict[str, Any]
    expected: NDArray[Any] = PICTURE
    tolerance: int = 0


# Of a LINEAR window, c − 0.5 is the middle and w − 1 the width (PS3.3 C.11.2.1.2.1): here 1000 is black, 2020 white.
LINEAR = {"WindowCenter": 1510.5, "WindowWidth": 1021}
WAYS = {
    "LINEAR": Way(spotted(1000 + 4 * GRAY, 0, 4095), LINEAR, SPOTTED),
    "LINEAR, said": Way(spotted(1000 + 4 * GRAY, 0, 4095), LINEAR | {"VOILUTFunction": "LINEAR"}, SPOTTED),
    "LINEAR_EXACT": Way(
        spotted(1000 + 4 * GRAY, 0, 4095),
        {"WindowCenter": 1510, "WindowWidth": 1020, "VOILUTFunction": "LINEAR_EXACT"},
        SPOTTED,
    ),
    "SIGMOID": Way(
        np.rint(30000 + 2000 * np.log((GRAY + 1) / (256 - GRAY))),
        {"bits": 16, "WindowCenter": 30000, "WindowWidth": 8000, "VOILUTFunction": "SIGMOID"},
        np.rint((GRAY + 1) / 257 * 255),
        tolerance=1,
    ),
    "several windows": Way(1000 + 4 * GRAY, {"WindowCenter": [1510.5, 99], "WindowWidth": [1021, 7]}),
    "signed window": Way(
        spotted(4 * GRAY - 700, -2048, 2047), {"signed": True, "WindowCenter": -189.5, "WindowWidth": 1021}, SPOTTED
    ),
    "a window wider than the image": Way(deep(12) // 2, {"WindowCenter": 2048, "WindowWidth": 4096}, GRAY / 2, 1),
    "rescale": Way(deep(12), {"RescaleSlope": 0.25, "RescaleIntercept": -300}),
    "rescale and window": Way(
        spotted(1000 + 4 * GRAY, 0, 4095),
        {"RescaleSlope": 0.5, "RescaleIntercept": -600, "WindowCenter": 155.5, "WindowWidth": 511},
        SPOTTED,
    ),
    "falling slope": Way(4095 - deep(12), {"RescaleSlope": -1, "RescaleIntercept": 4095}),
    "falling slope, 8 bits": Way(255 - GRAY, {"bits": 8, "RescaleSlope": -1, "RescaleIntercept": 255}),
    "falling slope and window": Way(
        spotted(4000 - 4 * GRAY, 4095, 0),
        {"RescaleSlope": -1, "RescaleIntercept": 4000, "WindowCenter": 510.5, "WindowWidth": 1021},
        SPOTTED,
    ),
    "empty rescale": Way(deep(12), {"RescaleSlope": "", "RescaleIntercept": ""}),
    "slope of 0": Way(deep(12), {"RescaleSlope": 0, "RescaleIntercept": 0}),
    "window with commas": Way(
        1000 + 4 * GRAY,
        {
            "WindowCenter": DataElement("WindowCenter", "LO", "1510,5"),
            "WindowWidth": DataElement("WindowWidth", "LO", "1021,0"),
        },
    ),
    "window of width 0": Way(deep(12), {"WindowCenter": 0, "WindowWidth": 0}),
    "window of an unknown function": Way(deep(12), LINEAR | {"VOILUTFunction": "CUBIC"}),
    "window without a width": Way(deep(12), {"WindowCenter": 3000}),
    "8 bits as they are": Way(GRAY // 2, {"bits": 8, "RescaleSlope": 1, "RescaleIntercept": 0}, GRAY // 2),
    "8 bits and a rescale": Way(
        GRAY // 2, {"bits": 8, "RescaleSlope": 4, "RescaleIntercept": -100}, np.rint(GRAY // 2 * (255 / 127))
    ),
    "7 bits": Way(GRAY // 4, {"bits": 7}, np.rint(GRAY // 4 * (255 / 127))),
    "modality LUT": Way(SQUARED, {"ModalityLUTSequence": table(ROOT)}, tolerance=2),
    "modality LUT of 8 bits": Way(255 - GRAY, {"bits": 8, "ModalityLUTSequence": table(np.arange(255, -1, -1))}),
    "modality LUT and window": Way(
        SQUARED, {"ModalityLUTSequence": table(ROOT), "WindowCenter": 2048, "WindowWidth": 4096}, tolerance=2
    ),
    "VOI LUT": Way(SQUARED, {"VOILUTSequence": table(ROOT, bits=12)}, tolerance=2),
    "VOI LUT before a window": Way(SQUARED, {"VOILUTSequence": table(ROOT, bits=12)} | LINEAR, tolerance=2),
    "VOI LUT of 12 bits, said to have 16": Way(SQUARED, {"VOILUTSequence": table(ROOT, bits=16)}, tolerance=2),
    "VOI LUT of 8 bits in words": Way(SQUARED, {"VOILUTSequence": table(ROOT >> 4, bits=8)}, tolerance=2),
    "VOI LUT of 8 bits in bytes": Way(SQUARED, {"VOILUTSequence": table(ROOT >> 4, bits=8, packed=True)}, tolerance=2),
    "VOI LUT of a part of the range": Way(
        spotted(1000 + 4 * GRAY, 0, 4095),
        {"VOILUTSequence": table(np.rint(np.arange(1021) / 1020 * 4095), 1000, 12)},
        SPOTTED,
    ),
    "VOI LUT that ends in gray": Way(deep(12) // 2, {"VOILUTSequence": table(np.arange(3000))}, GRAY / 2, 1),
    "VOI LUT of negative numbers": Way(
        SQUARED - 2048, {"signed": True, "VOILUTSequence": table(ROOT, -2048, 12)}, tolerance=2
    ),
    "VOI LUT of negative numbers, said to be positive": Way(
        SQUARED - 2048, {"signed": True, "VOILUTSequence": table(ROOT, 65536 - 2048, 12)}, tolerance=2
    ),
    "rescale and VOI LUT": Way(
        2 * SQUARED,
        {"bits": 16, "RescaleSlope": 0.5, "RescaleIntercept": -1024, "VOILUTSequence": table(ROOT, 65536 - 1024, 12)},
        tolerance=2,
    ),
    "VOI LUT of 65536 entries": Way(deep(16), {"bits": 16, "VOILUTSequence": table(np.arange(65536))}),
}


def shown(folder: Path, stored: NDArray[Any], window: str = "dicom", **header: Any) -> NDArray[np.int64]:
    return read_dicom(write(folder / "a.dcm", np.asarray(stored), **header), window).astype(np.int64)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("syntax", ["explicit", "implicit"])  # implicit files leave open what is signed and what words
def test_the_picture_comes_back(tmp_path: Path, way: str, syntax: str) -> None:
    options = WAYS[way]
    bright = shown(tmp_path, options.stored, syntax=syntax, **options.header)
    assert np.abs(bright - options.expected).max() <= options.tolerance
    dark = shown(tmp_path, options.stored, syntax=syntax, photometric="MONOCHROME1", **options.header)
    np.testing.assert_array_equal(dark, 255 - bright)


@pytest.mark.parametrize(("kind", "shift"), [("u1", 4), (">u2", 0)])
def test_a_table_in_a_big_endian_file(tmp_path: Path, kind: str, shift: int) -> None:
    sequence = table(ROOT)
    sequence[0]["LUTData"].value = (ROOT >> shift).astype(kind).tobytes()
    got = shown(tmp_path, SQUARED, syntax="big endian", VOILUTSequence=sequence)
    assert np.abs(got - GRAY).max() <= 2


def test_colours_heed_no_gray_scale(tmp_path: Path) -> None:
    rgb = np.repeat(PICTURE[..., None], 3, axis=2)
    header: dict[str, Any] = {"RescaleSlope": -1, "RescaleIntercept": 255, "PixelPaddingValue": int(PICTURE[30, 30])}
    for more in ({"VOILUTSequence": table(np.arange(255, -1, -1))}, {"WindowCenter": 9, "WindowWidth": 3}):
        got = shown(tmp_path, rgb, bits=8, photometric="RGB", **header, **more)
        np.testing.assert_array_equal(got, GRAY)


def test_a_window_that_is_no_number_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.dcm", deep(12), WindowCenter="1234", WindowWidth="4321")
    file.write_bytes(file.read_bytes().replace(b"1234", b"nan "))
    with pytest.raises(ValueError, match="^its gray scale can't be read$"):
        read_dicom(file, "dicom")
    np.testing.assert_array_equal(read_dicom(file, "minmax"), PICTURE)


@pytest.mark.parametrize("window", ["minmax", "p0-p100"])
@pytest.mark.parametrize(
    "header", [LINEAR, {"VOILUTSequence": table(ROOT, bits=12)}, {"RescaleSlope": 3, "RescaleIntercept": 1}]
)
def test_another_window_heeds_none_of_the_files_own(tmp_path: Path, window: str, header: dict[str, Any]) -> None:
    np.testing.assert_array_equal(shown(tmp_path, deep(12), window, **header), GRAY)
    inverted = shown(tmp_path, 4095 - deep(12), window, photometric="MONOCHROME1", **header)
    np.testing.assert_array_equal(inverted, GRAY)


def test_another_window_spreads_8_bits_too(tmp_path: Path) -> None:
    np.testing.assert_array_equal(shown(tmp_path, 20 + GRAY // 2, "minmax", bits=8), np.rint(GRAY // 2 * (255 / 127)))


def test_percentiles_are_those_of_what_is_seen(tmp_path: Path) -> None:
    """The darkest 30 % become black, whichever way round the file stores them."""
    bright = shown(tmp_path, deep(12), "p30-p100")
    assert 0.29 < (bright == 0).mean() < 0.32 and (bright == 255).mean() < 0.01
    dark = shown(tmp_path, 4095 - deep(12), "p30-p100", photometric="MONOCHROME1")
    np.testing.assert_array_equal(dark, bright)


# --- worked numbers


@pytest.mark.parametrize(
    ("function", "center", "width", "worked"),
    [
        # The notes of PS3.3 C.11.2.1.2.1, with an output of 0–255.
        ("LINEAR", 2048, 4096, {-1: 0, 0: 0, 1: 1 / 4095 * 255, 2000: 2000 / 4095 * 255, 4095: 255, 5000: 255}),
        ("LINEAR", 2048, 1, {2047: 0, 2048: 255}),
        ("LINEAR", 0, 100, {-51: 0, -50: 0, -49: 1 / 99 * 255, 0: 50 / 99 * 255, 48: 98 / 99 * 255, 49: 255, 50: 255}),
        ("LINEAR", 0, 1, {-1: 0, 0: 255}),
        # C.11.2.1.3.2
        ("LINEAR_EXACT", 2048, 4096, {-1: 0, 0: 0, 1000: 1000 / 4096 * 255, 4096: 255, 4097: 255}),
        ("LINEAR_EXACT", 2048, 1, {2047: 0, 2048: 127.5, 2049: 255}),
        ("LINEAR_EXACT", 0, 100, {-51: 0, -50: 0, 0: 127.5, 25: 0.75 * 255, 50: 255, 51: 255}),
        ("LINEAR_EXACT", 0, 1, {-1: 0, 0: 127.5, 1: 255}),
        # C.11.2.1.3.1: 255 / (1 + exp(−4 (x − c) / w))
        ("SIGMOID", 100, 40, {90: 255 / (1 + np.e), 100: 127.5, 110: 255 / (1 + 1 / np.e), -9999: 0, 9999: 255}),
    ],
)
def test_windows_of_the_standard(
    tmp_path: Path, function: str, center: float, width: float, worked: dict[int, float]
) -> None:
    stored = np.array([[*worked, -32768, 32767]])  # an image that goes far beyond the window on both sides
    window = {"WindowCenter": center, "WindowWidth": width, "VOILUTFunction": function}
    got = shown(tmp_path, stored, bits=16, signed=True, **window)
    np.testing.assert_allclose(got[0], [*worked.values(), 0, 255], atol=0.5 + 1e-9)


# --- padding

EDGE = np.zeros(PICTURE.shape, bool)
EDGE[:9] = EDGE[:, :9] = EDGE[-9:] = True
UNSIGNED = DataElement("PixelPaddingValue", "US", 65536 - 2000)  # what some write for −2000
UNPADDED = np.where(EDGE, 0, GRAY)


@pytest.mark.parametrize(
    ("values", "header"),
    [
        ([4095], {"PixelPaddingValue": 4095}),
        ([0], {"PixelPaddingValue": 0, "photometric": "MONOCHROME1"}),
        ([4095, 4094, 4000], {"PixelPaddingValue": 4095, "PixelPaddingRangeLimit": 4000}),
        ([4095, 4094, 4000], {"PixelPaddingValue": 4000, "PixelPaddingRangeLimit": 4095}),
        ([-2000], {"PixelPaddingValue": -2000, "signed": True, "bits": 16}),
        ([-2000], {"PixelPaddingValue": UNSIGNED, "signed": True, "bits": 16}),
        ([-2000], {"PixelPaddingValue": UNSIGNED, "signed": True, "bits": 12}),
        ([-9, -1], {"PixelPaddingValue": -9, "PixelPaddingRangeLimit": -1, "signed": True, "bits": 16}),
    ],
)
@pytest.mark.parametrize("window", ["dicom", "minmax", "p0-p100"])
@pytest.mark.parametrize("has_window", [False, True])
@pytest.mark.parametrize("syntax", ["implicit", "JPEG 2000"])
def test_padding_is_black_and_no_part_of_the_range(
    tmp_path: Path, values: list[int], header: dict[str, Any], window: str, has_window: bool, syntax: str
) -> None:
    stored = 100 + 2 * GRAY  # 100 is black, 610 white, and the whole range of what is no padding
    inside = np.where(EDGE, 100, stored)
    inside[20, 20], inside[21, 21] = 100, 610
    expected = UNPADDED.copy()
    expected[20, 20], expected[21, 21] = 0, 255
    if header.get("photometric") == "MONOCHROME1":
        inside = 710 - inside
    padded = np.where(EDGE, np.resize(values, EDGE.shape), inside)
    voi = {"WindowCenter": 355.5, "WindowWidth": 511} if has_window else {}
    np.testing.assert_array_equal(shown(tmp_path, padded, window, syntax=syntax, **header, **voi), expected)


def test_an_image_of_nothing_but_padding_is_black(tmp_path: Path) -> None:
    for window in ("dicom", "minmax", "p1-p99"):
        assert not shown(tmp_path, np.full((9, 9), 7), window, PixelPaddingValue=7).any()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_constant_image_without_a_window_is_black(tmp_path: Path, photometric: str) -> None:
    for window in ("dicom", "minmax", "p1-p99"):
        assert not shown(tmp_path, np.full((9, 9), 700), window, photometric=photometric).any()


def test_a_tag_that_is_no_number_is_named_without_what_it_holds(tmp_path: Path) -> None:
    words = {"WindowCenter": DataElement("WindowCenter", "LO", "Doe"), "WindowWidth": 100}
    with pytest.raises(ValueError, match="^has a WindowCenter that is no number$"):
        shown(tmp_path, deep(12), **words)
