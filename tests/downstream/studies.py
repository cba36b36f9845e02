"""Studies of toys, run in a moment: what tests of the whole, and of its trainings, ask."""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from tests.downstream.blobs import QUICK, toy_dataset, toy_synthetic_images
from xrgan.data.packed import PackedDataset
from xrgan.downstream import checkpoints
from xrgan.downstream.classification.task import Classification
from xrgan.downstream.leaks import TrainingProvenance
from xrgan.downstream.pool import SyntheticImages
from xrgan.downstream.study import run_study

CPU = torch.device("cpu")
DATASET = toy_dataset()


@dataclass(frozen=True)
class Result:
    folder: Path
    summary: dict[str, Any]
    trainings: int  # that were done now

    @property
    def text(self) -> str:
        """scores.csv, but for the seconds, which are the last column."""
        return re.sub(r",[^,]*$", "", (self.folder / "scores.csv").read_text(), flags=re.MULTILINE)

    @property
    def scores(self) -> pd.DataFrame:
        return pd.read_csv(io.StringIO(self.text))

    def of(self, **place: Any) -> pd.DataFrame:
        chosen = self.scores
        for column, value in place.items():
            chosen = chosen[chosen[column] == value]
        return chosen.reset_index(drop=True)


def run(
    folder: Path,
    dataset: PackedDataset = DATASET,
    synthetic: SyntheticImages | None = None,
    seen: tuple[TrainingProvenance, ...] = (),
    **options: Any,
) -> Result:
    """A study of those options, in `folder`; its synthetic images are blobs, too."""
    config = QUICK.model_copy(update=options)
    drawn = synthetic or toy_synthetic_images(dataset)
    done = 0
    with pytest.MonkeyPatch.context() as patch:
        whole = checkpoints.keep_best

        def counting(*args: Any) -> None:
            nonlocal done
            done += 1
            whole(*args)

        patch.setattr(checkpoints, "keep_best", counting)
        summary = run_study(Classification(config), dataset, CPU, folder, lambda _: drawn, seen)
    return Result(folder, summary, done)
