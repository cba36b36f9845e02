"""The loop that classifiers and segmenters share: batches, budgets, and the caller's random state."""

import numpy as np
import pytest
import torch
from torch import nn

from xrgan.downstream.training_loop import Budget, Phase, draw_batches, finite, fit, fixed_seed, join_phases
from xrgan.downstream.trial import Epoch, History
from xrgan.errors import XrganError


class Line:
    """A learner with one weight, whose validation figures are told in advance."""

    section = "classify"

    def __init__(self, figures: list[dict[str, float]]) -> None:
        self.network = nn.Linear(1, 1, bias=False)
        self.figures, self.weights = iter(figures), []

    def loss(self, batch: np.ndarray) -> torch.Tensor:
        return ((self.network(torch.ones(len(batch), 1)) - 5) ** 2).mean()

    def validate(self) -> dict[str, float]:
        self.weights.append(self.network.weight.item())
        return next(self.figures)


def learn(figures: list[dict[str, float]], patience: int = 0) -> tuple[Line, History]:
    line, phase = Line(figures), Phase(np.arange(4), Budget(len(figures), 2, 2, lr=0.1, patience=patience))
    return line, fit(line, phase, torch.device("cpu"), 0, lambda *_: None)


def test_the_best_epoch_s_weights_are_kept() -> None:
    figures = [{"first": 1.0, "second": 0.1}, {"first": 1.0, "second": 0.3}, {"first": 0.9, "second": 0.9}]
    line, history = learn(figures)
    assert history.best == 1 and line.network.weight.item() == line.weights[1] != line.weights[2]
    assert history.kept.validation == figures[1] and history.steps == 6


def test_patience_counts_epochs_behind_the_best_one() -> None:
    _, history = learn([{"first": value} for value in (0.1, 0.3, 0.2, 0.2, 0.9)], patience=2)
    assert (len(history.epochs), history.best, history.steps) == (4, 1, 8)


def test_of_several_phases_the_last_one_s_weights_were_kept() -> None:
    def of(*scores: float, best: int) -> History:
        return History(tuple(Epoch(1.0, {"auroc": score}) for score in scores), best, steps=len(scores) * 5)

    both = join_phases(iter([of(0.9, 0.95, best=1), of(0.6, 0.8, 0.7, best=1)]))
    assert [epoch.score for epoch in both.epochs] == [0.9, 0.95, 0.6, 0.8, 0.7]
    assert (both.best, both.kept.score, both.steps) == (3, 0.8, 25)


@pytest.mark.parametrize(
    ("epochs", "share", "first"), [(10, 0.5, 5), (10, 0.25, 2), (2, 0.5, 1), (3, 0.01, 1), (3, 0.99, 2), (7, 0.5, 4)]
)
def test_a_parted_budget_takes_the_same_steps(epochs: int, share: float, first: int) -> None:
    whole = Budget(epochs, 7, 16, 0.1, patience=3)
    before, after = whole.parted(share)
    assert (before.epochs, after.epochs) == (first, epochs - first)
    assert before.steps + after.steps == whole.steps == 7 * epochs
    assert (after.batch_size, after.lr, after.patience) == (16, 0.1, 3)


def test_every_example_is_seen_once_before_any_is_seen_again() -> None:
    indices = np.arange(100, 110)
    batches = draw_batches(indices, 4, np.random.default_rng(0))
    drawn = np.concatenate([next(batches) for _ in range(5)])
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(indices)
    assert list(drawn[:10]) != list(drawn[10:])


def test_batches_are_full_even_of_few_examples() -> None:
    batch = next(draw_batches(np.array([5, 6, 7]), 8, np.random.default_rng(0)))
    assert len(batch) == 8 and set(batch) == {5, 6, 7}


def test_what_is_no_number_says_whose_learning_rate_is_too_large() -> None:
    assert finite(torch.tensor(0.5), "segment") == 0.5
    with pytest.raises(XrganError, match=r"The segmenter's training went astray: a figure became inf.*segment\.lr"):
        finite(torch.tensor(float("inf")), "segment")


def test_a_fixed_seed_leaves_the_caller_s_randomness_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    with fixed_seed(1):
        inside = torch.rand(2)
    assert torch.equal(torch.rand(2), expected)
    with fixed_seed(1):
        assert torch.equal(torch.rand(2), inside)
