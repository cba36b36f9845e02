from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from tests.downstream.blobs import blobs
from xrgan.downstream.classification.classifier import Epoch, Examples, History, class_weights, predict, train
from xrgan.downstream.classification.metrics import auroc, score
from xrgan.downstream.training_loop import Budget, draw_batches
from xrgan.errors import XrganError

CPU = torch.device("cpu")


def small_network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 2))


def points(seed: int = 0, count: int = 120) -> Examples:
    """float (N, 16) whose mean tells the class, with noise that keeps some apart from it."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    inputs = rng.normal(0, 1, (count, 16)) + 0.4 * labels[:, None]
    order = np.arange(count)
    return Examples(torch.from_numpy(inputs).float(), torch.from_numpy(labels), order[:80], order[80:], classes=2)


def silent(steps: int, loss: float) -> None:
    pass


# --- batches and weights


def test_every_example_is_seen_once_before_any_is_seen_again() -> None:
    indices = np.arange(100, 110)
    batches = draw_batches(indices, 4, np.random.default_rng(0))
    drawn = np.concatenate([next(batches) for _ in range(5)])
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(indices)
    assert list(drawn[:10]) != list(drawn[10:])


def test_batches_are_full_where_there_are_fewer_examples_than_a_batch_holds() -> None:
    batch = next(draw_batches(np.array([5, 6, 7]), 8, np.random.default_rng(0)))
    assert len(batch) == 8 and set(batch) == {5, 6, 7}


def test_rare_classes_weigh_more_and_balanced_ones_weigh_one() -> None:
    assert class_weights(torch.tensor([0, 1, 1, 0]), 2).tolist() == [1, 1]
    assert class_weights(torch.tensor([0, 1, 1, 1]), 2).tolist() == pytest.approx([2, 2 / 3])


# --- which epoch is kept


def test_learns_and_keeps_the_weights_of_the_best_epoch_by_auroc() -> None:
    examples, network = points(), small_network()
    history = train(network, examples, Budget(8, 5, 16, lr=0.05), CPU, 0, silent)
    assert len(history.epochs) == 8 and history.steps == 40
    assert history.kept.auroc == max(epoch.auroc for epoch in history.epochs) > 0.8
    assert history.best < 7 and history.kept.auroc != history.epochs[-1].auroc, "not simply the last one"
    labels = examples.labels[examples.validation].numpy()
    probabilities = predict(network, examples.inputs, examples.validation, CPU)
    assert auroc(labels, probabilities) == history.kept.auroc
    assert score(labels, probabilities)["balanced_accuracy"] == history.kept.balanced_accuracy


def test_auroc_decides_even_against_balanced_accuracy() -> None:
    """Biased so that every image is called positive for some epochs: accuracy says nothing, ranking does."""
    examples, network = points(), small_network()
    with torch.no_grad():
        network[1].bias.copy_(torch.tensor([0.0, 10.0]))
    history = train(network, examples, Budget(4, 5, 16, lr=0.01), CPU, 0, silent)
    assert {epoch.balanced_accuracy for epoch in history.epochs} == {0.5}
    assert history.kept.auroc == max(epoch.auroc for epoch in history.epochs)
    assert history.best > 0


def test_of_equal_aurocs_the_more_accurate_epoch_is_kept() -> None:
    """Two validation images, in order from the start; only the threshold between them has to be found."""
    inputs = torch.tensor([[1.0], [2.0], [1.0], [2.0]])
    examples = Examples(inputs, torch.tensor([0, 1, 0, 1]), np.array([0, 1]), np.array([2, 3]), classes=2)
    network = nn.Linear(1, 2)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[0.0], [5.0]]))
        network.bias.copy_(torch.tensor([0.0, -2.0]))
    history = train(network, examples, Budget(20, 2, 2, lr=0.1), CPU, 0, silent)
    assert {epoch.auroc for epoch in history.epochs} == {1.0}
    accuracies = [epoch.balanced_accuracy for epoch in history.epochs]
    assert accuracies[0] == 0.5 and history.best == accuracies.index(1.0) > 0, "the first of the best"


# --- when it stops


def learn_of_noise(patience: int, epochs: int = 30) -> History:
    """From labels that have nothing to do with the inputs, so that validation gets no better for long."""
    examples = points(seed=4)
    labels = torch.from_numpy(np.random.default_rng(1).integers(0, 2, len(examples.labels)))
    noise = Examples(examples.inputs, labels, examples.training, examples.validation, 2)
    return train(small_network(), noise, Budget(epochs, 3, 16, 0.05, patience), CPU, 0, silent)


def test_patience_ends_a_training_that_gets_no_better() -> None:
    whole, stopped = learn_of_noise(patience=0), learn_of_noise(patience=3)
    assert len(whole.epochs) == 30 and whole.steps == 90
    assert len(stopped.epochs) < 30 and stopped.steps == 3 * len(stopped.epochs)
    assert len(stopped.epochs) - 1 - stopped.best == 3, "three epochs behind the best one"
    assert stopped.epochs == whole.epochs[: len(stopped.epochs)], "until then it is the same training"
    ranks = [(epoch.auroc, epoch.balanced_accuracy) for epoch in stopped.epochs]
    assert stopped.best == ranks.index(max(ranks))


def test_a_better_epoch_renews_patience() -> None:
    history = train(small_network(), points(), Budget(8, 5, 16, 0.002, patience=2), CPU, 0, silent)
    gains = [later.auroc > earlier.auroc for earlier, later in pairwise(history.epochs)]
    assert sum(gains) > 2 and len(history.epochs) > 3


# --- two trainings in one budget


@pytest.mark.parametrize(
    ("epochs", "share", "first"), [(10, 0.5, 5), (10, 0.25, 2), (2, 0.5, 1), (3, 0.01, 1), (3, 0.99, 2), (7, 0.5, 4)]
)
def test_a_parted_budget_takes_the_same_steps(epochs: int, share: float, first: int) -> None:
    whole = Budget(epochs, 7, 16, 0.1, patience=3)
    before, after = whole.parted(share)
    assert (before.epochs, after.epochs) == (first, epochs - first)
    assert before.steps + after.steps == whole.steps == 7 * epochs
    assert (after.batch_size, after.lr, after.patience) == (16, 0.1, 3)


def test_one_training_after_another_is_one_history_whose_second_part_was_kept() -> None:
    def of(*aurocs: float, best: int) -> History:
        return History(tuple(Epoch(1.0, 0.5, auroc) for auroc in aurocs), best, steps=len(aurocs) * 5)

    both = of(0.9, 0.95, best=1).followed_by(of(0.6, 0.8, 0.7, best=1))
    assert [epoch.auroc for epoch in both.epochs] == [0.9, 0.95, 0.6, 0.8, 0.7]
    assert (both.best, both.kept.auroc, both.steps) == (3, 0.8, 25)


# --- reproducible, reported, safe


def test_the_same_seeds_give_the_same_weights_bit_for_bit() -> None:
    def weights(of_network: int, of_batches: int) -> torch.Tensor:
        network = small_network(of_network)
        train(network, points(), Budget(2, 5, 16, lr=0.05), CPU, of_batches, silent)
        return network[1].weight.detach()

    assert torch.equal(weights(0, 1), weights(0, 1))
    assert not torch.equal(weights(0, 1), weights(0, 2))
    assert not torch.equal(weights(0, 1), weights(1, 1))


def test_augmentation_changes_what_is_learned_from_and_nothing_that_judges() -> None:
    examples, asked = points(), []

    def change(images: torch.Tensor) -> torch.Tensor:
        asked.append(images.clone())
        return -images

    plain, turned = small_network(), small_network()
    train(plain, examples, Budget(3, 5, 16, lr=0.05), CPU, 0, silent)
    history = train(turned, examples, Budget(3, 5, 16, lr=0.05), CPU, 0, silent, change=change)
    assert [len(batch) for batch in asked] == [16] * 15
    rows = {row.numpy().tobytes() for row in examples.inputs[examples.training]}
    assert all(image.numpy().tobytes() in rows for batch in asked for image in batch), "training images alone"
    assert not torch.equal(plain[1].weight, turned[1].weight)
    assert history.kept.auroc < 0.5, "what it learned upside down is judged upright"


def test_reports_every_step_once() -> None:
    reported: list[int] = []
    history = train(
        small_network(), points(), Budget(2, 13, 16, lr=0.05), CPU, 0, lambda steps, _: reported.append(steps)
    )
    assert reported == [10, 3, 10, 3] and history.steps == 26


@pytest.mark.parametrize("spoil_input", [True, False])
def test_what_is_no_number_stops_with_advice(spoil_input: bool) -> None:
    examples = points()
    if spoil_input:
        examples.inputs[:, 0] = float("nan")
    # Else the loss of the only step is fine, and the weights after it are so large that no probability comes out.
    budget = Budget(1, 1, 16, lr=0.05 if spoil_input else 3e37)
    with pytest.raises(XrganError, match=r"went astray.*classify\.lr"):
        train(small_network(), examples, budget, CPU, 0, silent)


def test_probabilities_add_up_to_one_in_the_order_asked_for() -> None:
    labels = np.arange(600) % 2
    images = torch.from_numpy(blobs(labels, seed=0)).float()
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(256, 2))
    asked = np.random.default_rng(0).permutation(600)
    probabilities = predict(network, images, asked, CPU)
    assert probabilities.shape == (600, 2) and probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(1), 1)
    np.testing.assert_allclose(probabilities[7], predict(network, images, asked[7:8], CPU)[0], rtol=1e-5)


def test_nobody_gets_no_probabilities() -> None:
    assert predict(small_network(), torch.zeros(3, 16), np.empty(0, np.int64), CPU).shape == (0, 2)
