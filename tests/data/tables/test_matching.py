"""Which file a cell means."""

import pytest

from xrgan.data.tables.matching import Files

TREE = ["train/patient1/study1/view1.jpg", "train/patient2/study1/view1.jpg", "images/A.png", "images/b.dcm", "007.png"]


@pytest.mark.parametrize(
    ("cell", "file"),
    [
        ("images/A.png", "images/A.png"),
        ("./images/A.png", "images/A.png"),
        ("A.png", "images/A.png"),
        ("a.PNG", "images/A.png"),
        ("A", "images/A.png"),
        ("A.dcm", "images/A.png"),  # converted since
        ("b", "images/b.dcm"),
        (r"C:\data\images\A.png", "images/A.png"),
        (r"D:\elsewhere\A.png", "images/A.png"),
        ("/home/someone/x-rays/A.png", "images/A.png"),
        ("https://example.org/set/images/A.png?raw=1", "images/A.png"),
        ("s3://bucket/images/A.png", "images/A.png"),
        ("file:///data/images/A%2Epng", "images/A.png"),
        ("CheXpert-v1.0/train/patient2/study1/view1.jpg", "train/patient2/study1/view1.jpg"),
        ("patient1/study1/view1", "train/patient1/study1/view1.jpg"),
        ("7", "007.png"),  # a spreadsheet took the zeros
        ("../up/007.png", "007.png"),
    ],
)
def test_a_file_is_found_by_path_name_or_stem_of_any_system(cell: str, file: str) -> None:
    assert Files(TREE).match([cell]).file_of == {cell: file}


def test_names_in_other_unicode_forms_are_the_same() -> None:
    assert Files(["images/Pneumoni\u0301a.png"]).match(["Pneumon\u00eda.png"]).file_of


def test_what_could_be_several_files_is_none() -> None:
    matches = Files(["NORMAL/1.png", "PNEUMONIA/1.png", "2.png"]).match(["1.png", "2.png", "NORMAL/1.png"])
    assert matches.several == {"1.png": ["NORMAL/1.png", "PNEUMONIA/1.png"]}
    assert matches.file_of == {"2.png": "2.png", "NORMAL/1.png": "NORMAL/1.png"}


def test_names_that_differ_in_capitals_alone_are_told_apart_where_both_are_there() -> None:
    matches = Files(["a.png", "A.png"]).match(["a.png", "A.png"])
    assert matches.file_of == {"a.png": "a.png", "A.png": "A.png"}


def test_another_patients_file_of_the_same_name_is_not_this_ones() -> None:
    """Of CheXpert, only one patient was downloaded."""
    cells = [f"set/train/patient{k}/study1/view1.jpg" for k in range(1, 5)]
    matches = Files(["train/patient3/study1/view1.jpg"]).match(cells)
    assert matches.file_of == {cells[2]: "train/patient3/study1/view1.jpg"}
    assert matches.missing == [cells[0], cells[1], cells[3]]


def test_a_file_that_several_paths_could_mean_is_none_of_theirs() -> None:
    cells = ["patient1/view1.jpg", "patient2/view1.jpg"]
    matches = Files(["view1.jpg", "other.jpg"]).match(cells)
    assert matches.file_of == {}
    assert matches.missing == cells


def test_two_tables_may_name_one_file_in_two_ways() -> None:
    cells = ["set/images/A.png", "A", r"C:\set\images\A.png"]
    assert Files(TREE).match(cells).file_of == dict.fromkeys(cells, "images/A.png")


def test_a_uid_is_no_name_with_an_extension() -> None:
    files = Files(["1.2.840.1.dcm", "1.2.840.2.dcm", "1.2.840.3"])
    assert files.match(["1.2.840.1", "1.2.840.2.png", "1.2.840.3.dcm"]).file_of == {
        "1.2.840.1": "1.2.840.1.dcm",
        "1.2.840.2.png": "1.2.840.2.dcm",
        "1.2.840.3.dcm": "1.2.840.3",
    }


def test_cells_that_name_nothing_are_listed_once_and_empty_ones_never() -> None:
    matches = Files(TREE).match(["nowhere.png", "", "nowhere.png", "/"])
    assert matches.missing == ["nowhere.png", "/"]
    assert not matches.file_of


def test_only_a_word_names_a_file_by_itself() -> None:
    files = Files(["7.png", "a.png"])
    assert files.names_one("a.png") and files.names_one("7.png") and files.names_one("a")
    assert not files.names_one("7")
    assert not files.names_one("")
    assert not files.names_one("file")


def test_many_files_of_one_name_are_told_apart_by_their_folders() -> None:
    """As in CheXpert: 200,000 files called view1_frontal.jpg. Each against each would take hours."""
    files = [f"train/patient{k // 2:05d}/study{k % 2}/view1.jpg" for k in range(4000)]
    matches = Files(files).match([f"set/{file}" for file in files])
    assert list(matches.file_of.values()) == files
