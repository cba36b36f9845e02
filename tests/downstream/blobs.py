"""A dataset that a classifier learns in a few steps, a bright blob at the top or at the bottom; and a small network."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream.classification.data import labelled_images
from xrgan.downstream.classification.networks import Classifier
from xrgan.downstream.classification.task import Classification
from xrgan.downstream.folds import Fold
from xrgan.downstream.pool import Pool, SyntheticImages
from xrgan.downstream.task import Results
from xrgan.downstream.trial import Epoch, History, Trial, TrialKey
from xrgan.downstream.verdict import summarise
from xrgan.files import write_yaml

SIZE = 16
ALL_ARMS = (
    "real",
    "real+classic",
    "real+synthetic",
    "real+classic+synthetic",
    "real+agreed",
    "synthetic→real",
    "synthetic→real+classic",
    "synthetic",
)
QUICK = ClassifyConfig(
    arch="resnet18", weights="none", k_folds=2, epochs=4, patience=0, batch_size=8, lr=0.01, resamples=100
)
OPTIONS = {"size": SIZE, "fit": "pad", "channels": 1, "window": "dicom", "clahe": False}  # of `prepare`


def blobs(labels: NDArray[np.int64], seed: int, channels: int = 1) -> NDArray[np.uint8]:
    """uint8 (N, C, 16, 16): noise, and a blob whose height on the image depends on the class; no label: no blob."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 80, (len(labels), channels, SIZE, SIZE))
    for image, label in zip(images, labels, strict=True):
        top, left = 1 + 5 * label, rng.integers(2, 9)
        if label >= 0:
            image[:, top : top + 4, left : left + 5] += 150
    return images.astype(np.uint8)


def toy_dataset(
    train: int = 64,
    test: int = 24,
    classes: tuple[str, ...] = ("NORMAL", "PNEUMONIA"),
    name: str = "toys",
    seed: int = 0,
) -> PackedDataset:
    """Two images a patient, one label a patient; a tenth of the training images is called val."""
    total = train + test
    labels = (np.arange(total) // 2 % len(classes)).astype(np.int64)
    images = blobs(labels, seed)
    return PackedDataset(
        path=Path(name),
        name=name,
        images=images,
        labels=labels,
        splits=np.array(["val" if k // 2 % 10 in (4, 9) else "train" for k in range(train)] + ["test"] * test),
        patients=np.array([f"patient{k // 2}" for k in range(total)]),
        classes=classes,
        content_hash=hashlib.sha256(images.tobytes()).hexdigest(),
        options=OPTIONS,
        source=name,
        hashes=np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in images]),
        copies_of=np.array([f"image{k}.png" for k in range(total)]),
    )


def changed(dataset: PackedDataset, **fields: Any) -> PackedDataset:
    return replace(dataset, **fields)


def set_at(values: NDArray[Any], places: Any, value: Any) -> NDArray[Any]:
    """A copy with other values at some places."""
    copy = values.astype(object)
    copy[places] = value
    return copy.astype(np.str_) if values.dtype.kind == "U" else copy.astype(values.dtype)


def write(dataset: PackedDataset, root: Path) -> Path:
    """The dataset as `prepare` would have left it in `root`."""
    folder = root / dataset.name
    folder.mkdir(parents=True)
    np.save(folder / "images.npy", dataset.images)
    names = ["" if label < 0 else dataset.classes[label] for label in dataset.labels]
    files = [f"image{k}.png" for k in range(len(names))]
    copies = np.where(dataset.copies_of == files, "", dataset.copies_of)
    index = {"file": files, "label": names, "patient": dataset.patients, "split": dataset.splits}
    pd.DataFrame(index | {"hash": dataset.hashes, "duplicate_of": copies}).to_csv(folder / "index.csv", index=False)
    facts = {"classes": list(dataset.classes), "masks": list(dataset.masks), "content_hash": dataset.content_hash}
    source = {"name": dataset.source} if dataset.source else {}
    write_yaml(folder / "dataset.yaml", facts | {"source": source, "options": dict(dataset.options)})
    return folder


def toy_synthetic(count: int = 80, classes: int = 2, seed: int = 1) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    labels = (np.arange(count) % classes).astype(np.int64)
    return blobs(labels, seed), labels


def toy_synthetic_images(dataset: PackedDataset | None = None, count: int = 80, seed: int = 1) -> SyntheticImages:
    """Synthetic images whose generator nobody knows."""
    dataset = dataset or toy_dataset()
    return labelled_images(dataset, *toy_synthetic(count, len(dataset.classes), seed), None)


class Body(nn.Sequential):
    """What stands in for a ResNet: it sees where an image is bright, a thousand times faster."""

    seen: ClassVar[list[Tensor]] = []  # the batches that any body was asked about; who counts them empties it first

    def __init__(self, channels: int) -> None:
        super().__init__(nn.Conv2d(channels, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4))
        self.append(nn.Flatten())

    def forward(self, images: Tensor) -> Tensor:
        Body.seen.append(images.detach().cpu())
        return super().forward(images)


def small_build(arch: str, channels: int, classes: int, weights: str, unfreeze: bool) -> Classifier:
    """In place of `networks.build`: as that, from torch's global random state, but for weights from a "file"."""
    if weights == "none":
        body = Body(channels)
    else:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            body = Body(channels)
    head = nn.Sequential(nn.Dropout(0.1), nn.Linear(128, classes))
    middle = torch.full((channels,), 0.5)
    return Classifier(body, head, middle, middle, frozen=weights != "none" and not unfreeze)


VALIDATED = ({"auroc": 0.6, "balanced_accuracy": 0.5}, {"auroc": 0.9, "balanced_accuracy": 0.8})
HISTORY = History((Epoch(0.7, VALIDATED[0]), Epoch(0.5, VALIDATED[1])), best=1, steps=8)


def answers(labels: NDArray[np.int64], strength: float, rng: np.random.Generator, classes: int = 2) -> NDArray[Any]:
    """Probabilities (n, K) that favour the true class the more the stronger: AUROC 0.5 at 0, 0.98 at 3 of two."""
    logits = rng.standard_normal((len(labels), classes))
    logits[np.arange(len(labels)), labels] += strength
    odds = np.exp(logits)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def constructed(
    pool: Pool,
    folds: Sequence[Fold],
    on_test: Mapping[str, float],
    on_folds: Mapping[str, float] | None = None,
    fractions: Sequence[float] = (1.0,),
    seeds: int = 1,
) -> list[Trial]:
    """The trainings of a study that nobody ran, whose arms are as good as it is said.

    Args:
        on_test, on_folds: arm → strength (`answers`); arms of one strength give the same answers.
    """
    labels, classes = pool.strata, len(pool.names)
    made = []
    for fold in folds:
        for seed in range(1, seeds + 1):
            for fraction in fractions:
                for arm in on_test:
                    key = TrialKey(arm, fraction, fold.number, seed)
                    rng = [
                        np.random.default_rng([fold.number, seed, int(1000 * fraction), part, 5]) for part in range(2)
                    ]
                    of_test = answers(labels[pool.test], on_test[arm], rng[0], classes)
                    of_fold = answers(labels[fold.test], (on_folds or on_test)[arm], rng[1], classes)
                    n_synthetic = 0 if arm in ("real", "real+classic") else 20
                    n_real = 0 if arm == "synthetic" else 20
                    made.append(Trial(key, n_real, n_synthetic, HISTORY, of_test, of_fold, 0.1))
    return made


def results_of(pool: Pool, folds: Sequence[Fold], trials: Sequence[Trial], folder: Path = Path("nowhere")) -> Results:
    """A study that nobody ran."""
    return Results(pool, folds, trials, frozenset(), folder, torch.device("cpu"))


def summarised(
    dataset: PackedDataset, pool: Pool, folds: Sequence[Fold], config: ClassifyConfig, trials: Sequence[Trial]
) -> dict[str, Any]:
    """Its summary."""
    return dict(summarise(Classification(config), dataset, results_of(pool, folds, trials)))
