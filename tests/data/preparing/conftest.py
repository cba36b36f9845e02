"""A folder of DICOM files."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from tests.data.dicom_files import write
from xrgan.data.phantom import draw


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """Six patients of two or three images at any depth, with extension and without, two views; and what is no image."""
    root = tmp_path / "raw" / "hospital"
    number = 0
    for patient in range(1, 7):
        for study in range(1, 3 + patient % 2):
            number += 1
            folder = root / f"disk{patient % 2}" / ("deeper" if study == 1 else "")
            file = folder / (f"IM{number:06d}", f"IM{number:06d}.dcm", f"1.2.840.{number}")[number % 3]
            pixels = draw(patient, study, "NORMAL", 48).image.astype(np.uint16) * 16
            write(file, pixels, patient=f"MRN-77{patient:02d}", view=("PA", "AP")[study == 2])
    for name in ("reportsi.dcm", "SC_rgb_rle_2frame.dcm"):  # a report; several frames
        shutil.copy(str(get_testdata_file(name, download=False)), root / name)
    (root / "notes.txt").write_text("no image")
    return root
