import numpy as np
import pytest
import torch
from torch import nn

from tests.downstream.toys import blobs
from xrgan.downstream.classifier import Budget, Examples, class_weights, draw_batches, predict, train
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


def test_learns_and_keeps_the_best_epoch() -> None:
    examples = points()
    network = small_network()
    history = train(network, examples, Budget(8, 5, 16, lr=0.05), CPU, 0, silent)
    best = history.epochs[history.best]
    assert len(history.epochs) == 8
    assert best.balanced_accuracy == max(epoch.balanced_accuracy for epoch in history.epochs) > 0.75
    # The weights in the network are those of that epoch, not of the last one.
    assert history.best < 7
    positive = predict(network, examples.inputs, examples.validation, CPU)[:, 1]
    labels = examples.labels[examples.validation].numpy()
    pairs = positive[labels == 1][:, None] - positive[labels == 0][None, :]
    assert (pairs > 0).mean() == pytest.approx(best.auroc)
    assert best.auroc != history.epochs[-1].auroc


def test_of_equally_accurate_epochs_the_one_that_ranks_best_is_kept() -> None:
    examples = points()
    everything_positive = small_network()
    with torch.no_grad():
        everything_positive[1].bias.copy_(torch.tensor([0.0, 10.0]))
    history = train(everything_positive, examples, Budget(4, 5, 16, lr=0.01), CPU, 0, silent)
    assert {epoch.balanced_accuracy for epoch in history.epochs} == {0.5}
    assert history.epochs[history.best].auroc == max(epoch.auroc for epoch in history.epochs)
    assert history.best > 0


def test_training_is_reproducible_and_depends_on_the_seed() -> None:
    def weights(seed: int) -> torch.Tensor:
        network = small_network()
        train(network, points(), Budget(2, 5, 16, lr=0.05), CPU, seed, silent)
        return network[1].weight.detach()

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


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
