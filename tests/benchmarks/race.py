"""Which recipe draws the best X-rays in equal time? Trains each for the same minutes, in turn, and scores it.

    python tests/benchmarks/race.py DATASET [--minutes 10] [--seeds 0] [--recipes NAME …] [--set SECTION.KEY=VALUE …]
        [--split val] [--out FOLDER]

DATASET is a prepared one, such as data/prepared/kermany_64. Each run is the commands `xrgan train --minutes`,
`xrgan sample` and `xrgan evaluate`, as a user would type them; its run directory stays in FOLDER. A line goes to
FOLDER/race.csv after every run: FID and KID at the N that the split allows (1,000 at most), the real-vs-real floor,
precision, recall and coverage, images a second, images seen. What is `--set` holds for every recipe, before its own
settings. Choose by `--split val`; report on `--split held-out`. Nothing else should run meanwhile.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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
SHARES = ["precision", "recall", "coverage"]
SCORES = ["n", "FID", "FID floor", "KID ×1000", *SHARES]
COLUMNS = ["recipe", "seed", "minutes", *SCORES, "images/s", "images seen", "settings"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--split", choices=["val", "test", "held-out"], default="val")
    parser.add_argument("--out", type=Path, default=Path("race"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = options.out / "race.csv"
    if not table.exists():
        write(table, COLUMNS)
    for seed in options.seeds:
        for name in options.recipes:
            row = race(name, seed, options)
            write(table, [row[column] for column in COLUMNS])
            print(", ".join(f"{column} {row[column]}" for column in COLUMNS[:-1]), flush=True)


def race(name: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    chosen = [*options.set, *RECIPES[name]]
    run = options.out / "-".join([name.replace(" ", "_"), *options.set, str(seed)])
    settings = [argument for setting in chosen for argument in ("--set", setting)]
    data = ["--data", str(options.dataset)]
    xrgan("train", "--run", str(run), *data, "--minutes", str(options.minutes), "--seed", str(seed), *settings)
    xrgan("sample", "--run", str(run), "--n", "1000", "--seed", "1")
    score = ["evaluate", "--run", str(run), *data, "--fid", "--kid", "--prdc", "--split", options.split, "--json"]
    scores = json.loads(xrgan(*score))["metrics"]
    with (run / "losses.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    seen, seconds = int(float(last["images_seen"])), float(last["seconds"])
    return {
        "recipe": name,
        "seed": seed,
        "minutes": options.minutes,
        "n": scores["fid"]["n"],
        "FID": round(scores["fid"]["value"], 1),
        "FID floor": round(scores["fid"]["floor"], 1),
        "KID ×1000": round(1000 * scores["kid"]["value"], 1),
        **{name: round(scores[name]["value"], 3) for name in SHARES},
        "images/s": round(seen / seconds),
        "images seen": seen,
        "settings": " ".join(chosen),
    }


def xrgan(*arguments: str) -> str:
    command = [sys.executable, "-m", "xrgan", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ).stdout


def write(file: Path, row: list[Any]) -> None:
    with file.open("a", newline="", encoding="utf-8") as opened:
        csv.writer(opened, lineterminator="\n").writerow(row)


if __name__ == "__main__":
    main()
