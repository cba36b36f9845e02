"""Compared images → figures, each with its N, its floor and whatever else it can't be read without.

The floor is the same figure of the held-out real images against as many training images. The ratio is value / floor:
1 = as far from the real images as other real ones are. It is None where the floor is no more than noise.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xrgan import console
from xrgan.config import EvaluateConfig
from xrgan.evaluation.compared import Compared, Images
from xrgan.evaluation.features import Features, extract
from xrgan.evaluation.inception import weights_file
from xrgan.evaluation.metrics import KID_LAYER, fid, kid
from xrgan.evaluation.network import INPUT_PIXELS, NAME
from xrgan.evaluation.ssim import Pairs, pairs_between, pairs_nearest, pairs_within, ssim_pairs

Figure = dict[str, Any]


def inception_figures(
    compared: Compared, metrics: Sequence[str], config: EvaluateConfig, device: torch.device | str, weights: Path
) -> dict[str, Figure]:
    """`fid` and `kid`, as far as `metrics` asks for them."""
    sets = {"real": compared.real, "synthetic": compared.synthetic, "training": compared.other_real}
    real, synthetic, other_real = (
        extract(images, weights, device, f"Features of {name} images") for name, images in sets.items()
    )
    about = {
        "n": compared.n,
        "resize": f"{compared.size} → {INPUT_PIXELS}×{INPUT_PIXELS}, bilinear as TensorFlow 1",
        "extractor": NAME,
        "weights": weights_file(weights).kind,
    }
    figures: dict[str, Figure] = {}
    if "fid" in metrics:
        figures["fid"] = _fid(real, synthetic, other_real, config.fid_layer) | about
    if "kid" in metrics:
        figures["kid"] = _kid(real, synthetic, other_real, config.seed) | about
    return figures


def _fid(real: Features, synthetic: Features, other_real: Features, layer: int) -> Figure:
    value, floor = (
        fid(real[layer], features[layer])
        for features in console.track((synthetic, other_real), "FID", unit="distances")
    )
    figure: Figure = {"value": value, "floor": floor, "ratio": value / floor if floor > 0 else None, "layer": layer}
    n = len(real[layer])
    if n < layer:
        figure["warning"] = (
            f"FID is biased upwards at N = {n}, less than the layer's {layer} features: "
            "compare it with its floor, and read KID first."
        )
    return figure


def _kid(real: Features, synthetic: Features, other_real: Features, seed: int) -> Figure:
    value, floor = (
        kid(real[KID_LAYER], features[KID_LAYER], seed)
        for features in console.track((synthetic, other_real), "KID", unit="distances")
    )
    return {
        "value": value.mean,
        "std": value.std,
        "floor": floor.mean,
        "floor_std": floor.std,
        "ratio": value.mean / floor.mean if floor.mean > floor.std else None,  # it is unbiased: ≤ 0 is possible
        "layer": KID_LAYER,
        "subset_images": value.subset_images,
    }


def ssim_figures(compared: Compared, config: EvaluateConfig) -> dict[str, Figure]:
    """Three figures of different questions.

    `ssim_diversity`: pairs of synthetic images beside pairs of real ones, per class too: much higher = less diverse.
    `ssim_nearest`: synthetic images and their nearest training images beside held-out real images and theirs: much
    higher = copies. `ssim_random`: random real–synthetic pairs, the plain figure that papers quote; it says little.
    """
    rng = np.random.default_rng([config.seed, 1])
    real, synthetic, training = compared.real, compared.synthetic, compared.training

    def within(name: str, of_synthetic: Images, of_real: Images) -> Figure:
        pairs = [pairs_within(len(images), config.pairs, rng) for images in (of_synthetic, of_real)]
        return _ssim(name, (of_synthetic, of_synthetic, pairs[0]), (of_real, of_real, pairs[1]))

    diversity = within("SSIM within a set", synthetic, real)
    diversity["per_class"] = {
        name: within(f"SSIM within {name}", of_synthetic, of_real)
        for name, (of_real, of_synthetic) in compared.of_classes().items()
        if min(len(of_real), len(of_synthetic)) >= 2
    }
    queries = [images[: config.pairs] for images in (synthetic, real)]
    nearest = _ssim(
        "SSIM to the nearest",
        *((images, training, pairs_nearest(images, training, "Nearest training images")) for images in queries),
    )
    between = [pairs_between(compared.n, compared.n, config.pairs, rng) for _ in range(2)]
    random = _ssim("SSIM of random pairs", (real, synthetic, between[0]), (real, compared.other_real, between[1]))
    return {
        "ssim_diversity": diversity | {"n": compared.n},
        "ssim_nearest": nearest | {"n": compared.n, "among": len(training)},
        "ssim_random": random | {"n": compared.n},
    }


def _ssim(name: str, synthetic: tuple[Images, Images, Pairs], real: tuple[Images, Images, Pairs]) -> Figure:
    with console.progress(name, len(synthetic[2]) + len(real[2]), "pairs") as bar:
        value, floor = ssim_pairs(*synthetic, bar), ssim_pairs(*real, bar)
    return {
        "value": value.mean,
        "std": value.std,
        "floor": floor.mean,
        "floor_std": floor.std,
        "ratio": value.mean / floor.mean if floor.mean > 0 else None,
        "pairs": value.pairs,
    }
