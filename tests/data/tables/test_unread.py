"""Tables that nobody read are named with the flags that read them."""

from pathlib import Path

from tests.data.trees import plant
from xrgan.data.scan import scan_folder


def test_a_table_that_nobody_read_is_named_with_the_flags_that_read_it(tmp_path: Path) -> None:
    plant(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text("image;diagnosis;patient id\na.png;ill;1\nb.png;well;2\n")
    (tmp_path / "other.csv").write_text("name,size\nx,1\n")
    (tmp_path / "findings.csv").write_text("image,Edema,Mass\na,1,0\nb,0,-1\n")
    unread = scan_folder(tmp_path).unread
    assert len(unread) == 2
    assert "findings.csv was not read" in unread[0] and "--label-column Edema,Mass" in unread[0]
    flags = "--file-column image --label-column diagnosis --patient-column 'patient id'"
    assert f"--table labels.csv {flags} reads it" in unread[1]


def test_numbered_folders_that_a_table_repeats_beside_its_labels_are_no_classes(tmp_path: Path) -> None:
    plant(tmp_path, *(f"{k % 2}/{k}.png" for k in range(8)))
    assert set(scan_folder(tmp_path).rows["label"]) == {"0", "1"}
    (tmp_path / "labels.csv").write_text("image,class\n" + "".join(f"{k}.png,{k % 2}\n" for k in range(8)))
    assert set(scan_folder(tmp_path).rows["label"]) == {"0", "1"}  # they are what the table says
    lines = [f"{k}.png,{k % 2},{['sick', 'well'][k // 4]}\n" for k in range(8)]
    (tmp_path / "labels.csv").write_text("ImageID,ImageDir,Labels\n" + "".join(lines))
    scanned = scan_folder(tmp_path)
    assert set(scanned.rows["label"]) == {""} and "class" not in scanned.taken


def test_what_is_no_table_of_the_images_is_not_named(tmp_path: Path) -> None:
    plant(tmp_path, "a.png", "b.png")
    (tmp_path / "README.txt").write_text("These images were made in 2020 by a.\nOf b, nothing is known.\n")
    (tmp_path / "settings.json").write_text('{"size": 3}')
    (tmp_path / "reports.csv").write_text("id,text\n1,none\n")
    assert scan_folder(tmp_path).unread == []


def test_texts_json_and_files_of_programs_are_named_too(tmp_path: Path) -> None:
    plant(tmp_path, "a1.png", "b1.png")
    (tmp_path / "list.txt").write_text("a1.png cat\nb1.png dog\n")
    (tmp_path / "list.json").write_text('[{"image": "a1.png", "dx": "x"}, {"image": "b1.png", "dx": "y"}]')
    (tmp_path / "book.xlsx").write_bytes(b"PK")
    unread = scan_folder(tmp_path).unread
    assert [sentence.split(" was not read")[0] for sentence in unread] == ["book.xlsx", "list.json", "list.txt"]
    assert "columns column 1, column 2. --table list.txt --file-column 1 reads it" in unread[2]
    assert "--table list.json --file-column image --label-column dx reads it" in unread[1]
