from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from tests.downstream.blobs import blobs
from xrgan.downstream.classic import Classic
from xrgan.downstream.classification.classifier import Examples, class_weights, predict, train
from xrgan.downstream.classification.metrics import auroc, score
from xrgan.downstream.training_loop import Budget, Phase
from xrgan.downstream.trial import History
from xrgan.errors import XrganError

CPU = torch.device("cpu")
TRAINING = np.arange(80)  # of `points`


def small_network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 2))


def points(seed: int = 0, count: int = 120) -> Examples:
    """float (N, 16) whose mean tells the class, with noise that keeps some apart from it."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    inputs = rng.normal(0, 1, (count, 16)) + 0.4 * labels[:, None]
    order = np.arange(count)
    return Examples(torch.from_numpy(inputs).float(), torch.from_numpy(labels), order[80:], classes=2)


def silent(steps: int, loss: float) -> None:
    pass


# --- weights of the classes


def test_rare_classes_weigh_more_and_balanced_ones_weigh_one() -> None:
    assert class_weights(torch.tensor([0, 1, 1, 0]), 2).tolist() == [1, 1]
    assert class_weights(torch.tensor([0, 1, 1, 1]), 2).tolist() == pytest.approx([2, 2 / 3])


# --- which epoch is kept


def test_learns_and_keeps_the_weights_of_the_best_epoch_by_auroc() -> None:
    examples, network = points(), small_network()
    history = train(network, examples, Phase(TRAINING, Budget(8, 5, 16, lr=0.05)), CPU, 0, silent)
    assert len(history.epochs) == 8 and history.steps == 40
    assert history.kept.score == max(epoch.score for epoch in history.epochs) > 0.8
    assert history.best < 7 and history.kept.score != history.epochs[-1].score, "not simply the last one"
    labels = examples.labels[examples.validation].numpy()
    probabilities = predict(network, examples.inputs, examples.validation, CPU)
    assert auroc(labels, probabilities) == history.kept.score
    assert score(labels, probabilities)["balanced_accuracy"] == history.kept.validation["balanced_accuracy"]


def test_auroc_decides_even_against_balanced_accuracy() -> None:
    """Biased so that every image is called positive for some epochs: accuracy says nothing, ranking does."""
    examples, network = points(), small_network()
    with torch.no_grad():
        network[1].bias.copy_(torch.tensor([0.0, 10.0]))
    history = train(network, examples, Phase(TRAINING, Budget(4, 5, 16, lr=0.01)), CPU, 0, silent)
    assert {epoch.validation["balanced_accuracy"] for epoch in history.epochs} == {0.5}
    assert history.kept.score == max(epoch.score for epoch in history.epochs)
    assert history.best > 0


def test_of_equal_aurocs_the_more_accurate_epoch_is_kept() -> None:
    """Two validation images, in order from the start; only the threshold between them has to be found."""
    inputs = torch.tensor([[1.0], [2.0], [1.0], [2.0]])
    examples = Examples(inputs, torch.tensor([0, 1, 0, 1]), np.array([2, 3]), classes=2)
    network = nn.Linear(1, 2)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[0.0], [5.0]]))
        network.bias.copy_(torch.tensor([0.0, -2.0]))
    history = train(network, examples, Phase(np.array([0, 1]), Budget(20, 2, 2, lr=0.1)), CPU, 0, silent)
    assert {epoch.score for epoch in history.epochs} == {1.0}
    accuracies = [epoch.validation["balanced_accuracy"] for epoch in history.epochs]
    assert accuracies[0] == 0.5 and history.best == accuracies.index(1.0) > 0, "the first of the best"


# --- when it stops


def learn_of_noise(patience: int, epochs: int = 30) -> History:
    """From labels that have nothing to do with the inputs, so that validation gets no better for long."""
    examples = points(seed=4)
    labels = torch.from_numpy(np.random.default_rng(1).integers(0, 2, len(examples.labels)))
    noise = Examples(examples.inputs, labels, examples.validation, 2)
    return train(small_network(), noise, Phase(TRAINING, Budget(epochs, 3, 16, 0.05, patience)), CPU, 0, silent)


def test_patience_ends_a_training_that_gets_no_better() -> None:
    whole, stopped = learn_of_noise(patience=0), learn_of_noise(patience=3)
    assert len(whole.epochs) == 30 and whole.steps == 90
    assert len(stopped.epochs) < 30 and stopped.steps == 3 * len(stopped.epochs)
    assert len(stopped.epochs) - 1 - stopped.best == 3, "three epochs behind the best one"
    assert stopped.epochs == whole.epochs[: len(stopped.epochs)], "until then it is the same training"
    ranks = [(epoch.score, epoch.validation["balanced_accuracy"]) for epoch in stopped.epochs]
    assert stopped.best == ranks.index(max(ranks))


def test_a_better_epoch_renews_patience() -> None:
    history = train(small_network(), points(), Phase(TRAINING, Budget(8, 5, 16, 0.002, patience=2)), CPU, 0, silent)
    gains = [later.score > earlier.score for earlier, later in pairwise(history.epochs)]
    assert sum(gains) > 2 and len(history.epochs) > 3


# --- reproducible, reported, safe


def test_the_same_seeds_give_the_same_weights_bit_for_bit() -> None:
    def weights(of_network: int, of_batches: int) -> torch.Tensor:
        network = small_network(of_network)
        train(network, points(), Phase(TRAINING, Budget(2, 5, 16, lr=0.05)), CPU, of_batches, silent)
        return network[1].weight.detach()

    assert torch.equal(weights(0, 1), weights(0, 1))
    assert not torch.equal(weights(0, 1), weights(0, 2))
    assert not torch.equal(weights(0, 1), weights(1, 1))


def test_augmentation_changes_training_images_only(monkeypatch: pytest.MonkeyPatch) -> None:
    examples, asked, seeds, classic = points(), [], [], Classic(10, 0.08, 0.1, 5, 0.15)

    def turn(images: torch.Tensor, options: Classic, seed: int) -> torch.Tensor:
        assert options is classic
        asked.append(images.clone())
        seeds.append(seed)
        return -images

    monkeypatch.setattr("xrgan.downstream.classification.classifier.augment", turn)
    plain, turned = small_network(), small_network()
    phase = Phase(TRAINING, Budget(3, 5, 16, lr=0.05))
    train(plain, examples, phase, CPU, 0, silent)
    assert asked == []
    history = train(turned, examples, phase, CPU, 0, silent, classic)
    assert [len(batch) for batch in asked] == [16] * 15 == [16] * len(set(seeds))
    rows = {row.numpy().tobytes() for row in examples.inputs[TRAINING]}
    assert all(image.numpy().tobytes() in rows for batch in asked for image in batch), "training images alone"
    assert not torch.equal(plain[1].weight, turned[1].weight)
    assert history.kept.score < 0.5, "what it learned upside down is judged upright"


def test_reports_every_step_once() -> None:
    reported: list[int] = []
    history = train(
        small_network(),
        points(),
        Phase(TRAINING, Budget(2, 13, 16, lr=0.05)),
        CPU,
        0,
        lambda steps, _: reported.append(steps),
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
        train(small_network(), examples, Phase(TRAINING, budget), CPU, 0, silent)


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
