"""Which recipe draws the best X-rays in equal time? Trains each for the same minutes, in turn, and scores all alike.

    python tests/benchmarks/race.py DATASET [--minutes 10] [--seeds 1] [--recipes NAME …] [--set SECTION.KEY=VALUE …]
        [--split val] [--out FOLDER]
    python tests/benchmarks/race.py DATASET --score-only RUN … [--split held-out] [--out FOLDER]

DATASET is a prepared one, such as data/prepared/kermany_64. Each run is `xrgan train --minutes`, as a user would type
it, with the seeds 0, 1 …; its run directory stays in FOLDER. `--set` holds for every recipe, before its own settings.
`--score-only` trains nothing, and scores runs that were trained before: those whose names differ in a last number
alone, such as eigen64-0 and eigen64-1, are seeds of one recipe.

Every run draws 1,000 images, which `xrgan evaluate` scores with Inception and with EfficientNet-Lite1 against the same
images of the split, 1,000 at most. FOLDER/race.csv gets the figures of every run, of all images and of each class, with
those of real training images (the floor); FOLDER/race.md the means and standard deviations over the seeds.
Choose by `--split val`; report on `--split held-out`. Nothing else should run meanwhile.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
from race_table import markdown, rows_of

DCGAN = ["model.name=dcgan", "train.batch_size=16"]
PLAIN = ["train.ema_halflife_images=0"]
AUGMENTED = ["train.augment=1"]
R1 = ["train.loss=non-saturating", "train.r1=0.5"]
# The default's generator against a discriminator that begins with nothing, as the default was before.
BLIND = ["model.discriminator=plain"]
RECIPES = {
    # The classic, and each idea on top of it.
    "dcgan fp32 batch 64": ["model.name=dcgan", "train.batch_size=64", "train.precision=fp32", *PLAIN],
    "dcgan bf16 batch 64": ["model.name=dcgan", "train.batch_size=64", *PLAIN],
    "dcgan": [*DCGAN, *PLAIN],
    "dcgan + EMA": DCGAN,
    "dcgan + augmentation": [*DCGAN, *PLAIN, *AUGMENTED],
    "dcgan + EMA + augmentation": [*DCGAN, *AUGMENTED],
    "dcgan + EMA + augmentation + R1": [*DCGAN, *AUGMENTED, *R1],
    "dcgan + EMA + augmentation + projected": [*DCGAN, *AUGMENTED, "model.discriminator=projected"],
    # The default, and what becomes of it without each idea, or with another one.
    "eigen": [],
    "eigen without components": ["model.components=0"],
    "eigen without augmentation": ["train.augment=0"],
    "eigen adaptive augmentation": ["train.augment=adaptive"],
    "eigen without EMA": PLAIN,
    "eigen non-saturating": ["train.loss=non-saturating"],
    "eigen bce": ["train.loss=bce"],
    "eigen relativistic": ["train.loss=relativistic"],
    "eigen width 32": ["model.generator_width=32"],
    "eigen width 64": ["model.generator_width=64"],
    "eigen discriminator width 16": ["model.discriminator_width=16"],
    "eigen discriminator width 64": ["model.discriminator_width=64"],
    "eigen batch 8": ["train.batch_size=8"],
    "eigen batch 32": ["train.batch_size=32"],
    "eigen batch 64": ["train.batch_size=64"],
    "eigen batch 128": ["train.batch_size=128"],
    "eigen lr 1e-4": ["train.lr=1e-4"],
    "eigen lr 2e-4": ["train.lr=2e-4"],
    "eigen lr 4e-4": ["train.lr=4e-4"],
    "eigen lr 16e-4": ["train.lr=16e-4"],
    "eigen cosine": ["train.lr_end=0.1"],
    "eigen beta 0": ["train.beta1=0"],
    "eigen progressive": ["model.progressive=16,32,64"],
    "eigen feature matching": ["train.feature_matching=1"],
    "eigen without variance regularization": ["train.variance=0"],
    "eigen fp32": ["train.precision=fp32"],
    # The plain discriminator: what regularises it.
    "eigen plain": BLIND,
    "eigen plain without R1": [*BLIND, "train.r1=0"],
    "eigen plain R1 0.5": [*BLIND, "train.r1=0.5"],
    "eigen plain hinge": [*BLIND, "train.loss=hinge"],
    "eigen plain relativistic R1 + R2": [*BLIND, "train.loss=relativistic", "train.r2=0.02"],
    "eigen plain relativistic R1 + R2 each step": [
        *BLIND,
        "train.loss=relativistic",
        "train.r2=0.02",
        "train.penalty_every=1",
    ],
}
EXTRACTORS = ["inception", "lite1"]
METRICS = ["--fid", "--kid", "--clipped", "--prdc"]
ONE = ["recipe", "seed", "extractor", "class"]  # what makes a row one of its own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--score-only", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--split", choices=["val", "test", "held-out"], default="val")
    parser.add_argument("--out", type=Path, default=Path("race"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.score_only:
        for run in options.score_only:
            name, _, seed = run.resolve().name.rpartition("-")
            score(run, *((name, int(seed)) if seed.isdecimal() else (run.resolve().name, 0)), options)
        return
    for seed in range(options.seeds):
        for name in options.recipes:
            run = options.out / "-".join([name.replace(" ", "_"), *options.set, str(seed)])
            if not run.exists():  # a race that was interrupted goes on
                train(run, seed, [*options.set, *RECIPES[name]], options)
            score(run, " ".join([name, *options.set]), seed, options)


def train(run: Path, seed: int, chosen: list[str], options: argparse.Namespace) -> None:
    settings = [argument for setting in chosen for argument in ("--set", setting)]
    budget = ["--minutes", str(options.minutes), "--seed", str(seed)]
    xrgan("train", "--run", str(run), "--data", str(options.dataset), *budget, *settings)


def score(run: Path, recipe: str, seed: int, options: argparse.Namespace) -> None:
    """Draw and score a run's images; add its figures to race.csv, and write race.md of all that is there."""
    data = ["--run", str(run), "--data", str(options.dataset)]
    xrgan("sample", "--run", str(run), "--n", "1000", "--seed", "1")
    answers = [
        xrgan("evaluate", *data, *METRICS, "--extractor", extractor, "--split", options.split, "--json")
        for extractor in EXTRACTORS
    ]
    scored = pd.DataFrame([{"recipe": recipe, "seed": seed, **row} for row in rows_of(answers[-1], run)])
    table = options.out / "race.csv"
    if table.exists():
        scored = pd.concat([pd.read_csv(table), scored]).drop_duplicates(ONE, keep="last")
    scored.to_csv(table, index=False)
    (options.out / "race.md").write_text(markdown(scored), encoding="utf-8")
    print(markdown(scored[(scored["recipe"] == recipe) & (scored["seed"] == seed)]), flush=True)


def xrgan(*arguments: str) -> str:
    command = [sys.executable, "-m", "xrgan", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ).stdout


if __name__ == "__main__":
    main()
