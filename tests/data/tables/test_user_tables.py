"""`prepare --table`: whatever the user's tables look like, what they say of images comes true, or is told."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import write_image
from tests.data.conftest import Ask
from xrgan.data.preparing.dataset_card import read_card
from xrgan.data.preparing.summary import facts_table
from xrgan.errors import XrganError

N = 12


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """A folder of images and a table in its owner's own words."""
    lines = ["image_name;diagnosis;pid;sex;age;set"]
    for k in range(N):
        write_image(tmp_path / "flat" / f"{k:03d}.png", seed=k)
        split = ("train", "train", "valid", "TEST")[k // 3]
        lines.append(f"{k:03d}.png;{('normal ', 'Pneumonía')[k % 2]};P{k // 3};{'FM'[k % 2]};{40 + k};{split}")
    (tmp_path / "flat" / "labels.csv").write_bytes("\r\n".join(lines).encode("latin-1"))
    return tmp_path / "flat"


def index_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "index.csv", dtype=str, keep_default_na=False).set_index("file")


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.replace("\n", " ")


def test_a_table_of_the_users_own_columns(flat: Path, ask: Ask) -> None:
    prepared = ask(source=flat, table="labels.csv")
    index = index_of(prepared)
    assert len(index) == N
    row = index.loc["004.png"]
    assert (row["label"], row["patient"], row["split"], row["sex"], row["age"]) == ("normal", "P1", "train", "F", "44")
    assert set(index["label"]) == {"normal", "Pneumonía"}
    assert index.loc["007.png", "split"] == "val"
    [facts] = read_card(prepared)["tables"]
    assert facts["columns"] == {
        "file": "image_name",
        "label": "diagnosis",
        "patient": "pid",
        "split": "set",
        "sex": "sex",
        "age": "age",
    }
    assert (facts["encoding"], facts["separator"], facts["rows"]) == ("cp1252", "semicolons", N)
    told = {str(row[0]): row[1] for row in facts_table(prepared)[1]}
    assert told["table"] == "labels.csv: 12 rows, cp1252, separated by semicolons; labels: names"
    assert told["class from"] == "labels.csv, column diagnosis (else --label-pattern or --label-column)"
    assert told["age from"] == "labels.csv, column age (else --age-column)"


def test_a_second_call_does_nothing_until_the_table_changes(flat: Path, ask: Ask) -> None:
    prepared = ask(source=flat, table="labels.csv")
    assert ask(source=flat, table="labels.csv") == prepared
    with pytest.raises(XrganError, match=r"was prepared with table: \['labels.csv'\]"):
        ask(source=flat)
    file = flat / "labels.csv"
    file.write_bytes(file.read_bytes().replace(b";40;", b";41;"))
    with pytest.raises(XrganError, match="files or labels have changed"):
        ask(source=flat, table="labels.csv")


def test_a_table_may_lie_elsewhere(flat: Path, ask: Ask, tmp_path: Path) -> None:
    moved = (flat / "labels.csv").rename(tmp_path / "mine.tsv")
    assert len(index_of(ask(source=flat, table=str(moved)))) == N


def test_images_without_a_row_and_rows_without_an_image_are_counted(
    flat: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(flat / "extra.png", seed=77)
    (flat / "000.png").unlink()
    prepared = ask(source=flat, table="labels.csv")
    said = told(capsys)
    assert "1 images that labels.csv names are not here, such as '000.png'" in said
    assert "1 images that labels.csv doesn't name were left out" in said
    assert len(index_of(prepared)) == N - 1
    card = read_card(prepared)
    assert card["left_out"] == {"that labels.csv doesn't name": 1}
    assert card["tables"][0]["rows_without_an_image"] == 1


def test_a_table_of_other_images_is_refused(flat: Path, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("image,label\nx.png,a\ny.png,b\n")
    with pytest.raises(XrganError, match="No column of .*other.csv names images.*--file-column"):
        ask(source=flat, table=str(tmp_path / "other.csv"))
    with pytest.raises(XrganError, match="other.csv names 2 images such as 'x.png', and none of them"):
        ask(source=flat, table=str(tmp_path / "other.csv"), file_column="image")


def test_a_name_of_several_images_is_told(tmp_path: Path, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    for k, folder in enumerate(("A", "B", "A", "B")):
        write_image(tmp_path / "two" / folder / f"{k // 2}.png", seed=k)
    (tmp_path / "two" / "t.csv").write_text("path,label\nA/0.png,x\nB/0.png,y\n1.png,x\n")
    assert set(index_of(ask(source=tmp_path / "two", table="t.csv")).index) == {"A/0.png", "B/0.png"}
    assert "1 names in t.csv fit several images each, such as '1.png': A/1.png and B/1.png" in told(capsys)


def test_a_column_per_finding_with_uncertain_cells(
    tmp_path: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    """As CheXpert: paths below a folder that isn't there, 1, 0, -1 and nothing."""
    lines = ["Path,Sex,No Finding,Cardiomegaly,Pleural Effusion"]
    cells = ["1.0,,", ",1.0,", ",-1.0,0.0", ",0.0,0.0", ",,", ",1.0,1.0"]
    for k, marks in enumerate(cells):
        name = f"train/patient{k:05d}/study1/view1_frontal.jpg"
        write_image(tmp_path / "chexpert" / name, seed=k)
        lines.append(f"CheXpert-v1.0-small/{name},Female,{marks}")
    (tmp_path / "chexpert" / "train.csv").write_text("\n".join(lines))
    wish = {
        "source": tmp_path / "chexpert",
        "table": "train.csv",
        "label_column": "No Finding,Cardiomegaly,Pleural Effusion",
    }
    index = index_of(ask(**wish))
    assert index["label"].tolist() == [
        *("No Finding", "Cardiomegaly", "", "negative", "", "Cardiomegaly|Pleural Effusion"),
    ]
    said = told(capsys)
    assert "Uncertain (-1) in train.csv: Cardiomegaly in 1 images: left out of the class; --uncertain positive" in said
    assert "Images with several findings are classes of their own" in said
    positive = index_of(ask("p", **wish, uncertain="positive", map="Cardiomegaly=1,*=0"))
    assert positive["label"].tolist() == ["0", "1", "1", "0", "", "1"]


def test_tables_without_a_header_one_per_split(tmp_path: Path, ask: Ask) -> None:
    """As COVIDx: words between spaces, columns by their numbers."""
    for k in range(8):
        write_image(tmp_path / "covidx" / ("test" if k > 5 else "train") / f"x{k}.png", seed=k)
    lines = [f"{k // 2} x{k}.png {('positive', 'negative')[k % 2]} cohen" for k in range(8)]
    (tmp_path / "covidx" / "train.txt").write_text("\n".join(lines[:6]) + "\n")
    (tmp_path / "covidx" / "test.txt").write_text("\n".join(lines[6:]) + "\n")
    index = index_of(ask(source=tmp_path / "covidx", table="train.txt,test.txt", label_column=3, patient_column=1))
    assert index.loc["test/x7.png", ["label", "patient", "split"]].tolist() == ["negative", "3", "test"]
    assert index.loc["train/x0.png", ["label", "patient"]].tolist() == ["positive", "0"]


def test_tables_that_each_say_a_part(flat: Path, ask: Ask) -> None:
    (flat / "a.csv").write_text("id,label\n" + "".join(f"{k:03d},{'xy'[k % 2]}\n" for k in range(N)))
    splits = "".join(f"/data/{k:03d}.dcm\t{'train' if k < 8 else 'test'}\n" for k in range(N))
    (flat / "b.tsv").write_text("path\tsplit\n" + splits)
    index = index_of(ask(source=flat, table="a.csv,b.tsv", label_column="label", split_column="split"))
    assert index.loc["009.png", ["label", "split"]].tolist() == ["y", "test"]
    with pytest.raises(XrganError, match="None of the 2 tables has a column 'finding'.*a.csv: id, label; b.tsv"):
        ask("other", source=flat, table="a.csv,b.tsv", label_column="finding")


def test_stylegans_dataset_json(tmp_path: Path, ask: Ask) -> None:
    labels = []
    for k in range(8):
        write_image(tmp_path / "stylegan" / f"{k // 4:05d}" / f"img{k:08d}.png", seed=k)
        labels.append([f"{k // 4:05d}/img{k:08d}.png", k % 2])
    (tmp_path / "stylegan" / "dataset.json").write_text(json.dumps({"labels": labels}))
    index = index_of(ask(source=tmp_path / "stylegan", table="dataset.json"))
    assert index["label"].tolist() == ["0", "1"] * 4


def test_masks_of_a_table(tmp_path: Path, ask: Ask) -> None:
    for k in range(4):
        write_image(tmp_path / "m" / f"{k}.png", seed=k)
        write_image(tmp_path / "m" / "lung_outlines" / f"{k}_l.png", seed=20 + k)
    (tmp_path / "m" / "t.csv").write_text("file,contour\n" + "".join(f"{k}.png,{k}_l.png\n" for k in range(4)))
    index = index_of(ask(source=tmp_path / "m", table="t.csv", mask_column="contour", masks="none"))
    assert index["mask"].tolist() == [f"lung_outlines/{k}_l.png" for k in range(4)]


def test_a_table_goes_before_an_index(flat: Path, ask: Ask) -> None:
    (flat / "index.csv").write_text("file,label\n000.png,wrong\n")
    assert len(index_of(ask(source=flat, table="labels.csv"))) == N


def test_a_table_that_is_not_there(flat: Path, ask: Ask) -> None:
    with pytest.raises(XrganError, match="There is no table nowhere.csv, neither here nor in"):
        ask(source=flat, table="nowhere.csv")
    (flat / "meta" / "x").mkdir(parents=True)
    (flat / "labels.csv").rename(flat / "meta" / "x" / "labels.csv")
    assert len(index_of(ask(source=flat, table="labels.csv"))) == N


def test_no_labels_are_told_with_the_columns(flat: Path, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    prepared = ask(source=flat, table="labels.csv", label_column="none")
    assert read_card(prepared)["classes"] == []
    (flat / "plain.csv").write_text("name,what,else\n" + "".join(f"{k:03d},x,y\n" for k in range(N)))
    ask("plain", source=flat, table="plain.csv")
    assert "plain.csv: no column was taken for labels; --label-column names some of name, what, else" in told(capsys)
