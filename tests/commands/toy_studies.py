"""Toy datasets and runs for studies that are typed, and what a study left behind."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from tests.downstream.blobs import blobs, toy_dataset, write
from tests.gan.helpers import create, tiny_config, trained
from tests.terminal import Answer, Terminal, tree
from xrgan.data.packed import PackedDataset, open_packed
from xrgan.rundir import RunDir

QUICK = (
    "--arch resnet18 --weights none --epochs 2 --patience 0 --batch-size 8 --lr 0.01 --device cpu"
    " --set classify.resamples=100"
)
TOYS = toy_dataset()
TEST = TOYS.of_split("test")


def put_images(folder: Path, labels: np.ndarray, names: list[str] | None = None, seed: int = 1) -> None:
    """Synthetic images as `sample` leaves them: blobs of the classes, told by index.csv."""
    folder.mkdir(parents=True)
    lines = ["file,seed,label"]
    for k, image in enumerate(blobs(labels, seed)):
        file = f"synthetic_{k + 1:05d}.png"
        Image.fromarray(image[0]).save(folder / file)
        lines.append(f"{file},0,{names[k] if names else ''}")
    (folder / "index.csv").write_text("\n".join(lines) + "\n")


def put_run(name: str, dataset: PackedDataset = TOYS, only: int | None = None) -> RunDir:
    """A run on that dataset that has drawn 80 images; nobody trained it.

    Args:
        only: the class of all its images, which have no labels: an unconditional run.
    """
    run = RunDir(Path("runs") / name)
    config = tiny_config(f"dataset={dataset.name}", conditional=only is None)
    create(run, dataset, config)
    labels = np.arange(80) % 2 if only is None else np.full(80, only)
    put_images(run.synthetic, labels, None if only is not None else [dataset.classes[label] for label in labels])
    (run.synthetic / "sample.yaml").write_text(f"run: {name}\nseed: 0\n")
    return run


def put_dataset(dataset: PackedDataset) -> PackedDataset:
    return open_packed(write(dataset, Path("data/prepared")))


def summary_of(run: str) -> dict[str, Any]:
    content = yaml.safe_load(Path(f"runs/{run}/classify/summary.yaml").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def scores_of(run: str) -> pd.DataFrame:
    return pd.read_csv(f"runs/{run}/classify/scores.csv")


def said(answer: Answer) -> str:
    return " ".join(answer.err.split())


def refused(terminal: Terminal, line: str, *words: str, code: int = 1) -> str:
    """That the command ends in a sentence with those words, and trains nothing."""
    before = tree(Path("runs"))
    answer = said(terminal(f"classify {QUICK} {line}", code=code))
    for word in words:
        assert word in answer, answer
    assert tree(Path("runs")) == before
    return answer


def put_trained(name: str, dataset: PackedDataset) -> RunDir:
    """A run that was really trained, for an epoch."""
    config = tiny_config(f"dataset={dataset.name}", "train.epochs=1", "train.batch_size=16")
    return trained(Path("runs") / name, dataset, config)
