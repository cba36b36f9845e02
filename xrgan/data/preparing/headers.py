"""What DICOM headers say of patient and view. A PatientID is marked, for `pseudonyms` to replace."""

from pathlib import Path

import pandas as pd

from xrgan import console
from xrgan.data.reading.dicom import is_dicom, read_header
from xrgan.data.reading.kinds import EXTENSIONS

# What anonymisers and phantoms leave in the place of an ID: of nobody, or of everybody.
NOBODY = frozenset(
    {
        *("", "0", "00", "000", "none", "na", "n/a", "null", "nobody", "xxx", "xxxx", "?", "-"),
        *("anonymous", "anonymized", "anonymised", "anon", "unknown", "deidentified", "de-identified", "removed"),
        *("test", "patient", "patientid"),
    }
)
# Defined terms of PS3.3 (CR and DX), and what scanners write: any other text could be a name.
VIEWS = {"PA", "AP", "LL", "RL", "LLD", "RLD", "LLO", "RLO", "LATERAL", "LAT", "OBLIQUE", "AP AXIAL", "LORDOTIC"}


def add_headers(rows: pd.DataFrame, raw: Path, with_view: bool) -> pd.DataFrame:
    """Fill what the source's own files left open: the patient, and where it is asked for, the view.

    Args:
        rows: columns file, patient (the file itself = not known) and view.

    Returns:
        The rows with a column `is_patient_id`: True where the patient is a PatientID, which no file may hold.
    """
    rows = rows.assign(is_patient_id=False)
    unknown = rows["patient"].eq(rows["file"])
    of_interest = (unknown | rows["view"].eq("")) if with_view else unknown
    asked = of_interest & rows["file"].map(lambda file: _may_be_dicom(raw / file))
    if not asked.any():
        return rows
    files = [raw / file for file in rows["file"][asked]]
    read = [_read(file) for file in console.track(files, "Reading DICOM headers")]
    headers = pd.DataFrame(read, columns=["patient", "view"], index=rows.index[asked])
    named = headers.index[unknown[asked] & headers["patient"].ne("")]
    rows.loc[named, "patient"] = headers.loc[named, "patient"]
    rows.loc[named, "is_patient_id"] = True
    without_view = headers.index[rows["view"][asked].eq("")]
    rows.loc[without_view, "view"] = headers.loc[without_view, "view"]
    return rows


def _read(file: Path) -> tuple[str, str]:
    try:
        header = read_header(file)
    except ValueError:
        return "", ""  # what is no image is named when it is packed
    patient = header.patient.strip()
    return "" if patient.lower() in NOBODY else patient, header.view if header.view in VIEWS else ""


def _may_be_dicom(file: Path) -> bool:
    if file.suffix.lower() in EXTENSIONS or not file.is_file():  # a link to a device would be read for ever
        return False
    return is_dicom(file)
