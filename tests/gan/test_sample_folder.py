import dataclasses
import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.gan.helpers import pixels, tiny_config, tiny_dataset, trained
from xrgan.data.images import read_gray
from xrgan.data.synthetic import read_pairs, read_synthetic
from xrgan.errors import XrganError
from xrgan.files import read_yaml
from xrgan.gan import interpolation, sample_folder
from xrgan.gan.sampler import Sampler, load_sampler, sample_block, sample_labels
from xrgan.marks import read_mark
from xrgan.rundir import RunDir
from xrgan.tensor_files import safetensors_bytes


def test_what_a_sampling_writes(sampler: Sampler, tmp_path: Path) -> None:
    sampled = sample_folder.fill(sampler, tmp_path, n=5, seed=1, run_name="run")
    assert [file.name for file in sorted(tmp_path.iterdir())] == [
        "index.csv",
        "sample.yaml",
        "sheet.png",
        *(f"synthetic_0000{k}.png" for k in range(1, 6)),
    ]
    assert sampled.images == sampled.added == 5
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
    assert sampled.added == 1
    assert pixels(tmp_path) == before
    assert all(
        (tmp_path / name).stat().st_mtime_ns == time for name, time in times.items() if name != "synthetic_00004.png"
    )
    assert sample_folder.fill(sampler, tmp_path, n=4, seed=0).images == 10, "asking for fewer takes none away"


@pytest.mark.parametrize("change", ["seed", "label", "ema"])
def test_images_of_another_origin_are_never_mixed(
    tiny_run: RunDir, sampler: Sampler, tmp_path: Path, change: str
) -> None:
    sample_folder.fill(sampler, tmp_path, n=3, seed=0)
    before = pixels(tmp_path)
    other = load_sampler(tiny_run, "cpu", ema=change != "ema")
    wish = {"seed": 1 if change == "seed" else 0, "label": "class1" if change == "label" else ""}
    with pytest.raises(XrganError, match=rf"another {change}.*--overwrite.*--out DIR"):
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


def test_everything_drawn_says_that_it_is_synthetic(tiny_run: RunDir, sampler: Sampler, tmp_path: Path) -> None:
    """Images, sheet, walk and the grids of the training; the images' marks tell where they came from."""
    sample_folder.fill(sampler, tmp_path, n=3, seed=5)
    labels = pd.read_csv(tmp_path / "index.csv")["label"]
    for k, file in enumerate(sample_folder.list_images(tmp_path)):
        mark = read_mark(file)
        assert mark is not None
        assert (mark.said["Seed"], mark.said["Number"], mark.said["Class"]) == ("5", str(k + 1), labels[k])
        assert mark.said["Run"] == tiny_run.name and mark.said["Run ID"] == tiny_run.run_id()
        assert mark.said["Dataset hash"] == tiny_run.trained_on()
    assert interpolation.interpolate(sampler, tmp_path / "walk.gif", seed=5).is_file()
    grid = next(tiny_run.samples.glob("*.png"))
    shows = [
        mark.said["Shows"]
        for file in (tmp_path / "sheet.png", tmp_path / "walk.gif", grid)
        if (mark := read_mark(file))
    ]
    assert shows == ["contact sheet", "walk between latents", "grid of epoch 2"]


def test_the_generators_hash_is_that_of_the_weights_that_draw(tiny_run: RunDir, sampler: Sampler) -> None:
    digest = sampler.marked_origin.generator_sha256
    assert digest == hashlib.sha256(safetensors_bytes(sampler.generator.state_dict())).hexdigest()
    assert digest == load_sampler(tiny_run, "cpu").marked_origin.generator_sha256
    assert digest != load_sampler(tiny_run, "cpu", ema=False).marked_origin.generator_sha256


@pytest.mark.slow
def test_an_unconditional_model_has_no_label_to_draw(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path, classes=0), tiny_config("train.epochs=1", conditional=False)
    run = trained(tmp_path / "run", dataset, config)
    sampler = load_sampler(run, "cpu")
    sample_folder.fill(sampler, tmp_path / "out", n=2, seed=0)
    with pytest.raises(XrganError, match="unconditional.*--conditional"):
        sample_folder.fill(sampler, tmp_path / "out", n=2, seed=0, label="class0")


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
@pytest.mark.slow
def test_a_model_with_masks_writes_them_beside_the_images(
    tmp_path: Path, structures: tuple[str, ...], values: set[int]
) -> None:
    dataset, config = tiny_dataset(tmp_path, masks=structures), tiny_config("train.epochs=3", masks=True)
    run = trained(tmp_path / "run", dataset, config)
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
    mark = read_mark(folder / "synthetic_00001_mask.png")
    assert mark is not None and mark.said["Shows"] == f"masks of {', '.join(structures)}"
    interpolation.interpolate(sampler, folder / "walk.gif", seed=1)


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


@pytest.mark.slow
def test_what_the_disk_can_not_take_is_refused_before_the_first_image(
    sampler: Sampler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_folder.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    with pytest.raises(XrganError, match=r"300,000 images take 1\.2 GB or more, and the disk of .* has 1\.0 GB free"):
        sample_folder.fill(sampler, tmp_path, n=300_000, seed=1)
    assert not list(tmp_path.glob("*.png"))
    assert sample_folder.fill(sampler, tmp_path, n=3, seed=1).images == 3


@pytest.mark.slow
def test_the_bar_is_shown_before_three_million_names_were_looked_up(
    sampler: Sampler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Shown(Exception):
        pass

    def show(*_: object) -> None:
        raise Shown

    monkeypatch.setattr(sample_folder, "_need_room", lambda *_: None)
    monkeypatch.setattr(sample_folder.console, "progress", show)
    looked_at: list[Path] = []
    monkeypatch.setattr(Path, "is_file", lambda path: bool(looked_at.append(path)))
    with pytest.raises(Shown):
        sample_folder.fill(sampler, tmp_path, n=300_000, seed=1)
    assert not [path for path in looked_at if path.suffix == ".png"]


def test_dicom_files_hold_the_same_images(sampler: Sampler, tmp_path: Path) -> None:
    """DICOM alone, then PNG beside it: each image counts once, and both are read back to the same pixels."""
    folder = tmp_path / "drawn"
    sample_folder.fill(sampler, tmp_path / "png", n=3, seed=5)
    assert sample_folder.fill(sampler, folder, n=3, seed=5, formats=("dicom",)).images == 3
    assert sorted(file.suffix for file in folder.glob("synthetic_*")) == [".dcm"] * 3
    wanted, labels = read_synthetic(tmp_path / "png", ("class0", "class1"))
    drawn = read_synthetic(folder, ("class0", "class1"))
    assert np.array_equal(drawn[0], wanted) and np.array_equal(drawn[1], labels)
    both = sample_folder.fill(sampler, folder, n=4, seed=5, formats=("png", "dicom"))
    assert (both.images, both.added) == (4, 4) and len(list(folder.glob("synthetic_*"))) == 8
    assert [file.suffix for file in sample_folder.list_images(folder)] == [".png"] * 4
    (folder / "index.csv").unlink()
    assert len(read_synthetic(folder)[0]) == 4
    assert sample_folder.fill(sampler, folder, n=2, seed=6, overwrite=True).images == 2
    assert len(list(folder.glob("synthetic_*"))) == 2


@pytest.mark.slow
def test_masks_are_read_back_from_dicom(tmp_path: Path) -> None:
    structures = ("right lung", "left lung", "heart")
    dataset, config = tiny_dataset(tmp_path, masks=structures), tiny_config("train.epochs=1", masks=True)
    sampler = load_sampler(trained(tmp_path / "run", dataset, config), "cpu")
    pairs = []
    for kind in ("png", "dicom"):
        sample_folder.fill(sampler, tmp_path / kind, n=3, seed=1, formats=(kind,))
        pairs.append(read_pairs(tmp_path / kind, structures))
    assert all(np.array_equal(one, other) for one, other in zip(*pairs, strict=True))


def test_what_a_kill_between_mask_and_image_left_is_cleared_away(tmp_path: Path) -> None:
    """Else the mask would lie beside images of another seed for ever."""
    run = trained(tmp_path / "run", tiny_dataset(tmp_path, masks=("lungs",)), tiny_config("train.epochs=1", masks=True))
    sampler = load_sampler(run, "cpu")
    folder = sample_folder.fill(sampler, tmp_path / "out", n=3, seed=1).folder
    (folder / "synthetic_00002.png").unlink()
    (folder / "synthetic_my_mask.png").touch()
    sample_folder.fill(sampler, folder, n=1, seed=1)
    kept = ["synthetic_00001.png", "synthetic_00001_mask.png", "synthetic_00003.png", "synthetic_00003_mask.png"]
    assert sorted(file.name for file in folder.glob("synthetic_*")) == [*kept, "synthetic_my_mask.png"]


def test_files_of_other_names_are_nobody_s_images(sampler: Sampler, tmp_path: Path) -> None:
    for name in ("synthetic_copy1.png", "synthetic_².png", "synthetic_1_2.png"):
        (tmp_path / name).write_bytes(b"mine")
    assert sample_folder.fill(sampler, tmp_path, n=2, seed=1).images == 2
    sample_folder.fill(sampler, tmp_path, n=2, seed=2, overwrite=True)
    assert (tmp_path / "synthetic_copy1.png").read_bytes() == b"mine"
