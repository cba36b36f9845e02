"""Another hospital's images: who may be among them, what they are called, and that they choose nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.downstream.blobs import QUICK, Body, changed, set_at, toy_dataset, toy_synthetic_images
from xrgan.data.packed import PackedDataset
from xrgan.downstream.classification.data import gather
from xrgan.downstream.classification.task import Classification
from xrgan.downstream.external import external_images, unleaked_rows
from xrgan.downstream.folds import Indices
from xrgan.downstream.study import run_study
from xrgan.errors import XrganError
from xrgan.option_syntax import parse_map

pytestmark = [pytest.mark.usefixtures("small_networks", "no_pictures"), pytest.mark.slow]

DATASET = toy_dataset()
OTHER = toy_dataset(train=20, test=20, name="other", seed=5)
NOBODY = np.empty(0, np.int64)
TASK = Classification(QUICK)


def rows_of(other: PackedDataset, also: Indices = NOBODY, drop: bool = False) -> Indices:
    return unleaked_rows(other, DATASET, also, drop)


def test_patients_and_copies_of_what_is_learned_from_are_refused_or_dropped() -> None:
    assert rows_of(OTHER).tolist() == list(range(40))
    copied = changed(OTHER, hashes=set_at(OTHER.hashes, 3, DATASET.hashes[0]))
    of_test = changed(OTHER, hashes=set_at(OTHER.hashes, 3, DATASET.hashes[-1]))
    validation = changed(OTHER, hashes=set_at(OTHER.hashes, 3, DATASET.hashes[DATASET.splits == "val"][0]))
    for leaky in (copied, validation):
        with pytest.raises(XrganError, match="1 patients of other are among those") as caught:
            rows_of(leaky)
        assert "--leaks drop" in caught.value.hint
        assert rows_of(leaky, drop=True).tolist() == [0, 1, *range(4, 40)], "with the patient's other image"
    assert len(rows_of(of_test)) == 40, "a test image was not learned from"
    same_people = changed(OTHER, source=DATASET.source)
    assert len(rows_of(same_people, drop=True)) < 40
    assert len(rows_of(OTHER, also=OTHER.groups[:2], drop=True)) == 38, "the generator saw them"
    with pytest.raises(XrganError, match="own dataset"):
        rows_of(DATASET)


def test_classes_are_matched_by_name_or_by_a_map() -> None:
    pool = gather(DATASET)
    there = changed(OTHER, classes=("Healthy", "PNEUMONIA"), labels=set_at(OTHER.labels, [5], -1))
    rows = rows_of(there)
    found = external_images(TASK, there, DATASET, pool, rows, parse_map("Healthy=NORMAL,*=PNEUMONIA"))
    assert len(found.pool.test) == 39 and found.left_out == 1 and found.pool.names == DATASET.classes
    assert found.pool.targets.tolist() == [label for k, label in enumerate(OTHER.labels) if k != 5]
    with pytest.raises(XrganError, match="No image of other is of the class NORMAL") as caught:
        external_images(TASK, there, DATASET, pool, rows, ())
    assert "--map" in caught.value.hint
    large = changed(OTHER, images=np.zeros((40, 1, 32, 32), np.uint8))
    with pytest.raises(XrganError, match="32 pixels of 1 channels, those of toys 16"):
        external_images(TASK, large, DATASET, pool, rows, ())


@pytest.mark.parametrize("weights", ["none", "file"])
def test_every_network_is_asked_and_nothing_else_changes(tmp_path: Path, weights: str) -> None:
    file = tmp_path / "weights.pth"
    file.touch()
    options = {"arms": ("real", "real+synthetic"), "k_folds": 0, "seeds": 3, "epochs": 6}
    options["weights"] = str(file) if weights == "file" else "none"
    task, synthetic = Classification(QUICK.model_copy(update=options)), toy_synthetic_images(DATASET)
    external = external_images(task, OTHER, DATASET, gather(DATASET), rows_of(OTHER), ())

    def study(folder: str, **more: Any) -> dict[str, Any]:
        return dict(run_study(task, DATASET, torch.device("cpu"), tmp_path / folder, lambda _: synthetic, **more))

    plain, asked = study("plain"), study("asked", external=external)
    for summary in (plain, asked):
        del summary["seconds"]
    there = asked.pop("external")
    (few,) = (one for one in asked["caveats"] if one not in plain["caveats"])
    assert few.startswith("other has patients: 10 of NORMAL, 10 of PNEUMONIA")
    asked["caveats"].remove(few)
    assert asked == plain, "it chooses nothing"
    assert (there["dataset"], there["images"], there["patients"], there["left_out"]) == ("other", 40, 20, 0)
    assert all(one["test"]["auroc"]["mean"] > 0.9 for one in there["results"])
    (difference,) = there["differences"]
    assert difference["arm"] == "real+synthetic" and abs(difference["mean"]) < 0.1
    Body.seen.clear()
    again = study("plain", external=external)
    assert again["external"] == there and Body.seen, "who was never asked is trained anew"
    Body.seen.clear()
    assert study("plain", external=external)["external"] == there and not Body.seen
    text = (tmp_path / "plain" / "report.md").read_text(encoding="utf-8")
    assert "## Another dataset: other" in text and "40 images of 20 patients, who chose nothing" in text
