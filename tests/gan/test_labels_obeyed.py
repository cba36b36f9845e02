"""Asked for a class, the generator draws that class: a classifier that has seen real X-rays only says so."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.gan.helpers import CPU, trained
from xrgan.config import PrepareConfig
from xrgan.config_resolve import resolve
from xrgan.data.packed import open_packed
from xrgan.data.prepare import prepare
from xrgan.downstream.classification.classifier import Examples, predict, train
from xrgan.downstream.classification.networks import build
from xrgan.downstream.training_loop import Budget, Phase
from xrgan.gan import setup
from xrgan.gan.sampler import load_sampler, sample_block

PATIENT = r"^(person\d+(?=_)|(?:NORMAL\d*-)?IM-\d+(?=-))"


@pytest.mark.real
@pytest.mark.slow
def test_a_classifier_agrees_with_the_labels_of_drawn_x_rays(tmp_path: Path, real_data: Path) -> None:
    """kermany_224 at 64², eigen with its defaults, six epochs (two or three minutes on two cores): 90 % of 640."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    torch.set_num_threads(cores or 1)  # no tiny networks here
    wish = PrepareConfig(size=64, patient_pattern=PATIENT)
    dataset = open_packed(prepare(real_data / "kermany_224", tmp_path / "prepared", wish))
    train_part, val = dataset.of_split("train"), dataset.of_split("val")
    chosen = np.concatenate([train_part, val])
    inputs = torch.from_numpy(dataset.xrays(chosen))
    labels = torch.from_numpy(dataset.labels[chosen])
    parts = np.arange(len(train_part)), np.arange(len(train_part), len(chosen))
    torch.manual_seed(0)
    classifier = build("resnet18", 1, 2, "none", unfreeze=True)
    phase = Phase(parts[0], Budget(2, 120, 32, 1e-3))
    train(classifier, Examples(inputs, labels, parts[1], 2), phase, CPU, 0, lambda *_: None)
    on_real = predict(classifier, inputs, parts[1], CPU).argmax(axis=1)
    assert (on_real == labels[parts[1]].numpy()).mean() > 0.9, "a classifier that can judge"

    config = resolve(settings=["train.epochs=6", "device=cpu", "train.tensorboard=false"])
    config = setup.resolve_auto(config, dataset, CPU)
    run = trained(tmp_path / "run", dataset, config)
    sampler, agree = load_sampler(run, "cpu"), []
    for number, label in enumerate(dataset.classes):
        drawn = np.concatenate([sample_block(sampler, 0, block, label)[0] for block in range(10)])
        says = predict(classifier, torch.from_numpy(drawn), np.arange(len(drawn)), CPU).argmax(axis=1)
        agree.append((says == number).mean())
    assert np.mean(agree) >= 0.9 and min(agree) > 0.75, agree
