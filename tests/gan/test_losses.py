"""Losses and the gradient penalty against the formulas of their papers, at numbers worked out by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from xrgan.gan.losses import discriminator_loss, generator_loss, gradient_penalty, missing_variance

KINDS = ["bce", "non-saturating", "hinge", "relativistic"]


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


CROSS_ENTROPY = (softplus(-1) + softplus(-3) + softplus(-2) + softplus(0.5)) / 2  # of the logits below


def logits(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize(
    ("kind", "of_discriminator", "of_generator"),
    [
        # D(x) logits 1 and 3, D(G(z)) logits -2 and 0.5
        ("bce", CROSS_ENTROPY, (softplus(2) + softplus(-0.5)) / 2),
        ("non-saturating", CROSS_ENTROPY, (softplus(2) + softplus(-0.5)) / 2),
        ("hinge", (0 + 0 + 0 + 1.5) / 2, (2 - 0.5) / 2),
        ("relativistic", (softplus(-3) + softplus(-2.5)) / 2, (softplus(3) + softplus(2.5)) / 2),
    ],
)  # fmt: skip
def test_worked_examples(kind: str, of_discriminator: float, of_generator: float) -> None:
    real, fake = logits(1, 3), logits(-2, 0.5)
    assert discriminator_loss(kind, real, fake, real_label=1.0).item() == pytest.approx(of_discriminator)
    assert generator_loss(kind, fake, real).item() == pytest.approx(of_generator)


def test_smoothed_labels_ask_for_less_than_certainty() -> None:
    """With a target of 0.9 the best logit of a real image is log(0.9 / 0.1), not infinity; bce alone smooths."""
    candidates = torch.linspace(-5, 8, 1301)
    losses = [discriminator_loss("bce", logit[None], torch.full((1,), -50.0), 0.9).item() for logit in candidates]
    best = candidates[int(torch.tensor(losses).argmin())].item()
    assert best == pytest.approx(math.log(9), abs=0.02)
    plain = [
        discriminator_loss("non-saturating", logit[None], torch.full((1,), -50.0), 0.9).item() for logit in candidates
    ]
    assert plain == sorted(plain, reverse=True)


@pytest.mark.parametrize("kind", KINDS)
def test_each_network_wants_what_the_other_does_not(kind: str) -> None:
    high, low = torch.full((4,), 2.0), torch.full((4,), -2.0)
    assert generator_loss(kind, high, low) < generator_loss(kind, low, high)
    assert discriminator_loss(kind, high, low, 0.9) < discriminator_loss(kind, low, high, 0.9)


class Quadratic(nn.Module):
    """D(x) = a/2 · Σx² + label · Σx, whose gradient is a·x + label."""

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return 1.5 * images.square().sum(dim=(1, 2, 3)) + labels * images.sum(dim=(1, 2, 3))


def test_the_penalty_is_the_mean_squared_norm_of_the_gradient() -> None:
    images, labels = torch.randn(5, 2, 3, 3, generator=torch.Generator().manual_seed(0)), torch.arange(5)
    expected = (3 * images + labels[:, None, None, None]).square().sum(dim=(1, 2, 3)).mean()
    assert gradient_penalty(Quadratic(), images, labels).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_penalty_has_gradients_for_the_discriminator_alone() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(9, 1), nn.Flatten(0))
    images = torch.randn(4, 1, 3, 3, requires_grad=True)

    class Labelled(nn.Module):
        def forward(self, images: Tensor, labels: Tensor) -> Tensor:
            return network(images) + 0 * labels

    penalty = gradient_penalty(Labelled(), images.bfloat16(), torch.zeros(4, dtype=torch.int64))
    assert penalty.dtype == torch.float32
    penalty.backward()
    weight = network[1].weight
    assert torch.allclose(weight.grad, 2 * weight)  # the gradient of a linear D is its weight everywhere
    assert images.grad is None


def varied(spread: float, centre: float = 0) -> Tensor:
    """Features of four images (4, 1, 1, 1) about a centre."""
    return centre + spread * torch.tensor([-1.0, 1.0, -1.0, 1.0])[:, None, None, None]


@pytest.mark.parametrize(("spread", "missing"), [(1, 0), (2, 0), (0.5, 0.5), (0.25, 0.75), (0, 1)])
def test_missing_variance_is_the_share_of_the_deviation_that_is_not_there(spread: float, missing: float) -> None:
    one_class = torch.zeros(4, dtype=torch.int64)
    real, fake = varied(1), varied(spread, centre=5)
    for classes in (0, 1, 3):
        lacking = missing_variance([real], [fake], one_class, classes)
        assert lacking.item() == pytest.approx(missing, abs=2e-4)
    half = missing_variance([real, real], [real, fake], one_class, 0)
    assert half.item() == pytest.approx(missing / 2, abs=2e-4), "the mean over the layers"
    two = missing_variance([torch.cat([real, real], 1)], [torch.cat([real, fake], 1)], one_class, 0)
    assert two.item() == pytest.approx(missing / 2, abs=2e-4), "a feature that varies too much makes up for none"


def test_variance_is_missed_within_a_class_alone() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    by_class = labels[:, None, None, None].float() * 10  # the images of each class are one
    assert missing_variance([by_class + varied(1)], [by_class], labels, 2).item() == pytest.approx(1, abs=2e-4)
    assert missing_variance([by_class], [varied(1)], labels, 2).item() == 0, "real ones don't vary: none is missed"


def test_missing_variance_drives_images_of_a_class_apart() -> None:
    fake = varied(0.1).requires_grad_(True)
    real = varied(1).requires_grad_(True)
    missing_variance([real], [fake], torch.zeros(4, dtype=torch.int64), 1).backward()
    assert fake.grad is not None and real.grad is None
    assert torch.equal(fake.grad.sign(), -fake.detach().sign()), "a descent moves each image away from the mean"
