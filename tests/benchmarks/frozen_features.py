"""What it saves to compute a frozen network's features once, and not for every fold: seconds of CPU of one study.

python -m tests.benchmarks.frozen_features data/prepared/kermany_64_by_patient [--images 1500]
"""

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from xrgan import console
from xrgan.config import ClassifyConfig
from xrgan.data.packed import open_packed
from xrgan.downstream import report
from xrgan.downstream.classification.task import Classification, FrozenFeatures
from xrgan.downstream.study import run_study

COLUMNS = ("images", "labels", "splits", "patients", "hashes", "copies_of")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--images", type=int, default=1500, help="of the dataset, drawn at random")
    asked = parser.parse_args()
    console.configure(quiet=True)
    whole = open_packed(asked.dataset)
    rows = np.sort(np.random.default_rng(0).permutation(len(whole.labels))[: asked.images])
    some = dataclasses.replace(whole, **{name: getattr(whole, name)[rows] for name in COLUMNS})
    config = ClassifyConfig(
        arch="efficientnet-lite0", arms=("real",), k_folds=5, seeds=3, epochs=4, patience=0, resamples=100
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "save_pictures", lambda *_: {})
        for name in ("once", "for every fold"):
            if name != "once":
                patch.setattr(FrozenFeatures, "of", lambda _, images, compute: compute(images))
            begun = time.process_time()
            with tempfile.TemporaryDirectory() as folder:
                run_study(Classification(config), some, torch.device("cpu"), Path(folder))
            console.show_text(f"features {name}: {time.process_time() - begun:.1f} s of CPU")


if __name__ == "__main__":
    main()
