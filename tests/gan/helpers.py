"""A tiny dataset and a tiny configuration: 16 × 16 phantoms-like blobs, networks of four feature maps."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from xrgan.config import Config
from xrgan.config_resolve import resolve
from xrgan.data.packed import PackedDataset, open_packed
from xrgan.files import write_yaml

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
    facts = {"classes": sorted(set(names) - {""}), "masks": list(masks), "content_hash": f"hash-{n}-{classes}"}
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
