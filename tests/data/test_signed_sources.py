"""CheXpert, MIMIC-CXR-JPG, VinDr-CXR and PadChest: what their folders say of their images, on phantoms."""

import shutil
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.data.conftest import Ask
from tests.data.miniatures import vindr_id, write_chexpert, write_mimic, write_padchest, write_vindr
from xrgan.data.fetch import fetch
from xrgan.data.preparing.dataset_card import read_card
from xrgan.data.scan import scan
from xrgan.data.signed_sources import SIGNED
from xrgan.data.sources import find_source
from xrgan.errors import XrganError


def rows_of(folder: Path, name: str) -> pd.DataFrame:
    return scan(folder, find_source(name))


@pytest.mark.parametrize("source", SIGNED, ids=lambda source: source.name)
def test_fetching_one_says_where_to_get_it_and_how_to_bring_it(tmp_path: Path, source: object) -> None:
    name = getattr(source, "name", "")
    with pytest.raises(XrganError, match=rf"{name} can't be downloaded.*get it at https://.*fetch {name} --folder"):
        fetch(name, tmp_path / "raw")


def test_chexpert_tells_patients_splits_views_and_findings(tmp_path: Path) -> None:
    rows = rows_of(write_chexpert(tmp_path), "chexpert")
    assert Counter(rows["split"]) == {"train": 13, "val": 1}
    assert rows["patient"].nunique() == 11
    assert set(rows["patient"][rows["file"].str.contains("patient00003/")]) == {"patient00003"}
    assert Counter(rows["view"]) == {"AP": 6, "PA": 5, "LATERAL": 3}
    label = {int(row.patient[-5:]): row.label for row in rows.itertuples()}
    assert label[1] == "Cardiomegaly"
    assert label[2] == "", "-1 is not known"
    assert label[3] == "Cardiomegaly|Pleural Effusion"
    assert label[4] == "", "what was looked for is not there, and of No Finding nothing is said"
    assert label[5] == "No Finding"


def test_of_chexpert_a_part_is_enough(tmp_path: Path) -> None:
    write_chexpert(tmp_path)
    for number in (1, 2, 3, 4):
        shutil.rmtree(tmp_path / "CheXpert-v1.0-small" / "train" / f"patient{number:05d}")
    rows = rows_of(tmp_path / "CheXpert-v1.0-small", "chexpert")
    assert rows["patient"].nunique() == 7
    assert rows["label"][rows["patient"] == "patient00005"].tolist() == ["No Finding"]


def test_tables_of_another_dataset_are_told(tmp_path: Path) -> None:
    write_chexpert(tmp_path)
    shutil.rmtree(tmp_path / "CheXpert-v1.0-small" / "train")
    shutil.rmtree(tmp_path / "CheXpert-v1.0-small" / "valid")
    Image.new("L", (8, 8)).save(tmp_path / "other.png")
    with pytest.raises(XrganError, match="name 14 images such as .*none of them is there"):
        rows_of(tmp_path, "chexpert")


def test_mimic_joins_its_tables(tmp_path: Path) -> None:
    rows = rows_of(write_mimic(tmp_path), "mimic-cxr-jpg")
    assert Counter(rows["split"]) == {"train": 6, "val": 3, "test": 3}
    assert Counter(rows["view"]) == {"PA": 8, "LATERAL": 4}
    assert rows["patient"].nunique() == 6
    assert all(f"/{row.patient}/" in row.file for row in rows.itertuples())
    label = {row.file.split("/")[3]: row.label for row in rows.itertuples()}
    assert (label["s50000001"], label["s50000002"], label["s50000004"]) == ("No Finding", "Cardiomegaly", "")


def test_mimic_in_one_folder_is_known_by_its_tables(tmp_path: Path) -> None:
    whole = rows_of(write_mimic(tmp_path / "whole"), "mimic")
    (tmp_path / "flat").mkdir()
    for file in (tmp_path / "whole").rglob("*.*"):
        shutil.copy(file, tmp_path / "flat")
    flat = rows_of(tmp_path / "flat", "mimic")
    by_name = whole.assign(file=[Path(file).name for file in whole["file"]]).sort_values("file", ignore_index=True)
    pd.testing.assert_frame_equal(flat, by_name)


def test_vindr_takes_what_most_radiologists_saw(tmp_path: Path) -> None:
    rows = rows_of(write_vindr(tmp_path), "vindr")
    assert Counter(rows["split"]) == {"train": 9, "test": 3}
    assert set(rows["view"]) == {"PA"}
    label = {Path(row.file).stem: row.label for row in rows.itertuples()}
    assert label[vindr_id(1)] == "No finding", "though one of three saw something"
    assert label[vindr_id(3)] == "Aortic enlargement|Cardiomegaly"
    assert label[vindr_id(12)] == "Aortic enlargement|Cardiomegaly", "five agreed"


def test_vindr_as_png_comes_with_boxes_alone(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for number in (1, 2):
        Image.new("L", (8, 8), number).save(tmp_path / "train" / f"{vindr_id(number)}.png")
    lines = ["image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max"]
    lines += [
        f"{vindr_id(1)},{name},0,{reader},1,1,5,5"
        for name, reader in (("ILD", "R1"), ("ILD", "R1"), ("ILD", "R2"), ("Edema", "R1"), ("No finding", "R3"))
    ]
    lines += [f"{vindr_id(2)},No finding,14,{reader},,,," for reader in ("R1", "R2", "R3")]
    (tmp_path / "train.csv").write_text("\n".join(lines))
    rows = rows_of(tmp_path, "vindr")
    label = {Path(row.file).stem: row.label for row in rows.itertuples()}
    assert label == {vindr_id(1): "ILD", vindr_id(2): "No finding"}


def test_padchest_reads_lists_patients_and_projections(tmp_path: Path) -> None:
    rows = rows_of(write_padchest(tmp_path), "padchest")
    assert Counter(rows["label"]) == {"normal": 6, "cardiomegaly|pleural effusion": 3, "": 3}
    assert rows["patient"].nunique() == 7
    assert Counter(rows["view"]) == {"L": 4, "AP_horizontal": 4, "PA": 4}


@pytest.mark.parametrize(
    ("name", "write", "classes"),
    [
        ("chexpert", write_chexpert, ["Finding", "No Finding"]),
        ("mimic", write_mimic, ["Finding", "No Finding"]),
        ("vindr", write_vindr, ["Finding", "No finding"]),
        ("padchest", write_padchest, ["finding", "normal"]),
    ],
)
def test_fetched_by_folder_and_prepared_it_has_the_classes_of_its_usual_task(
    name: str, write: object, classes: list[str], tmp_path: Path, ask: Ask
) -> None:
    assert callable(write)
    fetched = fetch(name, tmp_path / "raw", folder=write(tmp_path / "download"))
    card = read_card(ask(source=fetched))
    assert card["classes"] == classes
    assert card["source"]["licence"] == find_source(name).licence
