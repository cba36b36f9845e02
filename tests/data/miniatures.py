"""Public datasets made small: phantom pixels in the real trees, with the real column names and the real junk.

Each `write_…` fills a folder as the source's archive would, unpacked by a program that leaves nothing out, and returns
it. IMAGES says how many X-rays are in each, copies and masks not counted.
"""

import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, SecondaryCaptureImageStorage, generate_uid

from xrgan.data.phantom import MASK_VALUES, Phantom, draw, write_dataset

Pixels = NDArray[np.uint8]
HEALTHY, ILL = "NORMAL", "PNEUMONIA"
APPLE = b"\0\5\x16\7\0\2\0\0Mac OS X        "  # how a `._` file begins: no image, whatever its name ends in
JSRT_HEADER = ("study_id", "subtlety", "size", "age", "gender", "x", "y", "state", "position", "diagnosis")
RSNA_CLASSES = ("Normal", "No Lung Opacity / Not Normal", "Lung Opacity")
NIH_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)


# JSRT ----------------------------------------------------------------------------------------------------------------


def write_jrs(folder: Path, header: Sequence[str] | None = JSRT_HEADER) -> Path:
    """Kaggle's copy: 9 images with a nodule, 5 without, and a CSV whose header some copies lack or misspell."""
    rows = _jsrt_rows(nodules=9, others=5)
    for number, (name, *_) in enumerate(rows, start=1):
        _save(folder / "images" / "images" / name, _phantom(number, HEALTHY).image)
    _write_csv(folder / "jsrt_metadata.csv", [header, *rows] if header else rows)
    return _with_mac_junk(folder)


def write_jrs_with_masks(folder: Path) -> Path:
    """The teaching copy: images and one mask each, which shows both lungs and the heart by its gray values."""
    rows = _jsrt_rows(nodules=9, others=5)
    for number, (name, *_) in enumerate(rows, start=1):
        phantom = _phantom(number, HEALTHY)
        _save(folder / "images" / name, phantom.image)
        _save(folder / "masks" / name, phantom.mask)
    _write_csv(folder / "jsrt_metadata.csv", [JSRT_HEADER, *rows])
    return folder


def write_jrs_original(folder: Path) -> Path:
    """The JSRT's own 2048² files, raw, 12 bits and inverted, beside the SCR database's masks of 1024² in two folds."""
    rows = _jsrt_rows(nodules=2, others=2)
    for number, (name, *_) in enumerate(rows, start=1):
        phantom, stem = _phantom(number, HEALTHY, size=128), Path(name).stem
        film = 4095 - _enlarged(phantom.image, 16).astype(">u2") * 16
        _write(folder / "All247images" / f"{stem}.IMG", film.astype(">u2").tobytes())
        fold = folder / "scratch" / f"fold{2 - number % 2}"
        mask = _enlarged(phantom.mask, 8)
        for structure in ("right lung", "left lung", "heart"):
            organ = np.where(mask == MASK_VALUES[structure], 255, 0).astype(np.uint8)
            _save(fold / "masks" / structure / f"{stem}.gif", organ)
        for side in ("left", "right"):  # SCR outlines the clavicles too
            _save(fold / "masks" / f"{side} clavicle" / f"{stem}.gif", np.zeros((1024, 1024), np.uint8))
        _write(fold / "landmarks" / f"{stem}.pfs", b"[Label=right lung]\n{ 310.5, 204.25 }\n")
        _write(fold / "points" / f"{stem}.txt", b"44\n310.5 204.25\n")
    lines = ["\t".join(row).replace(".png", ".IMG") for row in rows if "non-nodule" not in row]
    _write(folder / "Clinical_Information" / "CLNDAT_EN.txt", "\r\n".join(lines).encode())
    return folder


def _jsrt_rows(nodules: int, others: int) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for k in range(1, nodules + 1):
        # A diagnosis may speak of the other state.
        known = ("benign", "l.upper lobe(S5)", "hamartoma") if k % 3 == 0 else ("malignant", "r.hilar", "not benign")
        rows.append((f"JPCLN{k:03d}.png", "5", "15", "?" if k == 3 else "53", "Male", "1634", "692", *known))
    for k in range(1, others + 1):
        rows.append((f"JPCNN{k:03d}.png", "", "", "47", "Female", "", "", "non-nodule", "", ""))
    return rows


# Kermany -------------------------------------------------------------------------------------------------------------


def write_kermany(folder: Path) -> Path:
    """All shapes and sizes, RGB among the ill of training alone, every file twice, and person1 in train and in test."""
    top = folder / "chest_xray"
    names = {
        f"train/{HEALTHY}": [f"IM-{k:04d}-0001" for k in range(115, 121)] + ["NORMAL2-IM-0381-0001"],
        f"train/{ILL}": ["person1_bacteria_1", "person1_bacteria_2", "person2_virus_3", "person2_virus_4"]
        + [f"person{k}_bacteria_{10 + k}" for k in range(3, 11)],
        f"val/{HEALTHY}": ["NORMAL2-IM-1427-0001", "NORMAL2-IM-1430-0001"],
        f"val/{ILL}": ["person1946_bacteria_4874", "person1946_bacteria_4875"],
        f"test/{HEALTHY}": ["IM-0011-0001-0001", "IM-0011-0001-0002", "NORMAL2-IM-0035-0001"],
        f"test/{ILL}": ["person1_virus_6", "person100_bacteria_475", "person100_bacteria_477"],
    }
    patient = count(1)
    for where, stems in names.items():
        for k, stem in enumerate(stems):
            whole = _phantom(next(patient), where.partition("/")[2]).image
            cut = whole[2 * (k % 5) : len(whole) - k % 4]  # wider than high, each otherwise
            coloured = where == f"train/{ILL}" and k % 4 == 0
            _save(top / where / f"{stem}.jpeg", np.repeat(cut[..., None], 3, axis=2) if coloured else cut)
    twin = top / "train" / ILL / "person2_virus_4.jpeg"
    twin.write_bytes(twin.with_name("person2_virus_3.jpeg").read_bytes())
    for file in [*top.rglob("*.jpeg")]:
        inside = file.relative_to(top)
        _write(top / "chest_xray" / inside, file.read_bytes())
        _write(top / "__MACOSX" / "chest_xray" / inside.with_name(f"._{inside.name}"), APPLE)
    _write(top / "chest_xray" / "train" / ".DS_Store", b"\0\0\0\1Bud1")
    _write(top / "chest_xray" / "test" / HEALTHY / "._IM-0011-0001-0001.jpeg", APPLE)
    return folder


# RSNA ----------------------------------------------------------------------------------------------------------------


def write_rsna(folder: Path, test_images: str = "Test") -> Path:
    """The PNG copy: 15 patients in a CSV with one row per box, masks of the boxes, and 4 test images without labels."""
    columns = ("patientId", "x", "y", "width", "height", "Target", "class", "age", "sex", "modality", "position")
    rows: list[tuple[str, ...]] = [columns]
    for number in range(1, 16):
        label, boxes, view = _rsna_facts(number)
        phantom, name = _phantom(number, ILL if boxes else HEALTHY), f"{rsna_id(number)}.png"
        _save(folder / "Training" / "Images" / name, phantom.image)
        filled = np.zeros_like(phantom.image)
        for x, y, width, height in boxes:
            filled[y : y + height, x : x + width] = 255
        _save(folder / "Training" / "Masks" / name, filled)
        for box in boxes or [()]:
            cells = [f"{side:.1f}" for side in box] or [""] * 4
            rows.append((rsna_id(number), *cells, str(int(bool(boxes))), label, "51", "F", "CR", view))
    _write_csv(folder / "stage2_train_metadata.csv", rows)
    test = [rsna_id(number) for number in range(16, 20)]
    for number, name in enumerate(test, start=16):
        _save(folder / test_images / f"{name}.png", _phantom(number, HEALTHY).image)
    predictions = [(name, "0.5 0 0 100 100") for name in test]
    _write_csv(folder / "stage2_test_metadata.csv", [("patientId", "PredictionString"), *predictions])
    return _with_mac_junk(folder)


def write_rsna_dicom(folder: Path) -> Path:
    """The competition's files: JPEG-compressed DICOM of 8 bits, boxes in one CSV, classes in another, rows doubled."""
    labels: list[tuple[str, ...]] = [("patientId", "x", "y", "width", "height", "Target")]
    classes: list[tuple[str, ...]] = [("patientId", "class")]
    for number in range(1, 16):
        label, boxes, view = _rsna_facts(number)
        image = _phantom(number, ILL if boxes else HEALTHY).image
        _write_dicom(folder / "stage_2_train_images" / f"{rsna_id(number)}.dcm", image, rsna_id(number), view)
        for box in boxes or [()]:
            cells = [f"{side:.1f}" for side in box] or [""] * 4
            labels.append((rsna_id(number), *cells, str(int(bool(boxes)))))
            classes.append((rsna_id(number), label))
    test = [rsna_id(number) for number in range(16, 20)]
    for number, name in enumerate(test, start=16):
        _write_dicom(folder / "stage_2_test_images" / f"{name}.dcm", _phantom(number, HEALTHY).image, name, "AP")
    _write_csv(folder / "stage_2_train_labels.csv", labels)
    _write_csv(folder / "stage_2_detailed_class_info.csv", classes)
    submission = [("patientId", "PredictionString"), *((name, "0.5 0 0 100 100") for name in test)]
    _write_csv(folder / "stage_2_sample_submission.csv", submission)
    _write(folder / "GCP Credits Request Link - RSNA.txt", b"https://example.org")
    return folder


def rsna_id(number: int) -> str:
    return f"{number * 0x1234567:08x}-14fd-4e49-80ba-{number:012x}"


def _rsna_facts(number: int) -> tuple[str, list[tuple[int, ...]], str]:
    """Class, boxes in pixels of a 64² image, and view of a patient; every third is ill, in one lung or in both."""
    label = RSNA_CLASSES[number % 3]
    boxes = [(8, 20, 14, 12), (38, 24, 15, 21)][: 1 + number % 2] if label == "Lung Opacity" else []
    return label, list(boxes), ("PA", "AP")[number % 2]


def _write_dicom(path: Path, image: Pixels, patient: str, view: str) -> None:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[patient])
    dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.StudyDate, dataset.PatientBirthDate = "19010101", ""
    dataset.PatientName = dataset.PatientID = patient
    dataset.PatientSex = "F"
    with disable_value_validation():
        dataset.PatientAge = "51"  # theirs say no 051Y either
    dataset.Modality, dataset.BodyPartExamined, dataset.ConversionType = "CR", "CHEST", "WSD"
    dataset.SeriesDescription, dataset.ViewPosition = f"view: {view}", view
    dataset.Rows, dataset.Columns = image.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.LossyImageCompression, dataset.LossyImageCompressionMethod = "01", "ISO_10918_1"
    jpeg = io.BytesIO()
    Image.fromarray(image).save(jpeg, "JPEG", quality=95)
    dataset.PixelData = encapsulate([jpeg.getvalue()])
    path.parent.mkdir(parents=True, exist_ok=True)
    with disable_value_validation():
        dataset.save_as(path, enforce_file_format=True)


# NIH -----------------------------------------------------------------------------------------------------------------


def write_nih(folder: Path) -> Path:
    """20 images of 12 patients in several folders; findings joined by `|`; the header has fewer cells than it seems."""
    findings = ("No Finding", "Cardiomegaly|Effusion", "No Finding", "Pneumonia", "Mass|Nodule|Pleural_Thickening")
    names = [
        f"{patient:08d}_{study:03d}.png" for patient in range(1, 13) for study in range(1 + 2 * (patient % 3 == 0))
    ]
    lines = [NIH_HEADER]
    for number, name in enumerate(names):
        image = _phantom(int(name[:8]), HEALTHY, study=int(name[9:12])).image
        rgba = np.dstack([image, image, image, np.full_like(image, 255)])  # a few hundred are
        _save(folder / f"images_{1 + number // 7:03d}" / "images" / name, rgba if number % 9 == 4 else image)
        patient, study, view = int(name[:8]), int(name[9:12]), ("PA", "AP")[number % 2]
        lines.append(f"{name},{findings[number % 5]},{study},{patient},58,M,{view},2682,2749,0.143,0.143,")
    _write(folder / "Data_Entry_2017.csv", "\n".join(lines).encode() + b"\n")
    box = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000002_000.png,Effusion,225.08,547.02,86.78,79.19,,,\n"
    _write(folder / "BBox_List_2017.csv", box.encode())
    for file, chosen in (("train_val_list.txt", names[:15]), ("test_list.txt", names[15:])):
        _write(folder / file, "\n".join(chosen).encode())
    for file in ("ARXIV_V5_CHESTXRAY.pdf", "FAQ_CHESTXRAY.pdf", "LOG_CHESTXRAY.pdf", "README_CHESTXRAY.pdf"):
        _write(folder / file, b"%PDF-1.4")
    return folder


# COVID-19 ------------------------------------------------------------------------------------------------------------


def write_covid(folder: Path) -> Path:
    """Images of 35², RGB masks of 30² (as 299² to 256²), and tables in XLSX that nothing reads."""
    top = folder / "COVID-19_Radiography_Dataset"
    patient = count(1)
    for label, n in {"COVID": 5, "Lung_Opacity": 4, "Normal": 6, "Viral Pneumonia": 3}.items():
        for k in range(1, n + 1):
            phantom = _phantom(next(patient), HEALTHY if label == "Normal" else ILL, size=35)
            coloured = label == "Viral Pneumonia" and k == 1
            rgb = np.repeat(phantom.image[..., None], 3, axis=2)
            _save(top / label / "images" / f"{label}-{k}.png", rgb if coloured else phantom.image)
            lungs = np.isin(phantom.mask, [MASK_VALUES["right lung"], MASK_VALUES["left lung"]])
            small = Image.fromarray(np.where(lungs, 255, 0).astype(np.uint8)).resize((30, 30), Image.Resampling.NEAREST)
            _save(top / label / "masks" / f"{label}-{k}.png", np.asarray(small.convert("RGB")))
        _write(top / f"{label}.metadata.xlsx", b"PK\3\4")
    _write(top / "README.md.txt", b"# COVID-19 CHEST X-RAY DATABASE")
    return _with_mac_junk(folder)


# Montgomery and Shenzhen ---------------------------------------------------------------------------------------------


def write_lungs(folder: Path) -> Path:
    """16 images, 13 masks under two kinds of names, the 3 others once more in test/, and all of it again in data/."""
    names = [f"CHNCXR_{k:04d}_{int(k > 6)}" for k in range(1, 11)] + [
        f"MCUCXR_{k:04d}_{int(k > 3)}" for k in range(1, 7)
    ]
    for top in (folder / "Lung Segmentation", folder / "data" / "Lung Segmentation"):
        for number, name in enumerate(names, start=1):
            phantom = _phantom(number, HEALTHY if name.endswith("_0") else ILL)
            _save(top / "CXR_png" / f"{name}.png", phantom.image)
            _write(top / "ClinicalReadings" / f"{name}.txt", b"Patient's Sex: M\nPatient's Age: 045Y\nnormal\n")
            lungs = np.isin(phantom.mask, [MASK_VALUES["right lung"], MASK_VALUES["left lung"]])
            mask = np.where(lungs, 255, 0).astype(np.uint8)
            if name.startswith("MCU"):
                _save(top / "masks" / f"{name}.png", mask)
            elif number % 4:
                _save(top / "masks" / f"{name}_mask.png", mask)
            else:
                _save(top / "test" / f"{name}.png", phantom.image)
        _write(top / ".ipynb_checkpoints" / "Montgomery-checkpoint.ipynb", b"{}")
        _write(top / "NLM-ChinaCXRSet-ReadMe.docx", b"PK\3\4")
        _write(top / "NLM-MontgomeryCXRSet-ReadMe.pdf", b"%PDF-1.4")
    return folder


# Those that one signs a form for --------------------------------------------------------------------------------------

CHEXPERT_HEADER = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "No Finding", "Cardiomegaly", "Pleural Effusion")


def write_chexpert(folder: Path) -> Path:
    """Ten patients for training and one for validation; 1, 0, -1 and nothing; paths that begin with another folder."""
    cells = [("1.0", "", ""), ("", "1.0", "0.0"), ("", "-1.0", ""), ("0.0", "1.0", "1.0"), ("", "0.0", "0.0")]
    rows: dict[str, list[tuple[str, ...]]] = {"train": [CHEXPERT_HEADER], "valid": [CHEXPERT_HEADER]}
    for number in range(1, 12):
        split = "train" if number < 11 else "valid"
        for view, says in (
            ("view1_frontal", ("Frontal", ("PA", "AP")[number % 2])),
            ("view2_lateral", ("Lateral", "")),
        ):
            if view == "view2_lateral" and number % 3:
                continue
            name = f"{split}/patient{number:05d}/study1/{view}.jpg"
            _save(folder / "CheXpert-v1.0-small" / name, _phantom(number, HEALTHY, study=len(view)).image)
            rows[split].append((f"CheXpert-v1.0-small/{name}", "Female", "68", *says, *cells[number % 5]))
    for split, lines in rows.items():
        _write_csv(folder / "CheXpert-v1.0-small" / f"{split}.csv", lines)
    return folder


def write_mimic(folder: Path) -> Path:
    """Eight studies of six patients; labels by study, view and split by image, in tables packed by gzip."""
    labels, splits, metadata = [], [], []
    for number in range(1, 9):
        subject, study = 10000000 + (1, 2, 3, 3, 4, 4, 5, 6)[number - 1], 50000000 + number
        labels.append((subject, study, *(("1.0", "") if number % 2 else ("", "-1.0" if number == 4 else "1.0"))))
        for k, view in enumerate(("PA", "LATERAL")[: 1 + number % 2]):
            name = "-".join(f"{number * 0x1234567 + part + 1000 * k:08x}" for part in range(5))
            place = folder / "files" / f"p{subject}"[:3] / f"p{subject}" / f"s{study}" / f"{name}.jpg"
            _save(place, _phantom(number, HEALTHY, study=k + 1).image)
            splits.append((name, study, subject, ("train", "train", "validate", "test")[(number - 1) // 2]))
            metadata.append((name, subject, study, view))
    for what, header, lines in (
        ("chexpert", ("subject_id", "study_id", "No Finding", "Cardiomegaly"), labels),
        ("split", ("dicom_id", "study_id", "subject_id", "split"), splits),
        ("metadata", ("dicom_id", "subject_id", "study_id", "ViewPosition"), metadata),
    ):
        text = "\n".join(",".join(map(str, line)) for line in [header, *lines]) + "\n"
        _write(folder / f"mimic-cxr-2.0.0-{what}.csv.gz", gzip.compress(text.encode()))
    return folder


def vindr_id(number: int) -> str:
    return f"{number * 0x1234567890ABCDEF1234567:032x}"[-32:]


def write_vindr(folder: Path) -> Path:
    """Nine DICOM files for training, each read by three radiologists who don't always agree, and three for testing."""
    header = ("Aortic enlargement", "Cardiomegaly", "No finding")
    train: list[tuple[str, ...]] = [("image_id", "rad_id", *header)]
    test: list[tuple[str, ...]] = [("image_id", *header)]
    for number in range(1, 13):
        split, name = ("train" if number < 10 else "test"), vindr_id(number)
        _write_dicom(folder / split / f"{name}.dicom", _phantom(number, HEALTHY).image, "", "")
        marks = ("0", "0", "1") if number % 3 else ("1", "1", "0")
        if split == "test":
            test.append((name, *marks))
            continue
        other = ("0", "1", "0")
        train += [(name, "R1", *marks), (name, "R2", *marks), (name, "R3", *(other if number % 2 else marks))]
    _write_csv(folder / "annotations" / "image_labels_train.csv", train)
    _write_csv(folder / "annotations" / "image_labels_test.csv", test)
    boxes = [("image_id", "rad_id", "class_name", "x_min", "y_min", "x_max", "y_max")]
    _write_csv(folder / "annotations" / "annotations_train.csv", [*boxes, (vindr_id(3), "R1", "Cardiomegaly", *"1234")])
    return folder


def write_padchest(folder: Path) -> Path:
    """Twelve images of 16 bits, of six patients, in numbered folders; lists in the cells of a CSV of odd columns."""
    lists = ("['normal']", "['cardiomegaly', 'pleural effusion']", "['normal']", "[]")
    rows: list[tuple[str, ...]] = [("", "ImageID", "ImageDir", "PatientID", "PatientSex_DICOM", "Projection", "Labels")]
    for number in range(1, 13):
        name = f"{216840111366964012 + number}_00-{number:03d}-000.png"
        _save(folder / str(number % 2) / name, _phantom(number, HEALTHY).image.astype(np.uint16) * 13 + 300)
        view = ("PA", "L", "AP_horizontal")[number % 3]
        rows.append((str(number), name, str(number % 2), str(10**9 + number // 2), "F", view, lists[number % 4]))
    _write_csv(folder / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv", rows)
    return folder


# The phantom ---------------------------------------------------------------------------------------------------------


def write_phantom(folder: Path) -> Path:
    write_dataset(folder, n=16, size=32)
    return folder


# For all -------------------------------------------------------------------------------------------------------------

MINIATURES: dict[str, Callable[[Path], Path]] = {
    "jrs": write_jrs,
    "kermany": write_kermany,
    "rsna": write_rsna,
    "rsna-dicom": write_rsna_dicom,
    "nih": write_nih,
    "covid": write_covid,
    "lungs": write_lungs,
    "phantom": write_phantom,
    "chexpert": write_chexpert,
    "mimic": write_mimic,
    "vindr": write_vindr,
    "padchest": write_padchest,
}
IMAGES = {"jrs": 14, "kermany": 29, "rsna": 19, "rsna-dicom": 19, "nih": 20, "covid": 18, "lungs": 16, "phantom": 16}
IMAGES |= {"chexpert": 14, "mimic": 12, "vindr": 12, "padchest": 12}


def zipped(folder: Path, target: Path) -> Path:
    """Pack a folder, hidden files and all, as Kaggle does; returns the ZIP's path."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(folder))
    return target


@cache
def _phantom(patient: int, label: str, size: int = 64, study: int = 1) -> Phantom:
    return draw(patient, study, label, size)


def _enlarged(pixels: Pixels, times: int) -> Pixels:
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def _save(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _write_csv(path: Path, rows: Iterable[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _with_mac_junk(folder: Path) -> Path:
    """What a Mac's Finder adds: a `._` file for each file, in `__MACOSX`, and its own notes."""
    for file in [path for path in folder.rglob("*") if path.is_file()]:
        _write(folder / "__MACOSX" / file.relative_to(folder).with_name(f"._{file.name}"), APPLE)
    _write(folder / ".DS_Store", b"\0\0\0\1Bud1")
    return folder
