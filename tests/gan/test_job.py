"""What a training needs, put together."""

from pathlib import Path

import pytest

from tests.gan.helpers import batch, job_of, tiny_config, tiny_dataset
from xrgan.gan.networks.base import ImageSpec
from xrgan.rundir import RunDir


@pytest.mark.parametrize(
    ("conditional", "masks", "expected"),
    [
        (True, False, ImageSpec(16, 1, 2)),
        (False, True, ImageSpec(16, 1, 0, ("lungs", "heart"))),
    ],
)
def test_the_networks_draw_what_was_asked_for(
    tmp_path: Path, conditional: bool, masks: bool, expected: ImageSpec
) -> None:
    dataset = tiny_dataset(tmp_path, masks=("lungs", "heart"))
    job = job_of(RunDir(tmp_path / "run"), dataset, tiny_config(conditional=conditional, masks=masks))
    assert job.spec == expected
    images, _ = batch(job.batches, 0)
    assert images.shape == (4, expected.all_channels, 16, 16)


def test_putting_a_job_together_writes_and_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = tiny_dataset(tmp_path)
    dataset.labels[:5] = -1
    job = job_of(RunDir(tmp_path / "run"), dataset, tiny_config())
    assert job.batches.left_out == 5 and not job.run.path.exists()
    assert capsys.readouterr() == ("", "")
