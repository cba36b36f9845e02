"""`xrgan export`: it draws the same images elsewhere, starts other runs, and holds no real patient."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.gan.helpers import pixels
from tests.patients import traces_of_patients
from tests.terminal import TINY, Terminal, words
from xrgan.commands.export import without_pairs
from xrgan.data.images import Pixels
from xrgan.data.packed import open_packed
from xrgan.exported import Export
from xrgan.files import read_yaml, write_yaml
from xrgan.marks import read_mark
from xrgan.rundir import RunDir

pytestmark = pytest.mark.slow


@pytest.fixture
def run(run: RunDir) -> RunDir:
    """A trained run on a dataset that is here, with scores that name pairs."""
    write_yaml(run.evaluation / "scores.yaml", {"metrics": {"m": {"value": 1.0, "closest": [{"training": 3}]}}})
    (run.evaluation / "overview.png").write_bytes(b"real patients")
    return run


def names_in(file: Path) -> set[str]:
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_an_export_draws_the_same_images_in_an_empty_place(type_: Terminal, run: RunDir, tmp_path: Path) -> None:
    type_("sample --run mine -n 40 --seed 5 --device cpu")
    answer = type_("export mine --out shared.zip -n 3")
    assert answer.out.strip() == "shared.zip" and "patients in it" in words(answer.err)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move("shared.zip", elsewhere / "other name.zip")
    shutil.rmtree(type_.folder / "data")
    type_(
        "sample --run", str(elsewhere / "other name.zip"), "-n", "40", "--seed", "5", "--out", str(elsewhere / "drawn")
    )
    assert pixels(elsewhere / "drawn") == pixels(run.synthetic)
    marks = [read_mark(folder / "synthetic_00007.png") for folder in (elsewhere / "drawn", run.synthetic)]
    assert marks[0] == marks[1] and marks[0] is not None
    with zipfile.ZipFile(elsewhere / "other name.zip") as archive:
        digest = hashlib.sha256(archive.read("generator.safetensors")).hexdigest()
        assert archive.read("synthetic/synthetic_00002.png") == (run.synthetic / "synthetic_00002.png").read_bytes()
    assert marks[0].said["Generator SHA-256"] == digest


def test_it_holds_what_is_said_and_no_patient(type_: Terminal, run: RunDir) -> None:
    type_("export -n 4")
    names = names_in(Path("mine.zip"))
    assert names >= {
        "export.yaml",
        "config.yaml",
        "generator.safetensors",
        "environment.yaml",
        "losses.csv",
        "README.md",
    }
    assert {name for name in names if name.startswith("synthetic/")} == {
        *(f"synthetic/synthetic_0000{k}.png" for k in range(1, 5)),
        *("synthetic/index.csv", "synthetic/sample.yaml", "synthetic/sheet.png"),
    }
    assert not any("overview" in name or "checkpoint" in name or "tensorboard" in name for name in names)
    with zipfile.ZipFile("mine.zip") as archive:
        assert b"closest" not in archive.read("evaluation/scores.yaml")
    dataset = open_packed(Path("data/prepared/tiny"))
    assert traces_of_patients(Path("mine.zip"), dataset.images) == []


def test_what_lies_in_synthetic_does_not_come_with_it(type_: Terminal, run: RunDir) -> None:
    """Somebody laid a patient's picture among the synthetic ones, under the name of one."""
    type_("sample --run mine -n 3 --device cpu")
    dataset = open_packed(Path("data/prepared/tiny"))
    from xrgan.data.images import save_png

    save_png(run.synthetic / "synthetic_00002.png", np.asarray(dataset.images[0, :1]))
    type_("export -n 3")
    assert traces_of_patients(Path("mine.zip"), dataset.images) == []


def test_the_search_finds_a_patient(tmp_path: Path, run: RunDir) -> None:
    """In a picture, as bytes, as floats, as a part of a sheet, and by name."""
    from xrgan.data.images import grid, save_png

    images = np.random.default_rng(0).integers(0, 256, (6, 1, 16, 16), dtype=np.uint8)
    (tmp_path / "in").mkdir()
    save_png(tmp_path / "in/sheet.png", grid(images[:4], 2))
    np.save(tmp_path / "in/cache.npy", images[4])
    (tmp_path / "in/weights").write_bytes((images[5].astype(np.float32) / 127.5 - 1).tobytes())
    (tmp_path / "in/list.csv").write_text("person1_bacteria_2.jpeg\n")
    shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "in")
    found = traces_of_patients(tmp_path / "a.zip", images, ["train/person1_bacteria_2.jpeg"])
    assert {int(one.rpartition(" ")[2]) for one in found if "pixels" in one} == set(range(6))
    assert "list.csv: the name train/person1_bacteria_2.jpeg" in found


def test_suspected_copies_that_were_left_out_stay_out(type_: Terminal, run: RunDir) -> None:
    type_("sample --run mine -n 6 --device cpu")
    record = read_yaml(run.synthetic / "sample.yaml") | {"reject_copies": "pixels", "judged": 32, "dropped": [2, 5]}
    write_yaml(run.synthetic / "sample.yaml", record)
    for k in (2, 5):
        (run.synthetic / f"synthetic_0000{k}.png").unlink()
    type_("export -n 100")
    kept = {name for name in names_in(Path("mine.zip")) if name.startswith("synthetic/synthetic_")}
    assert kept == {f"synthetic/synthetic_0000{k}.png" for k in (1, 3, 4, 6)}


def test_a_run_starts_from_an_export(type_: Terminal, run: RunDir) -> None:
    type_("export mine -n 1")
    tiny = [*TINY, "--set", "model.latent_size=8", "--set", "model.components=4"]
    type_("train --data tiny --init-from mine.zip --run next --epochs 1 --device cpu", *tiny)
    origin = RunDir(Path("runs/next")).read_environment()["initialised_from"]
    assert origin == {"run": "mine", "step": 16, "dataset": run.trained_on(), "before": []}
    started = type_("train --data tiny --init-from mine.zip --run third --epochs 1 --device cpu", *tiny)
    assert "Starting from mine.zip" in words(started.err)
    environment = RunDir(Path("runs/next")).read_environment()
    environment["initialised_from"] |= {"dataset": "another's", "before": ["an earlier one's"]}
    RunDir(Path("runs/next")).write_environment(environment)
    type_("export next -n 1")
    assert Export(Path("next.zip")).manifest.learned_from == ("an earlier one's", "another's")


def test_what_goes_wrong_is_one_sentence(type_: Terminal, run: RunDir) -> None:
    type_("export mine -n 1")
    assert "--overwrite" in words(type_("export mine", code=1).err)
    type_("export mine -n 1 --overwrite")
    assert "holds one generator alone" in words(type_("sample --run mine.zip --no-ema", code=1).err)
    assert "holds no training image" in words(type_("sample --run mine.zip --reject-copies", code=1).err)
    assert "no export none.zip" in words(type_("sample --run none.zip", code=1).err)
    Path("torn.zip").write_bytes(Path("mine.zip").read_bytes()[:-200])
    assert "torn.zip is damaged" in words(type_("sample --run torn.zip", code=1).err)


def test_pairs_are_nowhere_in_the_scores() -> None:
    scores = {"metrics": {"m": {"value": 1, "closest": [1]}}, "earlier": [{"metrics": {"m": {"closest": [2], "n": 3}}}]}
    assert without_pairs(scores) == {"metrics": {"m": {"value": 1}}, "earlier": [{"metrics": {"m": {"n": 3}}}]}


@pytest.mark.real
@pytest.mark.slow
def test_an_export_of_a_run_on_real_x_rays_holds_no_patient(
    type_: Terminal, real_patients: tuple[Pixels, list[str]]
) -> None:
    type_("export real -n 12")
    assert traces_of_patients(Path("real.zip"), *real_patients) == []
    shutil.make_archive("whole", "zip", "data/prepared/kermany_32")
    assert len(traces_of_patients(Path("whole.zip"), *real_patients)) >= 240
