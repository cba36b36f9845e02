"""How often does KID's 95 % interval hold the truth? Equal sets, shifted ones, several images of a patient.

    python -m tests.benchmarks.kid_intervals [--repeats 1000]

Features are rectified normal ones, of which a few directions matter most, as in networks. The truth of shifted sets is
the mean over all repeats, for KID without pairs of one patient's images has no bias.
"""

import argparse

import numpy as np

from xrgan.evaluation.intervals import kid_interval

DIMENSIONS = 32
SCALE = np.linspace(1.5, 0.1, DIMENSIONS)
# patients and images of each on the real side, how alike these are, shift of the synthetic side
DESIGNS = [
    *((n, 1, 0.0, shift) for n in (30, 100) for shift in (0.0, 0.1, 0.4)),
    *((40, 3, 0.8, shift) for shift in (0.0, 0.1, 0.4)),
    *((20, 5, 0.9, shift) for shift in (0.0, 0.4)),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1000)
    repeats = parser.parse_args().repeats
    print("patients, images of each, alike, shift: the interval holds the truth; lies above it; below it")
    for patients, images, alike, shift in DESIGNS:
        ends = np.array([once(seed, patients, images, alike, shift) for seed in range(repeats)])
        truth = ends[:, 2].mean() if shift else 0.0
        above, below = (ends[:, 0] > truth).mean(), (ends[:, 1] < truth).mean()
        shares = "; ".join(f"{100 * share:.1f} %" for share in (1 - above - below, above, below))
        print(f"{patients:3d}, {images}, {alike}, {shift}: {shares}", flush=True)


def once(seed: int, patients: int, images: int, alike: float, shift: float) -> tuple[float, float, float]:
    """Both ends of the interval of one pair of sets, and the value between patients that it stands on."""
    rng = np.random.default_rng(seed)
    of_real = np.repeat(np.arange(patients), images)
    real, synthetic = draw(rng, patients, images, alike, 0.0), draw(rng, patients * images, 1, 0.0, shift)
    within = [cubic(of_one, of_one) for of_one in (real, synthetic)]
    between = cubic(real, synthetic)
    interval = kid_interval(within[0], within[1], between, of_real, None)
    apart = of_real[:, None] != of_real
    others = ~np.eye(len(synthetic), dtype=bool)
    return interval.low, interval.high, within[0][apart].mean() + within[1][others].mean() - 2 * between.mean()


def draw(rng: np.random.Generator, patients: int, images: int, alike: float, shift: float) -> np.ndarray:
    of_patient, of_image = (rng.normal(size=(patients, count, DIMENSIONS)) for count in (1, images))
    mixed = np.sqrt(alike) * of_patient + np.sqrt(1 - alike) * of_image
    features: np.ndarray = np.maximum(mixed.reshape(-1, DIMENSIONS) * SCALE + 0.2 + shift, 0)
    return features


def cubic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    kernel: np.ndarray = (a @ b.T / DIMENSIONS + 1) ** 3
    return kernel


if __name__ == "__main__":
    main()
