"""One file per arm and fold holds the best network, and says what it is."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from xrgan.downstream.checkpoints import all_metadata, has_checkpoint, keep_best, read_metadata, read_weights
from xrgan.downstream.classification.inference import ClassifierMetadata
from xrgan.downstream.segmentation.inference import SegmenterMetadata
from xrgan.tensor_files import write_tensors

SEGMENTER = SegmenterMetadata(
    channels=1,
    size=32,
    arm="synthetic→real",
    fold=1,
    fraction=0.5,
    seed=2,
    study="abc",
    options={"window": [1, 2]},
    structures=("lungs", "heart"),
    width=4,
    dice=0.7,
)


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(2, 2)


def test_what_it_says_comes_back_as_it_was(tmp_path: Path, network: nn.Module) -> None:
    keep_best(tmp_path, network, SEGMENTER)
    file = tmp_path / "checkpoints" / "synthetic-to-real-fold1.pt"
    assert read_metadata(file, SegmenterMetadata) == SEGMENTER and all_metadata(tmp_path, SegmenterMetadata) == {
        file: SEGMENTER
    }
    assert torch.equal(read_weights(file)["weight"], network.weight)
    assert (SEGMENTER.key.arm, SEGMENTER.key.seed, SEGMENTER.rank) == ("synthetic→real", 2, (0.5, 0.7))


def test_on_disk_it_is_plain_and_named_as_ever(tmp_path: Path, network: nn.Module) -> None:
    """Files of earlier versions are read by these very names."""
    keep_best(tmp_path, network, SEGMENTER)
    content = torch.load(tmp_path / "checkpoints" / "synthetic-to-real-fold1.pt", weights_only=True)
    assert set(content) == {"about", "network"}
    assert content["about"] == {
        "channels": 1,
        "size": 32,
        "structures": ["lungs", "heart"],
        "width": 4,
        "arm": "synthetic→real",
        "fold": 1,
        "fraction": 0.5,
        "seed": 2,
        "dice": 0.7,
        "study": "abc",
        "options": {"window": [1, 2]},
    }


def test_another_kind_of_network_is_none(tmp_path: Path, network: nn.Module) -> None:
    keep_best(tmp_path, network, SEGMENTER)
    assert all_metadata(tmp_path, ClassifierMetadata) == {}
    assert not has_checkpoint(tmp_path, SEGMENTER.key, "abc", (0.0, 0.0), ClassifierMetadata)


ABOUT = SEGMENTER.to_dict()
OTHER_TYPES = [{key: {"a": [key]}} for key in ABOUT if key != "options"] + [{"options": 3}, {"more": 1}]


@pytest.mark.parametrize("change", OTHER_TYPES)
def test_what_says_other_things_of_itself_is_none(tmp_path: Path, change: dict[str, object]) -> None:
    write_tensors(tmp_path / "a.pt", {"about": ABOUT | change})
    assert read_metadata(tmp_path / "a.pt", SegmenterMetadata) is None
    write_tensors(tmp_path / "a.pt", {"about": ABOUT})
    assert read_metadata(tmp_path / "a.pt", SegmenterMetadata) == SEGMENTER


@pytest.mark.parametrize(
    ("study", "rank", "there"),
    [("abc", (0.5, 0.7), True), ("abc", (0.5, 0.71), False), ("abc", (1.0, 0.1), False), ("other", (0.1, 0.1), False)],
)
def test_a_checkpoint_counts_if_it_is_of_the_study_and_as_good(
    tmp_path: Path, network: nn.Module, study: str, rank: tuple[float, float], there: bool
) -> None:
    keep_best(tmp_path, network, SEGMENTER)
    assert has_checkpoint(tmp_path, SEGMENTER.key, study, rank, SegmenterMetadata) == there


def test_a_worse_one_of_the_same_study_changes_nothing(tmp_path: Path, network: nn.Module) -> None:
    keep_best(tmp_path, network, SEGMENTER)
    for other in (replace(SEGMENTER, dice=0.6), replace(SEGMENTER, fraction=0.1, dice=0.9)):
        keep_best(tmp_path, network, other)
    assert list(all_metadata(tmp_path, SegmenterMetadata).values()) == [SEGMENTER]
    newer = replace(SEGMENTER, study="newer", dice=0.1)
    keep_best(tmp_path, network, newer)
    assert list(all_metadata(tmp_path, SegmenterMetadata).values()) == [newer]
