"""What a step takes from outside: the right images with their labels, and numbers that depend on the step alone."""

from pathlib import Path

import torch

from tests.gan.helpers import batch, tiny_job
from xrgan.gan.feed import feed


def test_a_step_is_fed_its_images_with_their_labels(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    fed = feed(3, 1.0, job, 16)
    images, labels = batch(job.batches, 3)
    assert torch.equal(fed.images, images) and torch.equal(fed.labels, labels)
    brighter_above = fed.images[:, :, :8].mean(dim=(1, 2, 3)) > fed.images[:, :, 8:].mean(dim=(1, 2, 3))
    assert torch.equal(brighter_above, fed.labels == 0)


def test_every_number_depends_on_the_seed_and_the_step(tmp_path: Path) -> None:
    job, other = tiny_job(tmp_path), tiny_job(tmp_path / "other", "train.seed=1")
    one, again, next_one, elsewhere = (feed(k, 1.0, a, 16) for k, a in ((5, job), (5, job), (6, job), (5, other)))
    for name in ("z", "changes_of_real", "changes_of_fake"):
        ours = getattr(one, name)
        assert torch.equal(ours, getattr(again, name))
        assert not torch.equal(ours, getattr(next_one, name)) and not torch.equal(ours, getattr(elsewhere, name))
    assert not torch.equal(one.changes_of_real, one.changes_of_fake)
    assert one.z.shape == (4, 8) and len(one.changes_of_real) == 4


def test_nothing_is_drawn_for_an_augmentation_that_there_is_not(tmp_path: Path) -> None:
    assert feed(0, 0.0, tiny_job(tmp_path), 16).changes_of_real.numel() == 0
