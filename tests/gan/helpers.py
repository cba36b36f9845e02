"""A tiny dataset, configuration and run: 16 × 16 blobs, networks of four feature maps; what a run's files hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from xrgan.config import Config
from xrgan.config_resolve import resolve
from xrgan.data.images import read_gray
from xrgan.data.packed import PackedDataset, hash_content, open_packed
from xrgan.files import write_yaml
from xrgan.gan import checkpoint, memory, setup, training
from xrgan.gan.batches import Batches, to_range
from xrgan.gan.job import Job, make_job
from xrgan.gan.step import Shown
from xrgan.rundir import RunDir

CPU = torch.device("cpu")

TINY = [
    "model.generator_width=4",
    "model.discriminator_width=4",
    "model.latent_size=8",
    "model.components=4",
    "train.precision=fp32",
]


def tiny_dataset(
    root: Path, n: int = 48, size: int = 16, channels: int = 1, classes: int = 2, masks: tuple[str, ...] = ()
) -> PackedDataset:
    """A packed dataset: class k is bright in its own half; the last sixth is val, the sixth before it test."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % max(classes, 1)
    images = rng.integers(0, 60, (n, channels + len(masks), size, size), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        half = slice(0, size // 2) if label == 0 else slice(size // 2, size)
        image[:, half] += 150
        image[channels:] = np.where(image[channels:] > 100, 255, 0)
    folder = root / "tiny"
    folder.mkdir(parents=True)
    np.save(folder / "images.npy", images)
    splits = ["train"] * (n - 2 * (n // 6)) + ["test"] * (n // 6) + ["val"] * (n // 6)
    names = [f"class{label}" if classes else "" for label in labels]
    patients = [f"p{k}" for k in range(n)]
    index = pd.DataFrame({"file": patients, "label": names, "patient": patients, "split": splits, "hash": patients})
    index["duplicate_of"] = ""
    index.to_csv(folder / "index.csv", index=False)
    facts: dict[str, object] = {"classes": sorted(set(names) - {""}), "masks": list(masks)}
    facts["content_hash"] = hash_content(index, folder / "images.npy")
    facts["options"] = {"size": size, "fit": "pad", "channels": channels, "window": "dicom", "clahe": False}
    write_yaml(folder / "dataset.yaml", facts)
    return open_packed(folder)


def tiny_config(*settings: str, conditional: bool = True, masks: bool = False) -> Config:
    batch = ["train.batch_size=4", "train.epochs=2", f"model.conditional={str(conditional).lower()}", "dataset=tiny"]
    plain = [
        "train.loss=bce",
        "train.lr=2e-4",
        "train.r1=0",
        "train.augment=0",
        "train.variance=0",
        "train.ema_halflife_images=500",
        f"model.masks={str(masks).lower()}",
    ]
    return resolve(settings=[*TINY, *batch, *plain, "train.tensorboard=false", "device=cpu", *settings])


def weights_file(folder: Path) -> Path:
    """Random weights of the shapes of VGG16's first seven convolutions, by torchvision's names."""
    from torchvision.models import vgg16

    from xrgan.gan.networks.vgg16 import LAYERS_USED

    torch.manual_seed(0)
    path = folder / "vgg16.pth"
    torch.save({f"features.{key}": value for key, value in vgg16().features[:LAYERS_USED].state_dict().items()}, path)
    return path


def job_of(run: RunDir, dataset: PackedDataset, config: Config) -> Job:
    return make_job(run, dataset, config, CPU)


def tiny_job(root: Path, *settings: str, n: int = 48, masks: tuple[str, ...] = (), conditional: bool = True) -> Job:
    """A job on a tiny dataset; its run is root/run, which isn't made."""
    dataset = tiny_dataset(root, n=n, classes=2 if conditional else 0, masks=masks)
    return job_of(RunDir(root / "run"), dataset, tiny_config(*settings, conditional=conditional, masks=bool(masks)))


def create(run: RunDir, dataset: PackedDataset, config: Config, init_from: RunDir | None = None) -> Job:
    """Make the run directory."""
    job = job_of(run, dataset, config)
    setup.create_run(job, config, init_from)
    return job


def trained(root: Path, dataset: PackedDataset, config: Config, score: training.Score | None = None) -> RunDir:
    """A run, new or resumed, trained to its end."""
    run = RunDir(root)
    job = job_of(run, dataset, config) if run.exists() else create(run, dataset, config)
    training.train(job, score)
    return run


def batch(batches: Batches, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The real images of a step, (B, C + M, S, S) in [-1, 1], and their labels (B,)."""
    places = batches.chosen(step)
    return to_range(torch.from_numpy(batches.read(places))), torch.from_numpy(batches.labels(places))


def load_last(folder: Path) -> tuple[Path, checkpoint.Content] | None:
    """The last good checkpoint of a folder, and what it holds."""
    return checkpoint.load_last_as(folder, lambda content: content)


def last(run: RunDir) -> checkpoint.Content:
    """What the last checkpoint holds."""
    found = load_last(run.checkpoints)
    assert found is not None
    return found[1]


def flat(content: object) -> list[tuple[str, object]]:
    """Every leaf of a checkpoint but the wall clock, with its path."""
    if isinstance(content, dict):
        items = [(str(key), value) for key, value in content.items() if key != "seconds"]
    elif isinstance(content, list | tuple):
        items = [(str(k), value) for k, value in enumerate(content)]
    else:
        return [("", content)]
    return [(f"{key}/{path}", leaf) for key, value in items for path, leaf in flat(value)]


def assert_same(one: RunDir, other: RunDir) -> None:
    """Weights, average, optimizers and progress are equal bit for bit, and so is what losses.csv says of the losses."""
    ours, theirs = flat(last(one)), flat(last(other))
    assert [path for path, _ in ours] == [path for path, _ in theirs]
    for (path, a), (_, b) in zip(ours, theirs, strict=True):
        same = torch.equal(a, b) if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor) else a == b
        assert same, path
    rows = [[{key: row[key] for key in row if key != "seconds"} for row in run.read_losses()] for run in (one, other)]
    assert rows[0] == rows[1]


def pixels(folder: Path) -> dict[str, bytes]:
    """File name → pixels of every image that `sample` wrote into a folder."""
    return {file.name: read_gray(file).tobytes() for file in sorted(folder.glob("synthetic_*.png"))}


def memory_for(images: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A machine whose memory takes so many images a step; the sizes that were tried are noted."""
    tried: list[int] = []
    real = memory.train_discriminator

    def full(state: object, shown: Shown, *rest: object) -> object:
        tried.append(len(shown.images))
        if len(shown.images) > images:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(state, shown, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(memory, "train_discriminator", full)
    return tried
