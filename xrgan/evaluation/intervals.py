"""95 % intervals, and KID's: over images or, where patients have several, over patients.

KID is a U-statistic: where two sets are equal it is degenerate, and a bootstrap's interval is far too wide (its
variance is three times too large: Arcones & Giné 1992, Annals of Statistics 20:655). So the variance is computed. Let δ
be the difference of the sets' mean features (of the cubic kernel), and d_u what unit u (an image, or all images of a
patient) adds to it by chance. Then KID = ‖δ + Σ d_u‖² − Σ ‖d_u‖², and its variance is V₁ + V₂ with V₁ = 4 Σ ⟨δ, d_u⟩²
and V₂ = 2 Σ ⟨d_u, d_v⟩² over u ≠ v (Hoeffding 1948). V₁ grows with ‖δ‖², which is KID itself. The interval holds every
θ that KID could be and still be seen as it was: (KID − θ)² ≤ t² (V₂ + s θ), as Wilson's of a share; s = V₁ / ‖δ‖².
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Units = NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    low: float
    high: float
    standard_error: float


def kid_interval(
    within_a: Floats, within_b: Floats, between: Floats, of_a: Units | None, of_b: Units | None
) -> Interval:
    """Compute the 95 % interval and standard error of KID from its kernels (A, A), (B, B) and (A, B).

    Pairs of images of one patient are left out: they are alike, and would make the sets look further apart.

    Args:
        of_a: (A,) each image's patient; None = each is of its own. `of_b` the same of B.
    """
    a, b = (_sorted(of_one, len(kernel)) for of_one, kernel in ((of_a, within_a), (of_b, within_b)))
    within_a, within_b = within_a[np.ix_(a.order, a.order)], within_b[np.ix_(b.order, b.order)]
    between = between[np.ix_(a.order, b.order)]
    distance = within_a.mean() + within_b.mean() - 2 * between.mean()
    if min(len(a.first), len(b.first)) < 2 or distance <= 0:  # a single patient; or all images are the same
        return Interval(float(distance), float(distance), 0.0)
    value = a.mean_of_pairs(within_a) + b.mean_of_pairs(within_b) - 2 * between.mean()
    gram_a, gram_b = a.summed(a.summed(_centred(within_a)).T), b.summed(b.summed(_centred(within_b)).T)
    gram_ab = b.summed(a.summed(_centred(between)).T)
    pairs = sum(float((gram**2).sum() - (gram.diagonal() ** 2).sum()) for gram in (gram_a, gram_b))
    second = 2 * (pairs + 2 * float((gram_ab**2).sum()))
    to_a, to_b = within_a.mean(axis=1) - between.mean(axis=1), within_b.mean(axis=1) - between.mean(axis=0)
    first = 4 * sum(float((of.summed((to - to.mean())[:, None]) ** 2).sum()) for of, to in ((a, to_a), (b, to_b)))
    return _score_interval(float(value), second, first / float(distance), min(len(a.first), len(b.first)) - 1)


def _score_interval(value: float, second: float, slope: float, degrees: int) -> Interval:
    """Solve (value − θ)² = t² (second + slope max(θ, 0)) for both ends θ."""
    t = float(stats.t.ppf(0.975, degrees))
    flat, lean = t * np.sqrt(second), t**2 * slope / 2
    root = np.sqrt(max(0.0, lean**2 + t**2 * (second + slope * value)))
    low, high = value + lean - root, value + lean + root
    if low < 0:
        low = value - flat
    if value + flat < 0:
        high = value + flat
    return Interval(float(low), float(high), float(np.sqrt(second + slope * max(value, 0.0))))


@dataclass(frozen=True)
class _Sorted:
    """A set's images, those of a patient beside one another."""

    order: Units  # (N,)
    first: Units  # (U,): where each patient's images begin

    def summed(self, values: Floats) -> Floats:
        """Weigh and sum up the rows of each patient: (N, M) → (U, M), as deviations of a mean of so many patients."""
        units = len(self.first)
        sums: Floats = np.add.reduceat(values, self.first, axis=0) * float(np.sqrt(units / (units - 1)))
        return sums / len(self.order)

    def mean_of_pairs(self, kernel: Floats) -> float:
        """Mean of the kernel over the pairs of images of two patients."""
        sizes = np.diff(np.append(self.first, len(self.order)))
        same = np.add.reduceat(np.add.reduceat(kernel, self.first, axis=0), self.first, axis=1).diagonal().sum()
        return float((kernel.sum() - same) / (len(self.order) ** 2 - (sizes**2).sum()))


def _sorted(units: Units | None, n: int) -> _Sorted:
    if units is None:
        return _Sorted(np.arange(n), np.arange(n))
    order = np.argsort(units, kind="stable")
    return _Sorted(order, np.unique(units[order], return_index=True)[1])


def _centred(kernel: Floats) -> Floats:
    centred: Floats = kernel - kernel.mean(axis=0, keepdims=True) - kernel.mean(axis=1, keepdims=True) + kernel.mean()
    return centred
