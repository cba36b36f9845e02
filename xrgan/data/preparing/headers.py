"""What DICOM headers say of patient and view. A PatientID is marked, for `pseudonyms` to replace."""

from pathlib import Path

import pandas as pd

from xrgan import console
from xrgan.data.reading.dicom import is_dicom, read_header
from xrgan.data.reading.kinds import EXTENSIONS, says_dicom
from xrgan.data.scanning.folder_names import is_finding, numbered_as
from xrgan.data.tables.cells import PEOPLE, age_of, sex_of

OLDEST = 90  # years; a higher age may tell who it is (HIPAA's Safe Harbor counts it among the identifiers)
BY_PATH = ("folders", "--patient-pattern", "names")  # what `Scan.taken` says of patients that a path told
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


def add_headers(rows: pd.DataFrame, raw: Path, with_view: bool, taken: dict[str, str] | None = None) -> pd.DataFrame:
    """Fill what the source's own files left open: the patient, and where it is asked for, the view.

    Args:
        rows: columns file, patient (the file itself = not known), label, view, and is_hidden: True where folders above
            the file may be called after people.
        taken: of the user's own folder, what was taken from where (`Scan.taken`): headers know patients better than
            folders do, and folders of DICOM files may be called after people. None = a public source's.

    Returns:
        The rows with a column more, and the user's own DICOM files hidden, too. is_patient_id: True where the patient
        is a PatientID or comes from a path that is to hide: no file may hold it.
    """
    is_dicom = rows["file"].map(lambda file: _is_dicom(raw / file, own=taken is not None)).astype(bool)
    rows = rows.assign(is_patient_id=False, is_hidden=rows["is_hidden"] | (is_dicom & (taken is not None)))
    unknown = rows["patient"].eq(rows["file"])
    if taken is not None and taken.get("patient", "").startswith(BY_PATH):
        rows["is_patient_id"] = rows["is_hidden"] & ~unknown
        if taken["patient"].startswith("folders"):
            unknown |= is_dicom
    asked = is_dicom & (unknown | (rows["view"].eq("") & with_view) | (taken is not None))
    if not asked.any():
        return rows
    files = [raw / file for file in rows["file"][asked]]
    read = [_read(file) for file in console.track(files, "Reading DICOM headers")]
    headers = pd.DataFrame(read, columns=["patient", "view", *PEOPLE], index=rows.index[asked])
    rows = _with_people(rows, headers)
    named = headers.index[unknown[asked] & headers["patient"].ne("")]
    rows.loc[named, "patient"] = headers.loc[named, "patient"]
    rows.loc[named, "is_patient_id"] = True
    without_view = headers.index[rows["view"][asked].eq("")]
    rows.loc[without_view, "view"] = headers.loc[without_view, "view"]
    if taken is not None:
        if len(named):
            taken["patient"] = "DICOM headers"
        if taken.get("class", "").startswith("folders"):
            rows = _without_names_of_people(rows, is_dicom, headers["patient"], taken)
    return rows


def _with_people(rows: pd.DataFrame, headers: pd.DataFrame) -> pd.DataFrame:
    """The rows with sex and age where headers say them, and nothing else did."""
    for role in PEOPLE:
        said = headers.index[headers[role].ne("")]
        if len(said) and role not in rows:
            rows = rows.assign(**{role: ""})
        if len(said):
            rows.loc[said, role] = rows.loc[said, role].where(rows.loc[said, role].ne(""), headers.loc[said, role])
    return rows


def _without_names_of_people(
    rows: pd.DataFrame, is_dicom: pd.Series, patients: pd.Series, taken: dict[str, str]
) -> pd.DataFrame:
    """Labels that folders of DICOM files gave, if those say findings or hold several patients each; else none."""
    labels = rows["label"][is_dicom & rows["label"].ne("")]
    names = set(labels)
    if not names or sum(is_finding(name) or numbered_as(name) == "grade" for name in names) * 2 >= len(names):
        return rows
    of_label = patients[labels.index].where(patients[labels.index] != "").groupby(labels).nunique()
    if (of_label > 1).all() or all(name.isdigit() for name in names):
        return rows
    console.warn(
        "The folders of the DICOM files may be called after people: they are not taken as classes. "
        "--label-pattern says what is a class, or --table."
    )
    del taken["class"]
    return rows.assign(label=rows["label"].mask(rows.index.isin(labels.index), ""))


def _read(file: Path) -> tuple[str, str, str, str]:
    """Patient, view, sex (F or M) and age (whole years, `OLDEST` at most); "" where the header says nothing like it."""
    try:
        header = read_header(file)
    except ValueError:
        return "", "", "", ""  # what is no image is named when it is packed
    patient, sex, age = header.patient.strip(), sex_of(header.sex.strip()), age_of(header.age.strip())
    return (
        "" if patient.lower() in NOBODY else patient,
        header.view if header.view in VIEWS else "",
        sex if sex in {"F", "M"} else "",
        str(min(int(age), OLDEST)) if age else "",
    )


def _is_dicom(file: Path, own: bool) -> bool:
    if not file.is_file():  # a link to a device would be read for ever
        return False
    if file.suffix.lower() in EXTENSIONS:  # of one's own, also a DICOM file that is called scan.png
        return own and says_dicom(file)
    return is_dicom(file)
