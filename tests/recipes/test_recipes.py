"""Follows the five recipes of xrgan/README.md on a copy of the package, and uses what they added by the command.

A recipe is the list of files that it touches, as the map names them, and what is written into each. All five are
followed in one copy, and used by one process, so that torch is imported once.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd
import pytest
import yaml

import xrgan

pytestmark = pytest.mark.slow

HOUSE = Path(xrgan.__file__).parent


@dataclass(frozen=True)
class Edit:
    """What is written into one file: a new one where `find` is empty, else `find` (there once) becomes `replace`."""

    file: str
    replace: str
    find: str = ""


SOURCE = [
    Edit(
        "data/sources.py",
        """

_add(
    Source(
        name="toy",
        title="Toy X-rays, behind a form",
        licence="CC0",
        citation="Nobody 2026",
        url="https://example.org/toy",
        images=24,
        origin="manual",
        patient_pattern=r"^(phantom\\d+)_",
        classes=("NORMAL", "PNEUMONIA"),
    )
)
""",
    )
]
NETWORK = [
    Edit(
        "gan/networks/toy.py",
        '''"""The least that draws: one linear layer each."""

import torch
from torch import Tensor, nn

from xrgan.gan.networks import base


class Generator(base.Generator):
    def __init__(self, plan: base.NetworkPlan, spec: base.ImageSpec) -> None:
        super().__init__()
        self.shape = (spec.all_channels, spec.size, spec.size)
        self.layer = nn.Linear(plan.latent_size, spec.all_channels * spec.size**2)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return torch.tanh(self.layer(z)).view(-1, *self.shape)


class Discriminator(base.Discriminator):
    def __init__(self, plan: base.NetworkPlan, spec: base.ImageSpec) -> None:
        super().__init__()
        self.head = nn.Linear(spec.all_channels * spec.size**2, 1)

    def features(self, images: Tensor) -> list[Tensor]:
        return [images]

    def logits(self, features: list[Tensor], labels: Tensor | None) -> Tensor:
        return self.head(features[-1].flatten(1)).flatten()
''',
    ),
    Edit("gan/networks/registry.py", "import dcgan, eigen, projected, toy\n", "import dcgan, eigen, projected\n"),
    Edit(
        "gan/networks/registry.py",
        'MODELS: dict[str, Model] = {\n    "toy": Model(toy.Generator, toy.Discriminator, DCGAN),\n',
        "MODELS: dict[str, Model] = {\n",
    ),
    Edit("config.py", 'name: Literal["eigen", "dcgan", "toy"]', 'name: Literal["eigen", "dcgan"]'),
]
METRIC = [
    Edit(
        "evaluation/toy.py",
        '''"""How bright the synthetic images are beside the real ones."""

from xrgan.evaluation.metric_table import MetricInputs
from xrgan.evaluation.scores_file import Score


def brightness(inputs: MetricInputs) -> dict[str, Score]:
    sets = inputs.comparison
    value = float(sets.synthetic.images.mean()) / float(sets.real.images.mean())
    return {"toy_brightness": {"value": value, "n": sets.n}}
''',
    ),
    Edit(
        "evaluation/metric_table.py",
        """METRICS: list[Metric] = [
    Metric(
        "toy",
        "The toy metric",
        help="Brightness, for a test.",
        compute="xrgan.evaluation.toy:brightness",
        scores={"toy_brightness": Display("Toy brightness", "1 = as bright as real")},
    ),
""",
        "METRICS: list[Metric] = [\n",
    ),
]
ARM = [
    Edit(
        "downstream/arms.py",
        '        Arm("toy", "#000000", (_SYNTHETIC,), classic=True),\n    )\n}',
        "    )\n}",
    ),
    Edit("config.py", '    "synthetic",\n    "toy",\n]', '    "synthetic",\n]'),
]
OPTION = [
    Edit(
        "config.py",
        'class TrainConfig(Section):\n    toy_weight: float = Field(1.0, ge=0, description="the toy\'s")\n',
        "class TrainConfig(Section):\n",
    ),
    Edit(
        "commands/train.py", 'option("train.epochs"),\n        option("train.toy_weight"),', 'option("train.epochs"),'
    ),
    Edit(
        "gan/step.py",
        "loss = plan.toy_weight * generator_loss(plan.loss, logits, real_logits)",
        "loss = generator_loss(plan.loss, logits, real_logits)",
    ),
]
# Title of the recipe in the map → what it changes, and in how many files at most.
RECIPES = {
    "Add a source": (SOURCE, 1),
    "Add a network": (NETWORK, 3),
    "Add a metric": (METRIC, 2),
    "Add an arm of the studies": (ARM, 2),
    "Add an option": (OPTION, 3),
}
TINY = (
    "--epochs 1 --batch-size 4 --latent-size 4 --device cpu --precision fp32 --unconditional --no-masks"
    " --set train.tensorboard=false"
)
STUDY = "--arch resnet18 --weights none --epochs 1 --batch-size 8 --seeds 1"
COMMANDS = (
    "fetch phantom --n 40 --size 32",
    "fetch toy",
    "fetch toy --folder data/raw/phantom/images",
    "prepare toy --size 32 --name toy --split 0.5,0.2,0.3",
    f"train --data toy --run runs/toy --model toy --toy-weight 0 {TINY}",
    f"train --data toy --run runs/other --model tyo {TINY}",
    "sample --run runs/toy --n 8",
    "evaluate --run runs/toy --toy",
    f"classify --run runs/toy --synthetic NORMAL=runs/toy --synthetic PNEUMONIA=runs/toy --arms real,toy {STUDY}",
)


def follow(edit: Edit, house: Path) -> None:
    file = house / edit.file
    if not edit.find:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(before + edit.replace, encoding="utf-8")
        return
    before = file.read_text(encoding="utf-8")
    assert before.count(edit.find) == 1, f"{edit.file} has not once: {edit.find}"
    file.write_text(before.replace(edit.find, edit.replace), encoding="utf-8")


# Runs this file's COMMANDS, each with an output of its own, in one process.
TERMINAL = """
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from xrgan import cli

for number, line in enumerate(Path("commands.txt").read_text().splitlines()):
    sys.argv = ["xrgan", *line.split()]
    with open(f"{number}.txt", "w") as said, redirect_stdout(said), redirect_stderr(said):
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        print("exit code", code)
"""


@dataclass(frozen=True)
class Used:
    """A folder in which COMMANDS were given to an xrgan that had followed all RECIPES."""

    folder: Path

    def said(self, command: str, code: int = 0) -> str:
        """What the first command that begins so wrote; it ended with that exit code."""
        number = next(k for k, line in enumerate(COMMANDS) if line.startswith(command))
        said = (self.folder / f"{number}.txt").read_text(encoding="utf-8")
        assert said.endswith(f"exit code {code}\n"), said
        return " ".join(said.split())


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Used:
    folder = tmp_path_factory.mktemp("recipes")
    house = folder / "house" / "xrgan"
    shutil.copytree(HOUSE, house, ignore=shutil.ignore_patterns("__pycache__"))
    for edits, _ in RECIPES.values():
        for edit in edits:
            follow(edit, house)
    (folder / "commands.txt").write_text("\n".join(COMMANDS), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(house.parent)}
    done = subprocess.run(
        [sys.executable, "-c", TERMINAL], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return Used(folder)


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_touches_the_files_that_the_map_names(title: str) -> None:
    """Each numbered step of a recipe names one file, or a kind of file (`<name>`), or says "where it is used"."""
    edits, most = RECIPES[title]
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    recipe = text.partition(f"### {title}\n")[2].partition("\n##")[0]
    steps = re.findall(r"^\d\. (?:`([^`]+)`)?", recipe, flags=re.MULTILINE)
    patterns = [re.sub(r"<\w+>", "*", step) + "*" * step.endswith("/") or "*" for step in steps]
    files = {edit.file for edit in edits}
    assert len(files) <= len(steps) == most
    assert [file for file in files if not any(fnmatch(file, pattern) for pattern in patterns)] == []


def test_a_source_is_fetched_and_prepared(used: Used) -> None:
    refused = used.said("fetch toy", code=1)
    assert "https://example.org/toy" in refused and "--folder" in refused
    used.said("fetch toy --folder")
    used.said("prepare toy")
    index = pd.read_csv(used.folder / "data/prepared/toy/index.csv")
    assert set(index["label"]) == {"NORMAL", "PNEUMONIA"}
    assert index["patient"].str.startswith("phantom").all()  # the record's pattern found them
    assert yaml.safe_load((used.folder / "data/prepared/toy/dataset.yaml").read_text())["source"]["licence"] == "CC0"


def test_a_network_is_trained_and_draws(used: Used) -> None:
    used.said("train --data toy --run runs/toy")
    used.said("sample")
    assert len(list((used.folder / "runs/toy/synthetic").glob("synthetic_*.png"))) >= 8
    assert "'toy'" in used.said("train --data toy --run runs/other", code=2)  # among the choices


def test_a_metric_is_a_flag_and_a_score(used: Used) -> None:
    assert "Toy brightness" in used.said("evaluate")
    scores = yaml.safe_load((used.folder / "runs/toy/evaluation/scores.yaml").read_text())["metrics"]
    assert list(scores) == ["toy_brightness"] and scores["toy_brightness"]["value"] > 0


def test_an_arm_is_trained_and_judged(used: Used) -> None:
    used.said("classify")
    scores = pd.read_csv(used.folder / "runs/toy/classify/scores.csv")
    assert set(scores["arm"]) == {"real", "toy"}
    assert "toy" in (used.folder / "runs/toy/classify/report.md").read_text(encoding="utf-8")


def test_an_option_is_a_flag_and_does_what_it_says(used: Used) -> None:
    config = yaml.safe_load((used.folder / "runs/toy/config.yaml").read_text())
    assert config["train"]["toy_weight"] == 0
    losses = pd.read_csv(used.folder / "runs/toy/losses.csv")
    assert (losses["generator_loss"] == 0).all() and (losses["discriminator_loss"] > 0).all()
