"""No name, id or date of a DICOM file leaves it."""

from pathlib import Path

from tests.data.preparing.test_headers import ask, index_of
from xrgan.data.preparing.pseudonyms import KEY_FILE
from xrgan.files import read_yaml

NAME, BIRTH = "Phantom^Chest", "19010203"  # what dicom_files plants beside the ID


def test_no_name_id_or_date_leaves_the_files(hospital: Path, tmp_path: Path) -> None:
    ask(hospital, tmp_path)
    written = [path for path in (tmp_path / "prepared").rglob("*") if path.is_file()]
    assert len(written) >= 5
    for path in written:
        content = path.read_bytes()
        for secret in ("MRN-77", NAME, BIRTH, "Phantom"):
            assert secret.encode() not in content, path


def test_patients_are_the_same_in_every_dataset_of_a_machine_and_unknown_elsewhere(
    hospital: Path, tmp_path: Path
) -> None:
    one, two = ask(hospital, tmp_path, name="one"), ask(hospital, tmp_path, name="two")
    elsewhere = ask(hospital, tmp_path, root="elsewhere")
    assert list(index_of(one)["patient"]) == list(index_of(two)["patient"])
    assert set(index_of(one)["patient"]).isdisjoint(index_of(elsewhere)["patient"])
    assert list(index_of(one)["split"]) == list(index_of(elsewhere)["split"])
    hashes = {read_yaml(folder / "dataset.yaml")["content_hash"] for folder in (one, two, elsewhere)}
    assert len(hashes) == 1
    assert (tmp_path / "prepared" / KEY_FILE).stat().st_mode & 0o077 == 0
