"""Lists that tools lay beside their images are read."""

import json
from pathlib import Path

from tests.data.trees import plant, said
from xrgan.data.scan import scan, scan_folder


def test_stylegans_dataset_json_names_the_classes(tmp_path: Path) -> None:
    files = [f"{k // 4:05d}/img{k:08d}.png" for k in range(8)]
    plant(tmp_path, *files)
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": [[file, k % 2] for k, file in enumerate(files)]}))
    found = scan_folder(tmp_path)
    assert list(found.rows["label"]) == ["0", "1"] * 4
    assert found.taken["class"] == "dataset.json"
    assert found.unread == []


def test_a_dataset_json_without_labels_says_nothing(tmp_path: Path) -> None:
    plant(tmp_path, "00000/img0.png")
    (tmp_path / "dataset.json").write_text('{"labels": null}')
    assert said(scan(tmp_path)) == {"00000/img0.png": ("", "")}


def test_covidx_lists_name_patient_class_and_split(tmp_path: Path) -> None:
    plant(tmp_path, "train/x0.png", "train/x1.png", "test/x2.png")
    (tmp_path / "train.txt").write_text("7 x0.png positive cohen\n7 x1.png negative cohen\n")
    (tmp_path / "test.txt").write_text("8 x2.png negative rsna\n")
    rows = scan(tmp_path)
    assert said(rows) == {
        "test/x2.png": ("test", "negative"),
        "train/x0.png": ("train", "positive"),
        "train/x1.png": ("train", "negative"),
    }
    assert list(rows["patient"]) == ["8", "7", "7"]
