"""Each source of the catalogue against its miniature: the right images, and what its files say of them."""

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.data.miniatures import (
    IMAGES,
    JSRT_HEADER,
    MINIATURES,
    rsna_id,
    write_jrs,
    write_jrs_original,
    write_jrs_with_masks,
    write_rsna,
    zipped,
)
from xrgan.data import phantom
from xrgan.data.fetch import fetch
from xrgan.data.scan import scan
from xrgan.data.scanning.rows import COLUMNS, table
from xrgan.data.source import Source
from xrgan.data.sources import SOURCES, find_source
from xrgan.errors import XrganError
from xrgan.option_syntax import merged, parse_map

JUNK = re.compile(r"(^|/)(\.|__MACOSX)|mask", re.IGNORECASE)


@pytest.fixture(scope="module")
def miniatures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The miniatures, unpacked; a test that changes one takes a copy."""
    return {name: write(tmp_path_factory.mktemp(name)) for name, write in MINIATURES.items()}


@pytest.fixture
def copy_of(miniatures: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: shutil.copytree(miniatures[name], tmp_path / name)


def rows_of(folder: Path, name: str) -> pd.DataFrame:
    return scan(folder, find_source(name))


def row(rows: pd.DataFrame, stem: str) -> dict[str, str]:
    """The one row whose file has this stem."""
    (found,) = [row for row in rows.to_dict("records") if Path(row["file"]).stem == stem]
    return {str(column): value for column, value in found.items()}


def look(file: Path) -> tuple[tuple[int, int], str]:
    """The file's width and height in pixels, and its mode."""
    with Image.open(file) as image:
        return image.size, image.mode


# All of them ---------------------------------------------------------------------------------------------------------


def test_every_source_has_its_miniature() -> None:
    assert set(MINIATURES) == set(IMAGES) == set(SOURCES)


@pytest.mark.parametrize("name", MINIATURES)
@pytest.mark.slow
def test_every_image_is_a_row_and_nothing_else_is(name: str, miniatures: dict[str, Path]) -> None:
    folder = miniatures[name]
    rows = rows_of(folder, name)
    assert len(rows) == rows["file"].nunique() == IMAGES[name]
    assert len({Path(file).name for file in rows["file"]}) == IMAGES[name] or name == "chexpert"  # view1_frontal.jpg
    assert all((folder / file).is_file() and not JUNK.search(file) for file in rows["file"])
    assert [*rows.columns][: len(COLUMNS)] == [*COLUMNS]
    assert {*rows.columns} - {*COLUMNS} <= {"sex", "age"}
    assert list(rows["file"]) == sorted(rows["file"])
    assert list(rows.index) == list(range(len(rows)))
    assert all(type(cell) is str for cell in rows.to_numpy().ravel())


@pytest.mark.parametrize("name", MINIATURES)
def test_labels_and_masks_are_those_that_the_record_promises(name: str, miniatures: dict[str, Path]) -> None:
    source, rows = find_source(name), rows_of(miniatures[name], name)
    findings = {finding for label in rows["label"] for finding in label.split("|")} - {""}
    assert findings <= set(source.classes)
    assert findings == set(source.classes) or name in {"nih", "chexpert", "mimic", "vindr", "padchest"}
    organs = set(source.masks) - {"opacity"}
    assert bool((rows["mask"] != "").any()) == bool(organs) or name == "jrs"  # Kaggle's copy of it has none
    assert (rows["boxes"] != "").any() == ("opacity" in source.masks)
    assert all((miniatures[name] / mask).is_file() for cell in rows["mask"] if cell for mask in cell.split("|"))


@pytest.mark.parametrize("name", [name for name in MINIATURES if name != "phantom"])
def test_an_archive_of_it_is_fetched_and_says_the_same(name: str, miniatures: dict[str, Path], tmp_path: Path) -> None:
    fetched = fetch(name, tmp_path / "raw", archive=zipped(miniatures[name], tmp_path / "archive.zip"))
    pd.testing.assert_frame_equal(rows_of(fetched, name), rows_of(miniatures[name], name))


@pytest.mark.parametrize("name", MINIATURES)
def test_a_pattern_of_the_users_goes_before_the_sources(name: str, miniatures: dict[str, Path]) -> None:
    rows = scan(miniatures[name], find_source(name), patient_pattern="^(.)")
    assert set(rows["patient"]) == {Path(file).name[0] for file in rows["file"]}


@pytest.mark.parametrize("name", MINIATURES)
def test_an_index_goes_before_the_sources_own_reader(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    file = rows_of(folder, name)["file"][0]
    (folder / "index.csv").write_text(f"file,label,patient\n{file},mine,somebody\n")
    rows = rows_of(folder, name)
    assert rows[["file", "label", "patient"]].to_numpy().tolist() == [[file, "mine", "somebody"]]


def test_the_usual_task_of_rsna_is_opacity_or_not() -> None:
    for name in ("rsna", "rsna-dicom"):
        rules = parse_map(find_source(name).label_map)
        assert [merged(label, rules) for label in find_source(name).classes] == ["0", "0", "1"]


def test_the_phantoms_classes_are_those_that_it_draws() -> None:
    assert find_source("phantom").classes == phantom.LABELS
    assert set(find_source("phantom").masks) == set(phantom.MASK_VALUES) - {"background"}


def test_a_user_is_told_that_sources_share_images() -> None:
    assert all(name in find_source("covid").note for name in ("rsna", "kermany", "nih"))
    assert all("nih" in find_source(name).note for name in ("rsna", "rsna-dicom"))


# Adding one ----------------------------------------------------------------------------------------------------------


def test_a_record_and_its_function_are_all_that_a_new_source_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_mine(folder: Path) -> pd.DataFrame:
        return table(file=[f"scans/{file.name}" for file in (folder / "scans").iterdir()], label=["ill"] * 2)

    mine = Source(
        "mine", "My hospital's", "", "", "", 2, "manual", aliases=("ours",), patient_pattern=r"^p(\d)", read=read_mine
    )
    monkeypatch.setitem(SOURCES, mine.name, mine)
    (tmp_path / "scans").mkdir()
    for name in ("p1_a.png", "p2_a.png"):
        (tmp_path / "scans" / name).touch()
    rows = scan(tmp_path, find_source("Ours"))
    assert rows[["file", "label", "patient", "split"]].to_numpy().tolist() == [
        ["scans/p1_a.png", "ill", "1", ""],
        ["scans/p2_a.png", "ill", "2", ""],
    ]
    with pytest.raises(XrganError, match="Did you mean mine"):
        find_source("mines")


def test_what_a_reader_knows_of_a_patient_goes_before_the_pattern(tmp_path: Path) -> None:
    rows = table(file=["ab.png", "cd.png"], patient=["known", ""])
    source = Source("x", "", "", "", "", 0, patient_pattern="^(.)", read=lambda _: rows)
    assert list(scan(tmp_path, source)["patient"]) == ["known", "c"]


# JSRT ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [JSRT_HEADER, None, tuple(name.replace("position", "postion") for name in JSRT_HEADER)],
    ids=["whole", "none", "misspelt"],
)
def test_jrs_finds_the_states_whatever_the_header(header: tuple[str, ...] | None, tmp_path: Path) -> None:
    rows = rows_of(write_jrs(tmp_path, header), "jrs")
    assert Counter(rows["label"]) == {"malignant": 6, "benign": 3, "non-nodule": 5}
    assert row(rows, "JPCLN003") == {
        "file": "images/images/JPCLN003.png",
        "label": "benign",
        "patient": "JPCLN003",
        "split": "",
        "view": "PA",
        "mask": "",
        "boxes": "",
        "sex": "",
        "age": "",
    }
    assert [(row(rows, name)["sex"], row(rows, name)["age"]) for name in ("JPCLN001", "JPCNN001")] == [
        ("M", "53"),
        ("F", "47"),
    ]


def test_jrs_falls_back_on_the_names(copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("jrs")
    (folder / "images" / "images" / "JPCLN010.png").write_bytes(b"")
    rows = rows_of(folder, "jrs")
    assert row(rows, "JPCLN010")["label"] == "nodule"
    (folder / "jsrt_metadata.csv").unlink()
    assert Counter(rows_of(folder, "jrs")["label"]) == {"nodule": 10, "non-nodule": 5}


def test_jrs_with_one_mask_an_image(tmp_path: Path) -> None:
    rows = rows_of(write_jrs_with_masks(tmp_path), "jrs")
    assert len(rows) == 14
    assert list(rows["mask"]) == [file.replace("images", "masks") for file in rows["file"]]


def test_jrs_as_the_original_beside_the_scr_masks(tmp_path: Path) -> None:
    rows = rows_of(write_jrs_original(tmp_path), "jrs")
    assert list(rows["file"]) == [f"All247images/JPC{kind}00{k}.IMG" for kind in ("LN", "NN") for k in (1, 2)]
    assert list(rows["label"]) == ["malignant", "malignant", "non-nodule", "non-nodule"]
    organs = ("heart", "left lung", "right lung")  # and no clavicles
    assert row(rows, "JPCLN002")["mask"] == "|".join(f"scratch/fold2/masks/{organ}/JPCLN002.gif" for organ in organs)
    assert (tmp_path / "All247images" / "JPCLN001.IMG").stat().st_size == 2 * 2048**2


# Kermany -------------------------------------------------------------------------------------------------------------


def test_kermany_keeps_the_official_split_and_its_patients(miniatures: dict[str, Path]) -> None:
    rows = rows_of(miniatures["kermany"], "kermany")
    assert rows.groupby(["split", "label"]).size().to_dict() == {
        ("train", "NORMAL"): 7,
        ("train", "PNEUMONIA"): 12,
        ("val", "NORMAL"): 2,
        ("val", "PNEUMONIA"): 2,
        ("test", "NORMAL"): 3,
        ("test", "PNEUMONIA"): 3,
    }
    assert set(rows["split"][rows["patient"] == "person1"]) == {"train", "test"}
    assert list(rows["patient"][rows["file"].str.contains("IM-0011")]) == ["IM-0011", "IM-0011"]


def test_kermanys_traps_are_in_its_miniature(miniatures: dict[str, Path]) -> None:
    folder, rows = miniatures["kermany"], rows_of(miniatures["kermany"], "kermany")
    looks = {file: look(folder / file) for file in rows["file"]}
    coloured = [file for file, (_, mode) in looks.items() if mode == "RGB"]
    assert coloured and all("train/PNEUMONIA" in file for file in coloured)
    assert len({size for size, _ in looks.values()}) > 5
    assert len({(folder / file).read_bytes() for file in rows["file"]}) == len(rows) - 1


# RSNA ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rsna", "rsna-dicom"])
def test_rsna_says_classes_and_boxes_of_its_training_images_alone(name: str, miniatures: dict[str, Path]) -> None:
    rows = rows_of(miniatures[name], name)
    assert Counter(rows["split"]) == {"": 15, "test": 4}  # what has labels is left to be split
    test = rows[rows["split"] == "test"]
    assert set(test["label"]) == set(test["boxes"]) == {""}
    train = rows[rows["split"] == ""]
    assert Counter(train["label"]) == dict.fromkeys(find_source(name).classes, 5)
    assert Counter(train["boxes"]) == {"none": 10, "8 20 14 12": 3, "8 20 14 12;38 24 15 21": 2}
    assert set(train["label"][train["boxes"] != "none"]) == {"Lung Opacity"}
    assert set(rows["patient"]) == {rsna_id(number) for number in range(1, 20)}
    assert set(rows["mask"]) == {""}
    # A DICOM file itself says its view.
    assert Counter(train["view"]) == ({"PA": 7, "AP": 8} if name == "rsna" else {"": 15})


def test_rsna_finds_the_test_images_one_folder_deeper(tmp_path: Path) -> None:
    rows = rows_of(write_rsna(tmp_path, test_images="Test/Images"), "rsna")
    assert len(rows) == IMAGES["rsna"]
    assert Counter(rows["split"]) == {"": 15, "test": 4}


def test_a_folder_above_says_nothing_of_the_split(tmp_path: Path) -> None:
    rows = rows_of(write_rsna(tmp_path / "training and test").parent, "rsna")
    assert Counter(rows["split"]) == {"": 15, "test": 4}


def test_rsna_without_training_images_is_no_contradiction(copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("rsna")
    shutil.rmtree(folder / "Training")
    assert list(rows_of(folder, "rsna")["label"]) == [""] * 4


@pytest.mark.parametrize(("cell", "said"), [("wide", "wide"), ("nan", "nan"), ("", "8.0, 20.0, , 12.0")])
def test_a_box_that_is_none_is_told(cell: str, said: str, copy_of: Callable[[str], Path]) -> None:
    file = copy_of("rsna") / "stage2_train_metadata.csv"
    file.write_text(file.read_text().replace("20.0,14.0,12.0", f"20.0,{cell},12.0", 1))
    with pytest.raises(XrganError, match=f"{rsna_id(2)} has a box .*{said}"):
        rows_of(file.parent, "rsna")


# NIH -----------------------------------------------------------------------------------------------------------------


def test_nih_keeps_several_findings_and_the_official_split(miniatures: dict[str, Path]) -> None:
    rows = rows_of(miniatures["nih"], "nih")
    assert Counter(rows["split"]) == {"train": 15, "test": 5}
    assert rows["patient"].nunique() == 12
    assert row(rows, "00000003_002") == {
        "file": "images_001/images/00000003_002.png",
        "label": "Mass|Nodule|Pleural_Thickening",
        "patient": "00000003",
        "split": "train",
        "view": "PA",
        "mask": "",
        "boxes": "",
        "sex": "M",
        "age": "58",
    }


def test_nih_without_the_lists_has_no_split(copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("nih")
    for file in folder.glob("*_list.txt"):
        file.unlink()
    rows = rows_of(folder, "nih")
    assert set(rows["split"]) == {""}
    assert Counter(rows["view"]) == {"PA": 10, "AP": 10}


def test_nihs_later_csv_reads_the_same(copy_of: Callable[[str], Path], miniatures: dict[str, Path]) -> None:
    """Data_Entry_2017_v2020.csv: another name, a sex instead of a gender, no comma at the end; here with a BOM."""
    folder = copy_of("nih")
    text = (folder / "Data_Entry_2017.csv").read_text().replace(",\n", "\n").replace("Gender", "Sex")
    (folder / "Data_Entry_2017.csv").unlink()
    (folder / "Data_Entry_2017_v2020.csv").write_text(text, encoding="utf-8-sig")
    pd.testing.assert_frame_equal(rows_of(folder, "nih"), rows_of(miniatures["nih"], "nih"))


# COVID-19, Montgomery and Shenzhen -----------------------------------------------------------------------------------


def test_covid_takes_the_class_above_images_and_the_mask_beside(miniatures: dict[str, Path]) -> None:
    rows = rows_of(miniatures["covid"], "covid")
    assert Counter(rows["label"]) == {"COVID": 5, "Lung_Opacity": 4, "Normal": 6, "Viral Pneumonia": 3}
    assert list(rows["mask"]) == [file.replace("/images/", "/masks/") for file in rows["file"]]
    assert list(rows["patient"]) == list(rows["file"])
    assert look(miniatures["covid"] / rows["file"][0]) == ((35, 35), "L")
    assert look(miniatures["covid"] / rows["mask"][0]) == ((30, 30), "RGB")


def test_lungs_reads_the_name_and_finds_both_kinds_of_masks(miniatures: dict[str, Path]) -> None:
    rows = rows_of(miniatures["lungs"], "lungs")
    assert Counter(rows["label"]) == {"normal": 9, "tuberculosis": 7}
    assert set(rows["split"]) == {""}
    assert row(rows, "CHNCXR_0001_0")["mask"] == "Lung Segmentation/masks/CHNCXR_0001_0_mask.png"
    assert row(rows, "MCUCXR_0004_1")["mask"] == "Lung Segmentation/masks/MCUCXR_0004_1.png"
    assert row(rows, "MCUCXR_0004_1")["patient"] == "MCUCXR_0004"
    assert [Path(file).stem for file in rows["file"][rows["mask"] == ""]] == ["CHNCXR_0004_0", "CHNCXR_0008_1"]
    assert all(file.startswith("Lung Segmentation/CXR_png/") for file in rows["file"])


# Tables that contradict the files ------------------------------------------------------------------------------------

TABLES = {
    "jrs": "jsrt_metadata.csv",
    "rsna": "stage2_train_metadata.csv",
    "rsna-dicom": "stage_2_detailed_class_info.csv",
    "nih": "Data_Entry_2017.csv",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_file_without_a_row_and_a_row_without_a_file(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    before = rows_of(folder, name)
    labelled = before[before["label"] != ""]
    gone, unsaid = labelled["file"].iloc[0], labelled["file"].iloc[-1]
    (folder / gone).unlink()
    table = folder / TABLES[name]
    lines = [line for line in table.read_text().splitlines() if Path(unsaid).stem not in line]
    table.write_text("\n".join(lines))
    after = rows_of(folder, name)
    assert list(after["file"]) == [file for file in before["file"] if file != gone]
    assert row(after, Path(unsaid).stem)["label"] == ("non-nodule" if name == "jrs" else "")
    others = ~before["file"].isin([gone, unsaid])
    kept = after[after["file"] != unsaid]
    pd.testing.assert_frame_equal(kept.reset_index(drop=True), before[others].reset_index(drop=True))


@pytest.mark.parametrize("name", TABLES)
def test_tables_that_speak_of_none_of_the_images_are_told(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    for number, file in enumerate(rows_of(folder, name)["file"]):
        path = folder / file
        path.rename(path.with_name(f"renamed{number}{path.suffix}"))
    with pytest.raises(XrganError, match="The tables in .* none of them is there"):
        rows_of(folder, name)


@pytest.mark.parametrize("name", TABLES)
def test_images_without_any_table_have_no_label(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    for file in [*folder.rglob("*.csv"), *folder.rglob("*.txt")]:
        file.unlink()
    rows = rows_of(folder, name)
    assert len(rows) == IMAGES[name]
    assert set(rows["label"]) == ({"nodule", "non-nodule"} if name == "jrs" else {""})


# Real ones -----------------------------------------------------------------------------------------------------------


def real(folder: Path, name: str) -> Path:
    if not (folder / name).is_dir():
        pytest.skip(f"there is no {folder / name}")
    return folder / name


@pytest.mark.real
def test_the_real_jsrt(real_data: Path) -> None:
    rows = rows_of(real(real_data, "jsrt_224"), "jsrt")
    assert len(rows) == rows["patient"].nunique() == find_source("jrs").images
    assert Counter(rows["label"]) == {"malignant": 100, "benign": 54, "non-nodule": 93}
    assert list(rows["mask"]) == [file.replace("images/", "masks/") for file in rows["file"]]


@pytest.mark.real
def test_the_real_kermany(real_data: Path) -> None:
    rows = rows_of(real(real_data, "kermany_224"), "kermany")
    assert len(rows) == find_source("kermany").images
    counts = rows.groupby(["split", "label"]).size()
    assert counts.loc["train"].to_dict() == {"NORMAL": 1341, "PNEUMONIA": 3875}
    assert counts.loc["val"].to_dict() == {"NORMAL": 8, "PNEUMONIA": 8}
    assert counts.loc["test"].to_dict() == {"NORMAL": 234, "PNEUMONIA": 390}
    assert not rows["patient"].isin(rows["file"]).any()


@pytest.mark.real
def test_the_real_originals_of_kermany(real_data: Path) -> None:
    folder = real(real_data, "kermany_original_sample")
    rows = rows_of(folder, "kermany")
    files = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names if name.endswith(".jpeg")]
    assert len(rows) == len(files) > 20
    assert set(rows["label"]) == {"NORMAL", "PNEUMONIA"}


@pytest.mark.parametrize(
    ("source", "stem", "patient"),
    [
        ("kermany", "person12_virus_46", "person12"),
        ("kermany", "person1_bacteria_2", "person1"),
        ("kermany", "IM-0115-0001", "IM-0115"),
        ("kermany", "IM-0652-0001-0002", "IM-0652"),
        ("kermany", "NORMAL2-IM-1427-0001", "NORMAL2-IM-1427"),
        ("jrs", "JPCLN001", "JPCLN001"),
        ("phantom", "phantom00001_2", "phantom00001"),
        ("rsna", "0004cfab-14fd-4e49-80ba-63a80b6bddd6", "0004cfab-14fd-4e49-80ba-63a80b6bddd6"),
    ],
)
def test_file_names_tell_the_patient(source: str, stem: str, patient: str) -> None:
    match = re.search(find_source(source).patient_pattern, stem)
    assert match and match[1] == patient


@pytest.mark.real
def test_every_kermany_name_tells_its_patient(real_data: Path) -> None:
    stems = [path.stem for path in (real_data / "kermany_224").rglob("*.jpeg")]
    assert len(stems) == find_source("kermany").images
    assert all(re.search(find_source("kermany").patient_pattern, stem) for stem in stems)
