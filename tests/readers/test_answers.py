from pathlib import Path

import pytest

from tests.readers.cases import knows, put_answers, put_key
from xrgan.errors import XrganError
from xrgan.readers.answers import read_answers
from xrgan.readers.choice import read_key
from xrgan.readers.page import study_of


@pytest.mark.parametrize("separator", [",", ";"])
def test_answers_stand_beside_the_truth(tmp_path: Path, separator: str) -> None:
    """With commas, or as a spreadsheet of another country saves them."""
    key = put_key(tmp_path)
    answers = read_answers([put_answers(key, "Anna", knows, separator)], study_of(key), read_key(key))
    assert len(answers) == 60 and (answers["answer"] == answers["is"]).all() and set(answers["sure"]) == {5}
    assert set(answers["label"]) == {"NORMAL", "PNEUMONIA"}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("study,", "studies,", "no column study"),
        (",5,", ",6,", "from 1 to 5"),
        (",5,", ",x,", "no reader's answers"),
        (",1,", ",2,", "one twice"),
        (",60,", ",61,", "isn't there"),
        (",synthetic,", ",perhaps,", "neither"),
        ("Anna,3", "Ben,3", "several readers"),
    ],
)
def test_what_is_no_answer_is_one_sentence(tmp_path: Path, old: str, new: str, reason: str) -> None:
    key = put_key(tmp_path)
    file = put_answers(key, "Anna", knows)
    file.write_text(file.read_text(encoding="utf-8-sig").replace(old, new, 1))
    with pytest.raises(XrganError, match=reason):
        read_answers([file], study_of(key), read_key(key))


def test_other_studies_and_doubles_are_refused(tmp_path: Path) -> None:
    key, other = put_key(tmp_path / "a"), put_key(tmp_path / "b", n=20)
    with pytest.raises(XrganError, match="it is of the study"):
        read_answers([put_answers(other, "Anna", knows)], study_of(key), read_key(key))
    file = put_answers(key, "Anna", knows)
    with pytest.raises(XrganError, match="several files"):
        read_answers([file, file], study_of(key), read_key(key))
    for content in (b"", b"\xff\xfe\x00", b"study,reader,image,answer,sure,class\n"):
        file.write_bytes(content)
        with pytest.raises(XrganError, match="no reader's answers"):
            read_answers([file], study_of(key), read_key(key))
    with pytest.raises(XrganError, match="There is no file"):
        read_answers([tmp_path / "none.csv"], study_of(key), read_key(key))
