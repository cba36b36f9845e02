"""A run of which everything is known, and one of which hardly anything is."""

from pathlib import Path
from typing import Any

from xrgan.cards.facts import Facts, Traces
from xrgan.config_resolve import resolve
from xrgan.rundir import RunDir

CARD: Any = {
    "source": {"name": "kermany", "title": "Chest X-rays | of children", "licence": "CC BY 4.0", "from": "folder k"},
    "options": {"size": 32, "table": ["/home/anna/labels.csv"], "seed": 0},
    "files": 120,
    "xrgan": "0.1.0",
    "images": 100,
    "channels": 1,
    "masks": [],
    "patients": 80,
    "classes": ["NORMAL", "PNEUMONIA"],
    "counts": {"train": {"NORMAL": 30, "PNEUMONIA": 50}, "test": {"NORMAL": 10, "PNEUMONIA": 10}},
    "width": {"min": 200, "median": 224, "max": 300},
    "height": {"min": 200, "median": 224, "max": 300},
    "kinds": {"L": 100},
    "views": {"unknown": 100},
    "synthetic": 0,
    "patients_in_two_splits": 3,
    "left_out": {"of another view": 7},
    "splits": "the source's own",
    "classes_merged_by": "none",
    "taken_from": {"class": "folders, level 1"},
    "not_images": {".npy": 2},
    "duplicates": 1,
    "near_duplicates": 2,
    "pictures_of_two_classes": 0,
    "skipped": [
        {"file": "mueller_anna.png", "reason": "no image"},
        {"file": "b.png", "reason": "no image"},
        {"file": "c.png", "reason": "shows the same picture as mueller_anna.png"},
    ],
    "content_hash": "ab" * 32,
}
SCORES: Any = {
    "reference": "held-out",
    "images": {"n": 20},
    "metrics": {
        "fid": {"value": 90.25, "floor": 60.5, "ratio": 1.49, "n": 20},
        "clipped_coverage": {
            "value": 0.5,
            "floor": 0.9,
            "n": 20,
            "interval": [0.4, 0.6],
            "per_class": {"NORMAL": {"value": 0.31}, "PNEUMONIA": {"value": 0.62}},
        },
        "memorisation": {"value": 0.05, "floor": 0.0, "n": 20, "suspects": 1, "note": "among 80 training images"},
        "unheard-of": {"value": 1.0},
    },
}


def known(folder: Path) -> Facts:
    return Facts(
        run=RunDir(folder / "exp1"),
        config=resolve(settings=["model.conditional=true", "model.masks=false", "dataset=kermany_32"]),
        environment={
            "xrgan": "0.1.0",
            "python": "3.12.1",
            "torch": "2.9",
            "device": "cpu (2 threads)",
            "run_id": "c0ffee",
            "dataset": {
                "name": "kermany_32",
                "content_hash": "ab" * 32,
                "training_images": 80,
                "size": 32,
                "channels": 1,
                "classes": ["NORMAL", "PNEUMONIA"],
            },
        },
        losses=[{"epoch": 1, "seconds": 90.0, "images_seen": 1000.0}],
        scores=SCORES,
        studies={"classify": {"conclusion": "Nothing shown.", "comparisons": [{"sentence": "A does not help."}]}},
        dataset=CARD,
        traces=Traces(80, 10, 0.21, 0.62, 0.55),
    )


def unknown(folder: Path) -> Facts:
    return Facts(RunDir(folder / "old"), resolve(), {}, [], {}, {}, None)
