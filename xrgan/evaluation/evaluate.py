"""Real held-out images against synthetic ones: every figure with its N and with what real images score themselves."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xrgan
from xrgan import console
from xrgan.config import EvaluateConfig
from xrgan.errors import XrganError
from xrgan.evaluation.extractors import Extractor
from xrgan.evaluation.feature_metrics import feature_figures
from xrgan.evaluation.features import content_hash
from xrgan.evaluation.image_sets import Comparison, ImageSet
from xrgan.evaluation.memorisation.report import memorisation_figures
from xrgan.evaluation.overview import draw_overview
from xrgan.evaluation.scores_file import FIGURES, Figure, Scores, headline, key_of, read_earlier
from xrgan.evaluation.similarity import ms_ssim_figures, ssim_figures
from xrgan.evaluation.ssim import SMALLEST_PIXELS, SMALLEST_PIXELS_OF_MS
from xrgan.files import write_yaml

NEED_FEATURES = ("fid", "kid", "is", "prdc", "memorisation")


@dataclass(frozen=True)
class Plan:
    """What is computed, and in a line each what can't be."""

    metrics: tuple[str, ...]
    extractor: Extractor | None
    lacks: tuple[XrganError, ...]


def evaluate(
    comparison: Comparison,
    metrics: Sequence[str],
    config: EvaluateConfig,
    extractor: Callable[[], Extractor],
    folder: Path,
) -> Scores:
    """Score synthetic images; write `folder/scores.yaml`, `overview.png` and, where copies were looked for, theirs.

    Figures of an earlier call on the same images with the same settings stay in scores.yaml and aren't computed again.

    Args:
        metrics: of `scores.FIGURES`; none = all that can be computed here.
        extractor: called where a metric needs features; it may raise XrganError, where its weights can't be had.

    Returns:
        What scores.yaml holds. `notes` are warnings that the user has seen already.

    Raises:
        XrganError: nothing that was asked for can be computed.
    """
    file = folder / "scores.yaml"
    about = _about(comparison, config)
    plan = _plan(metrics or list(FIGURES), comparison, extractor)
    name = plan.extractor.name if plan.extractor else ""
    earlier = read_earlier(file, about)
    missing = [metric for metric in plan.metrics if not _is_known(metric, name, earlier, config)]
    figures = {
        key_of(key, figure): figure for key, figure in _compute(missing, comparison, plan, config, folder).items()
    }
    known = earlier | figures
    lacks = [str(error) for error in plan.lacks]
    warnings = [figure["warning"] for figure in known.values() if "warning" in figure]
    for lack in lacks:
        (console.warn if metrics else console.notice)(lack)  # what nobody asked for by name is no trouble
    for warning in warnings:
        console.warn(warning)
    scores = about | {"notes": [*lacks, *warnings], "metrics": known}
    write_yaml(file, scores)
    draw_overview(folder / "overview.png", comparison, scores, headline(scores))
    return scores


def _compute(
    metrics: Sequence[str], comparison: Comparison, plan: Plan, config: EvaluateConfig, folder: Path
) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    if plan.extractor is not None and set(metrics) & set(NEED_FEATURES):
        figures |= feature_figures(comparison, metrics, plan.extractor, config.fid_layer, config.seed)
        if "memorisation" in metrics:
            figures |= memorisation_figures(comparison, plan.extractor, folder)
    if "ssim" in metrics:
        figures |= ssim_figures(comparison, config.pairs, config.seed)
    if "ms-ssim" in metrics:
        figures |= ms_ssim_figures(comparison, config.pairs, config.seed)
    return figures


def _is_known(metric: str, extractor: str, earlier: dict[str, Figure], config: EvaluateConfig) -> bool:
    keys = {key_of(key, {"extractor": extractor} if metric in NEED_FEATURES else {}) for key in FIGURES[metric]}
    if not keys <= earlier.keys():
        return False
    return metric != "fid" or "@" in min(keys) or earlier["fid"]["layer"] == config.fid_layer


def _plan(metrics: Sequence[str], comparison: Comparison, extractor: Callable[[], Extractor]) -> Plan:
    """What of the metrics can be computed.

    Raises:
        XrganError: none of them.
    """
    found, lacks, possible = None, [], list(metrics)

    def lack(names: Sequence[str], error: XrganError) -> None:
        lacks.append(error)
        possible[:] = [name for name in possible if name not in names]

    if set(NEED_FEATURES) & set(metrics):
        try:
            found = extractor()
        except XrganError as error:
            lack(NEED_FEATURES, error)
    if "is" in possible and found is not None and not found.gives_logits:
        lack(["is"], _no_logits(found))
    if "memorisation" in possible and comparison.training is None:
        lack(
            ["memorisation"],
            XrganError("Copies can't be looked for without the images that the generator learned from (--training)."),
        )
    for name, title, least in (("ssim", "SSIM", SMALLEST_PIXELS), ("ms-ssim", "MS-SSIM", SMALLEST_PIXELS_OF_MS)):
        if name in possible and comparison.pixels < least:
            lack([name], XrganError(f"{title} needs images of {least} pixels or more, not {comparison.size}."))
    if not possible:
        raise lacks[0]
    return Plan(tuple(possible), found, tuple(lacks))


def _no_logits(extractor: Extractor) -> XrganError:
    if not extractor.is_inception:
        return XrganError(f"The Inception Score needs the Inception network, not {extractor.name}.")
    return XrganError(
        "The Inception Score needs the full weights, whose last layer those of the package index lack; "
        "`--weights FILE` takes weights-inception-2015-12-05-6726825d.pth."
    )


def _about(comparison: Comparison, config: EvaluateConfig) -> dict[str, Any]:
    sets: dict[str, ImageSet | None] = {
        "real": comparison.real,
        "synthetic": comparison.synthetic,
        "floor": comparison.floor[1],
        "training": comparison.training,
    }
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "xrgan": xrgan.__version__,
        "reference": comparison.reference,
        "settings": {"seed": config.seed, "pairs": config.pairs},
        "images": {
            "n": comparison.n,
            "size": comparison.size,
            "channels": comparison.channels,
            "sha256": {name: content_hash(of_set.images) for name, of_set in sets.items() if of_set is not None},
        },
    }
