"""How much of single patients there is in a generator's eigen X-rays: averages that its file holds and others get."""

from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xrgan.data.packed import PackedDataset
from xrgan.gan.batches import read_averaged
from xrgan.gan.networks.eigen import MAX_FIT_IMAGES, EigenImages
from xrgan.gan.networks.warps import EigenWarps


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
    training, held_out = (dataset.some_of(splits, MAX_FIT_IMAGES, seed=0) for splits in (("train",), ("val", "test")))
    differences = _differences(eigen, getattr(generator, "warps", None), dataset, np.append(training, held_out))
    of_training, of_held_out = differences[: len(training)], differences[len(training) :]
    coefficients = of_training @ span
    shares = coefficients.square() / coefficients.square().sum(dim=0)
    return {
        "images": len(training),
        "components": int((norms > 0).sum()),
        "largest_share": float(shares.max()),
        "explained": _explained(of_training, span),
        "explained_held_out": _explained(of_held_out, span) if len(held_out) else None,
    }


def _differences(
    eigen: EigenImages, warps: EigenWarps | None, dataset: PackedDataset, chosen: NDArray[np.int64]
) -> Tensor:
    """What sets images apart from their class's mean, as the components were computed of them: (N, pixels).

    Components of aligned images draw aligned images: all are registered together, which takes ten seconds for 6,000.
    """
    channels, size = eigen.mean.shape[1], eigen.size if warps is None else round(eigen.size / warps.margin)
    images = read_averaged(dataset.images, channels, chosen, size)
    if warps is not None:
        images = warps.align(images)
    mean = eigen.mean.cpu()
    return (images - (mean[dataset.labels[chosen].clip(0)] if len(mean) > 1 else mean)).flatten(1)


def _explained(differences: Tensor, span: Tensor) -> float:
    """The median share of an image's difference that the span can draw."""
    inside = (differences @ span).square().sum(dim=1)
    return float((inside / differences.square().sum(dim=1).clamp_min(1e-12)).median())
