"""How often does the 95 % interval of an AUROC hold the truth, with few patients?

    python -m tests.benchmarks.auroc_intervals [--repeats 1000]

Scores of ill and of well patients are normal, or those of ill ones are twice as wide; one image a patient, as many ill
ones in each repeat. Percentiles of the same bootstrap stand beside it.
"""

import argparse

import numpy as np
from scipy import stats

from xrgan.downstream.statistics import interval, logit_interval

RESAMPLES = 300
# patients, share of ill ones, true AUROC, standard deviation of the ill ones' scores
DESIGNS = [
    *((30, 0.2, true, 1) for true in (0.7, 0.8, 0.9, 0.95)),
    *((60, 0.2, true, 1) for true in (0.8, 0.9, 0.95)),
    *((30, 0.5, true, 1) for true in (0.8, 0.9, 0.95)),
    *((200, 0.1, true, 1) for true in (0.8, 0.95)),
    (30, 0.2, 0.9, 2),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1000)
    repeats = parser.parse_args().repeats
    print("patients, share of ill ones, AUROC, spread: the interval holds the truth; percentiles do")
    for patients, share, true, spread in DESIGNS:
        held = np.mean([once(seed, patients, round(patients * share), true, spread) for seed in range(repeats)], axis=0)
        print(f"{patients:3d}, {share}, {true}, {spread}: {100 * held[0]:.1f} %; {100 * held[1]:.1f} %", flush=True)


def once(seed: int, patients: int, ill: int, true: float, spread: float) -> tuple[bool, bool]:
    """Whether both intervals of one test split hold the truth."""
    rng = np.random.default_rng([seed, patients])
    scores_of_ill = rng.normal(np.hypot(1, spread) * stats.norm.ppf(true), spread, ill)
    above = (scores_of_ill[:, None] > rng.normal(size=patients - ill)).astype(float)
    times = rng.multinomial(patients, np.full(patients, 1 / patients), RESAMPLES)
    of_ill, of_well = times[:, :ill], times[:, ill:]
    pairs = of_ill.sum(axis=1) * of_well.sum(axis=1)
    sums = ((of_ill @ above) * of_well).sum(axis=1)
    samples = np.where(pairs > 0, sums / np.maximum(pairs, 1), np.nan)
    ends = logit_interval(float(above.mean()), samples, patients, min(ill, patients - ill)), interval(samples)
    return ends[0][0] <= true <= ends[0][1], ends[1][0] <= true <= ends[1][1]


if __name__ == "__main__":
    main()
