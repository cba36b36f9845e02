"""Write small DICOM files: the same pixels in any transfer syntax, and any header around them."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import DataElement, Dataset, uid
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate

PLAIN = {
    "implicit": uid.ImplicitVRLittleEndian,
    "explicit": uid.ExplicitVRLittleEndian,
    "big endian": uid.ExplicitVRBigEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
}
GDCM = {
    "JPEG 2000": "JPEG2000Lossless",
    "JPEG Lossless": "JPEGLosslessProcess14_1",
    "JPEG Lossless 14": "JPEGLosslessProcess14",
    "JPEG-LS": "JPEGLSLossless",
    "JPEG Extended": "JPEGExtendedProcess2_4",  # of 12 bits: nothing here decodes it
}
EXACT = ["bare", *PLAIN, "RLE", "JPEG 2000", "JPEG Lossless", "JPEG Lossless 14", "JPEG-LS"]  # they lose nothing


def write(
    path: Path,
    pixels: NDArray[Any],
    *,
    bits: int = 12,
    photometric: str = "MONOCHROME2",
    signed: bool = False,
    syntax: str = "explicit",
    patient: str = "phantom00001",
    view: str = "PA",
    **more: Any,
) -> Path:
    """Write one radiograph.

    Args:
        pixels: the stored values, (H, W) or (H, W, 3).
        bits: stored a value; 8 or 16 are allocated.
        syntax: a key of PLAIN or GDCM, "RLE", "JPEG" (Baseline), or "bare": implicit, without preamble and meta
            information, as old files are.
        more: any other attribute by its keyword (WindowCenter=2048); None leaves one out, and
            a DataElement takes the place of the one of its tag.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is for the reader to be wary of odd values
        dataset = _dataset(pixels, bits, photometric, signed, syntax)
        more = {"PatientID": patient, "ViewPosition": view} | more
        for keyword, value in more.items():
            if value is None:
                dataset.pop(keyword, None)
            elif isinstance(value, DataElement):
                dataset.add(value)
            else:
                setattr(dataset, keyword, value)
        path.parent.mkdir(parents=True, exist_ok=True)
        if syntax == "bare":
            del dataset.file_meta
            dataset.save_as(path, implicit_vr=True, little_endian=True)
        else:
            dataset.save_as(path, enforce_file_format=True)
    if syntax in GDCM:
        _transcode(path, GDCM[syntax])
    return path


def _dataset(pixels: NDArray[Any], bits: int, photometric: str, signed: bool, syntax: str) -> Dataset:
    allocated = 8 if bits <= 8 else 16
    order = ">" if syntax == "big endian" else "<"
    stored = pixels.astype(f"{order}{'i' if signed else 'u'}{allocated // 8}")
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = uid.DigitalXRayImageStorageForPresentation, "1.2.3"
    dataset.Modality, dataset.PatientName, dataset.PatientBirthDate = "DX", "Phantom^Chest", "19010203"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = allocated, bits, bits - 1
    dataset.PixelRepresentation, dataset.PhotometricInterpretation = int(signed), photometric
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = PLAIN.get(syntax, uid.ExplicitVRLittleEndian)
    dataset.PixelData = stored.tobytes()
    dataset["PixelData"].VR = "OW" if allocated == 16 else "OB"
    _encode(dataset, stored, syntax)
    return dataset


def _encode(dataset: Dataset, stored: NDArray[Any], syntax: str) -> None:
    if syntax == "RLE":
        dataset.compress(uid.RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    if syntax == "JPEG":
        buffer = io.BytesIO()
        Image.fromarray(stored).save(buffer, format="JPEG", quality=97)
        dataset.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
        dataset.PixelData = encapsulate([buffer.getvalue()])


def _transcode(path: Path, syntax: str) -> None:
    import gdcm  # late: it puts a zlib of its own in the place of Python's, if that was not loaded yet

    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(path))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(path))
    assert writer.Write()


def table(entries: Sequence[int] | NDArray[Any], first: int = 0, bits: int = 16, packed: bool = False) -> list[Dataset]:
    """A ModalityLUTSequence or VOILUTSequence of one table.

    Args:
        first: the value that takes the first entry.
        bits: what the descriptor says of an entry.
        packed: an entry takes one byte, else two.
    """
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries) % 2**16, first, bits])
    item.add_new("LUTData", "OW", np.asarray(entries).astype("u1" if packed else "<u2").tobytes())
    return [item]
