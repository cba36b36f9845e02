"""`xrgan prepare`, typed."""

from pathlib import Path

import pytest
import yaml

from tests.terminal import Terminal


def test_prepare_knows_a_source_by_its_other_name(type_: Terminal) -> None:
    type_("fetch phantom --n 10 --size 16")
    assert "jrs has 247 images" in type_("fetch jsrt --folder data/raw/phantom/images").err
    assert "data/prepared/jrs_16" in type_("prepare jsrt --size 16").out


def test_prepare_takes_what_it_is_told(type_: Terminal) -> None:
    type_("fetch phantom --n 20 --size 32")
    said = type_("prepare --name a --size 16 --masks lungs --map PNEUMONIA=ill,*=well --window p1-p99 --clahe")
    assert "ill" in said.out and "1 channel + masks of lungs" in said.out
    assert "data/prepared/a/preview.png" in said.out
    facts = yaml.safe_load(Path("data/prepared/a/dataset.yaml").read_text())
    assert (facts["classes"], facts["masks"], facts["options"]["clahe"]) == (["ill", "well"], ["lungs"], True)
    one_class = type_("prepare --name b --size 16 --labels NORMAL --masks none --drop-duplicates --fix-leaks").out
    assert "NORMAL" in one_class and "PNEUMONIA" not in one_class


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--masks spine", ["no mask of 'spine'", "heart", "--masks none"]),
        ("--labels TB", ["no image has a label 'TB'", "NORMAL, PNEUMONIA"]),
        ("--map TB=1,*=0", ["no image is labelled 'TB'"]),
        ("--map TB", ["'TB'", "LABEL=class"]),
        ("--view PA", ["no image has a view 'PA'"]),
        ("--window p9", ["prepare.window", "p1-p99"]),
    ],
)
def test_a_wish_that_the_source_cannot_fulfil_leaves_nothing(type_: Terminal, flags: str, words: list[str]) -> None:
    type_("fetch phantom --n 10 --size 16")
    said = type_(f"prepare --size 16 {flags}", code=1).err.replace("\n", " ").lower()
    for word in words:
        assert word.lower() in said, said
    assert not Path("data/prepared/phantom_16").exists()
