"""`xrgan prepare`, typed."""

from pathlib import Path

import pytest
import yaml

from tests.terminal import Terminal

pytestmark = pytest.mark.slow


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


def test_prepare_says_beforehand_that_no_generator_draws_a_size(type_: Terminal) -> None:
    type_("fetch phantom --n 10 --size 32")
    said = type_("prepare --size 18").err
    assert "No generator draws 18 × 18 pixels; `--size 16` or `--size 20` can be drawn." in said
    assert said.index("No generator") < said.index("Looking through")
    assert "No generator" not in type_("prepare --size 20").err


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


def test_a_dry_run_prints_the_dataset_and_what_auto_means(type_: Terminal) -> None:
    assert yaml.safe_load(type_("prepare --dry-run").out)["prepare"]["masks"] == "auto", "of what, is not known yet"
    type_("fetch phantom --n 10 --size 16")
    resolved = yaml.safe_load(type_("prepare --dry-run --size 16").out)
    assert resolved["dataset"] == "phantom_16"
    assert (resolved["prepare"]["masks"], resolved["prepare"]["map"]) == ("lungs,heart", "none")
    assert not Path("data/prepared").exists()
    Path("t.csv").write_text("image,dx\n" + "".join(f"{f.stem},x\n" for f in Path("data/raw").rglob("phantom*.png")))
    table = yaml.safe_load(type_("prepare phantom --dry-run --table t.csv --name mine --label-column dx").out)
    assert table["dataset"] == "mine"
    assert (table["prepare"]["file_column"], table["prepare"]["label_column"]) == ("image", ["dx"])


def test_a_name_near_a_sources_is_not_said_to_be_one(type_: Terminal) -> None:
    said = type_("prepare kermani", code=1).err.replace("\n", " ")
    assert "Did you mean kermany? `xrgan fetch kermany` fetches it." in said
    assert "fetch kermani" not in said


def test_a_table_is_read_by_flags(type_: Terminal) -> None:
    type_("fetch phantom --n 10 --size 16")
    files = sorted(Path("data/raw/phantom/images").rglob("*.png"))
    Path("t.csv").write_text("image;dx;who\n" + "".join(f"{f.name};{'ab'[k % 2]};{k}\n" for k, f in enumerate(files)))
    out = type_("prepare --size 16 --table t.csv --label-column dx --patient-column who --view none --labels none").out
    assert "t.csv: 10 rows, UTF-8, separated by semicolons" in out
    facts = yaml.safe_load(Path("data/prepared/phantom_16/dataset.yaml").read_text())
    assert facts["classes"] == ["a", "b"] and facts["patients"] == 10
