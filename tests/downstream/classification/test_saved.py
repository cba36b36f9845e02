"""A trained classifier goes into a file and comes back the same; of several the best one answers."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.downstream.blobs import OPTIONS
from xrgan.downstream.classification.networks import Classifier, build
from xrgan.downstream.classification.saved import About, load_classifier, save_classifier
from xrgan.errors import XrganError

ABOUT = About("resnet18", 1, 16, ("NORMAL", "PNEUMONIA"), "real", 2, 1.0, 1, 0.8, "a-study", OPTIONS)
IMAGES = torch.randint(0, 256, (3, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def network() -> Classifier:
    torch.manual_seed(0)
    return build("resnet18", 1, 2, "none", unfreeze=False).eval()


def test_it_answers_as_before(tmp_path: Path, network: Classifier) -> None:
    save_classifier(tmp_path, network, ABOUT)
    state = torch.get_rng_state()
    saved = load_classifier(tmp_path)
    assert torch.equal(torch.get_rng_state(), state)
    assert saved.about == ABOUT and saved.features == 512
    assert torch.equal(saved.network(IMAGES), network(IMAGES))
    assert saved.network.features(IMAGES).shape == (3, 512)
    assert not saved.network.training and not any(p.requires_grad for p in saved.network.parameters())
    assert not load_classifier(tmp_path).network.head.training


def test_a_head_that_alone_was_trained_comes_back_with_its_body(tmp_path: Path, weights_file: Path) -> None:
    network = build("resnet18", 1, 2, str(weights_file), unfreeze=False).eval()
    save_classifier(tmp_path, network, ABOUT)
    assert torch.equal(load_classifier(tmp_path).network(IMAGES), network(IMAGES))


def test_there_is_one_of_each_arm_and_fold(tmp_path: Path, network: Classifier) -> None:
    for arm in ("real", "synthetic→real"):
        for fold in (1, 2):
            save_classifier(tmp_path, network, replace(ABOUT, arm=arm, fold=fold))
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
    first, later = replace(ABOUT, seed=1), replace(ABOUT, seed=2, **second)  # type: ignore[arg-type]
    save_classifier(tmp_path, network, first)
    save_classifier(tmp_path, network, later)
    assert load_classifier(tmp_path).about == (first if kept == "first" else later)


def test_the_best_of_all_arms_and_folds_is_asked_or_that_of_an_arm(tmp_path: Path, network: Classifier) -> None:
    for arm, fold, auroc in (("real", 1, 0.7), ("real", 2, 0.8), ("synthetic", 1, 0.9), ("synthetic", 2, 0.6)):
        save_classifier(tmp_path, network, replace(ABOUT, arm=arm, fold=fold, auroc=auroc))
    assert (load_classifier(tmp_path).about.arm, load_classifier(tmp_path).about.auroc) == ("synthetic", 0.9)
    assert load_classifier(tmp_path, "real").about.fold == 2
    with pytest.raises(XrganError, match=r"no classifier of the arm real\+classic.*--arms real\+classic"):
        load_classifier(tmp_path, "real+classic")


def test_what_is_left_of_an_earlier_study_isn_t_asked(tmp_path: Path, network: Classifier) -> None:
    """It had five folds, and the later one two."""
    for fold in range(1, 6):
        save_classifier(tmp_path, network, replace(ABOUT, fold=fold, auroc=0.99, study="of five"))
    for file in (tmp_path / "checkpoints").iterdir():
        os.utime(file, (1, 1))
    for fold in (1, 2):
        save_classifier(tmp_path, network, replace(ABOUT, fold=fold, auroc=0.7, study="of two"))
    assert load_classifier(tmp_path).about.study == "of two"
    assert load_classifier(tmp_path, "real").about.study == "of two"


def test_none_and_a_damaged_one(tmp_path: Path, network: Classifier) -> None:
    with pytest.raises(XrganError, match="There is no classifier in") as caught:
        load_classifier(tmp_path / "run" / "classify")
    assert "xrgan classify --run" in caught.value.hint
    save_classifier(tmp_path, network, ABOUT)
    file = tmp_path / "checkpoints" / "real-fold2.pt"
    whole = file.read_bytes()
    for content in (b"torn", b"", whole[: len(whole) // 2], b"PK\x03\x04" + whole[:-9]):
        file.write_bytes(content)
        with pytest.raises(XrganError, match="is damaged"):
            load_classifier(tmp_path)


def test_a_damaged_one_is_replaced_and_beside_others_passed_over(tmp_path: Path, network: Classifier) -> None:
    for fold in (1, 2):
        save_classifier(tmp_path, network, replace(ABOUT, fold=fold, auroc=0.9 if fold == 1 else 0.8))
    (tmp_path / "checkpoints" / "real-fold1.pt").write_bytes(b"torn")
    assert load_classifier(tmp_path).about.fold == 2
    save_classifier(tmp_path, network, replace(ABOUT, fold=1, auroc=0.85))
    assert load_classifier(tmp_path).about.fold == 1
