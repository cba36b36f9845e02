"""Do the synthetic images help?"""

from pathlib import Path
from typing import Any

from xrgan.config import Config
from xrgan.pipeline.datasets import dataset_of
from xrgan.pipeline.drawing import drawn
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace


def classify(
    workspace: Workspace, run: RunDir, config: Config, data: str | None = None, synthetic: Path | None = None
) -> dict[str, Any]:
    """Compare a classifier on real images with one on real and a run's synthetic ones.

    Returns:
        What classify/summary.yaml holds.
    """
    from xrgan.data.synthetic import read_synthetic
    from xrgan.downstream import study
    from xrgan.hardware import choose_device

    dataset = dataset_of(workspace, run, config, data)
    study.check(dataset, config.classify)
    wanted = round(len(dataset.of_split("train", "val")) * config.classify.ratio)
    folder = synthetic or drawn(workspace, run, config, wanted, data)
    images, labels = read_synthetic(folder, dataset.classes)
    return study.classify(dataset, images, labels, config.classify, choose_device(config.device), run.classify)
