"""The metrics of `xrgan evaluate`: one record per metric, of which its flag, its computation and its display are made.

To add a metric, write the function that computes it and give it a row in METRICS. Nothing here imports a library that
takes time to load: functions are named, and found when they are called.
"""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from xrgan.config import EvaluateConfig
    from xrgan.evaluation.extractors import Extractor
    from xrgan.evaluation.image_sets import Comparison
    from xrgan.evaluation.scores_file import Score


@dataclass(frozen=True)
class Display:
    """How one score is shown."""

    title: str
    meaning: str = ""
    """what stands beside it in the table; empty = from which features it was computed"""
    digits: int = 3
    percent: bool = False
    leads: bool = False
    """it stands in the headline, and before all others; where it warns of its bias, behind the other leading ones"""
    is_share: bool = False
    """it says how far the sets overlap, 1 = wholly: a bar in the overview"""
    needs_training: bool = False
    """there is one only where the training images are known"""


@dataclass(frozen=True)
class Metric:
    """One metric: what it is called, what it needs, the function that computes it, and the scores that it gives."""

    name: str
    """of the flag, without its dashes"""
    title: str
    """the subject of a sentence that says why it can't be computed"""
    help: str
    """of the flag"""
    compute: str
    """"module:function". With a `layer`, it is called as function(FeatureSets, seed) for all images and for each class;
    else as function(MetricInputs), once. It returns the scores by the names in `scores`."""
    scores: Mapping[str, Display]
    """keys in scores.yaml, and how they are shown"""
    layer: Literal["fid", "last", "logits"] | None = None
    """which features it is computed from: of evaluate.fid_layer, the extractor's last layer, the last one's logits"""
    needs_extractor: bool = False
    """without a `layer`: it wants MetricInputs.extractor"""
    least_pixels: int = 0
    """of the images' shorter side"""
    without_training: str = ""
    """the sentence that says so, where it can't be computed without the training images"""
    few_images: str = ""
    """the warning of its bias where there are fewer images ({n}) than features ({layer})"""
    picture: str = ""
    """the file that it draws"""

    @property
    def needs_features(self) -> bool:
        return self.layer is not None or self.needs_extractor

    def function(self) -> "Callable[..., dict[str, Score]]":
        """Find what `compute` names."""
        found: Callable[..., dict[str, Score]] = pkgutil.resolve_name(self.compute)
        return found


@dataclass(frozen=True)
class MetricInputs:
    """What a metric without a `layer` is computed from."""

    comparison: "Comparison"
    config: "EvaluateConfig"
    folder: Path
    """where its picture goes"""
    extractor: "Extractor | None" = field(default=None)


METRICS: list[Metric] = [
    Metric(
        "fid",
        "FID",
        help="Fréchet Inception distance.",
        compute="xrgan.evaluation.feature_metrics:fid_scores",
        scores={"fid": Display("FID", digits=2, leads=True)},
        layer="fid",
        few_images="FID is biased upwards at N = {n}, less than the layer's {layer} features: "
        "compare it with its floor, and with KID (--kid), which isn't biased.",
    ),
    Metric(
        "kid",
        "KID",
        help="Kernel Inception distance.",
        compute="xrgan.evaluation.feature_metrics:kid_scores",
        scores={"kid": Display("KID", digits=4, leads=True)},
        layer="last",
    ),
    Metric(
        "clipped",
        "Clipped coverage",
        help="Clipped coverage and density: variety and realism as shares of good images.",
        compute="xrgan.evaluation.feature_metrics:clipped_scores",
        scores={
            "clipped_coverage": Display(
                "Clipped coverage", "variety: 0.8 = that of 80 % good images", leads=True, is_share=True
            ),
            "clipped_density": Display("Clipped density", "realism: 0.8 = that of 80 % good images", is_share=True),
        },
        layer="last",
    ),
    Metric(
        "diversity",
        "Diversity",
        help="Mean distance of two images, beside that of two real ones.",
        compute="xrgan.evaluation.feature_metrics:diversity_scores",
        scores={"diversity": Display("Diversity", "1 = as far apart as real ones; noise is far apart, too")},
        layer="last",
    ),
    Metric(
        "prdc",
        "Precision",
        help="Precision, recall, density, coverage.",
        compute="xrgan.evaluation.feature_metrics:prdc_scores",
        scores={
            "precision": Display("Precision", "synthetic images that lie among real ones", is_share=True),
            "recall": Display("Recall", "for papers: it can rise while variety falls", is_share=True),
            "density": Display("Density", "as precision, by how many; can pass 1", is_share=True),
            "coverage": Display("Coverage", "real images with a synthetic one close by", is_share=True),
        },
        layer="last",
    ),
    Metric(
        "memorisation",
        "Memorisation",
        help="Copies of training images.",
        compute="xrgan.evaluation.memorisation.report:memorisation_scores",
        scores={"memorisation": Display("Suspected copies", percent=True)},
        needs_extractor=True,
        without_training="Copies can't be looked for without the images that the generator learned from (--training).",
        picture="memorisation.png",
    ),
    Metric(
        "is",
        "The Inception Score",
        help="Inception Score; needs the full Inception weights.",
        compute="xrgan.evaluation.feature_metrics:inception_scores",
        scores={"is": Display("Inception Score", "says little: ImageNet has no X-ray", digits=2)},
        layer="logits",
    ),
    Metric(
        "ssim",
        "SSIM",
        help="Structural similarity: diversity and copying.",
        compute="xrgan.evaluation.ssim_metrics:ssim_scores",
        scores={
            "ssim_diversity": Display("SSIM within the set", "higher than real = less diverse"),
            "ssim_nearest": Display(
                "SSIM to the nearest training image", "higher than real = copies", needs_training=True
            ),
            "ssim_random": Display("SSIM of random pairs", "says little: the pairs are unrelated"),
        },
        least_pixels=11,  # the Gaussian window of σ = 1.5 is as wide
    ),
    Metric(
        "ms-ssim",
        "MS-SSIM",
        help="Multi-scale SSIM, from 176 pixels on.",
        compute="xrgan.evaluation.ssim_metrics:ms_ssim_scores",
        scores={"ms_ssim": Display("MS-SSIM within the set", "higher than real = less diverse")},
        least_pixels=11 * 2**4,  # it halves the image four times
    ),
]


def displays() -> dict[str, Display]:
    """Name of a score → how it is shown, in the order of the table."""
    return {name: shown for metric in METRICS for name, shown in metric.scores.items()}
