"""What it saves to ask a frozen network once and in few steps: seconds of CPU of a study.

First its features of images that stay as they are, once or for every fold; then the arm with classic augmentation,
where images change at every step, with each BatchNorm made part of its convolution, or not.

python -m tests.benchmarks.frozen_features data/prepared/kermany_64_by_patient [--images 1500]
"""

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from xrgan import console
from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset, open_packed
from xrgan.downstream import report
from xrgan.downstream.classification.networks import Classifier
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "save_pictures", lambda *_: {})
        folds: dict[str, Any] = {"arms": ("real",), "k_folds": 5, "seeds": 3}
        measure("features once", some, folds)
        with patch.context() as another:
            another.setattr(FrozenFeatures, "of", lambda _, images, compute: compute(images))
            measure("features for every fold", some, folds)
        classic: dict[str, Any] = {"arms": ("real+classic",), "k_folds": 0}
        measure("real+classic, folded", some, classic)
        patch.setattr(Classifier, "folded", lambda network: network)
        measure("real+classic, not folded", some, classic)


def measure(what: str, dataset: PackedDataset, options: Mapping[str, Any]) -> None:
    """Print the seconds of CPU that a study takes."""
    config = ClassifyConfig(arch="efficientnet-lite0", epochs=4, patience=0, resamples=100, **options)
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        run_study(Classification(config), dataset, torch.device("cpu"), Path(folder))
    console.show_text(f"{what}: {time.process_time() - begun:.1f} s of CPU")


if __name__ == "__main__":
    main()
