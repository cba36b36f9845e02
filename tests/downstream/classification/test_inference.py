"""A trained classifier goes into a file and comes back the same; of several the best one answers."""

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tests.downstream.blobs import OPTIONS, blobs, small_build
from xrgan.downstream.checkpoints import keep_best
from xrgan.downstream.classification.inference import (
    NO_DEVICE,
    ClassifierMetadata,
    SavedClassifier,
    load_classifier,
    predict_images,
)
from xrgan.downstream.classification.networks import Classifier, build
from xrgan.errors import XrganError

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
METADATA = ClassifierMetadata(
    arch="resnet18",
    channels=1,
    size=16,
    classes=("NORMAL", "PNEUMONIA"),
    arm="real",
    fold=2,
    fraction=1.0,
    seed=1,
    auroc=0.8,
    study="a-study",
    options=OPTIONS,
)
IMAGES = torch.randint(0, 256, (3, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def network() -> Classifier:
    torch.manual_seed(0)
    return build("resnet18", 1, 2, "none", unfreeze=False).eval()


def test_it_answers_as_before(tmp_path: Path, network: Classifier) -> None:
    keep_best(tmp_path, network, METADATA)
    state = torch.get_rng_state()
    saved = load_classifier(tmp_path)
    assert torch.equal(torch.get_rng_state(), state)
    assert saved.metadata == METADATA and saved.features == 512
    assert torch.equal(saved.network(IMAGES), network(IMAGES))
    assert saved.network.features(IMAGES).shape == (3, 512)
    assert not saved.network.training and not any(p.requires_grad for p in saved.network.parameters())
    assert not load_classifier(tmp_path).network.head.training


def test_a_head_that_alone_was_trained_comes_back_with_its_body(tmp_path: Path, weights_file: Path) -> None:
    network = build("resnet18", 1, 2, str(weights_file), unfreeze=False).eval()
    keep_best(tmp_path, network, METADATA)
    assert torch.equal(load_classifier(tmp_path).network(IMAGES), network(IMAGES))


def test_there_is_one_of_each_arm_and_fold(tmp_path: Path, network: Classifier) -> None:
    for arm in ("real", "synthetic→real"):
        for fold in (1, 2):
            keep_best(tmp_path, network, replace(METADATA, arm=arm, fold=fold))
    names = [file.name for file in sorted((tmp_path / "checkpoints").iterdir())]
    assert names == ["real-fold1.pt", "real-fold2.pt", "synthetic-to-real-fold1.pt", "synthetic-to-real-fold2.pt"]


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        ({"auroc": 0.9}, "second"),
        ({"auroc": 0.7}, "first"),
        ({"fraction": 0.1, "auroc": 0.99}, "first"),  # it learned from fewer images
        ({"study": "another", "auroc": 0.6}, "second"),  # of other settings: they have nothing to do with each other
    ],
)
def test_the_better_one_of_a_study_stays(
    tmp_path: Path, network: Classifier, second: dict[str, object], kept: str
) -> None:
    first, later = replace(METADATA, seed=1), replace(METADATA, seed=2, **second)  # type: ignore[arg-type]
    keep_best(tmp_path, network, first)
    keep_best(tmp_path, network, later)
    assert load_classifier(tmp_path).metadata == (first if kept == "first" else later)


def test_the_best_of_all_arms_and_folds_is_asked_or_that_of_an_arm(tmp_path: Path, network: Classifier) -> None:
    for arm, fold, auroc in (("real", 1, 0.7), ("real", 2, 0.8), ("synthetic", 1, 0.9), ("synthetic", 2, 0.6)):
        keep_best(tmp_path, network, replace(METADATA, arm=arm, fold=fold, auroc=auroc))
    assert (load_classifier(tmp_path).metadata.arm, load_classifier(tmp_path).metadata.auroc) == ("synthetic", 0.9)
    assert load_classifier(tmp_path, "real").metadata.fold == 2
    with pytest.raises(XrganError, match=r"no classifier of the arm real\+classic.*--arms real\+classic"):
        load_classifier(tmp_path, "real+classic")


def test_what_is_left_of_an_earlier_study_isn_t_asked(tmp_path: Path, network: Classifier) -> None:
    """It had five folds, and the later one two."""
    for fold in range(1, 6):
        keep_best(tmp_path, network, replace(METADATA, fold=fold, auroc=0.99, study="of five"))
    for file in (tmp_path / "checkpoints").iterdir():
        os.utime(file, (1, 1))
    for fold in (1, 2):
        keep_best(tmp_path, network, replace(METADATA, fold=fold, auroc=0.7, study="of two"))
    assert load_classifier(tmp_path).metadata.study == "of two"
    assert load_classifier(tmp_path, "real").metadata.study == "of two"


def test_none_and_a_damaged_one(tmp_path: Path, network: Classifier) -> None:
    with pytest.raises(XrganError, match="There is no classifier in") as caught:
        load_classifier(tmp_path / "run" / "classify")
    assert "xrgan classify --run" in caught.value.hint
    keep_best(tmp_path, network, METADATA)
    file = tmp_path / "checkpoints" / "real-fold2.pt"
    whole = file.read_bytes()
    for content in (b"torn", b"", whole[: len(whole) // 2], b"PK\x03\x04" + whole[:-9]):
        file.write_bytes(content)
        with pytest.raises(XrganError, match="is damaged"):
            load_classifier(tmp_path)


def test_every_flipped_bit_of_a_weight_is_recognised(tmp_path: Path, network: Classifier) -> None:
    keep_best(tmp_path, network, METADATA)
    (file,) = (tmp_path / "checkpoints").iterdir()
    weights = next(weight for weight in network.state_dict().values() if weight.numel() > 500)
    whole = file.read_bytes()
    start = whole.index(weights.numpy().tobytes())
    for place in range(start, start + 400, 37):
        spoiled = bytearray(whole)
        spoiled[place] ^= 0x40
        file.write_bytes(spoiled)
        with pytest.raises(XrganError, match="is damaged: .* fails its checksum"):
            load_classifier(tmp_path)


def test_a_damaged_one_is_replaced_and_beside_others_passed_over(tmp_path: Path, network: Classifier) -> None:
    for fold in (1, 2):
        keep_best(tmp_path, network, replace(METADATA, fold=fold, auroc=0.9 if fold == 1 else 0.8))
    (tmp_path / "checkpoints" / "real-fold1.pt").write_bytes(b"torn")
    assert load_classifier(tmp_path).metadata.fold == 2
    keep_best(tmp_path, network, replace(METADATA, fold=1, auroc=0.85))
    assert load_classifier(tmp_path).metadata.fold == 1


# --- asked of other images


def saved_of(*classes: str) -> SavedClassifier:
    torch.manual_seed(0)
    network = small_build("", 1, len(classes), "none", unfreeze=True).eval()
    metadata = replace(METADATA, classes=classes)
    return SavedClassifier(network.requires_grad_(False), metadata, "0" * 64)


@pytest.mark.parametrize("classes", [("NORMAL", "PNEUMONIA"), ("a, b", 'c"d', "e")])
def test_a_row_an_image_with_probabilities_that_add_up_to_one(classes: tuple[str, ...], tmp_path: Path) -> None:
    images, saved = blobs(np.arange(300) % 2, 0), saved_of(*classes)
    table = predict_images(saved, [f"{k}.png" for k in range(300)], images, CPU)
    table = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    assert list(table) == ["file", "predicted", *(f"probability {name}" for name in classes)]
    assert table.file.tolist() == [f"{k}.png" for k in range(300)]
    probabilities = table.filter(like="probability").to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=2e-6)
    assert table.predicted.tolist() == [classes[k] for k in probabilities.argmax(axis=1)]
    with torch.no_grad():
        expected = saved.network(torch.from_numpy(images)).double().softmax(dim=1).numpy()
    np.testing.assert_allclose(probabilities, expected, atol=5e-3)  # a CPU may compute in bfloat16
    assert len(np.unique(probabilities[:, 0])) > 200


def test_what_could_not_be_read_stands_at_the_end_with_its_reason() -> None:
    saved = saved_of("NORMAL", "PNEUMONIA")
    table = predict_images(saved, ["b.png"], blobs(np.array([1]), 0), CPU, {"a.png": "empty file"})
    assert table.file.tolist() == ["b.png", "a.png"]
    assert table.problem.tolist()[1] == "empty file" and pd.isna(table.problem[0])
    assert table.loc[1].drop(["file", "problem"]).isna().all()
    assert table.loc[0].drop("problem").notna().all()
    assert "problem" not in predict_images(saved, ["b.png"], blobs(np.array([1]), 0), CPU, {})


def test_it_is_no_medical_device() -> None:
    assert "no medical device" in NO_DEVICE and "diagnosis" in NO_DEVICE
