"""dataset.yaml says how a dataset came about."""

from pathlib import Path

import pytest

from tests.conftest import write_image
from tests.data.conftest import Ask
from xrgan.data.packed import open_packed
from xrgan.data.preparing.dataset_card import read_card
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml


def test_its_description_tells_how_it_came_about(ask: Ask) -> None:
    description = read_yaml(ask(split=(0.6, 0.2, 0.2), seed=3) / "dataset.yaml")
    assert description["source"] == {"name": "chests"}
    assert description["options"]["size"] == 16
    assert description["options"]["split"] == [0.6, 0.2, 0.2]
    assert description["options"]["seed"] == 3
    assert "workers" not in description["options"]
    assert (description["images"], description["patients"]) == (30, None)
    assert description["counts"] == {
        "train": {"ILL": 6, "NORMAL": 12},
        "val": {"ILL": 2, "NORMAL": 4},
        "test": {"ILL": 2, "NORMAL": 4},
    }
    assert description["skipped"] == []


@pytest.mark.slow
@pytest.mark.parametrize("wish", [{"seed": 1}, {"size": 17}, {"split": (0.5, 0.25, 0.25)}, {"limit": 7}])
def test_what_changes_the_images_or_splits_changes_the_hash(ask: Ask, wish: dict[str, object]) -> None:
    assert open_packed(ask(name="a")).content_hash != open_packed(ask(name="b", **wish)).content_hash


def test_the_content_hash_does_not_depend_on_names(raw: Path, ask: Ask, tmp_path: Path) -> None:
    def content(name: str) -> str:
        return str(read_yaml(ask(name, patient_pattern=r"([ni]\d+|other.*)$") / "dataset.yaml")["content_hash"])

    before = content("before")
    (raw / "NORMAL" / "n07.jpg").rename(raw / "NORMAL" / "n07.jpeg")
    assert content("after") == before


@pytest.mark.slow
def test_whose_the_splits_are_is_told(tmp_path: Path, ask: Ask) -> None:
    assert read_yaml(ask("drawn") / "dataset.yaml")["splits"] == "drawn by image, since no patient is known"
    by_patient = read_yaml(ask("patients", patient_pattern="([ni]\\d)") / "dataset.yaml")["splits"]
    assert by_patient == "drawn by patient"
    for split, count in (("train", 40), ("test", 10)):
        for k in range(count):
            write_image(tmp_path / "official" / split / f"{split}{k}.png", seed=k + len(split) * 100)
    official = read_yaml(ask(source=tmp_path / "official") / "dataset.yaml")["splits"]
    assert official == "the source's own; 4 images of its train became val, where it has none or hardly any"
    few = read_yaml(ask("few", source=tmp_path / "official", limit=25) / "dataset.yaml")
    kept = sum(few["counts"]["val"].values())
    assert f"; {kept} images of its train became val" in few["splits"], "of the images that are packed"
    assert 0 < kept < 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        *[{key: {"a": ["b"]}} for key in ("classes", "content_hash", "images", "skipped", "duplicates", "splits")],
        *[
            {"counts": counts}
            for counts in ({}, 3, {"train": 5}, {"train": {"a": "b"}}, {"train": {"a": 1}, "val": {}})
        ],
        *[{"options": {}}, {"options": {"size": "64"}}, {"width": {"min": 1}}, {"source": "chests"}],
    ],
)
def test_a_damaged_card_is_one_sentence_with_the_way_out(ask: Ask, change: dict[str, object]) -> None:
    folder = ask()
    write_yaml(folder / "dataset.yaml", read_yaml(folder / "dataset.yaml") | change)
    with pytest.raises(XrganError, match=rf"dataset\.yaml is damaged: {next(iter(change))}.*--force"):
        read_card(folder)


def test_a_card_that_lacks_a_line_is_damaged_but_not_one_of_an_older_version(ask: Ask) -> None:
    folder = ask()
    card = read_yaml(folder / "dataset.yaml")
    for key in card:
        write_yaml(folder / "dataset.yaml", {name: value for name, value in card.items() if name != key})
        if key in {"not_images", "taken_from", "synthetic"}:
            assert read_card(folder)["images"] == 30
        else:
            with pytest.raises(XrganError, match=rf"dataset\.yaml is damaged: {key}"):
                read_card(folder)
