"""Public datasets that one gets by signing a form: a record each, and the function that reads its folder.

Their images are told apart by paths or by names that are unique, and all else stands in tables.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from xrgan.data.scanning.folder_names import split_of
from xrgan.data.scanning.rows import COLUMNS, stems, table
from xrgan.data.scanning.texts import find_texts, require_overlap
from xrgan.data.scanning.tree import list_images
from xrgan.data.source import Source
from xrgan.data.tables.filling import fill
from xrgan.data.tables.labels import NEGATIVE, read_labels
from xrgan.data.tables.matching import Files
from xrgan.data.tables.reading import read_table
from xrgan.errors import XrganError

CHEXPERT_FINDINGS = (
    *("No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema"),
    *("Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture"),
    "Support Devices",
)
VINDR_FINDINGS = (
    *("No finding", "Aortic enlargement", "Atelectasis", "Calcification", "Cardiomegaly", "Clavicle fracture"),
    *("Consolidation", "Edema", "Emphysema", "Enlarged PA", "ILD", "Infiltration", "Lung Opacity", "Lung cavity"),
    *("Lung cyst", "Mediastinal shift", "Nodule/Mass", "Pleural effusion", "Pleural thickening", "Pneumothorax"),
    *("Pulmonary fibrosis", "Rib fracture", "Other lesion", "COPD", "Lung tumor", "Pneumonia", "Tuberculosis"),
    *("Other diseases", "Other disease"),
)
PADCHEST_FINDINGS = (  # the most frequent ones of 193
    *("normal", "COPD signs", "unchanged", "chronic changes", "cardiomegaly", "aortic elongation", "scoliosis"),
    *("vertebral degenerative changes", "interstitial pattern", "pleural effusion", "air trapping", "pneumonia"),
    *("apical pleural thickening", "costophrenic angle blunting", "infiltrates", "alveolar pattern", "nodule"),
    *("laminar atelectasis", "atelectasis", "hiatal hernia", "kyphosis", "pacemaker"),
)
UNCERTAIN_NOTE = (
    "A finding that its labels call uncertain (-1) counts as not known; --table with --uncertain decides otherwise."
)
PHYSIONET = "PhysioNet Credentialed Health Data License 1.5.0: research, after a course and a signature"


# What they share -----------------------------------------------------------------------------------------------------


def _images(folder: Path) -> pd.DataFrame:
    """Rows of the images below a folder, of which nothing is known yet."""
    images, _ = list_images(folder)
    return table(file=[image.as_posix() for image in images])


def _read_tables(folder: Path) -> list[pd.DataFrame]:
    """Every CSV below a folder, packed by gzip or not."""
    found = []
    for file in find_texts(folder, ".csv", ".csv.gz"):
        with suppress(XrganError):  # what is no table says nothing
            found.append(read_table(file).cells)
    return found


def _with(tables: Sequence[pd.DataFrame], *columns: str) -> list[pd.DataFrame]:
    """Those that have these columns, and maybe more."""
    return [cells for cells in tables if set(columns) <= set(cells.columns)]


def _split(file: str) -> str:
    """Of the topmost folder that is called after one."""
    return next((split for part in file.split("/")[:-1] if (split := split_of(part))), "")


def _labels(files: pd.Series, marks: pd.DataFrame) -> dict[str, str]:
    """file → its findings, from columns of 1, 0, -1 and nothing; of several rows of a file, most decide."""
    known = files[files != ""]
    label_of = read_labels(known.tolist(), marks.loc[known.index], uncertain="drop").label_of
    return {file: "" if label == NEGATIVE else label for file, label in label_of.items()}


# CheXpert ------------------------------------------------------------------------------------------------------------


def _read_chexpert(folder: Path) -> pd.DataFrame:
    """`train/patient00001/study1/view1_frontal.jpg` and train.csv, valid.csv, whose paths begin some folders above."""
    rows = _images(folder)
    rows["patient"] = rows["file"].str.extract(r"(patient\d+)/", expand=False).fillna("")
    rows["split"] = [_split(file) for file in rows["file"]]
    said = _with(_read_tables(folder), "Path", *CHEXPERT_FINDINGS[:1])
    if not said or rows.empty:
        return rows
    cells = pd.concat(said, ignore_index=True).fillna("")
    found = Files(rows["file"]).match(cells["Path"].tolist()).file_of
    require_overlap([] if found else cells["Path"].tolist(), rows, folder)
    files = cells["Path"].map(lambda path: found.get(path, ""))
    labels = _labels(files, cells[[name for name in CHEXPERT_FINDINGS if name in cells]])
    rows["label"] = [labels.get(file, "") for file in rows["file"]]
    if {"AP/PA", "Frontal/Lateral"} <= set(cells.columns):
        view = cells["AP/PA"].where(cells["AP/PA"] != "", cells["Frontal/Lateral"].str.upper())
        rows = fill(rows, pd.DataFrame({"file": files, "view": view})[files != ""], folder, "The table")
    return rows[list(COLUMNS)]


CHEXPERT = Source(
    name="chexpert",
    title="CheXpert: 65,240 patients of Stanford Hospital, findings mined from the reports",
    licence="Stanford University Dataset Research Use Agreement: research that earns no money",
    citation="Irvin J, et al. CheXpert: A large chest radiograph dataset with uncertainty labels and expert "
    "comparison. AAAI 33:590-597, 2019. doi:10.1609/aaai.v33i01.3301590",
    url="https://stanfordmlgroup.github.io/competitions/chexpert/",
    images=223648,
    classes=CHEXPERT_FINDINGS,
    gigabytes=11,  # CheXpert-v1.0-small
    label_map="No Finding=No Finding,*=Finding",
    note=f"It has frontal and lateral views: --view PA,AP keeps the frontal ones. {UNCERTAIN_NOTE}",
    read=_read_chexpert,
)


# MIMIC-CXR-JPG -------------------------------------------------------------------------------------------------------


def _read_mimic(folder: Path) -> pd.DataFrame:
    """`files/p10/p10000032/s50414267/<dicom_id>.jpg`; labels by study; view and split by image, in tables of their own.

    The study is the folder's, or the tables', should the images have been brought into one folder.
    """
    rows = _images(folder)
    names = pd.Series(stems(rows), dtype="str")
    tables = _read_tables(folder)
    study = rows["file"].str.extract(r"s(\d{8})/", expand=False)
    subject = rows["file"].str.extract(r"p(\d{8})/", expand=False)
    for cells in _with(tables, "dicom_id", "study_id", "subject_id"):
        require_overlap(cells["dicom_id"].tolist(), rows, folder)
        by_name = cells.drop_duplicates("dicom_id").set_index("dicom_id")
        study = study.fillna(names.map(by_name["study_id"]))
        subject = subject.fillna(names.map(by_name["subject_id"]))
        for column, role in (("ViewPosition", "view"), ("split", "split")):
            if column in by_name:
                rows[role] = names.map(by_name[column]).fillna("")
    rows["split"] = [split_of(split) if split else "" for split in rows["split"]]
    rows["patient"] = ("p" + subject).fillna("")
    for cells in _with(tables, "study_id", *CHEXPERT_FINDINGS[:1])[:1]:  # …-chexpert.csv; …-negbio.csv says the like
        labels = _labels(cells["study_id"], cells[[name for name in CHEXPERT_FINDINGS if name in cells]])
        rows["label"] = study.map(labels).fillna("")
    return rows


MIMIC = Source(
    name="mimic",
    aliases=("mimic-cxr-jpg", "mimic-cxr"),
    title="MIMIC-CXR-JPG: 227,827 studies of a hospital in Boston, findings mined from the reports",
    licence=PHYSIONET,
    citation="Johnson AEW, et al. MIMIC-CXR-JPG, a large publicly available database of labeled chest radiographs. "
    "arXiv:1901.07042, 2019; PhysioNet, version 2.1.0, 2024. doi:10.13026/jsn5-t979",
    url="https://physionet.org/content/mimic-cxr-jpg/",
    images=377110,
    classes=CHEXPERT_FINDINGS,
    label_map="No Finding=No Finding,*=Finding",
    note=f"It has frontal and lateral views: --view PA,AP keeps the frontal ones. {UNCERTAIN_NOTE}",
    read=_read_mimic,
)


# VinDr-CXR -----------------------------------------------------------------------------------------------------------


def _read_vindr(folder: Path) -> pd.DataFrame:
    """`train/<image_id>.dicom` (or PNGs of those names), and image_labels_train.csv, a row per radiologist.

    Copies as PNG come with a row per box instead (`class_name`, `rad_id`): what a radiologist boxed, he or she saw.
    A training image shows what most of its three radiologists saw; of a test image, five have agreed already.
    """
    rows = _images(folder)
    rows["view"] = "PA"  # all of them (Nguyen et al. 2022)
    rows["split"] = [_split(file) for file in rows["file"]]
    labels: dict[str, str] = {}
    tables = _read_tables(folder)
    for cells in _with(tables, "image_id", "class_name"):
        labels |= _vindr_labels(rows, folder, _marks_of_boxes(cells))
    for cells in _with(tables, "image_id", "No finding"):
        labels |= _vindr_labels(rows, folder, cells)
    rows["label"] = [labels.get(file, "") for file in rows["file"]]
    return rows


def _vindr_labels(rows: pd.DataFrame, folder: Path, cells: pd.DataFrame) -> dict[str, str]:
    found = Files(rows["file"]).match(cells["image_id"].tolist()).file_of
    require_overlap([] if found else cells["image_id"].tolist(), rows, folder)
    files = cells["image_id"].map(lambda name: found.get(name, ""))
    return _labels(files, cells[[name for name in VINDR_FINDINGS if name in cells]])


def _marks_of_boxes(cells: pd.DataFrame) -> pd.DataFrame:
    """Rows of boxes → one row per image and radiologist, with 1 and 0 for each finding."""
    readers = cells[["image_id"]].assign(reader=cells.get("rad_id", "all"))
    marks = pd.crosstab([readers["image_id"], readers["reader"]], cells["class_name"]).gt(0).astype(int).astype(str)
    return marks.reset_index()


VINDR = Source(
    name="vindr",
    aliases=("vindr-cxr",),
    title="VinDr-CXR: 18,000 images of two hospitals in Hanoi, read by radiologists",
    licence=PHYSIONET,
    citation="Nguyen HQ, et al. VinDr-CXR: An open dataset of chest X-rays with radiologist's annotations. Scientific "
    "Data 9:429, 2022. doi:10.1038/s41597-022-01498-w",
    url="https://physionet.org/content/vindr-cxr/",
    images=18000,
    classes=VINDR_FINDINGS,
    label_map="No finding=No finding,*=Finding",
    note="Nothing says who its patients are. Its boxes are read as findings alone, and drawn into no mask.",
    read=_read_vindr,
)


# PadChest ------------------------------------------------------------------------------------------------------------


def _read_padchest(folder: Path) -> pd.DataFrame:
    """`0/<ImageID>.png` … of 16 bits, and one CSV (packed or not) with lists of labels in its cells."""
    rows = _images(folder)
    for cells in _with(_read_tables(folder), "ImageID", "PatientID", "Labels"):
        found = Files(rows["file"]).match(cells["ImageID"].tolist()).file_of
        require_overlap([] if found else cells["ImageID"].tolist(), rows, folder)
        files = cells["ImageID"].map(lambda name, found=found: found.get(name, ""))
        said = pd.DataFrame({"file": files, "patient": cells["PatientID"], "view": cells.get("Projection", "")})
        rows = fill(rows, said[files != ""], folder, "The table")
        labels = read_labels(files.tolist(), cells[["Labels"]], uncertain="drop").label_of
        rows["label"] = [labels.get(file, "") for file in rows["file"]]
    return rows[list(COLUMNS)]


PADCHEST = Source(
    name="padchest",
    title="PadChest: 67,000 patients of San Juan Hospital, Alicante, findings from the reports",
    licence="PadChest Dataset Research Use Agreement, of the BIMCV",
    citation="Bustos A, et al. PadChest: A large chest x-ray image dataset with multi-label annotated reports. Med "
    "Image Anal 66:101797, 2020. doi:10.1016/j.media.2020.101797",
    url="https://bimcv.cipf.es/bimcv-projects/padchest/",
    images=160868,
    classes=PADCHEST_FINDINGS,
    label_map="normal=normal,*=finding",
    note="It has lateral views and others (--view PA,AP keeps frontal ones), and names 193 findings.",
    read=_read_padchest,
)

SIGNED = (CHEXPERT, MIMIC, VINDR, PADCHEST)
