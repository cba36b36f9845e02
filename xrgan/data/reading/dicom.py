"""DICOM files → 8-bit gray, as a workstation would show them first.

Shapes: H, W are pixels. pydicom reads the files and decodes their pixels, JPEG Lossless and JPEG-LS aside
(jpeg_lossless.py); dicom_grayscale.py brings them to 8 bits. Whatever is wrong with a file ends in a ValueError, and
its reason holds no value of the header: no name, no id, no date, no UID. pydicom is imported where it is used: a folder
of PNGs need not wait for it.
"""

import contextlib
import gzip
import io
import logging
import sys
import warnings
import zlib  # before pydicom imports gdcm: that brings a zlib of its own, and Python's would crash if it came later
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from xrgan.data.reading import jpeg_lossless
from xrgan.data.reading.bit_depth import luminance
from xrgan.data.reading.dicom_grayscale import TagError, to_gray
from xrgan.data.reading.kinds import DICOM_EXTENSIONS, EXTENSIONS, extension, may_be_dicom, says_dicom

if TYPE_CHECKING:
    from pydicom import Dataset

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"  # the SOP class of a DICOMDIR
DEFLATED = "1.2.840.10008.1.2.1.99"
INFLATED_BYTES = 2**29  # more than any radiograph takes
JPEG = "1.2.840.10008.1.2.4."
PILLOW = frozenset(JPEG + last for last in ("50", "51", "90", "91"))  # JPEG Baseline, Extended; JPEG 2000 (two kinds)
GDCM = frozenset(JPEG + last for last in ("57", "70", "80", "81"))  # JPEG Lossless (two kinds), JPEG-LS (two kinds)
GRAY = frozenset({"MONOCHROME1", "MONOCHROME2"})
COLOURS = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR"})
REQUIRED = ("PhotometricInterpretation", "SamplesPerPixel", "BitsAllocated")
OF_INTEGERS = ("BitsStored", "PixelRepresentation")
BITS_OF_A_BYTE = 8
# What is made instead of images (PS3.3 C.7.3.1.1.1): reports, plans, waveforms, dose; and outlines, drawn by somebody.
NO_IMAGES = frozenset(
    ["AU", "DOC", "ECG", "EPS", "FID", "HD", "KO", "PLAN", "PR", "REG", "RTDOSE", "RTPLAN", "RTSTRUCT", "SEG", "SR"]
)

# gdcm, which pydicom imports, asks for these modules of Python 2, and goes on without: a user's folder that is called
# `dl` must not pass for one.
sys.modules.update({name: None for name in ("dl", "DLFCN") if name not in sys.modules})  # type: ignore[misc]

# What pydicom logs may quote a patient's name, and some libraries give the root logger a handler to the terminal.
logging.getLogger("pydicom").addHandler(logging.NullHandler())
logging.getLogger("pydicom").propagate = False


@dataclass(frozen=True)
class Header:
    """patient: PatientID as it stands, for the caller to hash at once; view: ViewPosition, upper case; "" = unknown.

    sex, age: PatientSex and PatientAge as they stand.
    """

    patient: str
    view: str
    sex: str = ""
    age: str = ""


class _RefusedError(ValueError):
    """A reason of this module's own, which holds nothing of the header but the number of frames."""


def is_dicom(path: Path) -> bool:
    """By the `DICM` behind the preamble; by the extension too, or the first bytes, as old files have no preamble."""
    suffix = extension(path)
    return suffix in DICOM_EXTENSIONS or says_dicom(path) or (suffix not in EXTENSIONS and may_be_dicom(path))


def read_header(path: Path) -> Header:
    """Read who and which view, and no pixels.

    Raises:
        ValueError: the file is no single image: "is a DICOMDIR", "has 12 frames", "no DICOM file" …
    """
    tags = ["SOPClassUID", "Modality", "PatientID", "ViewPosition", "PatientSex", "PatientAge", "NumberOfFrames"]
    tags += ["Rows", "Columns"]
    with _reasons("its header can't be read"):
        dataset = _read_image(path, stop_before_pixels=True, specific_tags=tags)
        patient, view = _text(dataset, "PatientID"), _text(dataset, "ViewPosition").upper()
        return Header(patient, view, _text(dataset, "PatientSex"), _text(dataset, "PatientAge"))


def synthetic_comment(path: Path) -> str | None:
    """Read the Image Comments of a file whose Synthetic Data (0008,001C) is YES; None of any other file.

    What can't be read says nothing: whoever reads the pixels says why.
    """
    with suppress(ValueError), _reasons("its header can't be read"):
        tags = ["SOPClassUID", "SyntheticData", "ImageComments", "Modality", "NumberOfFrames", "Rows", "Columns"]
        dataset = _read_image(path, stop_before_pixels=True, specific_tags=tags)
        if _text(dataset, "SyntheticData").upper() == "YES":
            return _text(dataset, "ImageComments")
    return None


def read_dicom(path: Path, window: str) -> NDArray[np.uint8]:
    """Read one image.

    Args:
        window: dicom, minmax or pA-pB (`option_syntax.parse_window`). dicom: the file's first VOI LUT, else its first
            window; what that makes white is 255, whether or not the image reaches it. A file with neither: unsigned
            values of at most 8 bits as they are, others by their whole range. minmax and pA-pB heed no VOI LUT and no
            window.

    Returns:
        (H, W), larger is brighter: MONOCHROME1 is inverted, colours are gray, padding is 0.

    Raises:
        ValueError: as `read_header`, or why the pixels can't be decoded.
    """
    with _reasons("its header can't be read"):
        dataset = _read_image(path)
        syntax = _transfer_syntax(dataset)
    with _reasons(f"its pixels can't be decoded ({syntax})"):
        stored, bits = _decode(dataset)
    with _reasons("its gray scale can't be read"):
        return to_gray(stored, dataset, bits, window)


@contextmanager
def _reasons(otherwise: str) -> Iterator[None]:
    """Whatever goes wrong becomes a ValueError; foreign texts may quote the header, and give way to `otherwise`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (_RefusedError, TagError):
        raise
    except OSError as error:
        raise ValueError((error.strerror or otherwise).lower()) from None
    except Exception:  # of torn files pydicom lets struct.error, KeyError, NotImplementedError … through
        raise ValueError(otherwise) from None


def _read_image(path: Path, **options: Any) -> "Dataset":
    """The header of a file that holds one image, and the image as it is stored; `options` as of pydicom's dcmread."""
    from pydicom import dcmread

    opened = _unzipped(path) if extension(path) == ".dcm.gz" else path
    with path.open("rb") if isinstance(opened, Path) else contextlib.nullcontext(opened) as file:
        start = file.read(132)
    if not start:
        raise _RefusedError("empty file")
    has_preamble = start[128:] == b"DICM"
    if has_preamble and isinstance(opened, Path):
        _refuse_a_bomb(path)
    try:
        if not isinstance(opened, Path):
            opened.seek(0)
        dataset = dcmread(opened, force=True, **options)
    except Exception:
        raise _RefusedError("its header is torn" if has_preamble else "no DICOM file") from None
    if not has_preamble and "Rows" not in dataset and "SOPClassUID" not in dataset:
        raise _RefusedError("no DICOM file")
    _refuse_other_objects(dataset)
    return dataset


def _unzipped(path: Path) -> io.BytesIO:
    """The content of a file that is packed by gzip."""
    try:
        with gzip.open(path) as packed:
            content = packed.read(INFLATED_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise _RefusedError("no DICOM file") from None
    if len(content) > INFLATED_BYTES:
        raise _RefusedError("inflates to too many bytes")
    return io.BytesIO(content)


def _refuse_a_bomb(path: Path) -> None:
    """Few deflated bytes can hold gigabytes, and pydicom would inflate them all at once."""
    from pydicom.filereader import read_file_meta_info

    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DEFLATED:
        return
    inflating, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    with path.open("rb") as file:
        file.seek(144 + int(meta.FileMetaInformationGroupLength))
        while deflated := inflating.unconsumed_tail or file.read(2**20):
            size += len(inflating.decompress(deflated, 2**24))
            if size > INFLATED_BYTES:
                raise _RefusedError("inflates to too many bytes")


def _refuse_other_objects(dataset: "Dataset") -> None:
    if MEDIA_DIRECTORY in {dataset.file_meta.get("MediaStorageSOPClassUID"), dataset.get("SOPClassUID")}:
        raise _RefusedError("is a DICOMDIR")
    modality = _text(dataset, "Modality").upper()
    if modality in NO_IMAGES:
        raise _RefusedError(f"holds no image (modality {modality})")
    pixels = int(dataset.get("Rows") or 0) * int(dataset.get("Columns") or 0)
    if pixels == 0 and ("Rows" in dataset) != ("Columns" in dataset):
        raise _RefusedError(f"lacks the tag {'Columns' if 'Rows' in dataset else 'Rows'}")
    if pixels == 0:
        raise _RefusedError("holds no image")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        raise _RefusedError(f"has {frames} frames")
    if pixels > (Image.MAX_IMAGE_PIXELS or pixels):
        raise _RefusedError("declares too many pixels")


def _text(dataset: "Dataset", keyword: str) -> str:
    value = dataset.get(keyword)
    if value is None:
        return ""
    return (value if isinstance(value, str) else "\\".join(map(str, value))).strip()  # a backslash makes it a list


def _transfer_syntax(dataset: "Dataset") -> str:
    """The standard's name of it, never the UID of a maker's own.

    A file from before there were any says with its tags in which order bytes stand; `dataset` names that from here on.
    """
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if not syntax:
        _, little_endian = dataset.original_encoding
        syntax = dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if little_endian else ExplicitVRBigEndian
    return str(syntax.name) if syntax.name != str(syntax) else "an unknown transfer syntax"


def _decode(dataset: "Dataset") -> tuple[NDArray[Any], int]:
    """The stored values (H, W), colours already gray, and how many bits of each are used."""
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import get_expected_length, pixel_array

    if not any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise _RefusedError("holds no image")
    _refuse_impossible_bits(dataset)
    colours = dataset.PhotometricInterpretation = str(dataset.PhotometricInterpretation).strip().upper()
    if colours not in GRAY | COLOURS:
        raise _RefusedError("holds colours of an unknown kind")
    syntax = dataset.file_meta.TransferSyntaxUID
    if "PixelData" in dataset and not syntax.is_encapsulated and len(dataset.PixelData) < get_expected_length(dataset):
        raise _RefusedError("its pixels are cut short")
    if syntax in GDCM:
        _decode_lossless(dataset)
    pixels = pixel_array(dataset, index=0, decoding_plugin="pillow" if syntax in PILLOW else "")
    if pixels.dtype.kind not in "iu":
        if not np.isfinite(pixels).all():
            raise _RefusedError("holds NaN or infinite values")
        return pixels, 8 * pixels.itemsize
    bits = int(dataset.BitsStored)
    if colours == "PALETTE COLOR":
        entries, first, _ = dataset.RedPaletteColorLookupTableDescriptor
        pixels = apply_color_lut(np.clip(pixels, first, first + (entries or 2**16) - 1), dataset)
        bits = 8 * pixels.itemsize
    return luminance(pixels), bits


def _refuse_impossible_bits(dataset: "Dataset") -> None:
    """Refuse a header that lacks what pixels need, or says of their bits what can't be; the tag is named."""
    for keyword in (*REQUIRED, *(OF_INTEGERS if "PixelData" in dataset else ())):
        if dataset.get(keyword) in {None, ""}:
            raise _RefusedError(f"lacks the tag {keyword}")
    if "PixelData" not in dataset:
        return
    allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    high = int(dataset.get("HighBit") or stored - 1)
    if stored > allocated or high >= allocated:
        raise _RefusedError(f"has impossible bits: BitsAllocated {allocated}, BitsStored {stored}, HighBit {high}")
    if allocated != 16 or dataset.file_meta.TransferSyntaxUID.is_encapsulated or dataset.get("PixelRepresentation"):
        return
    order = "<u2" if dataset.original_encoding[1] is not False else ">u2"
    used = int(np.frombuffer(dataset.PixelData[: len(dataset.PixelData) // 2 * 2], order).max(initial=0)).bit_length()
    # Bits above the stored ones may hold an overlay, but not with so few of them stored.
    if used > stored and (high != stored - 1 or stored <= BITS_OF_A_BYTE):
        raise _RefusedError(f"has values of {used} bits, with BitsStored {stored} and HighBit {high}")


def _decode_lossless(dataset: "Dataset") -> None:
    """Exchange a JPEG Lossless or JPEG-LS frame for its plain pixels."""
    from pydicom.encaps import get_frame
    from pydicom.uid import ExplicitVRLittleEndian

    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = jpeg_lossless.decode(
        frame,
        syntax=str(dataset.file_meta.TransferSyntaxUID),
        rows=dataset.Rows,
        columns=dataset.Columns,
        samples=dataset.SamplesPerPixel,
    )
    dataset.BitsAllocated = 8 * jpeg_lossless.sample_bytes(frame)
    dataset.BitsStored = min(dataset.BitsStored, dataset.BitsAllocated)
    dataset.PlanarConfiguration = 0
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
