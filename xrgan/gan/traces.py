"""How much of single patients there is in a generator's eigen X-rays: averages that its file holds and others get."""

from typing import TypedDict

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from xrgan.data.packed import PackedDataset
from xrgan.gan.networks.eigen import MAX_FIT_IMAGES, EigenImages


class TraceFigures(TypedDict):
    images: int
    components: int
    largest_share: float
    explained: float
    explained_held_out: float | None


def measure_traces(generator: nn.Module, dataset: PackedDataset) -> TraceFigures | None:
    """Compare a generator's components with the images that they were computed from, and with held-out ones.

    Of each training image's difference from its class's mean, the components draw a share (its energy in their span);
    of held-out images a smaller one: the gap is what they know of single images. And of each component, one image made
    a share: its squared coefficient in that of all.

    Returns:
        None where the generator has no components.
    """
    eigen = getattr(generator, "eigen", None)
    if not isinstance(eigen, EigenImages) or not bool(eigen.components.any()):
        return None
    norms = eigen.components.norm(dim=1)
    span = torch.linalg.qr(eigen.components[norms > 0].T.cpu().float())[0]  # (pixels, K), orthonormal
    training = _differences(eigen, dataset, ("train",))
    coefficients = training @ span
    shares = coefficients.square() / coefficients.square().sum(dim=0)
    held_out = _differences(eigen, dataset, ("val", "test"))
    return {
        "images": len(training),
        "components": int((norms > 0).sum()),
        "largest_share": float(shares.max()),
        "explained": _explained(training, span),
        "explained_held_out": _explained(held_out, span) if len(held_out) else None,
    }


def _differences(eigen: EigenImages, dataset: PackedDataset, splits: tuple[str, ...]) -> Tensor:
    """What sets images apart from their class's mean, at the components' size: (N, pixels)."""
    chosen = dataset.some_of(splits, MAX_FIT_IMAGES, seed=0)
    channels = eigen.mean.shape[1]
    images = torch.from_numpy(np.asarray(dataset.images[chosen, :channels])).float().div(127.5).sub(1)
    if not len(images):
        return images.flatten(1)
    small = interpolate(images, size=(eigen.size, eigen.size), mode="area")
    labels = torch.from_numpy(dataset.labels[chosen].clip(0)) if len(eigen.mean) > 1 else torch.zeros(len(small)).long()
    return (small - eigen.mean.cpu()[labels]).flatten(1)


def _explained(differences: Tensor, span: Tensor) -> float:
    """The median share of an image's difference that the span can draw."""
    inside = (differences @ span).square().sum(dim=1)
    return float((inside / differences.square().sum(dim=1).clamp_min(1e-12)).median())
