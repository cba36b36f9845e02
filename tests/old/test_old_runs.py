"""What an earlier xrgan left on disk still opens, goes on, and says the same: make.sh tells how it was made.

The archive holds a prepared dataset, a run of each model, synthetic images, scores and two studies, of version 0.1.0.
"""

import csv
import re
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from xrgan import cli

pytestmark = pytest.mark.slow

ARCHIVE = Path(__file__).with_name("v0.1.0.tar.xz")
Type = Callable[[str], str]


@pytest.fixture
def type_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Type:
    """Types a command beside the unpacked archive; returns what was written to both streams."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> str:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["xrgan", *line.split()])
        try:
            cli.main()
        except SystemExit as ended:
            assert not ended.code, capfd.readouterr()
        written = capfd.readouterr()
        return written.out + written.err

    return run


def rows_of(file: str) -> list[dict[str, str]]:
    with Path(file).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def pixels(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file)).astype(int)


@pytest.mark.parametrize("run", ["eigen", "dcgan"])
def test_a_run_is_resumed_from_where_it_stopped(type_: Type, run: str) -> None:
    before = rows_of(f"runs/{run}/losses.csv")
    type_(f"resume --run runs/{run} --epochs 3")
    after = rows_of(f"runs/{run}/losses.csv")
    assert [len(before), len(after)] == [2, 3]
    assert [{key: row[key] for key in before[0]} for row in after[:2]] == before, "columns may have come"
    assert [after[2][key] for key in ("epoch", "step", "images_seen")] == ["3", "15", "60"]


def test_a_resumed_run_keeps_what_it_was_made_with(type_: Type) -> None:
    """Options that are gone from today's xrgan may go from the file, those that came say what was done without them."""
    before = yaml.safe_load(Path("runs/eigen/config.yaml").read_text())
    type_("resume --run runs/eigen --epochs 3")
    after = yaml.safe_load(Path("runs/eigen/config.yaml").read_text())
    before["train"]["epochs"] = 3
    before["model"] |= {"warps": 0, "discriminator_pixels": 0, "growth": "fade"}
    before["train"] |= {"patience": 0.0, "deterministic": False, "variance": 0.0, "cuda_graph": True}
    for section in ("model", "train"):
        assert after[section] == {key: value for key, value in before[section].items() if key in after[section]}


def test_the_same_images_are_drawn_again(type_: Type) -> None:
    type_("sample --run runs/eigen --n 12 --out again")
    drawn = sorted(Path("again").glob("synthetic_*.png"))
    assert len(drawn) == 24  # with their masks
    for file in drawn:  # another processor may round another way
        differs = np.abs(pixels(file) - pixels(Path("runs/eigen/synthetic") / file.name)) > 1
        assert differs.mean() < 0.01, file.name
    assert (Path("again") / "index.csv").read_text() == "\n".join(
        Path("runs/eigen/synthetic/index.csv").read_text().splitlines()[:13]
    ) + "\n"


def test_a_run_trained_on_a_gpu_is_used_without_one(type_: Type) -> None:
    """Runs of before keep the device that they were trained on: it may not be here, and is nobody's affair."""
    file = Path("runs/eigen/config.yaml")
    before = file.read_text()
    file.write_text(re.sub(r"^device: \w+", "device: cuda", before, flags=re.MULTILINE))
    assert file.read_text() != before
    type_("sample --run runs/eigen --n 4 --out again")
    assert len(list(Path("again").glob("synthetic_*[0-9].png"))) == 4
    type_("resume --run runs/eigen --epochs 3")
    assert "device:" not in file.read_text()


def test_more_images_are_added_to_those_that_are_there(type_: Type) -> None:
    files = sorted(Path("runs/eigen/synthetic").glob("synthetic_*[0-9].png"))
    before = {file.name: file.read_bytes() for file in files}
    count = len(files) + 4
    type_(f"sample --run runs/eigen --n {count}")
    after = sorted(Path("runs/eigen/synthetic").glob("synthetic_*[0-9].png"))
    assert len(after) == count
    assert {name: (Path("runs/eigen/synthetic") / name).read_bytes() for name in before} == before


def test_a_new_run_starts_from_the_old_networks(type_: Type) -> None:
    said = type_(
        "train --run runs/new --data phantom_32 --init-from runs/dcgan --model dcgan --epochs 1 --batch-size 4"
        " --latent-size 8 --device cpu --precision fp32 --set train.tensorboard=false --set model.generator_width=4"
        " --set model.discriminator_width=4"
    )
    assert "Starting from runs/dcgan (40 images seen)" in said
    assert len(rows_of("runs/new/losses.csv")) == 1


def test_scores_are_as_they_were(type_: Type) -> None:
    """Asked again, nothing is computed; computed again, nothing moves."""
    file = Path("runs/eigen/evaluation/scores.yaml")
    before = yaml.safe_load(file.read_text())["metrics"]
    line = "evaluate --run runs/eigen --ssim --fid --kid --extractor classifier:eigen"
    type_(line)
    assert {key: yaml.safe_load(file.read_text())["metrics"][key] for key in before} == before
    file.unlink()
    type_(line)
    again = yaml.safe_load(file.read_text())["metrics"]
    assert again.keys() >= before.keys()
    for name, score in before.items():
        if isinstance(score.get("value"), float):
            assert again[name]["value"] == pytest.approx(score["value"], rel=1e-3, abs=1e-6), name


def test_scores_over_time_are_continued(type_: Type) -> None:
    before = rows_of("runs/eigen/evaluation/over_time.csv")
    said = type_("evaluate --run runs/eigen --every-checkpoint --split val --extractor classifier:eigen")
    assert "step_00000010" in said and "best" in said
    after = rows_of("runs/eigen/evaluation/over_time.csv")
    assert [row["step"] for row in after] == [row["step"] for row in before]
    type_("sample --run runs/eigen --checkpoint best --n 4 --out best")
    assert len(list(Path("best").glob("synthetic_*[0-9].png"))) == 4


def trainings(study: str) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in Path(f"runs/eigen/{study}/trainings").iterdir()}


def test_a_classifier_study_is_continued(type_: Type) -> None:
    before = trainings("classify")
    said = type_(
        "classify --run runs/eigen --arch resnet18 --weights none --epochs 1 --batch-size 8 --seeds 2"
        " --arms real,real+synthetic"
    )
    assert "4 of 4 trainings were there already." in said
    assert trainings("classify") == before
    assert "real+synthetic" in Path("runs/eigen/classify/report.md").read_text()


def test_a_segmentation_study_is_continued(type_: Type) -> None:
    before = trainings("segment")
    said = type_("segment --run runs/eigen --width 4 --epochs 1 --batch-size 8 --seeds 1 --arms real,real+synthetic")
    assert "2 of 2 trainings were there already." in said
    assert trainings("segment") == before


def test_an_old_classifier_answers(type_: Type) -> None:
    type_("classify --run runs/eigen --predict runs/eigen/synthetic --arms real --out answers.csv")
    answers = rows_of("answers.csv")
    assert len(answers) == len(rows_of("runs/eigen/synthetic/index.csv"))


def test_what_is_here_is_listed(type_: Type) -> None:
    listed = type_("runs")
    assert "eigen" in listed and "dcgan" in listed and "2/2" in listed
    assert "phantom_32" in type_("data")


def test_the_dataset_is_listed_and_used_as_it_is(type_: Type) -> None:
    before = Path("data/prepared/phantom_32/dataset.yaml").read_bytes()
    listed = type_("data")
    assert "phantom_32" in listed and "damaged" not in listed
    resumed = type_("resume --run runs/eigen --epochs 3")
    assert "damaged" not in resumed and Path("runs/eigen/DATASHEET.md").is_file()
    assert Path("data/prepared/phantom_32/dataset.yaml").read_bytes() == before
