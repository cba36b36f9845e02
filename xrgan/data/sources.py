"""The catalogue: a public dataset is one frozen record and, where its layout is its own, one function beside it.

Adding one is done here alone: a record, `_add`ed, and the function that reads its folder if `read_tree` can't. Those
that one gets by signing a form stand in signed_sources.py.
"""

import difflib
import re
from math import isfinite
from pathlib import Path, PurePosixPath

import pandas as pd

from xrgan.data.reading.masks import NO_BOXES
from xrgan.data.scanning.rows import stems
from xrgan.data.scanning.texts import find_texts, read_tables, read_text, require_overlap
from xrgan.data.scanning.tree import read_by_stem
from xrgan.data.signed_sources import SIGNED
from xrgan.data.source import Source
from xrgan.data.tables.cells import age_of, sex_of
from xrgan.errors import XrganError

SOURCES: dict[str, Source] = {}


def find_source(name: str) -> Source:
    """The source of that name or alias, whatever its case.

    Raises:
        XrganError: there is none; the hint gives the nearest name and the list.
    """
    wanted = name.strip().lower()
    for source in SOURCES.values():
        if wanted in (source.name, *source.aliases):
            return source
    names = [known for source in SOURCES.values() for known in (source.name, *source.aliases)]
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    guess = f"Did you mean {near[0]}? " if near else ""
    raise XrganError(
        f"There is no source {name!r}.",
        f"{guess}Known are {', '.join(SOURCES)}; your own images: `xrgan fetch --folder DIR` or `--archive FILE.zip`.",
    )


def _add(source: Source) -> None:
    SOURCES[source.name] = source


# The phantom ---------------------------------------------------------------------------------------------------------

_add(
    Source(
        name="phantom",
        title="Procedural chest radiographs, drawn on this machine without the internet",
        origin="phantom",
        licence="MIT",
        citation="",
        url="",
        images=0,
        patient_pattern=r"^(phantom\d+)(?:_|$)",
        classes=("NORMAL", "PNEUMONIA"),
        masks=("right lung", "left lung", "heart"),
    )
)


# JSRT ----------------------------------------------------------------------------------------------------------------


def _read_jsrt(folder: Path) -> pd.DataFrame:
    """Kaggle's PNGs, the original's IMGs or a resized copy, with the SCR masks where they are beside them.

    The state of each image stands in a CSV or TXT, which in some copies has no header or misspells it: what is sure
    is that a line names one image, and then its state.
    """
    rows = read_by_stem(folder)
    line_of_image = re.compile(r"\b(JPC[LN]N\d{3})\b.*?\b(malignant|benign|non-nodule)\b", re.IGNORECASE)
    person = re.compile(r"\b(JPC[LN]N\d{3})\b[^\r\n]*?\b(\d{1,3})[,;\t](Male|Female)\b", re.IGNORECASE)
    states: dict[str, str] = {}
    people: dict[str, tuple[str, str]] = {}
    for file in find_texts(folder, ".csv", ".txt"):
        text = read_text(file)
        states |= {found[1].upper(): found[2].lower() for found in line_of_image.finditer(text)}
        people |= {found[1].upper(): (sex_of(found[3]), age_of(found[2])) for found in person.finditer(text)}
    require_overlap(states, rows, folder)
    of_name = {"JPCLN": "nodule", "JPCNN": "non-nodule"}
    rows["label"] = [states.get(stem, of_name.get(stem[:5], "")) for stem in stems(rows)]
    rows["view"] = "PA"  # all of them (van Ginneken et al. 2006)
    rows["sex"], rows["age"] = zip(*(people.get(stem.upper(), ("", "")) for stem in stems(rows)), strict=True)
    return rows


_add(
    Source(
        name="jrs",
        aliases=("jsrt",),
        title="JSRT: nodules in chest X-rays (Japanese Society of Radiological Technology)",
        origin="kaggle",
        kaggle="dataset:raddar/nodules-in-chest-xrays-jsrt",
        licence="Free for research and education; the terms stand on the page",
        citation="Shiraishi J, et al. Development of a digital image database for chest radiographs with and without "
        "a lung nodule. AJR 174:71-74, 2000. doi:10.2214/ajr.174.1.1740071",
        url="https://www.kaggle.com/datasets/raddar/nodules-in-chest-xrays-jsrt",
        images=247,
        patient_pattern=r"^(JPC[LN]N\d+)$",  # one image a patient
        classes=("malignant", "benign", "non-nodule"),
        masks=("right lung", "left lung", "heart"),
        label_map="non-nodule=non-nodule,*=nodule",
        note="Kaggle's copy has no masks; those of the SCR database (van Ginneken et al. 2006) are used where they "
        "lie beside the images.",
        read=_read_jsrt,
    )
)


# Kermany -------------------------------------------------------------------------------------------------------------

_add(
    Source(
        name="kermany",
        title="Chest X-ray images (pneumonia) of children, Guangzhou",
        origin="kaggle",
        kaggle="dataset:paultimothymooney/chest-xray-pneumonia",
        licence="CC BY 4.0",
        citation="Kermany DS, et al. Identifying medical diagnoses and treatable diseases by image-based deep "
        "learning. Cell 172:1122-1131, 2018. doi:10.1016/j.cell.2018.02.010",
        url="https://www.kaggle.com/datasets/paultimothymooney/chest-xray-pneumonia",
        images=5856,
        # person12_virus_46 is a patient's, IM-0115-0001 and NORMAL2-IM-1427-0001-0002 a study's.
        patient_pattern=r"^(person\d+(?=_)|(?:NORMAL\d*-)?IM-\d+(?=-))",
        classes=("NORMAL", "PNEUMONIA"),
        gigabytes=2.5,  # every image twice
        note="Some patients stand in its training and in its test split.",
    )
)


# RSNA ----------------------------------------------------------------------------------------------------------------


def _read_rsna(folder: Path) -> pd.DataFrame:
    """Images named after the patient, and CSVs with one row per box: the competition's, or those of the PNG copy.

    The masks of the PNG copy are its boxes filled, and say no more. The challenge's test images have no labels, so
    nothing could be scored on them: its training images are left to be split, into labelled test images too.
    """
    rows = read_by_stem(folder)
    known: set[str] = set()
    label: dict[str, str] = {}
    view: dict[str, str] = {}
    boxes: dict[str, dict[str, None]] = {}  # a set that keeps the order
    for row in read_tables(folder, "patientId"):
        patient = row["patientId"]
        known.add(patient)
        label[patient] = row.get("class") or label.get(patient, "")
        view[patient] = row.get("position") or view.get(patient, "")
        if "width" in row:
            boxes.setdefault(patient, {}).update(_box(row))
    require_overlap(known, rows, folder)
    patients = stems(rows)
    rows["patient"] = patients
    rows["label"] = [label.get(patient, "") for patient in patients]
    rows["view"] = [view.get(patient, "") for patient in patients]
    rows["boxes"] = [";".join(boxes[patient]) or NO_BOXES if patient in boxes else "" for patient in patients]
    rows["split"] = [_rsna_split(PurePosixPath(file)) for file in rows["file"]]
    rows["mask"] = ""
    return rows


def _rsna_split(file: PurePosixPath) -> str:
    """By the nearest folder that tells: `Training/Images`, `stage_2_test_images`."""
    found = re.search("train|test", " ".join(reversed(file.parts[:-1])).lower())
    return "test" if found and found[0] == "test" else ""


def _box(row: dict[str, str]) -> dict[str, None]:
    """The box of a row as "x y width height"; none where its cells are empty."""
    cells = [row.get(column, "") for column in ("x", "y", "width", "height")]
    if not any(cells):
        return {}
    try:
        numbers = [float(cell) for cell in cells]
        if all(isfinite(number) for number in numbers):
            return {" ".join(f"{number:.10g}" for number in numbers): None}
    except ValueError:
        pass
    raise XrganError(f"The table says that {row['patientId']} has a box {', '.join(cells)!r}: that is none.")


RSNA_CLASSES = ("Normal", "No Lung Opacity / Not Normal", "Lung Opacity")
RSNA_LICENCE = "RSNA's terms of use: any purpose, with attribution to RSNA and to the NIH, whose images these are"
RSNA_CITATION = (
    "Shih G, et al. Augmenting the National Institutes of Health chest radiograph dataset with expert annotations of "
    "possible pneumonia. Radiology: Artificial Intelligence 1(1):e180041, 2019. doi:10.1148/ryai.2019180041"
)
RSNA_NOTE = "Its images were drawn from those of nih: mixed, the same X-ray can stand in training and in testing."

_add(
    Source(
        name="rsna",
        title="RSNA Pneumonia Detection Challenge 2018, as PNG",
        origin="kaggle",
        kaggle="dataset:iamtapendu/rsna-pneumonia-processed-dataset",
        licence=RSNA_LICENCE,
        citation=RSNA_CITATION,
        url="https://www.kaggle.com/datasets/iamtapendu/rsna-pneumonia-processed-dataset",
        images=29684,
        patient_pattern=r"^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$",  # the file is named after the patient
        classes=RSNA_CLASSES,
        masks=("opacity",),
        box_frame=1024,
        gigabytes=11,
        label_map="Lung Opacity=1,*=0",
        note=RSNA_NOTE,
        read=_read_rsna,
    )
)

_add(
    Source(
        name="rsna-dicom",
        title="RSNA Pneumonia Detection Challenge 2018, the original DICOM",
        origin="kaggle",
        kaggle="competition:rsna-pneumonia-detection-challenge",
        licence=RSNA_LICENCE,
        citation=RSNA_CITATION,
        url="https://www.kaggle.com/competitions/rsna-pneumonia-detection-challenge",
        images=29684,
        classes=RSNA_CLASSES,
        masks=("opacity",),
        box_frame=1024,
        gigabytes=3.9,
        label_map="Lung Opacity=1,*=0",
        note=f"{RSNA_NOTE} The competition's rules must be accepted on its page first.",
        read=_read_rsna,
    )
)


# NIH -----------------------------------------------------------------------------------------------------------------


def _read_nih(folder: Path) -> pd.DataFrame:
    """Images anywhere, one CSV that names their findings, and the official lists of training and testing images."""
    rows = read_by_stem(folder)
    said = {PurePosixPath(row["Image Index"]).stem: row for row in read_tables(folder, "Image Index", "Finding Labels")}
    require_overlap(said, rows, folder)
    split: dict[str, str] = {}
    for file in find_texts(folder, "train_val_list.txt", "test_list.txt"):
        names = (PurePosixPath(name).stem for name in read_text(file).split())
        split |= dict.fromkeys(names, "train" if "train" in file.name.lower() else "test")
    images = stems(rows)
    rows["label"] = [said[image]["Finding Labels"] if image in said else "" for image in images]
    rows["view"] = [said[image].get("View Position", "") if image in said else "" for image in images]
    sex = "Patient Gender" if any("Patient Gender" in line for line in said.values()) else "Patient Sex"  # since 2020
    rows["sex"] = [sex_of(said[image].get(sex, "")) if image in said else "" for image in images]
    rows["age"] = [age_of(said[image].get("Patient Age", "")) if image in said else "" for image in images]
    rows["split"] = [split.get(image, "") for image in images]
    return rows


_add(
    Source(
        name="nih",
        title="NIH ChestX-ray14: 30,805 patients, findings mined from the reports",
        origin="kaggle",
        kaggle="dataset:nih-chest-xrays/data",
        licence="CC0 1.0; the NIH asks to be named as the provider",
        citation="Wang X, et al. ChestX-ray8: Hospital-scale chest X-ray database and benchmarks on weakly-supervised "
        "classification and localization of common thorax diseases. CVPR 2017:3462-3471. doi:10.1109/CVPR.2017.369",
        url="https://www.kaggle.com/datasets/nih-chest-xrays/data",
        images=112120,
        patient_pattern=r"^(\d{8})_\d+$",  # its Patient ID, padded with zeros
        classes=(
            *("No Finding", "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema"),
            *("Fibrosis", "Hernia", "Infiltration", "Mass", "Nodule", "Pleural_Thickening", "Pneumonia"),
            "Pneumothorax",
        ),
        gigabytes=45,
        label_map="No Finding=No Finding,*=Finding",
        read=_read_nih,
    )
)


# COVID-19 ------------------------------------------------------------------------------------------------------------

_add(
    Source(
        name="covid",
        title="COVID-19 Radiography Database (Qatar University and others)",
        origin="kaggle",
        kaggle="dataset:tawsifurrahman/covid19-radiography-database",
        licence="Data files © original authors; the terms stand on the page",
        citation="Rahman T, et al. Exploring the effect of image enhancement techniques on COVID-19 detection using "
        "chest X-ray images. Comput Biol Med 132:104319, 2021. doi:10.1016/j.compbiomed.2021.104319",
        url="https://www.kaggle.com/datasets/tawsifurrahman/covid19-radiography-database",
        images=21165,
        classes=("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia"),
        masks=("lungs",),
        gigabytes=0.8,
        note="It contains images of rsna, of kermany and of nih: mixed, the same X-ray can stand in training and in "
        "testing. Its classes come from different hospitals, and nothing says who the patients are.",
    )
)


# Montgomery and Shenzhen ---------------------------------------------------------------------------------------------

_add(
    Source(
        name="lungs",
        title="Tuberculosis and lung masks: Montgomery County and Shenzhen",
        origin="kaggle",
        kaggle="dataset:nikhilpandey360/chest-xray-masks-and-labels",
        licence="CC0 1.0 on Kaggle; the NLM asks to be named as the provider",
        citation="Jaeger S, et al. Two public chest X-ray datasets for computer-aided screening of pulmonary diseases. "
        "Quant Imaging Med Surg 4:475-477, 2014. doi:10.3978/j.issn.2223-4292.2014.11.20",
        url="https://www.kaggle.com/datasets/nikhilpandey360/chest-xray-masks-and-labels",
        images=800,
        patient_pattern=r"^((?:CHN|MCU)CXR_\d+)_[01]$",
        label_pattern="_(?:(?P<normal>0)|(?P<tuberculosis>1))$",
        classes=("normal", "tuberculosis"),
        masks=("lungs",),
        gigabytes=9.6,  # every image twice
        note="96 of its images have no mask.",
        read=read_by_stem,
    )
)


# Those that one signs a form for: signed_sources.py -----------------------------------------------------------------

for _signed in SIGNED:
    _add(_signed)
