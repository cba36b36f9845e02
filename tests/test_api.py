"""xrgan from Python: it draws what the command writes, and opens what the command made."""

from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader

import xrgan
from tests.gan.helpers import pixels, tiny_config, tiny_dataset, trained
from tests.terminal import Terminal
from xrgan.data.synthetic import read_pairs, read_synthetic
from xrgan.errors import XrganError
from xrgan.files import write_yaml
from xrgan.rundir import RunDir


@pytest.fixture
def run(type_: Terminal) -> RunDir:
    return trained(Path("runs/mine"), tiny_dataset(Path("data/prepared")), tiny_config("train.epochs=2"))


@pytest.mark.slow
def test_a_run_draws_what_the_command_writes(type_: Terminal, run: RunDir) -> None:
    type_("sample --run mine -n 40 --seed 5 --device cpu")
    opened = xrgan.open_run("mine")
    images, labels = opened.sample(40, seed=5)
    written = [np.frombuffer(one, np.uint8) for one in pixels(run.synthetic).values()]
    assert np.array_equal(images.reshape(40, -1), np.stack(written))
    drawn, numbers = read_synthetic(run.synthetic, opened.classes)
    assert np.array_equal(images, drawn) and list(labels) == [opened.classes[k] for k in numbers]
    assert images.shape == (40, 1, 16, 16) and images.dtype == np.uint8
    assert set(opened.sample(5, label="class1")[1]) == {"class1"}
    type_("export mine -n 1")
    assert np.array_equal(xrgan.open_run("mine.zip").sample(40, seed=5)[0], images)


def test_masks_are_drawn_with_the_images(type_: Terminal) -> None:
    dataset = tiny_dataset(Path("data/prepared"), masks=("lungs",))
    run = trained(Path("runs/masks"), dataset, tiny_config("train.epochs=1", masks=True))
    type_("sample --run masks -n 3 --device cpu")
    images, masks, _ = xrgan.open_run(run.path).sample_with_masks(3)
    assert all(
        np.array_equal(a, b) for a, b in zip((images, masks), read_pairs(run.synthetic, ("lungs",)), strict=True)
    )


def test_losses_and_scores_are_tables(run: RunDir) -> None:
    opened = xrgan.open_run(run.path)
    assert list(opened.losses()["epoch"]) == [1, 2]
    assert opened.scores().empty and "floor" in opened.scores()
    score = {"value": 1.0, "floor": 0.5, "n": 9, "per_class": {"a": {"value": 2.0}}}
    write_yaml(run.evaluation / "scores.yaml", {"metrics": {"fid@lite1": score}})
    rows = opened.scores()
    assert rows[["score", "extractor", "class", "value"]].values.tolist() == [
        ["fid", "lite1", "", 1.0],
        ["fid", "lite1", "a", 2.0],
    ]


def test_a_dataset_goes_into_a_loader_and_into_monai(type_: Terminal) -> None:
    packed = tiny_dataset(Path("data/prepared"), masks=("lungs",))
    data = xrgan.open_dataset("tiny", split="val")
    assert len(data) == len(packed.of_split("val")) == 8 and data.classes == ("class0", "class1")
    assert data.masks == ("lungs",) and len(data.patients) == 8
    batch = next(iter(DataLoader(data, batch_size=4)))
    assert batch["image"].shape == (4, 1, 16, 16) and batch["image"].min() >= 0 and batch["image"].max() <= 1
    assert set(batch["mask"].unique().tolist()) <= {0.0, 1.0} and batch["label"].tolist() == [0, 1, 0, 1]
    whole = (batch["image"][0] * 255).round().numpy().astype(np.uint8)
    assert np.array_equal(whole, packed.images[packed.of_split("val")[0], :1])
    from monai.data import Dataset
    from monai.transforms import Resized

    assert Dataset(data, Resized(["image", "mask"], (8, 8)))[0]["image"].shape == (1, 8, 8)
    assert len(xrgan.open_dataset(packed.path)) == 48


def test_arrays_and_folders_are_compared(type_: Terminal) -> None:
    real, drawn = np.random.default_rng(0).integers(0, 256, (2, 20, 16, 16), dtype=np.uint8)
    scores = xrgan.evaluate(real, drawn, metrics=["ssim"])
    assert set(scores["score"]) == {"ssim_diversity", "ssim_random"} and set(scores["n"]) == {20}
    assert not Path("evaluation").exists()
    with pytest.raises(XrganError, match="uint8"):
        xrgan.evaluate(real / 255, drawn)


def test_what_isnt_there_is_said(type_: Terminal, run: RunDir) -> None:
    with pytest.raises(XrganError, match=r"Did you mean mine\?"):
        xrgan.open_run("mina")
    with pytest.raises(XrganError, match="no export"):
        xrgan.open_run("none.zip")
    with pytest.raises(XrganError, match="no image for dev"):
        xrgan.open_dataset("tiny", split="dev")
    with pytest.raises(AttributeError, match="open_door"):
        _ = xrgan.open_door
    assert {"open_run", "open_dataset", "evaluate"} <= set(dir(xrgan))


@pytest.mark.slow
def test_readmes_lines_do_what_they_say(type_: Terminal) -> None:
    """README's section, as it stands, on a run and a dataset of the names in it."""
    import re

    import pandas as pd

    readme = (Path(xrgan.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    assert len(code) == 1
    dataset = tiny_dataset(Path("made"))
    trained(Path("runs/first"), dataset, tiny_config("train.epochs=1"))
    Path("data/prepared").mkdir(parents=True)
    dataset.path.rename("data/prepared/phantom_32")
    names: dict[str, object] = {}
    exec(code[0], names)
    assert np.shape(names["images"]) == (64, 1, 16, 16) and np.shape(names["labels"]) == (64,)
    assert isinstance(names["table"], pd.DataFrame) and len(names["table"]) == 2 and len(names["data"]) == 32  # type: ignore[arg-type]
