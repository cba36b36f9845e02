"""What may be said of readers' answers: how often they are right, by chance or not, and whether they agree."""

import math
from collections.abc import Sequence
from typing import NotRequired, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score, roc_curve
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

from xrgan.readers.choice import SYNTHETIC

CHANCE = 0.5
RESAMPLES = 1000
FEW_READERS, FEW_IMAGES = 3, 50


class Share(TypedDict):
    """A share with its 95 % interval over images, and the number of images."""

    value: float
    interval: list[float]
    n: int


class Reader(TypedDict):
    reader: str
    accuracy: Share
    found: float | None
    """share of synthetic images that were called synthetic; None = saw none"""
    suspected: float | None
    """share of real images that were called synthetic"""
    auc: float | None
    class_right: NotRequired[float]


class Agreement(TypedDict):
    kappa: float | None
    """Fleiss' kappa; None = everybody always gave one answer"""
    images: int


class Roc(TypedDict):
    auc: float
    interval: list[float]
    false: list[float]
    true: list[float]


class Summary(TypedDict):
    """The content of readers/summary.yaml."""

    study: str
    images: int
    readers: list[Reader]
    accuracy: Share
    per_class: dict[str, Share]
    roc: Roc | None
    agreement: Agreement | None
    conclusion: str
    caveats: list[str]


def summarise(answers: pd.DataFrame, study: str) -> Summary:
    """Judge answers (`answers.read_answers`).

    Intervals are over images: how much other images would change the figures. Several readers saw the same ones, so
    they count as one reading of each image, with the mean of the readers: the interval is Wilson's, of as many images,
    and rather too wide.
    """
    answers = answers.assign(right=answers["answer"] == answers["is"])
    accuracy = _share(answers)
    readers = [_reader(str(name), of_one) for name, of_one in answers.groupby("reader", sort=False)]
    labels = sorted(set(answers["label"]) - {""})
    return {
        "study": study,
        "images": int(answers["image"].nunique()),
        "readers": readers,
        "accuracy": accuracy,
        "per_class": {name: _share(answers[answers["label"] == name]) for name in labels},
        "roc": _roc(answers),
        "agreement": _agreement(answers),
        "conclusion": conclusion(accuracy, len(readers)),
        "caveats": _caveats(answers, len(readers)),
    }


def conclusion(accuracy: Share, readers: int) -> str:
    """The sentence that may be concluded."""
    low, high = accuracy["interval"]
    who = "The reader" if readers == 1 else f"{readers} readers"
    figures = (
        f"{_percent(accuracy['value'])} right (95 % interval {_percent(low)} to {_percent(high)}; "
        f"{accuracy['n']:,} images), where guessing gets 50 %"
    )
    if low > CHANCE:
        return f"{who} told synthetic images from real ones more often than chance explains: {figures}."
    if high < CHANCE:
        return f"{who} took synthetic images for real ones, or real for synthetic, more often than chance: {figures}."
    return (
        f"It was not shown that {who[0].lower()}{who[1:]} can tell synthetic images from real ones: {figures}. With up "
        f"to {_percent(high)} right it would fit as well: that nothing was shown is no proof that nobody can."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _share(answers: pd.DataFrame) -> Share:
    """Of right answers: the mean over images of the readers' mean."""
    of_image = answers.groupby("image")["right"].mean()
    n, value = len(of_image), float(of_image.mean())
    low, high = proportion_confint(value * n, n, method="wilson")
    return {"value": value, "interval": [float(low), float(high)], "n": n}


def _reader(name: str, answers: pd.DataFrame) -> Reader:
    called = answers["answer"] == SYNTHETIC
    synthetic = answers["is"] == SYNTHETIC
    found: Reader = {
        "reader": name,
        "accuracy": _share(answers),
        "found": _mean(called[synthetic]),
        "suspected": _mean(called[~synthetic]),
        "auc": float(roc_auc_score(synthetic, _sureness(answers))) if synthetic.nunique() == 2 else None,
    }
    asked = answers[answers["class"] != ""]
    if len(asked):
        found["class_right"] = float((asked["class"] == asked["label"]).mean())
    return found


def _mean(values: "pd.Series[bool]") -> float | None:
    return float(values.mean()) if len(values) else None


def _sureness(answers: pd.DataFrame) -> NDArray[np.float64]:
    """How synthetic an image seemed: -5 (surely real) to 5 (surely synthetic)."""
    sign = np.where(answers["answer"] == SYNTHETIC, 1.0, -1.0)
    return np.asarray(sign * answers["sure"].to_numpy(float))


def _roc(answers: pd.DataFrame) -> Roc | None:
    """Of the mean sureness of each image; its interval by a bootstrap over images, real and synthetic apart."""
    of_image = answers.assign(seems=_sureness(answers)).groupby("image")
    truth, seems = (of_image["is"].first() == SYNTHETIC).to_numpy(), of_image["seems"].mean().to_numpy(float)
    if truth.all() or not truth.any():
        return None
    random, sides = np.random.default_rng(0), (seems[truth], seems[~truth])
    sampled = [random.choice(side, (RESAMPLES, len(side))) for side in sides]
    areas = mannwhitneyu(*sampled, axis=1, method="asymptotic").statistic / (len(sides[0]) * len(sides[1]))
    low, high = np.quantile(areas, [0.025, 0.975])
    false, true, _ = roc_curve(truth, seems)
    return {
        "auc": float(roc_auc_score(truth, seems)),
        "interval": [float(low), float(high)],
        "false": list(map(float, false)),
        "true": list(map(float, true)),
    }


def _agreement(answers: pd.DataFrame) -> Agreement | None:
    """Fleiss' kappa of those images that all readers answered; None with a single reader."""
    table = answers.pivot(index="image", columns="reader", values="answer").dropna()
    if table.shape[1] < 2 or not len(table):
        return None
    if len(np.unique(table.to_numpy())) == 1:
        return {"kappa": None, "images": len(table)}
    counts, _ = aggregate_raters(table.to_numpy())
    kappa = float(fleiss_kappa(counts))
    return {"kappa": kappa if math.isfinite(kappa) else None, "images": len(table)}


def _caveats(answers: pd.DataFrame, readers: int) -> list[str]:
    images = answers["image"].nunique()
    said = [
        "It holds for these readers, these images at this size, and this generator; a monitor for diagnosis, or more "
        "time, may show more."
    ]
    if images < FEW_IMAGES:
        said.append(f"{images} images say little: the interval is wide.")
    if readers < FEW_READERS:
        said.append(f"{readers} reader{'s' if readers > 1 else ''}: others may see more, or less.")
    counts: Sequence[int] = list(answers.groupby("reader")["image"].size())
    if min(counts) < images:
        said.append(f"Not every reader answered every image: {min(counts)} of {images} at least.")
    said.append("That readers can't tell says nothing of copies: a copied patient looks real, too.")
    return said
