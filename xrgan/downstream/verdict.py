"""From the scores of all folds to the summary: figures, and what may and may not be concluded from them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream.outcome import ARMS, AUGMENTED, BASELINE, Outcome, by_fold
from xrgan.downstream.pool import Indices, Pool, shared_patients
from xrgan.downstream.scores import METRICS, mean_and_std

COLUMNS = ("metric", *ARMS, "difference")
LEADING = "auroc"  # it needs no threshold, so the verdict rests on it


def summarise(
    dataset: PackedDataset, pool: Pool, config: ClassifyConfig, outcomes: Sequence[Outcome], seconds: float
) -> dict[str, Any]:
    """The summary of a study: plain dicts, lists, strings and numbers.

    Mean and standard deviation (n − 1) are taken over folds; the difference is taken fold by fold first.
    """
    baseline, augmented = ({name: by_fold(outcomes, arm, name) for name in METRICS} for arm in ARMS)
    summary: dict[str, Any] = {
        "dataset": {"name": dataset.name, "content_hash": dataset.content_hash, "classes": list(pool.classes)},
        "options": config.model_dump(),
        "images": {
            "training": _counts(pool, pool.training),
            "test": _counts(pool, pool.test),
            "synthetic": _counts(pool, pool.synthetic),
        },
        "patients_in_training_and_test": shared_patients(pool),
        "synthetic_per_real": _synthetic_per_real(outcomes),
        "arms": {
            arm: {name: mean_and_std(values) for name, values in figures.items()}
            for arm, figures in zip(ARMS, (baseline, augmented), strict=True)
        },
        "difference": {name: mean_and_std(augmented[name] - baseline[name]) for name in METRICS},
        "seconds": round(seconds, 1),
    }
    return summary | {"conclusion": _conclusion(summary), "caveats": _caveats(summary)}


def rows(summary: Mapping[str, Any]) -> list[list[str]]:
    """The table of a summary, in `COLUMNS`: a row a metric, mean ± standard deviation over folds."""
    arms, difference = summary["arms"], summary["difference"]
    return [
        [label, *(_plain(arms[arm][name]) for arm in ARMS), _signed(difference[name])]
        for name, label in METRICS.items()
    ]


def _conclusion(summary: Mapping[str, Any]) -> str:
    difference, k = summary["difference"][LEADING], summary["options"]["k_folds"]
    figures = (
        f"{METRICS[LEADING]} on the test split: {_plain(summary['arms'][BASELINE][LEADING])} without synthetic images,"
        f" {_plain(summary['arms'][AUGMENTED][LEADING])} with them; difference {_signed(difference)} over {k} folds."
    )
    size = abs(difference["mean"])
    if size <= difference["std"]:
        return f"{figures} It is no larger than the spread between folds: nothing shows that they help or harm."
    if size <= _margin(summary):
        return (
            f"{figures} The folds agree, but chance in drawing {_n_test(summary)} test images can do as much:"
            " nothing shows that they help or harm."
        )
    effect = "help" if difference["mean"] > 0 else "harm"
    return f"{figures} Neither the folds nor the number of test images explain it: a hint that they {effect}, no proof."


def _caveats(summary: Mapping[str, Any]) -> list[str]:
    caveats = []
    wanted, had = summary["options"]["ratio"], summary["synthetic_per_real"]
    if had < 0.95 * wanted:
        caveats.append(
            f"Only {had:.2f} synthetic images a real one were used, not {wanted:g}: a class had no more to keep the"
            " real class mix."
        )
    shared = summary["patients_in_training_and_test"]
    if shared:
        caveats.append(f"{shared} patients have images in training and in test: the figures of both arms flatter.")
    return [
        *caveats,
        f"The same {_n_test(summary)} test images score every fold: chance in drawing them moves an accuracy by"
        f" ± {_margin(summary):.3f} (95 %), and the folds don't show it.",
        "The folds share most of their training images: their spread is no confidence interval.",
        "The left-out folds only picked the epoch. A generator that was trained on this dataset saw their images,"
        " so no figure is taken from them.",
        "The test split picked nothing, and is untouched as long as no generator was trained on it: true of"
        " `xrgan train` on this dataset, for you to make sure of with synthetic images from elsewhere.",
        "It holds for this dataset, this classifier and this number of images; others may answer otherwise.",
    ]


def _n_test(summary: Mapping[str, Any]) -> int:
    return sum(summary["images"]["test"].values())


def _margin(summary: Mapping[str, Any]) -> float:
    """Half the 95 % interval of an accuracy on so many test images (binomial); a yardstick for the other figures."""
    accuracy = summary["arms"][BASELINE]["accuracy"]["mean"]
    return 1.96 * math.sqrt(accuracy * (1 - accuracy) / _n_test(summary))


def _synthetic_per_real(outcomes: Sequence[Outcome]) -> float:
    augmented = [outcome for outcome in outcomes if outcome.arm == AUGMENTED]
    return round(sum(o.n_synthetic for o in augmented) / sum(o.n_real for o in augmented), 4)


def _counts(pool: Pool, indices: Indices) -> dict[str, int]:
    return {name: int(count) for name, count in zip(pool.classes, pool.counts(indices), strict=True)}


def _plain(figure: Mapping[str, float]) -> str:
    return f"{figure['mean']:.3f} ± {figure['std']:.3f}"


def _signed(figure: Mapping[str, float]) -> str:
    mean = round(figure["mean"], 3) + 0.0  # no −0.000
    return f"{mean:+.3f} ± {figure['std']:.3f}".replace("-", "−")
