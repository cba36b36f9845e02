"""A packed dataset opens whole, or says what is wrong with it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xrgan.data.packed import open_packed
from xrgan.errors import XrganError
from xrgan.files import write_yaml

IMAGES = np.arange(4 * 3 * 2 * 2, dtype=np.uint8).reshape(4, 3, 2, 2)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "chests"
    folder.mkdir()
    np.save(folder / "images.npy", IMAGES)
    pd.DataFrame(
        {
            "label": ["ill", "", "healthy", "ill"],
            "split": ["train", "val", "test", "train"],
            "patient": ["007", "NA", "p 3", "007"],
        }
    ).to_csv(folder / "index.csv", index=False)
    write_yaml(folder / "dataset.yaml", {"classes": ["healthy", "ill"], "content_hash": "abc"})
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
    index = pd.DataFrame({"label": "", "split": ["train"] * 40 + ["val"] * 10, "patient": "p"})
    index.to_csv(dataset / "index.csv", index=False)
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
    ],
)
def test_damage_is_told_with_the_way_out(dataset: Path, damage: object) -> None:
    damage(dataset)  # type: ignore[operator]
    with pytest.raises(XrganError, match="chests is damaged: .*--force"):
        open_packed(dataset)
