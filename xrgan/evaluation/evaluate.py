"""Real held-out images against synthetic ones: every score with its N and with what real images score themselves."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import xrgan
from xrgan import console
from xrgan.config import EvaluateConfig
from xrgan.errors import XrganError
from xrgan.evaluation import metric_table
from xrgan.evaluation.extractors import Extractor
from xrgan.evaluation.feature_metrics import feature_scores, layer_of
from xrgan.evaluation.features import content_hash
from xrgan.evaluation.image_sets import Comparison, ImageSet
from xrgan.evaluation.metric_table import Metric, MetricInputs
from xrgan.evaluation.overview import draw_overview
from xrgan.evaluation.scores_file import (
    FILE,
    Provenance,
    Score,
    ScoredSet,
    ScoreKey,
    Scores,
    read_earlier,
    what_differs,
)
from xrgan.evaluation.scores_table import headline
from xrgan.files import write_yaml


@dataclass(frozen=True)
class Plan:
    """The metrics that are computed, and why the others can't be."""

    metrics: tuple[Metric, ...]
    extractor: Extractor | None
    unavailable: tuple[XrganError, ...]


def evaluate(
    comparison: Comparison,
    metrics: Sequence[str],
    config: EvaluateConfig,
    extractor: Callable[[], Extractor],
    folder: Path,
    about: str = "",
) -> Scores:
    """Score synthetic images; write `folder/scores.yaml`, `overview.png` and, where copies were looked for, theirs.

    Scores of an earlier call on the same images with the same settings stay in scores.yaml and aren't computed again.
    Those of other images stay there, too, as `earlier`, and the user is told.

    Args:
        metrics: names in `metric_table.METRICS`; none = all that can be computed here.
        extractor: called where a metric needs features; it may raise XrganError, where its weights can't be had.

        about: whose images these are, for the picture.

    Returns:
        What scores.yaml holds. `notes` are warnings that the user has seen already.

    Raises:
        XrganError: nothing that was asked for can be computed.
    """
    console.waiting("Comparing the images")
    provenance = _provenance(comparison, config)
    asked = [metric for metric in metric_table.METRICS if not metrics or metric.name in metrics]
    plan = _plan(asked, comparison, extractor)
    known, others = read_earlier(folder / FILE, provenance)
    missing = [metric for metric in plan.metrics if not _is_known(metric, known, plan, comparison, config)]
    inputs = MetricInputs(comparison, config, folder, plan.extractor)
    for name, score in _compute(missing, inputs).items():
        known[str(ScoreKey.of(name, score.get("extractor", "")))] = score
    unavailable = [str(error) for error in plan.unavailable]
    warnings = [score["warning"] for score in known.values() if "warning" in score] + _unequal_classes(comparison)
    for reason in unavailable:
        (console.warn if metrics else console.notice)(reason)  # what nobody asked for by name is no trouble
    for warning in warnings:
        console.warn(warning)
    scores: Scores = {**provenance, "notes": [*unavailable, *warnings], "metrics": known, "earlier": others}
    if others:
        _say_what_no_longer_holds(others[0], provenance, folder / FILE)
    write_yaml(folder / FILE, dict(scores))
    console.waiting("Drawing overview.png")
    draw_overview(folder / "overview.png", comparison, scores, _caption(scores, about))
    return scores


def _caption(scores: Scores, about: str) -> str:
    """What stands below overview.png: the leading scores; whose images, and when."""
    return f"{headline(scores)}\n{' · '.join(filter(None, [about, scores['date'][:10]]))}"


def _say_what_no_longer_holds(earlier: ScoredSet, provenance: Provenance, file: Path) -> None:
    """Tell the user that the latest scores of other images are no scores of these, and where they are kept."""
    console.notice(
        f"Earlier scores, of {what_differs(earlier, provenance)} ({earlier['date'][:10]}: {headline(earlier)}),"
        f" are not those of these images: {file} keeps them as `earlier`."
    )


def _compute(metrics: Sequence[Metric], inputs: MetricInputs) -> dict[str, Score]:
    """Compute the scores of metrics that can be: those of features together, for one pass extracts them all."""
    scores: dict[str, Score] = {}
    if inputs.extractor is not None:
        config = inputs.config
        scores |= feature_scores(metrics, inputs.comparison, inputs.extractor, config.fid_layer, config.seed)
    for metric in metrics:
        if metric.layer is None:
            scores |= metric.function()(inputs)
    return scores


def _is_known(
    metric: Metric, earlier: dict[str, Score], plan: Plan, comparison: Comparison, config: EvaluateConfig
) -> bool:
    """Whether all scores of a metric were computed before, from the same layer."""
    expected = [name for name, shown in metric.scores.items() if comparison.training or not shown.needs_training]
    used = plan.extractor if metric.needs_features else None
    keys = [str(ScoreKey.of(name, used.name if used else "")) for name in expected]
    if not all(key in earlier for key in keys):
        return False
    layer = layer_of(metric, used, config.fid_layer) if used else None
    return layer is None or all(earlier[key].get("layer") == layer for key in keys)


def _plan(metrics: Sequence[Metric], comparison: Comparison, extractor: Callable[[], Extractor]) -> Plan:
    """Find out which of the metrics can be computed.

    Raises:
        XrganError: none of them.
    """
    found, unavailable = None, []
    if any(metric.needs_features for metric in metrics):
        try:
            found = extractor()
        except XrganError as error:
            unavailable.append(error)
            metrics = [metric for metric in metrics if not metric.needs_features]
    possible = []
    for metric in metrics:
        reason = _reason_against(metric, comparison, found)
        if reason is None:
            possible.append(metric)
        else:
            unavailable.append(reason)
    if not possible:
        raise unavailable[0]
    return Plan(tuple(possible), found, tuple(unavailable))


def _reason_against(metric: Metric, comparison: Comparison, extractor: Extractor | None) -> XrganError | None:
    """Say why a metric can't be computed of these images with this extractor; None where it can."""
    if metric.layer == "logits" and extractor is not None and not extractor.gives_logits:
        if not extractor.is_inception:
            return XrganError(f"{metric.title} needs the Inception network, not {extractor.name}.")
        return XrganError(
            f"{metric.title} needs the full weights, whose last layer those of the package index lack; "
            "`--weights FILE` takes weights-inception-2015-12-05-6726825d.pth."
        )
    if metric.without_training and comparison.training is None:
        return XrganError(metric.without_training)
    if comparison.pixels < metric.least_pixels:
        return XrganError(
            f"{metric.title} needs images of {metric.least_pixels} pixels or more, not {comparison.size}."
        )
    return None


def _unequal_classes(comparison: Comparison) -> list[str]:
    """Warn where the sets hold the classes in other shares: then scores of all images tell that difference, too."""
    unequal = comparison.unequal_class()
    if unequal is None:
        return []
    name, ours, theirs = unequal
    return [
        f"{name} is {100 * ours:.0f} % of the synthetic images and {100 * theirs:.0f} % of the real ones: scores of "
        "all images tell that difference, too, so read those of each class."
    ]


def _provenance(comparison: Comparison, config: EvaluateConfig) -> Provenance:
    """Write down what the scores depend on."""
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
