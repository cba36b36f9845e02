"""Of several segmenters of an arm the best one of the study is loaded; damaged ones and others' are left alone."""

from dataclasses import replace
from pathlib import Path

import torch

from xrgan.downstream.checkpoints import keep_best
from xrgan.downstream.segmentation.inference import SegmenterMetadata, load_segmenters
from xrgan.downstream.segmentation.segmenter import Segmenter, build
from xrgan.downstream.trial import TrialKey

METADATA = SegmenterMetadata(
    channels=1,
    size=32,
    arm="real",
    fold=1,
    fraction=1.0,
    seed=1,
    study="abc",
    options={},
    structures=("lungs", "heart"),
    width=4,
    dice=0.7,
)
KEYS = {TrialKey("real", 1.0, fold, seed) for fold in (1, 2) for seed in (1, 2)}


def save(folder: Path, metadata: SegmenterMetadata, seed: int) -> Segmenter:
    network = build(1, 2, 4, seed)
    keep_best(folder, network, metadata)
    return network


def weights(network: Segmenter) -> torch.Tensor:
    return torch.cat([value.flatten() for value in network.state_dict().values()])


def test_the_best_of_all_folds_answers_as_it_did(tmp_path: Path) -> None:
    save(tmp_path, METADATA, seed=1)
    best = save(tmp_path, replace(METADATA, fold=2, dice=0.8), seed=2)
    loaded = load_segmenters(tmp_path, {"abc"}, KEYS)
    assert list(loaded) == ["real"] and torch.equal(weights(loaded["real"]), weights(best))
    assert not loaded["real"].training and not any(p.requires_grad for p in loaded["real"].parameters())


def test_others_are_left_alone_and_damaged_ones_passed_over(tmp_path: Path) -> None:
    first = save(tmp_path, METADATA, seed=1)
    save(tmp_path, replace(METADATA, fold=2, dice=0.9), seed=2)
    assert load_segmenters(tmp_path, {"of another study"}, KEYS) == {}
    assert load_segmenters(tmp_path, {"abc"}, {key._replace(fraction=0.5) for key in KEYS}) == {}
    (tmp_path / "checkpoints" / "real-fold2.pt").write_bytes(b"torn")
    assert torch.equal(weights(load_segmenters(tmp_path, {"abc"}, KEYS)["real"]), weights(first))
