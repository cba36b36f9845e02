"""Real held-out images against synthetic ones: every figure with its N and with what real images score themselves."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from xrgan import console
from xrgan.config import EvaluateConfig
from xrgan.errors import XrganError
from xrgan.evaluation.compared import Compared, Images, Labels, draw_compared
from xrgan.evaluation.features import content_hash
from xrgan.evaluation.figures import inception_figures, ssim_figures
from xrgan.evaluation.inception import fetch_weights
from xrgan.evaluation.overview import draw_overview
from xrgan.evaluation.scores import Scores, headline, keep_earlier
from xrgan.evaluation.ssim import SMALLEST_PIXELS
from xrgan.files import write_yaml


def evaluate(
    real: Images,
    synthetic: Images,
    other_real: Images,
    metrics: Sequence[str],
    config: EvaluateConfig,
    device: torch.device | str,
    folder: Path,
    real_labels: Labels | None = None,
    synthetic_labels: Labels | None = None,
    classes: Sequence[str] = (),
) -> Scores:
    """Score synthetic images; write `folder/scores.yaml` and `folder/overview.png`.

    N images of each set are compared, N = the smallest of the three and `config.n`. Every figure stands beside the
    same figure of `real` against `other_real` at the same N: what a perfect generator would score.

    Args:
        real: uint8 (N, C, H, W), C = 1 or 3; held out: the generator never saw them.
        synthetic: uint8 (N, C, H, W).
        other_real: uint8 (N, C, H, W), the training images; all of them are searched for the nearest ones.
        metrics: of `config.METRICS`.
        real_labels, synthetic_labels: int (N,), index into `classes`, −1 = no label.

    Returns:
        What scores.yaml holds. `notes` are warnings that the user has seen already. Figures of an earlier call on
        the same images stay in it.

    Raises:
        XrganError: the sets differ in size or channels, one has less than two images, or nothing that was asked for
            can be computed.
    """
    compared = draw_compared(real, synthetic, other_real, config.n, config.seed, real_labels, synthetic_labels, classes)
    weights, notes = _what_can_be_scored(metrics, compared)
    figures: dict[str, dict[str, Any]] = {}
    if weights is not None:
        figures |= inception_figures(compared, metrics, config, device, weights)
    if "ssim" in metrics and _fits_ssim(compared):
        figures |= ssim_figures(compared, config)
    notes += [figure["warning"] for figure in figures.values() if "warning" in figure]
    for note in notes:
        console.warn(note)
    scores = keep_earlier(folder / "scores.yaml", _about(compared) | {"notes": notes, "metrics": figures})
    write_yaml(folder / "scores.yaml", scores)
    draw_overview(folder / "overview.png", compared, headline(scores))
    return scores


def _what_can_be_scored(metrics: Sequence[str], compared: Compared) -> tuple[Path | None, list[str]]:
    """The Inception weights where they are needed and can be had, and a line on what can't be computed.

    Raises:
        XrganError: nothing that was asked for can be computed.
    """
    weights, lacks = None, []
    if {"fid", "kid"} & set(metrics):
        try:
            weights = fetch_weights()
        except XrganError as error:
            lacks.append(error)
    if "ssim" in metrics and not _fits_ssim(compared):
        lacks.append(XrganError(f"SSIM needs images of {SMALLEST_PIXELS} pixels or more, not {compared.size}."))
    if lacks and weights is None and not ("ssim" in metrics and _fits_ssim(compared)):
        raise lacks[0]
    return weights, [str(error) for error in lacks]


def _fits_ssim(compared: Compared) -> bool:
    _, _, height, width = compared.real.shape
    return bool(min(height, width) >= SMALLEST_PIXELS)


def _about(compared: Compared) -> dict[str, Any]:
    sets = {"real": compared.real, "synthetic": compared.synthetic, "training": compared.other_real}
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "images": {
            "n": compared.n,
            "size": compared.size,
            "channels": compared.real.shape[1],
            "sha256": {name: content_hash(images) for name, images in sets.items()},
        },
    }
