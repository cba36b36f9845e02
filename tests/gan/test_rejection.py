"""Images that are turned down, and others drawn instead."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.gan.helpers import pixels, tiny_config, tiny_dataset, trained
from xrgan.data.images import Pixels
from xrgan.errors import XrganError
from xrgan.files import read_yaml
from xrgan.gan import sample_folder
from xrgan.gan.rejection import MIN_JUDGED, Rejection
from xrgan.gan.sampler import Sampler, load_sampler, sample_block


class Judge:
    """Turns down the images of a seed whose numbers (from 1) are named, known by their pixels."""

    def __init__(self, sampler: Sampler, seed: int, dropped: set[int]) -> None:
        blocks = [sample_block(sampler, seed, block)[0] for block in range(4)]
        self.dropped = {np.concatenate(blocks)[k - 1, : sampler.spec.channels].tobytes() for k in dropped}
        self.judged = 0

    def __call__(self, images: Pixels) -> np.ndarray:
        self.judged += len(images)
        return np.array([image.tobytes() not in self.dropped for image in images])

    @property
    def rejection(self) -> Rejection:
        return Rejection("a judge", lambda: self)


def test_rejected_images_are_skipped_and_others_drawn_instead(sampler: Sampler, tmp_path: Path) -> None:
    judge = Judge(sampler, 3, {2, 4, 33, 90})
    sampled = sample_folder.fill(sampler, tmp_path / "chosen", n=40, seed=3, rejection=judge.rejection)
    sample_folder.fill(sampler, tmp_path / "all", n=43, seed=3)
    chosen, everything = pixels(tmp_path / "chosen"), pixels(tmp_path / "all")
    assert set(everything) - set(chosen) == {"synthetic_00002.png", "synthetic_00004.png", "synthetic_00033.png"}
    assert all(everything[name] == image for name, image in chosen.items()), "image k is the same with and without"
    assert (sampled.images, sampled.added, sampled.record.dropped) == (40, 40, [1, 3, 32])
    index, whole = (pd.read_csv(tmp_path / name / "index.csv", index_col="file") for name in ("chosen", "all"))
    assert list(index.index) == sorted(chosen)
    assert (index == whole.loc[index.index]).all(axis=None)
    said = read_yaml(tmp_path / "chosen/sample.yaml")
    assert said["reject_copies"] == "a judge" and said["dropped"] == [2, 4, 33] and said["judged"] == 64
    with Image.open(tmp_path / "chosen/sheet.png") as sheet, Image.open(tmp_path / "all/sheet.png") as other:
        assert sheet.width == 10 * 18 + 2 and sheet.height > 4 * 18 + 2, "a caption stands below"
        second = (20, 2, 36, 18)
        assert sheet.crop(second).tobytes() == everything["synthetic_00003.png"] != other.crop(second).tobytes()


def test_more_are_added_without_judging_again(sampler: Sampler, tmp_path: Path) -> None:
    at_once, later = (Judge(sampler, 3, {2, 4, 33, 70}) for _ in range(2))
    sample_folder.fill(sampler, tmp_path / "at once", n=70, seed=3, rejection=at_once.rejection)
    sample_folder.fill(sampler, tmp_path / "later", n=5, seed=3, rejection=later.rejection)
    assert later.judged == 32
    (tmp_path / "later/synthetic_00003.png").unlink()
    sample_folder.fill(sampler, tmp_path / "later", n=40, seed=3, rejection=later.rejection)
    assert sample_folder.fill(sampler, tmp_path / "later", n=70, seed=3, rejection=later.rejection).images == 70
    assert later.judged == at_once.judged == 96
    for name in ("index.csv", "sample.yaml", "sheet.png"):
        assert (tmp_path / "later" / name).read_bytes() == (tmp_path / "at once" / name).read_bytes(), name
    assert pixels(tmp_path / "later") == pixels(tmp_path / "at once")
    fewer = sample_folder.fill(sampler, tmp_path / "later", n=4, seed=3, rejection=later.rejection)
    assert fewer.images == 70 and fewer.record.dropped == [1, 3, 32, 69]


def test_an_interrupted_rejection_is_resumed(sampler: Sampler, tmp_path: Path) -> None:
    judge = Judge(sampler, 3, {2, 40})

    def interrupted(images: Pixels) -> np.ndarray:
        if judge.judged:
            raise KeyboardInterrupt
        return judge(images)

    with pytest.raises(KeyboardInterrupt):
        sample_folder.fill(sampler, tmp_path, n=50, seed=3, rejection=Rejection("a judge", lambda: interrupted))
    assert len(pixels(tmp_path)) == 31
    assert sample_folder.fill(sampler, tmp_path, n=50, seed=3, rejection=judge.rejection).record.dropped == [1, 39]
    assert judge.judged == 64 and len(pixels(tmp_path)) == 50


def test_selected_images_are_not_mixed_with_others(sampler: Sampler, tmp_path: Path) -> None:
    sample_folder.fill(sampler, tmp_path, n=5, seed=3)
    judge = Judge(sampler, 3, {2})
    with pytest.raises(XrganError, match="another reject_copies: 'none', not 'a judge'.*--overwrite"):
        sample_folder.fill(sampler, tmp_path, n=5, seed=3, rejection=judge.rejection)
    assert not sample_folder.rejects_copies(tmp_path) and judge.judged == 0
    sample_folder.fill(sampler, tmp_path, n=5, seed=3, rejection=judge.rejection, overwrite=True)
    assert sample_folder.rejects_copies(tmp_path) and "synthetic_00002.png" not in pixels(tmp_path)
    with pytest.raises(XrganError, match="another reject_copies: 'a judge', not 'none'"):
        sample_folder.fill(sampler, tmp_path, n=5, seed=3)


@pytest.mark.parametrize("kept", [0, 20])
def test_a_generator_that_only_copies_is_given_up(sampler: Sampler, tmp_path: Path, kept: int) -> None:
    judged = 0

    def accept(images: Pixels) -> np.ndarray:
        nonlocal judged
        judged += len(images)
        return np.arange(judged - len(images), judged) < kept

    with pytest.raises(XrganError, match=r"of 320 images .* look like copies of training images.*--checkpoint"):
        sample_folder.fill(sampler, tmp_path, n=100, seed=0, rejection=Rejection("no", lambda: accept))
    assert judged == MIN_JUDGED
    assert len(pixels(tmp_path)) == kept, "what was accepted stays"
    assert sample_folder.fill(sampler, tmp_path / "few", n=kept or 1, seed=0).images == (kept or 1)


def test_balanced_classes_stay_balanced_where_images_are_rejected(sampler: Sampler, tmp_path: Path) -> None:
    balanced = dataclasses.replace(sampler, balance=True)
    odd = Judge(balanced, 3, {1, 3, 5, 7, 20})
    for n in (10, 24, 25):
        sample_folder.fill(balanced, tmp_path, n=n, seed=3, rejection=odd.rejection)
        counts = pd.read_csv(tmp_path / "index.csv")["label"].value_counts()
        assert dict(counts) == {"class0": (n + 1) // 2, "class1": n // 2}
    assert {f"synthetic_{k:05d}.png" for k in (1, 3, 5, 7, 20)}.isdisjoint(pixels(tmp_path))


@pytest.mark.slow
def test_masks_are_not_judged(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path, masks=("lungs",)), tiny_config("train.epochs=1", masks=True)
    run = trained(tmp_path / "run", dataset, config)
    sampler = load_sampler(run, "cpu")
    judge = Judge(sampler, 1, {2})
    sample_folder.fill(sampler, tmp_path / "drawn", n=3, seed=1, rejection=judge.rejection)
    names = sorted(file.name for file in (tmp_path / "drawn").glob("synthetic_*"))
    assert names == [f"synthetic_0000{k}{end}.png" for k in (1, 3, 4) for end in ("", "_mask")]
    assert list(pd.read_csv(tmp_path / "drawn/index.csv")["mask"]) == names[1::2]
