"""Does the search for memorised images find copies that were planted, and leave honest images alone?

    python tests/benchmarks/planted_copies.py DATASET [--n 1000] [--repeats 20] [--pixels-only] [--picture FILE]

DATASET is a prepared one, such as data/prepared/kermany_64. A set of N images is 99 % held-out real ones (val and test)
and 1 % changed copies of training images, in so many repeats for each kind of change. The held-out images are judged in
five folds by patient, each with thresholds from the other four; the copies of a repeat, by the thresholds of one fold.
Prints for each kind how many copies are found, by which test, and whether the training image that they were made from
is named; then the false alarms. All but the last five kinds are meant to be found; those show where the tests end.
"""

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from xrgan.data.packed import PackedDataset, open_packed
from xrgan.evaluation import extractors, inception_weights
from xrgan.evaluation.features import extract
from xrgan.evaluation.memorisation import copies
from xrgan.evaluation.memorisation.picture import draw_pairs
from xrgan.evaluation.memorisation.report import memorisation
from xrgan.hardware import choose_device

FOLDS = 5
Picture = NDArray[np.uint8]  # (H, W)
Rng = np.random.Generator
Change = Callable[[Picture, Picture, Rng], Picture]  # of a picture; the other one, held out, is for blends and halves


def shifted(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """By up to 6 % of the size; what comes in at the border is black, or the border's own pixels."""
    most = round(len(picture) * 4 / 64)
    down, right = rng.integers(-most, most + 1, 2)
    padded = np.pad(picture, most, mode="edge" if rng.integers(2) else "constant")
    return padded[most + down :, most + right :][: len(picture), : len(picture)]


def brightened(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return gray(picture * rng.choice([0.8, 1.2]))


def noisy(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return gray(picture + rng.normal(0, 10, picture.shape))


def compressed(picture: Picture, other: Picture, rng: Rng) -> Picture:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file))


def unchanged(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture


def mirrored(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture[:, ::-1]


def blended(share: float) -> Change:
    def blend(picture: Picture, other: Picture, rng: Rng) -> Picture:
        return gray(share * picture + (1 - share) * other)

    return blend


def blurred(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(len(picture) / 64)))


def turned(degrees: float) -> Change:
    def turn(picture: Picture, other: Picture, rng: Rng) -> Picture:
        angle = float(rng.choice([-degrees, degrees]))
        return np.asarray(Image.fromarray(picture).rotate(angle, Image.Resampling.BICUBIC))

    return turn


def zoomed(factor: float) -> Change:
    """About the centre; below 1, it is smaller, on black."""

    def zoom(picture: Picture, other: Picture, rng: Rng) -> Picture:
        size = len(picture)
        scaled = Image.fromarray(picture).resize((round(size * factor),) * 2, Image.Resampling.BICUBIC)
        edge = (scaled.width - size) // 2
        return np.asarray(scaled.crop((edge, edge, edge + size, edge + size)))

    return zoom


def cropped(most: float) -> Change:
    """By up to so much, anywhere, and brought back to its size."""

    def crop(picture: Picture, other: Picture, rng: Rng) -> Picture:
        size = len(picture)
        side = size * (1 - rng.uniform(0, most))
        left, top = rng.uniform(0, size - side, 2)
        box = (left, top, left + side, top + side)
        return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC, box))

    return crop


def inverted(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return 255 - picture


def halved(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """One half, of four, in another picture."""
    middle = len(picture) // 2
    halves = (np.s_[:, :middle], np.s_[:, middle:], np.s_[:middle], np.s_[middle:])
    mixed = other.copy()
    half = halves[rng.integers(4)]
    mixed[half] = picture[half]
    return mixed


def coarsened(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """A quarter of the pixels in each direction, and back."""
    size = len(picture)
    small = Image.fromarray(picture).resize((size // 4, size // 4), Image.Resampling.BOX)
    return np.asarray(small.resize((size, size), Image.Resampling.BICUBIC))


def gray(values: NDArray[np.floating]) -> Picture:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


MEANT = {
    "exact": unchanged,
    "shifted by up to 6 %": shifted,
    "brightness ± 20 %": brightened,
    "noise, σ = 10 of 255": noisy,
    "JPEG, quality 50": compressed,
    "blended: 70 % copy": blended(0.7),
    "turned by 3°": turned(3),
    "turned by 10°": turned(10),
    "zoomed in by 5 %": zoomed(1.05),
    "zoomed in by 15 %": zoomed(1.15),
    "zoomed out by 13 %": zoomed(0.87),
    "cropped by up to 15 %": cropped(0.15),
    "mirrored": mirrored,
    "inverted": inverted,
    "half a copy": halved,
}
BEYOND = {
    "blended: 60 % copy": blended(0.6),
    "blurred, σ = 1/64": blurred,
    "turned by 15°": turned(15),
    "zoomed in by 25 %": zoomed(1.25),
    "a quarter of the pixels": coarsened,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pixels-only", action="store_true")
    parser.add_argument("--picture", type=Path, help="draw one copy of each kind, and the honest images nearest to one")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    dataset = open_packed(options.dataset)
    features = nothing if options.pixels_only else inception_features()
    training, held_out = dataset.of_split("train"), dataset.of_split("val", "test")
    start = time.perf_counter()
    detector = copies.fit(
        dataset.xrays(training),
        dataset.xrays(held_out),
        features(dataset.xrays(training), "training"),
        features(dataset.xrays(held_out), "held-out"),
    )
    folds = by_patient(dataset, held_out, rng)
    relative = {name: of.relative_distance for name, of in detector.held_out.neighbours.items()}
    limits = [
        copies.thresholds({name: values[folds != fold] for name, values in relative.items()}) for fold in range(FOLDS)
    ]
    alarms = np.zeros(len(held_out), bool)
    for fold, limit in enumerate(limits):
        for name, values in relative.items():
            alarms |= (folds == fold) & (values <= limit[name])
    shown = "; ".join(
        f"{name} {min(limit[name] for limit in limits):.3f} to {max(limit[name] for limit in limits):.3f}"
        for name in relative
    )
    print(f"{dataset.name}: {len(training):,} training and {len(held_out):,} held-out images at {dataset.size}²")
    print(f"thresholds of the relative distance in {FOLDS} folds: {shown}")
    planted_a_set = max(1, round(options.n / 100))
    tests = list(relative)
    print(f"\n| kind | planted | found | recall | {' | '.join(f'by {name}' for name in tests)} | original named |")
    print("|---" * (5 + len(tests)) + "|")
    for kind, change in (MEANT | BEYOND).items():
        chosen = rng.choice(training, options.repeats * planted_a_set)
        changed = planted(dataset, chosen, rng.choice(held_out, len(chosen)), change, rng)
        judged = copies.judge(detector, changed, features(changed, kind))
        of_repeat = np.repeat(np.arange(options.repeats), planted_a_set) % FOLDS
        found = {
            name: of.relative_distance <= np.array([limits[fold][name] for fold in of_repeat])
            for name, of in judged.neighbours.items()
        }
        either = np.any(list(found.values()), axis=0)
        named = np.any([training[of.index] == chosen for of in judged.neighbours.values()], axis=0)
        shares = [f"{part.mean():.1%}" for part in found.values()]
        cells = [kind, f"{len(changed)}", f"{either.sum()}", f"{either.mean():.1%}", *shares, f"{named.mean():.1%}"]
        print(f"| {' | '.join(cells)} |", flush=True)
    elsewhere = ~np.isin(dataset.patients[held_out], dataset.patients[training])
    print("\n| false alarms among | images | alarms | share |\n|---|---|---|---|")
    honest = options.n - planted_a_set
    if honest <= len(held_out):
        sets = [alarms[rng.choice(len(alarms), honest, replace=False)].sum() for _ in range(options.repeats)]
        print(f"| the honest ones of a set of {options.n:,}, mean | {honest} | {np.mean(sets):.1f} | ", end="")
        print(f"{np.mean(sets) / honest:.2%} (at most {max(sets) / honest:.2%}) |")
    for what, these in (
        ("all held-out images", np.ones(len(held_out), bool)),
        ("val", dataset.splits[held_out] == "val"),
        ("test", dataset.splits[held_out] == "test"),
        ("held-out patients who aren't in train", elsewhere),
    ):
        print(f"| {what} | {these.sum()} | {alarms[these].sum()} | {alarms[these].mean():.2%} |")
    print(f"\n{time.perf_counter() - start:.0f} s")
    if options.picture:
        one_each = [
            planted(dataset, rng.choice(training, 1), rng.choice(held_out, 1), change, rng)
            for change in (MEANT | BEYOND).values()
        ]
        images = np.concatenate([*one_each, dataset.xrays(held_out)])
        judged = copies.judge(detector, images, features(images, "shown"))
        figure = memorisation(detector, judged)
        draw_pairs(options.picture, images, dataset.xrays(training), figure)


def inception_features() -> Callable[[NDArray[np.uint8], str], NDArray[np.float32] | None]:
    extractor = extractors.inception(inception_weights.fetch_weights(), choose_device("auto"))
    return lambda images, what: extract(images, extractor, f"Features of {what} images")[extractor.last]


def nothing(images: NDArray[np.uint8], what: str) -> None:
    """Without features, pixels alone are compared."""


def by_patient(dataset: PackedDataset, indices: NDArray[np.int64], rng: Rng) -> NDArray[np.int64]:
    """The fold of each image, (n,): a patient's images share one."""
    patients, where = np.unique(dataset.patients[indices], return_inverse=True)
    return rng.integers(0, FOLDS, len(patients))[where]


def planted(
    dataset: PackedDataset,
    chosen: NDArray[np.int64],
    others: NDArray[np.int64],
    change: Change,
    rng: Rng,
) -> NDArray[np.uint8]:
    images = [
        change(dataset.xrays(k)[0], dataset.xrays(other)[0], rng) for k, other in zip(chosen, others, strict=True)
    ]
    return np.stack(images)[:, None]


if __name__ == "__main__":
    main()
