"""`xrgan prune`, and the size of runs in `xrgan runs`."""

import json
import shutil
from pathlib import Path

import pytest

from tests.gan.helpers import tiny_config, tiny_dataset, trained
from tests.terminal import Terminal


@pytest.mark.slow
def test_a_run_and_the_generators_of_its_studies_shrink(type_: Terminal) -> None:
    run = trained(Path("runs/mine"), tiny_dataset(Path("data/prepared")), tiny_config("train.epochs=2"))
    shutil.copytree(run.path, run.classify / "generators/fold1")
    before = json.loads(type_("runs --json").out)[0]["bytes"]
    answer = type_("prune mine")
    after = json.loads(type_("runs --json").out)[0]["bytes"]
    assert after < before / 2 and answer.err.count("MB before") == 2
    assert "MB" in type_("runs").out
    type_("sample --run mine -n 2 --device cpu")
    assert "was pruned" in " ".join(type_("resume --run mine --epochs 3", code=1).err.split())


def test_a_run_is_named_to_be_pruned(type_: Terminal) -> None:
    assert "Name it" in type_("prune", code=2).err
