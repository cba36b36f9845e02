"""Synthetic images → DICOM files that say so: Secondary Capture, Synthetic Data (0008,001C) = YES, nobody's name.

Secondary Capture of Modality OT and Conversion Type SYN (PS3.3 A.8.1, C.8.6.1) is the class that claims no detector, no
exposure and no geometry. UIDs are made from what decides the image (the generator's weights, seed, number, class) below
the root 2.25 (PS3.5 B.2): the same image has the same UIDs, wherever and whenever it is drawn, and no file has a date.
"""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import xrgan
from xrgan.data.images import Pixels
from xrgan.files import replacing
from xrgan.marks import NOBODY, Mark

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "xrgan")
DECIDE = ("Run ID", "Generator SHA-256", "Seed", "Number", "Class")  # which image it is, among a mark's fields
LONGEST_ID = 64  # characters of a PatientID (VR LO)
LARGEST = 255
IMAGE_SERIES, MASK_SERIES = 1, 2


def save_dicom(path: Path, image: Pixels, mark: Mark, of_masks: bool = False) -> None:
    """Write a synthetic image, or its masks, as a DICOM file; nobody ever reads half of one.

    Args:
        image: uint8 (1, H, W) or (H, W), gray; (3, H, W), RGB.
        mark: of the image; what it says becomes the Image Comments.
        of_masks: the pixels are masks: another series of the image's study.
    """
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

    pixels = (
        image[0] if image.ndim == 3 and len(image) == 1 else np.moveaxis(image, 0, -1) if image.ndim == 3 else image
    )
    dataset = _described(mark, of_masks)
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.set_pixel_data(
        np.ascontiguousarray(pixels),
        "MONOCHROME2" if pixels.ndim == 2 else "RGB",
        bits_stored=8,
        generate_instance_uid=False,
    )
    if pixels.ndim == 2:  # shown as it is, by every viewer (PS3.3 C.11.2.1.2.1)
        dataset.WindowCenter, dataset.WindowWidth = (LARGEST + 1) // 2, LARGEST + 1
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    with replacing(path, sync=False) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)


def uid_of(mark: Mark, what: str) -> "UID":
    """Make the UID of an image's study, series or instance: below 2.25, of what decides the image."""
    from pydicom.uid import UID

    decides = "\0".join([what, *(mark.said.get(name, "") for name in DECIDE)])
    return UID(f"2.25.{uuid.uuid5(NAMESPACE, decides).int}")


def _described(mark: Mark, of_masks: bool) -> "Dataset":
    """All but the pixels; what the standard wants and nobody knows is empty."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset

    dataset, said = Dataset(), mark.said
    dataset.file_meta = FileMetaDataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SyntheticData = "YES"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.Modality, dataset.ConversionType, dataset.BodyPartExamined = "OT", "SYN", "CHEST"
    dataset.PatientName = "XRGAN^SYNTHETIC"
    dataset.PatientID = _patient_id(mark)
    dataset.StudyInstanceUID = uid_of(mark, "study")
    dataset.SeriesInstanceUID = uid_of(mark, "masks" if of_masks else "images")
    dataset.SOPInstanceUID = uid_of(mark, "mask" if of_masks else "image")
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName"):
        setattr(dataset, keyword, "")
    dataset.AccessionNumber = dataset.PatientOrientation = ""
    dataset.StudyID = "1"
    dataset.InstanceNumber, dataset.SeriesNumber = 1, MASK_SERIES if of_masks else IMAGE_SERIES
    dataset.Manufacturer = dataset.ManufacturerModelName = "xrgan"
    dataset.SoftwareVersions = said.get("Software", f"xrgan {xrgan.__version__}")
    dataset.StudyDescription = "SYNTHETIC chest X-ray, no patient"
    dataset.SeriesDescription = f"SYNTHETIC {'masks' if of_masks else 'X-ray'}, no patient"
    dataset.DerivationDescription, dataset.ImageComments = NOBODY, mark.comment
    dataset.BurnedInAnnotation = "NO"
    return dataset


def _patient_id(mark: Mark) -> str:
    """Of run, seed and number: one made-up patient an image; a long name of a run gives way."""
    tail = f"-{mark.said.get('Seed', '')}-{mark.said.get('Number', '')}"
    run = mark.said.get("Run", "").replace("\\", "_")
    return f"xrgan-{run}"[: LONGEST_ID - len(tail)] + tail
