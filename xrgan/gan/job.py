"""One training: of which images, into which run, by which plan, on which device."""

from dataclasses import dataclass
from functools import cached_property

import torch

from xrgan.config import Config
from xrgan.data.packed import PackedDataset
from xrgan.gan.batches import Batches, make_batches
from xrgan.gan.networks.base import ImageSpec, NetworkPlan
from xrgan.gan.pixels import PixelStore
from xrgan.gan.plan import TrainingPlan, training_plan
from xrgan.rundir import RunDir


@dataclass(frozen=True)
class Job:
    """All that stays the same while a run trains; what changes is its TrainState."""

    run: RunDir
    dataset: PackedDataset
    plan: TrainingPlan
    spec: ImageSpec
    device: torch.device
    batches: Batches

    def size_at(self, grown: float) -> int:
        """The pixels, height and width, of the images that a training takes whose networks have grown so far."""
        model = self.plan.model
        return model.progressive[int(grown)] if model.progressive and model.growth == "residual" else self.spec.size

    @cached_property
    def pixels(self) -> PixelStore:
        """Where a step's images come from; made at the first one."""
        return PixelStore(self.batches, self.device)


def make_job(run: RunDir, dataset: PackedDataset, config: Config, device: torch.device) -> Job:
    """Put together what a training needs; nothing is read, written or said.

    Args:
        config: as the run's config.yaml holds it, or will.

    Raises:
        XrganError: there are fewer images than one batch needs.
    """
    plan = training_plan(config)
    return Job(run, dataset, plan, image_spec(dataset, plan.model), device, make_batches(dataset, plan))


def image_spec(dataset: PackedDataset, plan: NetworkPlan) -> ImageSpec:
    """What the networks draw for this dataset."""
    classes = len(dataset.classes) if plan.conditional else 0
    return ImageSpec(dataset.size, dataset.channels, classes, dataset.masks if plan.masks else ())
