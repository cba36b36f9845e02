"""A run with everything that a report shows, made of files alone: no network was trained."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.cards.cases import SCORES
from xrgan.cards.facts import Facts, gather
from xrgan.config_resolve import resolve
from xrgan.data.images import grid, save_png
from xrgan.files import write_csv, write_yaml
from xrgan.marks import Origin, mark_of, mixed_mark
from xrgan.report.page import Sources
from xrgan.rundir import RunDir

CLASSES = ("NORMAL", "PNEUMONIA")
STUDY: Any = {
    "options": {"seeds": 3, "arms": ["real", "real+synthetic"], "arch": "resnet18", "k_folds": 0},
    "conclusion": "Against real: nothing is shown for real+synthetic.",
    "baseline": "real",
    "results": [
        {
            "arm": arm,
            "fraction": 1.0,
            "n_real": 80,
            "n_synthetic": n,
            "test": {key: {"mean": 0.9, "std": None, "interval": [0.8, 0.95]} for key in ("auroc", "dice")},
        }
        for arm, n in (("real", 0), ("real+synthetic", 80))
    ],
    "comparisons": [
        {
            "arm": "real+synthetic",
            "fraction": 1.0,
            "verdict": "nothing shown",
            "sentence": "real+synthetic against real: nothing shown.",
            "effect": {"mean": -0.01, "interval": [-0.05, 0.03]},
        }
    ],
    "caveats": ["It holds for this dataset."],
}
PAIRS = [
    {"synthetic": 0, "training": 3, "space": "pixels", "relative": 0.31, "nearness": 0.7},
    {"synthetic": 1, "training": 5, "space": "features", "relative": 0.92, "nearness": 1.2},
]


def noise(seed: int, size: int = 16, channels: int = 1) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (channels, size, size), dtype=np.uint8)


def put_run(folder: Path, name: str = "exp1", images: int = 6, size: int = 16, masks: bool = True) -> RunDir:
    """Write all files of a run that was trained, drew, and was scored and studied."""
    run = RunDir(folder / name)
    run.path.mkdir(parents=True)
    settings = ["dataset=tiny", "train.epochs=3", "model.conditional=true", f"model.masks={str(masks).lower()}"]
    run.write_config(resolve(settings=settings))
    run.write_environment(
        {
            "xrgan": "0.1.0",
            "git_commit": "0123456789abcdef",
            "device": "cpu (1 threads)",
            "run_id": "c0ffee",
            "dataset": {
                "name": "tiny",
                "content_hash": "ab" * 32,
                "training_images": 80,
                "classes": list(CLASSES),
                "size": size,
                "channels": 1,
                "source": "mine",
                "options": {"size": size, "fit": "crop", "table": ["/home/anna/labels.csv"], "labels": list(CLASSES)},
            },
        }
    )
    run.write_losses([_losses(epoch) for epoch in (1, 2, 3)])
    put_images(run, images, size, masks)
    put_scores(run)
    for study in ("classify", "segment"):
        write_yaml(run.path / study / "summary.yaml", STUDY)
    save_png(run.classify / "roc.png", noise(50, 40))
    save_png(run.segment / "overlays.png", noise(51, 40), mixed_mark())
    return run


def _losses(epoch: int) -> dict[str, float]:
    row = {"epoch": epoch, "step": 10 * epoch, "images_seen": 160 * epoch, "seconds": 30.0 * epoch}
    row |= {"discriminator_loss": 1.1 / epoch, "generator_loss": 1.3, "d_real": 0.8, "d_fake": 0.2}
    return row | ({"diversity": 0.9, "overfitting": 0.1} if epoch == 2 else {})


def put_images(run: RunDir, images: int, size: int, masks: bool) -> None:
    """Write grids of two epochs, and synthetic images of two classes in turn."""
    origin = Origin(run.name, "c0ffee")
    for epoch in (1, 3):
        sheet = grid(np.stack([noise(k + epoch, size) for k in range(4)]), 2)
        save_png(run.samples / f"epoch_{epoch:04d}.png", sheet, mark_of(origin, 0, shows=f"grid of epoch {epoch}"))
    rows = []
    for k in range(images):
        label = CLASSES[k % 2]
        stem = f"synthetic_{k + 1:05d}"
        save_png(run.synthetic / f"{stem}.png", noise(100 + k, size), mark_of(origin, 0, k + 1, label))
        if masks:
            mask = np.where(noise(200 + k, size) > 127, 150, 0).astype(np.uint8)
            save_png(run.synthetic / f"{stem}_mask.png", mask, mark_of(origin, 0, k + 1, label, "masks"))
        rows.append((f"{stem}.png", 0, label))
    write_csv(run.synthetic / "index.csv", [("file", "seed", "label"), *rows])
    write_yaml(run.synthetic / "sample.yaml", {"run": run.name, "seed": 4, "mask_values": {"lungs": 150}})


def put_scores(run: RunDir) -> None:
    """Write scores of two checkpoints and of the images, with two close pairs, and the pictures that go with them."""
    memorisation = SCORES["metrics"]["memorisation"] | {"closest": PAIRS, "interval": [0.01, 0.2]}
    density = {"value": 0.6, "floor": 0.9, "n": 20, "per_class": {name: {"value": 0.5} for name in CLASSES}}
    metrics = SCORES["metrics"] | {"memorisation": memorisation, "clipped_density": density}
    write_yaml(run.evaluation / "scores.yaml", SCORES | {"metrics": metrics, "notes": ["FID is biased."]})
    save_png(run.evaluation / "memorisation.png", noise(60, 40), mixed_mark())
    save_png(run.evaluation / "overview.png", noise(61, 40), mixed_mark())
    head = "checkpoint,epoch,step,images_seen,split,n,seed,extractor,layer,fid,fid_floor,kid,kid_std,kid_floor,seconds"
    lines = [f"step_{k},{k},{k},{160 * k},val,20,0,inception,2048,{90 - k},60,0.1,0.01,0.001,9" for k in (1, 2)]
    (run.evaluation / "over_time.csv").write_text("\n".join([head, *lines]) + "\n")


def facts_of(run: RunDir) -> Facts:
    return gather(run)


def sources_of(run: RunDir, public: bool = False) -> Sources:
    return Sources(facts_of(run), run.synthetic, public)
