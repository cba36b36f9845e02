from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from xrgan.data import phantom
from xrgan.downstream.classic import Classic
from xrgan.downstream.segmentation import metrics
from xrgan.downstream.segmentation.segmenter import Examples, Segmenter, build, loss_of, predict, train
from xrgan.downstream.training_loop import Budget, Phase
from xrgan.errors import XrganError

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
SIZE = 32
TRAINING = np.arange(24)  # of `phantoms`
QUICK = Phase(TRAINING, Budget(2, 3, 4, lr=3e-3))
CLASSIC = Classic(10, 0.08, 0.1, 5, 0.15)


@cache
def phantoms(count: int = 32) -> Examples:
    """Phantoms with masks of lungs and heart; three quarters are for training."""
    drawn = [phantom.draw(patient, 1, "NORMAL", SIZE) for patient in range(count)]
    images = torch.stack([torch.from_numpy(one.image)[None] for one in drawn])
    coded = torch.stack([torch.from_numpy(one.mask) for one in drawn])
    masks = torch.stack([(coded == 150) | (coded == 200), coded == 250], dim=1).to(torch.uint8) * 255
    order = np.arange(count)
    return Examples(images, masks, order[3 * count // 4 :])


def silent(steps: int, loss: float) -> None:
    pass


def state(network: nn.Module) -> Tensor:
    """All weights in one row."""
    return torch.cat([value.flatten() for value in network.state_dict().values()])


@pytest.mark.parametrize(("size", "channels", "structures"), [(32, 1, 2), (33, 3, 1), (100, 1, 3)])
def test_any_size_comes_out_as_it_went_in(size: int, channels: int, structures: int) -> None:
    images = torch.zeros(2, channels, size, size, dtype=torch.uint8)
    assert build(channels, structures, 4, seed=0)(images).shape == (2, structures, size, size)


def test_weights_follow_from_the_seed_and_the_global_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    assert torch.equal(state(build(1, 2, 4, seed=3)), state(build(1, 2, 4, seed=3)))
    assert not torch.equal(state(build(1, 2, 4, seed=3)), state(build(1, 2, 4, seed=4)))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_tiny_network_learns_phantoms_and_keeps_its_best_epoch() -> None:
    examples = phantoms()
    network = build(1, 2, 6, seed=0)
    history = train(network, examples, Phase(TRAINING, Budget(4, 12, 8, lr=1e-2)), CPU, 0, silent)
    predicted = predict(network, examples.images, examples.validation, CPU)
    scores = metrics.dice(predicted, examples.masks[examples.validation].numpy() > 127)
    assert (scores.mean(axis=0) > 0.8).all()
    assert scores.mean() == history.kept.score == max(epoch.score for epoch in history.epochs)
    assert history.epochs[-1].loss < 0.7 * history.epochs[0].loss
    assert history.steps == 48


def test_the_weights_of_the_best_epoch_are_kept_not_those_of_the_last() -> None:
    examples, network = phantoms(), build(1, 2, 4, seed=0)
    misleading = examples.masks.clone()
    misleading[TRAINING] = 255 - misleading[TRAINING]
    train(network, examples, Phase(TRAINING, Budget(1, 20, 8, lr=1e-2)), CPU, 0, silent)
    history = train(
        network, replace(examples, masks=misleading), Phase(TRAINING, Budget(3, 4, 8, lr=1e-2)), CPU, 0, silent
    )
    predicted = predict(network, examples.images, examples.validation, CPU)
    kept = metrics.dice(predicted, examples.masks[examples.validation].numpy() > 127).mean()
    assert kept == history.kept.score > history.epochs[-1].score


def test_a_second_training_goes_on_from_the_weights_of_the_first() -> None:
    examples = phantoms()
    network = build(1, 2, 4, seed=0)
    first = train(network, examples, Phase(np.arange(10), Budget(1, 25, 8, lr=1e-2)), CPU, 0, silent)
    second = train(network, examples, Phase(TRAINING, Budget(1, 3, 8, lr=1e-3)), CPU, 1, silent)
    afresh = train(build(1, 2, 4, seed=0), examples, Phase(TRAINING, Budget(1, 3, 8, lr=1e-3)), CPU, 1, silent)
    assert second.kept.score > afresh.kept.score + 0.1
    both = first.followed_by(second)
    assert both.kept == second.kept and both.steps == 28 and len(both.epochs) == 2


@pytest.mark.parametrize("classic", [False, True])
def test_training_is_reproducible_and_depends_on_the_seed(classic: bool) -> None:
    def weights(seed: int) -> Tensor:
        network = build(1, 2, 4, seed=0)
        train(network, phantoms(), QUICK, CPU, seed, silent, CLASSIC if classic else None)
        return state(network)

    before = torch.get_rng_state()
    once = weights(1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(12345)  # has no say in it
    assert torch.equal(weights(1), once)
    assert not torch.equal(weights(2), once)


def test_classic_augmentation_changes_each_batch_anew_and_is_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []

    def black(images: Tensor, masks: Tensor, classic: Classic, seed: int) -> tuple[Tensor, Tensor]:
        seeds.append(seed)
        return torch.zeros_like(images), torch.zeros_like(masks)

    monkeypatch.setattr("xrgan.downstream.segmentation.segmenter.augment_pairs", black)
    plain, classic = build(1, 2, 4, seed=0), build(1, 2, 4, seed=0)
    train(plain, phantoms(), QUICK, CPU, 0, silent)
    assert seeds == []
    train(classic, phantoms(), QUICK, CPU, 0, silent, CLASSIC)
    assert len(set(seeds)) == QUICK.budget.steps
    assert not torch.equal(state(plain), state(classic))


def test_patience_ends_a_training_that_gets_no_better() -> None:
    standstill = Budget(9, 1, 4, lr=1e-12, patience=2)
    history = train(build(1, 2, 4, seed=0), phantoms(), Phase(TRAINING, standstill), CPU, 0, silent)
    assert len(history.epochs) == 3 and history.best == 0 and history.steps == 3
    history = train(
        build(1, 2, 4, seed=0), phantoms(), Phase(TRAINING, replace(standstill, patience=0)), CPU, 0, silent
    )
    assert len(history.epochs) == 9


def test_reports_every_step_once() -> None:
    reported: list[int] = []
    phase = Phase(TRAINING, Budget(2, 13, 2, lr=1e-3))
    train(build(1, 2, 4, seed=0), phantoms(), phase, CPU, 0, lambda steps, _: reported.append(steps))
    assert reported == [10, 3, 10, 3]


@pytest.mark.parametrize("spoilt", ["before", "by the last step"])
def test_what_is_no_number_stops_with_advice(spoilt: str) -> None:
    network = build(1, 2, 4, seed=0)
    if spoilt == "before":
        next(network.parameters()).data.fill_(float("nan"))
    # Else the loss of the only step is fine, and the weights after it are so large that no mask comes out.
    budget = Budget(1, 1, 4, lr=1e-3 if spoilt == "before" else 3e37)
    with pytest.raises(XrganError, match=r"went astray.*segment\.lr"):
        train(network, phantoms(), Phase(TRAINING, budget), CPU, 0, silent)


def test_masks_come_in_the_order_asked_for_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bright(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.cat([images.float() - 127.5, 127.5 - images.float()], dim=1)

    images = phantoms().images
    asked = np.random.default_rng(0).permutation(32)
    monkeypatch.setattr("xrgan.downstream.segmentation.segmenter.PIXELS_WITHOUT_GRADIENTS", 7 * SIZE * SIZE)
    masks = predict(Bright(), images, asked, CPU)
    bright = images[asked, 0].numpy() > 127
    assert masks.dtype == np.bool_
    np.testing.assert_array_equal(masks, np.stack([bright, ~bright], axis=1))


def test_the_network_sees_pixels_between_minus_one_and_one() -> None:
    segmenter = Segmenter(nn.Identity())
    seen = segmenter(torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2))
    assert seen.flatten().tolist() == [-1, 1]


def test_the_loss_lets_structures_overlap() -> None:
    masks = torch.ones(1, 2, 8, 8)
    both = loss_of(torch.full((1, 2, 8, 8), 9.0), masks)
    one = loss_of(torch.stack([torch.full((1, 8, 8), 9.0), torch.full((1, 8, 8), -9.0)], dim=1), masks)
    assert both < 0.01 and one > 1


def test_the_loss_is_dice_and_cross_entropy_of_the_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 2, 8, 8, generator=generator)
    masks = (torch.rand(3, 2, 8, 8, generator=generator) > 0.7).float()
    masks[0, 1] = 0  # an image without the second structure
    p = logits.sigmoid()
    dice = 2 * (p * masks).sum((0, 2, 3)) / (p.sum((0, 2, 3)) + masks.sum((0, 2, 3)))
    expected = (1 - dice).mean() + functional.binary_cross_entropy(p, masks)
    assert loss_of(logits, masks).item() == pytest.approx(expected.item(), rel=1e-4)
