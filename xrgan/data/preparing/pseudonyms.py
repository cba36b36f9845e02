"""How a PatientID is kept from leaving the machine.

An ID is replaced by a keyed hash (HMAC-SHA-256) before anything is written. The key is made once, beside the prepared
datasets and in none of them: without it, nobody can try IDs until one fits.
"""

import hmac
import os
import secrets
from pathlib import Path

import pandas as pd
from filelock import FileLock

KEY_FILE = ".patient-key"
KEY_BYTES = 32
DIGITS = 16  # of a pseudonym


def pseudonymise(rows: pd.DataFrame, prepared_root: Path) -> pd.DataFrame:
    """Replace each PatientID by its pseudonym; the column `is_patient_id` is dropped."""
    patients = rows["patient"].copy()
    if rows["is_patient_id"].any():
        key = _key(prepared_root)
        hidden = {name: _pseudonym(key, name) for name in patients[rows["is_patient_id"]].unique()}
        patients = patients.where(~rows["is_patient_id"], patients.map(hidden))
    return rows.assign(patient=patients).drop(columns="is_patient_id")


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
