"""A packed dataset opens whole, or says what is wrong with it."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrgan.data.packed import PackedDataset, check_content, hash_content, open_packed, read_rows
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml

IMAGES = np.arange(4 * 3 * 2 * 2, dtype=np.uint8).reshape(4, 3, 2, 2)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "chests"
    folder.mkdir()
    np.save(folder / "images.npy", IMAGES)
    pd.DataFrame(
        {
            "file": ["a.png", "b.png", "c.png", "NA"],
            "label": ["ill", "", "healthy", "ill"],
            "split": ["train", "val", "test", "train"],
            "patient": ["007", "NA", "p 3", "007"],
            "hash": ["00e1", "2", "3", "0e10"],
            "duplicate_of": ["", "", "a.png", ""],
        }
    ).to_csv(folder / "index.csv", index=False)
    facts = {"source": {"name": "hospital"}, "options": {"size": 2, "clahe": False}, "content_hash": "abc"}
    write_yaml(folder / "dataset.yaml", {"classes": ["healthy", "ill"], **facts})
    return folder


def test_it_says_of_every_image_what_the_index_says(dataset: Path) -> None:
    packed = open_packed(dataset)
    assert (packed.path, packed.name, packed.content_hash) == (dataset, "chests", "abc")
    assert packed.classes == ("healthy", "ill")
    assert packed.labels.tolist() == [1, -1, 0, 1]
    assert packed.labels.dtype == np.int64
    assert packed.splits.tolist() == ["train", "val", "test", "train"]
    assert packed.patients.tolist() == ["007", "NA", "p 3", "007"]
    assert (packed.channels, packed.size) == (3, 2)
    assert (packed.source, packed.options) == ("hospital", {"size": 2, "clahe": False})
    assert packed.hashes.tolist() == ["00e1", "2", "3", "0e10"], "text, whatever they look like"
    assert packed.copies_of.tolist() == ["a.png", "b.png", "a.png", "NA"]
    assert packed.groups.tolist() == [0, 1, 0, 0], "the third shows the first one's picture"


def test_labels_are_told_in_the_classes_of_another_dataset(dataset: Path) -> None:
    packed = open_packed(dataset)
    assert packed.labels_in(("ill", "healthy", "TB")).tolist() == [0, -1, 1, 0]
    assert packed.labels_in(("TB", "ill")).tolist() == [1, -1, -1, 1]
    assert packed.labels_in(("TB", "well"), {"healthy": "well", "ill": "COPD"}).tolist() == [-1, -1, 1, -1]
    assert packed.labels_in(("ill",), {"healthy": "ill"}).tolist() == [-1, -1, 0, -1], "what isn't named is left out"
    assert packed.labels_in(()).tolist() == [-1, -1, -1, -1]


def test_a_folder_of_unknown_origin_has_no_source(dataset: Path) -> None:
    write_yaml(dataset / "dataset.yaml", {"classes": ["healthy", "ill"], "content_hash": "abc", "options": {}})
    assert open_packed(dataset).source == ""


def of_names(patients: list[str], **names: list[str]) -> PackedDataset:
    """A dataset of which only the names matter."""
    n = len(patients)
    images = np.zeros((n, 1, 2, 2), np.uint8)
    arrays = {name: np.array(values, np.str_) for name, values in names.items()}
    splits = np.full(n, "train")
    return PackedDataset(
        Path(), "x", images, np.zeros(n, np.int64), splits, np.array(patients, np.str_), ("a",), "", **arrays
    )


def test_images_hang_together_by_patient_pixels_and_picture_however_many_steps_it_takes() -> None:
    apart = ["1", "2", "3", "4", "5", "6"]
    assert len(set(of_names(apart).groups)) == 6
    assert of_names(list("aabbcc")).groups.tolist() == [0, 0, 1, 1, 2, 2]
    joined = of_names(list("aabbcd"), hashes=["1", "2", "2", "3", "4", "5"], copies_of=["p", "q", "r", "s", "s", "u"])
    assert joined.groups.tolist() == [0, 0, 0, 0, 0, 1], "a–b by pixels, b–c by picture"
    assert len(of_names([]).groups) == 0


def test_a_name_means_nothing_in_another_column() -> None:
    assert len(set(of_names(["1", "2"], hashes=["2", "3"], copies_of=["3", "1"]).groups)) == 2


names = st.integers(0, 8).map(str)


@given(st.lists(st.tuples(names, names, names), max_size=25))
@pytest.mark.slow
def test_groups_are_what_one_finds_by_going_from_image_to_image(rows: list[tuple[str, str, str]]) -> None:
    patients, hashes, copies = ([row[k] for row in rows] for k in range(3))
    groups = of_names(patients, hashes=hashes, copies_of=copies).groups
    assert groups.dtype == np.int64 and len(groups) == len(rows)
    for start in range(len(rows)):
        reached = {start}
        while (
            more := {
                k
                for k in range(len(rows))
                if any(a == b for r in reached for a, b in zip(rows[k], rows[r], strict=True))
            }
            - reached
        ):
            reached |= more
        assert reached == set(np.flatnonzero(groups == groups[start]))


def test_the_images_are_a_memory_map_that_nobody_can_write_to(dataset: Path) -> None:
    packed = open_packed(dataset)
    assert isinstance(packed.images, np.memmap)
    assert np.array_equal(packed.images, IMAGES)
    with pytest.raises(ValueError, match="read-only"):
        packed.images[0] = 0


def test_splits_give_ascending_indices(dataset: Path) -> None:
    packed = open_packed(dataset)
    assert packed.of_split("train").tolist() == [0, 3]
    assert packed.of_split("test", "val").tolist() == [1, 2]
    assert packed.of_split().tolist() == []
    assert packed.of_split("train").dtype == np.int64


def test_some_of_a_split_are_drawn_by_seed(dataset: Path) -> None:
    np.save(dataset / "images.npy", np.zeros((50, 1, 2, 2), np.uint8))
    files = [f"{k}.png" for k in range(50)]
    index = pd.DataFrame({"file": files, "label": "", "split": ["train"] * 40 + ["val"] * 10, "patient": "p"})
    index.assign(hash=files, duplicate_of="").to_csv(dataset / "index.csv", index=False)
    packed = open_packed(dataset)
    some = packed.some_of(("train",), 10, seed=1)
    assert len(set(some.tolist())) == 10
    assert set(some.tolist()) <= set(range(40))
    assert (np.diff(some) > 0).all()
    assert np.array_equal(some, packed.some_of(("train",), 10, seed=1))
    assert not np.array_equal(some, packed.some_of(("train",), 10, seed=2))
    assert np.array_equal(packed.some_of(("train", "val"), 99, seed=1), np.arange(50))


def test_what_is_no_dataset_is_named(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="There is no file .*dataset.yaml"):
        open_packed(tmp_path)


def overwrite_with(content: bytes, name: str) -> object:
    return lambda folder: (folder / name).write_bytes(content)


def without(column: str) -> object:
    return lambda folder: pd.read_csv(folder / "index.csv").drop(columns=column).to_csv(folder / "index.csv")


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "images.npy").unlink(),
        lambda folder: (folder / "index.csv").unlink(),
        overwrite_with(b"", "images.npy"),
        overwrite_with(b"no array", "images.npy"),
        lambda folder: (folder / "images.npy").write_bytes((folder / "images.npy").read_bytes()[:-1]),
        lambda folder: np.save(folder / "images.npy", IMAGES[:3]),
        lambda folder: np.save(folder / "images.npy", IMAGES[:, 0]),
        lambda folder: np.save(folder / "images.npy", np.array([{}]), allow_pickle=True),
        overwrite_with(b"", "index.csv"),
        overwrite_with(b"label,split\nill,train\n", "index.csv"),
        overwrite_with(b"label,split,patient\nbroken,train,p\n", "index.csv"),
        overwrite_with(b"", "dataset.yaml"),
        overwrite_with(b"classes: [healthy, ill]", "dataset.yaml"),
        overwrite_with(b"classes:\ncontent_hash: abc", "dataset.yaml"),
        overwrite_with(b"classes: [healthy, ill]\ncontent_hash: abc", "dataset.yaml"),
        overwrite_with(b"classes: [healthy, ill]\ncontent_hash: abc\noptions: {}\nsource: hospital", "dataset.yaml"),
        without("file"),
        without("hash"),
        without("duplicate_of"),
    ],
)
def test_damage_is_told_with_the_way_out(dataset: Path, damage: object) -> None:
    damage(dataset)  # type: ignore[operator]
    with pytest.raises(XrganError, match="chests is damaged: .*--force"):
        open_packed(dataset)


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        ("label", "broken", "index.csv has the label 'broken', known are healthy, ill"),
        ("split", "", "index.csv has the split '', known are test, train, val"),
        ("split", "Train", "index.csv has the split 'Train'"),
    ],
)
def test_a_class_or_split_that_there_is_not_is_named(dataset: Path, column: str, cell: str, told: str) -> None:
    index = pd.read_csv(dataset / "index.csv", dtype=str, keep_default_na=False)
    index.loc[1, column] = cell
    index.to_csv(dataset / "index.csv", index=False)
    with pytest.raises(XrganError, match=told):
        open_packed(dataset)


@pytest.mark.parametrize(
    "images",
    [
        IMAGES.astype(np.float32),
        IMAGES[:, :, :1],
        IMAGES[:3],
        IMAGES[0],
        np.zeros((4, 3, 4, 4), np.uint8),
        np.zeros((4, 1, 2, 2), np.uint8),
    ],
)
def test_pixels_of_another_shape_or_kind_are_damage(dataset: Path, images: np.ndarray) -> None:
    card = read_yaml(dataset / "dataset.yaml")
    write_yaml(dataset / "dataset.yaml", card | {"channels": 3})
    np.save(dataset / "images.npy", images)
    with pytest.raises(XrganError, match="is damaged: images.npy is"):
        open_packed(dataset)


@pytest.mark.parametrize("key", ["classes", "content_hash", "options", "masks", "source"])
def test_a_card_of_other_types_is_damage(dataset: Path, key: str) -> None:
    card = read_yaml(dataset / "dataset.yaml")
    write_yaml(dataset / "dataset.yaml", card | {key: 3})
    with pytest.raises(XrganError, match=f"chests is damaged: {key}"):
        open_packed(dataset)


def test_pixels_or_splits_that_were_changed_are_recognised(dataset: Path) -> None:
    index = pd.read_csv(dataset / "index.csv", dtype=str, keep_default_na=False)
    card = read_yaml(dataset / "dataset.yaml") | {"content_hash": hash_content(index, dataset / "images.npy")}
    write_yaml(dataset / "dataset.yaml", card)
    check_content(open_packed(dataset))
    index.assign(split=["train"] * 4).to_csv(dataset / "index.csv", index=False)
    with pytest.raises(XrganError, match="was changed since it was prepared.*--force"):
        check_content(open_packed(dataset))
    index.to_csv(dataset / "index.csv", index=False)
    check_content(open_packed(dataset))
    np.save(dataset / "images.npy", np.where(IMAGES == 5, 6, IMAGES).astype(np.uint8))
    with pytest.raises(XrganError, match="was changed since it was prepared"):
        check_content(open_packed(dataset))


def test_rows_are_read_where_they_stand_whoever_holds_the_images(dataset: Path) -> None:
    mapped, indices = np.load(dataset / "images.npy", mmap_mode="r"), np.array([3, 0, 3, 1])
    for images in (mapped, IMAGES, mapped[1:], mapped[:, ::2]):
        some = indices % len(images)
        for channels in (1, images.shape[1]):
            assert np.array_equal(read_rows(images, some, channels), np.asarray(images)[some, :channels])
    assert read_rows(mapped, indices[:0], 3).shape == (0, 3, 2, 2)


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system takes no advice")
@pytest.mark.parametrize(("rows", "advised"), [([39, 0, 20], 1), ([5, 3, 4], 0), ([7], 0)])
def test_a_disk_reads_no_more_than_is_wanted_where_rows_are_scattered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[int], advised: int
) -> None:
    images, said = np.arange(40 * 4, dtype=np.uint8).reshape(40, 1, 2, 2), []
    np.save(tmp_path / "many.npy", images)
    monkeypatch.setattr(os, "posix_fadvise", lambda *advice: said.append(advice[-1]))
    found = read_rows(np.load(tmp_path / "many.npy", mmap_mode="r"), np.array(rows), 1)
    assert np.array_equal(found, images[rows]) and said == [os.POSIX_FADV_RANDOM] * advised


def test_a_file_that_is_cut_while_it_is_in_use_is_said(dataset: Path) -> None:
    mapped = np.load(dataset / "images.npy", mmap_mode="r")
    with (dataset / "images.npy").open("rb+") as file:
        file.truncate(file.seek(0, 2) - 6)
    assert read_rows(mapped, np.array([0, 2]), 3).shape == (2, 3, 2, 2)
    with pytest.raises(XrganError, match="was cut short while it was in use"):
        read_rows(mapped, np.array([3]), 3)
