import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.gan.helpers import tiny_dataset
from xrgan.data.packed import PackedDataset
from xrgan.gan.networks.eigen import EigenImages, Generator
from xrgan.gan.traces import measure_traces


class Holder(torch.nn.Module):
    def __init__(self, eigen: EigenImages) -> None:
        super().__init__()
        self.eigen = eigen


def fitted(dataset: PackedDataset, components: int) -> Holder:
    eigen = EigenImages(dataset.size, 1, latent_size=components, classes=0, most=components)
    training = dataset.of_split("train")
    images = torch.from_numpy(np.asarray(dataset.images[training])).float() / 127.5 - 1
    torch.manual_seed(0)
    eigen.fit(images, torch.zeros(len(images)).long())
    return Holder(eigen)


def test_components_of_noise_know_their_own_images(tmp_path: Path) -> None:
    """Noise has nothing in common: what components draw of training images is those images."""
    figures = measure_traces(
        fitted(tiny_dataset(tmp_path, n=120, classes=0), 8), tiny_dataset(tmp_path / "again", n=120, classes=0)
    )
    assert figures is not None and figures["images"] == 80 and figures["components"] == 8
    assert figures["explained_held_out"] is not None
    assert figures["explained"] > 1.5 * figures["explained_held_out"]
    assert 1 / 80 < figures["largest_share"] < 0.5


def test_a_component_that_is_one_patient_is_seen(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path, n=120, classes=0)
    holder = fitted(dataset, 8)
    alone = torch.from_numpy(np.array(dataset.images[3])).float().flatten() / 127.5 - 1 - holder.eigen.mean.flatten()
    holder.eigen.components.zero_()
    holder.eigen.components[0] = alone
    figures = measure_traces(holder, dataset)
    fair = measure_traces(fitted(dataset, 8), dataset)
    assert figures is not None and fair is not None
    assert figures["largest_share"] > 0.5 > fair["largest_share"]


@pytest.mark.slow
def test_components_of_aligned_images_are_compared_with_aligned_images(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path, n=60, classes=0)
    dataset = dataclasses.replace(dataset, splits=np.full(len(dataset.splits), "train"))
    images = torch.from_numpy(np.array(dataset.images)).float() / 127.5 - 1
    generator = Generator((16,), 1, 16, 4, components=6, warps=4)
    torch.manual_seed(0)
    generator.fit(images, torch.zeros(len(images)).long())
    assert generator.warps is not None
    aligned = (generator.warps.align(images) - generator.eigen.mean).flatten(1)
    span = torch.linalg.qr(generator.eigen.components[:6].T)[0]
    shares = (aligned @ span).square().sum(dim=1) / aligned.square().sum(dim=1)
    figures = measure_traces(generator, dataset)
    assert figures is not None and figures["images"] == 60
    assert figures["explained"] == pytest.approx(float(shares.median()), rel=1e-3)


def test_a_generator_without_components_has_none(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    assert measure_traces(torch.nn.Linear(2, 2), dataset) is None
    assert measure_traces(Holder(EigenImages(16, 1, 4, 0, 0)), dataset) is None
    without = dataclasses.replace(dataset, splits=np.full(len(dataset.splits), "train"))
    figures = measure_traces(fitted(without, 4), without)
    assert figures is not None and figures["explained_held_out"] is None
