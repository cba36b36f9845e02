import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from tests.gan.helpers import tiny_config, tiny_dataset
from xrgan.data.images import Pixels, read_gray
from xrgan.data.synthetic import read_synthetic
from xrgan.errors import XrganError
from xrgan.files import read_yaml
from xrgan.gan import checkpoint, interpolation, sample_folder, setup, training
from xrgan.gan.rejection import JUDGED_AT_LEAST, Rejection
from xrgan.gan.sampler import Sampler, latents, load_sampler, sample_block, sample_labels
from xrgan.rundir import RunDir


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    root = tmp_path_factory.mktemp("sampling")
    dataset, config = tiny_dataset(root), tiny_config("train.epochs=2")
    run = RunDir(root / "run")
    setup.create_run(run, config, dataset)
    training.train(run, dataset, config)
    return run


@pytest.fixture(scope="module")
def sampler(run: RunDir) -> Sampler:
    return load_sampler(run, "cpu")


def pixels(folder: Path) -> dict[str, bytes]:
    return {file.name: read_gray(file).tobytes() for file in sorted(folder.glob("synthetic_*.png"))}


def test_what_a_sampling_writes(sampler: Sampler, tmp_path: Path) -> None:
    sampled = sample_folder.fill(sampler, tmp_path, n=5, seed=1, run_name="run")
    assert [file.name for file in sorted(tmp_path.iterdir())] == [
        "index.csv",
        "sample.yaml",
        "sheet.png",
        *(f"synthetic_0000{k}.png" for k in range(1, 6)),
    ]
    assert sampled.images == sampled.drawn == 5
    with Image.open(tmp_path / "synthetic_00001.png") as image:
        assert (image.mode, image.size) == ("L", (16, 16))
    index = pd.read_csv(tmp_path / "index.csv")
    assert list(index.columns) == ["file", "seed", "label"]
    assert set(index["label"]) <= {"class0", "class1"} and set(index["seed"]) == {1}
    images, labels = read_synthetic(tmp_path, ("class0", "class1"))
    assert images.shape == (5, 1, 16, 16)
    assert [("class0", "class1")[label] for label in labels] == list(index["label"])


def test_an_image_depends_on_seed_and_number_alone(sampler: Sampler, tmp_path: Path) -> None:
    sample_folder.fill(sampler, tmp_path / "many", n=80, seed=7)
    sample_folder.fill(sampler, tmp_path / "few", n=3, seed=7)
    sample_folder.fill(sampler, tmp_path / "few", n=70, seed=7)
    sample_folder.fill(sampler, tmp_path / "other", n=3, seed=8)
    many, few, other = (pixels(tmp_path / name) for name in ("many", "few", "other"))
    assert len(few) == 70
    assert all(many[name] == few[name] for name in few)
    assert all(many[name] != other[name] for name in other)
    assert len(set(many.values())) == 80


def test_missing_ones_are_added_and_the_others_stay_untouched(sampler: Sampler, tmp_path: Path) -> None:
    sample_folder.fill(sampler, tmp_path, n=10, seed=0)
    before = pixels(tmp_path)
    times = {file.name: file.stat().st_mtime_ns for file in tmp_path.glob("synthetic_*")}
    (tmp_path / "synthetic_00004.png").unlink()
    sampled = sample_folder.fill(sampler, tmp_path, n=10, seed=0)
    assert sampled.drawn == 1
    assert pixels(tmp_path) == before
    assert all(
        (tmp_path / name).stat().st_mtime_ns == time for name, time in times.items() if name != "synthetic_00004.png"
    )
    assert sample_folder.fill(sampler, tmp_path, n=4, seed=0).images == 10, "asking for fewer takes none away"


@pytest.mark.parametrize("change", ["seed", "label", "ema"])
def test_images_of_another_origin_are_never_mixed(run: RunDir, sampler: Sampler, tmp_path: Path, change: str) -> None:
    sample_folder.fill(sampler, tmp_path, n=3, seed=0)
    before = pixels(tmp_path)
    other = load_sampler(run, "cpu", ema=change != "ema")
    wish = {"seed": 1 if change == "seed" else 0, "label": "class1" if change == "label" else ""}
    with pytest.raises(XrganError, match=rf"another {change}.*--out DIR.*--overwrite"):
        sample_folder.fill(other, tmp_path, n=3, **wish)  # type: ignore[arg-type]
    assert pixels(tmp_path) == before
    sample_folder.fill(other, tmp_path, n=2, overwrite=True, **wish)  # type: ignore[arg-type]
    assert len(pixels(tmp_path)) == 2 and not pixels(tmp_path).items() <= before.items()


def test_labels(sampler: Sampler, tmp_path: Path) -> None:
    sample_folder.fill(sampler, tmp_path, n=4, seed=0, label="class1")
    assert set(pd.read_csv(tmp_path / "index.csv")["label"]) == {"class1"}
    with pytest.raises(XrganError, match="no class 'class7'.*class0, class1"):
        sample_folder.fill(sampler, tmp_path / "b", n=4, seed=0, label="class7")
    assert not (tmp_path / "b").exists()
    labels = sample_labels(sampler, 0, 0, 4000)
    assert labels.mean() == pytest.approx(sampler.class_shares[1], abs=0.03)


def test_an_unconditional_model_has_no_label_to_draw(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path, classes=0), tiny_config("train.epochs=1", conditional=False)
    run = RunDir(tmp_path / "run")
    setup.create_run(run, config, dataset)
    training.train(run, dataset, config)
    sampler = load_sampler(run, "cpu")
    sample_folder.fill(sampler, tmp_path / "out", n=2, seed=0)
    with pytest.raises(XrganError, match="unconditional.*--conditional"):
        sample_folder.fill(sampler, tmp_path / "out", n=2, seed=0, label="class0")


def test_the_walk_is_a_gif_that_moves_smoothly(sampler: Sampler, tmp_path: Path) -> None:
    file = interpolation.interpolate(sampler, tmp_path / "walk.gif", seed=0)
    with Image.open(file) as gif:
        assert gif.n_frames > 50
    a, b = np.random.default_rng(0).standard_normal((2, 100)).astype(np.float32)
    path = interpolation._slerp(a, b, 10)
    lengths = np.linalg.norm(path, axis=1)
    assert np.allclose(path[0], a)
    assert lengths.min() > 0.95 * min(np.linalg.norm(a), np.linalg.norm(b)), "a straight line would be shorter inside"


def test_latents_are_standard_normal_and_their_own(sampler: Sampler) -> None:
    z = latents(3, 0, 500, 100)
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02
    assert torch.equal(z[40:60], latents(3, 40, 20, 100))


def test_nan_in_the_weights_is_one_sentence(run: RunDir, tmp_path: Path) -> None:
    sampler = load_sampler(run, "cpu")
    with torch.no_grad():
        next(sampler.generator.parameters())[0] = float("nan")
    with pytest.raises(XrganError, match="NaN.*--checkpoint"):
        sample_folder.fill(sampler, tmp_path, n=2, seed=0)


def test_checkpoints_can_be_chosen(run: RunDir) -> None:
    steps = [int(path.stem.removeprefix("step_")) for path in sorted(run.checkpoints.iterdir())]
    assert load_sampler(run, "cpu", checkpoint_name=str(steps[0])).step == steps[0]
    assert load_sampler(run, "cpu").step == steps[-1]
    with pytest.raises(XrganError, match="no checkpoint yet"):
        empty = RunDir(run.path.parent / "empty")
        empty.path.mkdir()
        empty.write_config(run.read_config())
        load_sampler(empty, "cpu")
    assert checkpoint.load_last(run.checkpoints) is not None


def test_classes_come_in_turn_if_asked(sampler: Sampler, tmp_path: Path) -> None:
    balanced = dataclasses.replace(sampler, balance=True)
    sample_folder.fill(balanced, tmp_path, n=7, seed=1)
    assert list(pd.read_csv(tmp_path / "index.csv")["label"]) == ["class0", "class1"] * 3 + ["class0"]
    with pytest.raises(XrganError, match="another balance"):
        sample_folder.fill(sampler, tmp_path, n=9, seed=1)
    unconditional = dataclasses.replace(balanced, spec=dataclasses.replace(sampler.spec, classes=0))
    with pytest.raises(XrganError, match="unconditional.*classes in turn"):
        sample_labels(unconditional, 0, 0, 4)


@pytest.mark.parametrize(
    ("structures", "values"),
    [(("lungs",), {0, 255}), (("right lung", "left lung", "heart"), {0, 150, 200, 250})],
)
def test_a_model_with_masks_writes_them_beside_the_images(
    tmp_path: Path, structures: tuple[str, ...], values: set[int]
) -> None:
    dataset, config = tiny_dataset(tmp_path, masks=structures), tiny_config("train.epochs=3", masks=True)
    run = RunDir(tmp_path / "run")
    setup.create_run(run, config, dataset)
    training.train(run, dataset, config)
    with Image.open(run.samples / "epoch_0003.png") as grid:
        assert grid.mode == "RGB"
    sampler = load_sampler(run, "cpu")
    assert sampler.spec.masks == structures
    folder = tmp_path / "drawn"
    assert sample_folder.fill(sampler, folder, n=6, seed=1).images == 6
    files = sample_folder.list_images(folder)
    assert [file.name for file in files] == [f"synthetic_0000{k}.png" for k in range(1, 7)]
    index = pd.read_csv(folder / "index.csv")
    assert list(index["mask"]) == [f"synthetic_0000{k}_mask.png" for k in range(1, 7)]
    block, _ = sample_block(sampler, 1, 0)
    for k, file in enumerate(files):
        assert np.array_equal(read_gray(file), block[k, 0])
        with Image.open(folder / index["mask"][k]) as mask:
            assert set(np.unique(np.asarray(mask))) <= values
    assert (read_gray(folder / index["mask"][0]) > 0).any()
    assert read_synthetic(folder, dataset.classes)[0].shape == (6, 1, 16, 16)
    (folder / "index.csv").unlink()
    assert len(read_synthetic(folder)[0]) == 6  # the masks are no images
    sample_folder.fill(sampler, folder, n=4, seed=2, overwrite=True)
    assert len(list(folder.glob("*_mask.png"))) == 4
    interpolation.interpolate(sampler, folder / "walk.gif", seed=1)


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


def test_images_that_are_turned_down_are_skipped_and_others_drawn_instead(sampler: Sampler, tmp_path: Path) -> None:
    judge = Judge(sampler, 3, {2, 4, 33, 90})
    sampled = sample_folder.fill(sampler, tmp_path / "chosen", n=40, seed=3, rejection=judge.rejection)
    sample_folder.fill(sampler, tmp_path / "all", n=43, seed=3)
    chosen, everything = pixels(tmp_path / "chosen"), pixels(tmp_path / "all")
    assert set(everything) - set(chosen) == {"synthetic_00002.png", "synthetic_00004.png", "synthetic_00033.png"}
    assert all(everything[name] == image for name, image in chosen.items()), "image k is the same with and without"
    assert (sampled.images, sampled.drawn, sampled.record.dropped) == (40, 40, [1, 3, 32])
    index, whole = (pd.read_csv(tmp_path / name / "index.csv", index_col="file") for name in ("chosen", "all"))
    assert list(index.index) == sorted(chosen)
    assert (index == whole.loc[index.index]).all(axis=None)
    said = read_yaml(tmp_path / "chosen/sample.yaml")
    assert said["reject_copies"] == "a judge" and said["dropped"] == [2, 4, 33] and said["judged"] == 64
    with Image.open(tmp_path / "chosen/sheet.png") as sheet, Image.open(tmp_path / "all/sheet.png") as other:
        assert sheet.size == (10 * 18 + 2, 4 * 18 + 2)
        second = (20, 2, 36, 18)
        assert sheet.crop(second).tobytes() == everything["synthetic_00003.png"] != other.crop(second).tobytes()


def test_more_are_added_to_a_selection_without_judging_again(sampler: Sampler, tmp_path: Path) -> None:
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


def test_an_interrupted_selection_goes_on(sampler: Sampler, tmp_path: Path) -> None:
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


def test_a_selection_is_not_mixed_with_other_images(sampler: Sampler, tmp_path: Path) -> None:
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
    assert judged == JUDGED_AT_LEAST
    assert len(pixels(tmp_path)) == kept, "what was accepted stays"
    assert sample_folder.fill(sampler, tmp_path / "few", n=kept or 1, seed=0).images == (kept or 1)


def test_classes_in_turn_stay_as_many_of_each_where_images_are_turned_down(sampler: Sampler, tmp_path: Path) -> None:
    balanced = dataclasses.replace(sampler, balance=True)
    odd = Judge(balanced, 3, {1, 3, 5, 7, 20})
    for n in (10, 24, 25):
        sample_folder.fill(balanced, tmp_path, n=n, seed=3, rejection=odd.rejection)
        counts = pd.read_csv(tmp_path / "index.csv")["label"].value_counts()
        assert dict(counts) == {"class0": (n + 1) // 2, "class1": n // 2}
    assert {f"synthetic_{k:05d}.png" for k in (1, 3, 5, 7, 20)}.isdisjoint(pixels(tmp_path))


def test_masks_are_not_judged(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path, masks=("lungs",)), tiny_config("train.epochs=1", masks=True)
    run = RunDir(tmp_path / "run")
    setup.create_run(run, config, dataset)
    training.train(run, dataset, config)
    sampler = load_sampler(run, "cpu")
    judge = Judge(sampler, 1, {2})
    sample_folder.fill(sampler, tmp_path / "drawn", n=3, seed=1, rejection=judge.rejection)
    names = sorted(file.name for file in (tmp_path / "drawn").glob("synthetic_*"))
    assert names == [f"synthetic_0000{k}{end}.png" for k in (1, 3, 4) for end in ("", "_mask")]
    assert list(pd.read_csv(tmp_path / "drawn/index.csv")["mask"]) == names[1::2]


@pytest.mark.parametrize("said", ["seed: first", "step: [3]", "dropped: [a]", "- 1"])
def test_a_damaged_sample_yaml_is_named(sampler: Sampler, tmp_path: Path, said: str) -> None:
    folder = sample_folder.fill(sampler, tmp_path / "out", n=1, seed=1).folder
    (folder / "sample.yaml").write_text(said)
    with pytest.raises(XrganError, match=r"sample\.yaml"):
        sample_folder.fill(sampler, folder, n=2, seed=1)


def test_a_damaged_sample_yaml_can_be_overwritten(sampler: Sampler, tmp_path: Path) -> None:
    sample_folder.fill(sampler, tmp_path, n=1, seed=1)
    (tmp_path / "sample.yaml").write_text("seed: first")
    sample_folder.fill(sampler, tmp_path, n=2, seed=2, overwrite=True)
    assert read_yaml(tmp_path / "sample.yaml")["seed"] == 2


def test_class_names_of_any_kind_come_back(sampler: Sampler, tmp_path: Path) -> None:
    names = ('pneumonia, "viral"', "healthy\r\nor not")
    sample_folder.fill(dataclasses.replace(sampler, classes=names), tmp_path, n=8, seed=1)
    _, labels = read_synthetic(tmp_path, names)
    _, plain = read_synthetic(sample_folder.fill(sampler, tmp_path / "plain", n=8, seed=1).folder, sampler.classes)
    assert labels.tolist() == plain.tolist()
    assert set(labels) == {0, 1}
