"""What DICOM headers say of patient and view, and how a PatientID is kept from leaving the machine.

An ID is replaced by a keyed hash (HMAC-SHA-256) before anything is written. The key is made once, beside the prepared
datasets and in none of them: without it, nobody can try IDs until one fits.
"""

import hmac
import os
import secrets
from pathlib import Path

import pandas as pd
from filelock import FileLock

from xrgan import console
from xrgan.data.reading.dicom import is_dicom, read_header
from xrgan.data.reading.pictures import EXTENSIONS

KEY_FILE = ".patient-key"
KEY_BYTES = 32
DIGITS = 16  # of a pseudonym
# Defined terms of PS3.3 (CR and DX), and what scanners write: any other text could be a name.
VIEWS = {"PA", "AP", "LL", "RL", "LLD", "RLD", "LLO", "RLO", "LATERAL", "LAT", "OBLIQUE", "AP AXIAL", "LORDOTIC"}


def add_headers(rows: pd.DataFrame, raw: Path, with_view: bool) -> pd.DataFrame:
    """Fill what the source's own files left open: the patient, and where it is asked for, the view.

    Args:
        rows: columns file, patient (the file itself = not known) and view.

    Returns:
        The rows with a column `secret`: True where the patient is a PatientID, which no file may hold.
    """
    rows = rows.assign(secret=False)
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
    rows.loc[named, "secret"] = True
    without_view = headers.index[rows["view"][asked].eq("")]
    rows.loc[without_view, "view"] = headers.loc[without_view, "view"]
    return rows


def hide_patients(rows: pd.DataFrame, prepared_root: Path) -> pd.DataFrame:
    """Replace each secret PatientID by its pseudonym; the column `secret` is dropped."""
    patients = rows["patient"].copy()
    if rows["secret"].any():
        key = _key(prepared_root)
        hidden = {name: _pseudonym(key, name) for name in patients[rows["secret"]].unique()}
        patients = patients.where(~rows["secret"], patients.map(hidden))
    return rows.assign(patient=patients).drop(columns="secret")


def _read(file: Path) -> tuple[str, str]:
    try:
        header = read_header(file)
    except ValueError:
        return "", ""  # what is no image is named when it is packed
    return header.patient.strip(), header.view if header.view in VIEWS else ""


def _may_be_dicom(file: Path) -> bool:
    if file.suffix.lower() in EXTENSIONS or not file.is_file():  # a link to a device would be read for ever
        return False
    return is_dicom(file)


def _pseudonym(key: bytes, patient: str) -> str:
    return hmac.new(key, patient.encode(errors="surrogateescape"), "sha256").hexdigest()[:DIGITS]


def _key(prepared_root: Path) -> bytes:
    file = prepared_root / KEY_FILE
    prepared_root.mkdir(parents=True, exist_ok=True)
    with FileLock(prepared_root / f"{KEY_FILE}.lock"):
        if not file.is_file() or file.stat().st_size < KEY_BYTES:
            with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as opened:
                opened.write(secrets.token_bytes(KEY_BYTES))
        return file.read_bytes()
