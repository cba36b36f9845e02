"""What augmentation does to an image, what it never does, and that gradients pass through."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from xrgan.gan.augment import (
    BLACK,
    RandomNumbers,
    Strength,
    adapted_probability,
    augment,
    changes_of,
    draw_changes,
    probability_for,
)

HALF = Strength(0.5)
POSED = Strength(0.7, rotation=20, scaling=0.2)


def images(batch: int = 4, channels: int = 1, size: int = 16) -> Tensor:
    return torch.rand(batch, channels, size, size, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8


def only(change: int, strength: Strength = HALF, **numbers: list[float]) -> Tensor:
    """What is changed in 4 images: this change alone, by these numbers (the middle of a range is no change)."""
    fields = {name: np.array([numbers.get(name, [0.5, 0.5])] * 4, np.float32) for name in RandomNumbers._fields}
    fields["applied"] = np.ones((4, 4), np.float32)
    fields["applied"][:, change] = 0
    return torch.from_numpy(changes_of(RandomNumbers(**fields), strength, 16))


def drawn(seed: int, batch: int, strength: Strength, size: int = 16) -> Tensor:
    return torch.from_numpy(draw_changes(np.random.default_rng(seed), batch, strength, size))


def test_probability_0_changes_nothing() -> None:
    x = images()
    assert augment(x, drawn(0, 4, Strength(0.0)), 1) is x


def test_brightness_and_contrast_are_linear_and_spare_the_masks() -> None:
    x = images(channels=3)
    changed = augment(x, only(0, light=[0.9, 0.2]), channels=1)
    mean = x[:, :1].mean(dim=(1, 2, 3), keepdim=True)
    assert torch.allclose(changed[:, :1], (x[:, :1] - mean) * 0.7 + mean + 0.4, atol=1e-5)
    assert torch.equal(changed[:, 1:], x[:, 1:])


@pytest.mark.parametrize(("number", "steps"), [(0.0, -2), (0.5, 0), (0.999, 2)])
def test_a_shift_moves_image_and_masks_together_and_lets_black_in(number: float, steps: int) -> None:
    x = images(channels=2)
    changed = augment(x, only(1, shift=[number, 0.5]), channels=1)  # down, and not to the side
    expected = torch.full_like(x, BLACK)
    if steps > 0:
        expected[:, :, steps:] = x[:, :, :-steps]
    elif steps < 0:
        expected[:, :, :steps] = x[:, :, -steps:]
    else:
        expected = x
    assert torch.allclose(changed, expected, atol=1e-6)  # brightness and contrast by nothing round a little


def test_a_cutout_covers_a_square_of_image_and_masks() -> None:
    x = images(channels=2)
    changed = augment(x, only(2, cutout=[0.5, 0.5]), channels=1)
    hole = torch.zeros(16, 16, dtype=torch.bool)
    hole[4:13, 4:13] = True
    assert (changed[:, :, hole] == 0).all()
    assert torch.allclose(changed[:, :, ~hole], x[:, :, ~hole], atol=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([8, 16, 24]), st.integers(1, 5), st.sampled_from([Strength(0.7), POSED]))
def test_every_image_is_changed_by_its_own_numbers(seed: int, size: int, batch: int, strength: Strength) -> None:
    x = images(batch, 2, size)
    changes = drawn(seed, batch, strength, size)
    whole = augment(x, changes, 1)
    assert whole.shape == x.shape
    for k in range(batch):
        assert torch.allclose(augment(x[k : k + 1], changes[k : k + 1], 1), whole[k : k + 1], atol=1e-6)


def test_changes_come_as_often_as_the_probability_says() -> None:
    x = images(2000, 1, 8)
    changed = augment(x, drawn(0, 2000, Strength(0.3), 8), 1)
    untouched = ((changed - x).abs() < 1e-6).all(dim=(1, 2, 3)).float().mean().item()
    # A shift by (0, 0) changes nothing: 1 of 9 at this size.
    assert untouched == pytest.approx(0.7 * (0.7 + 0.3 / 9) * 0.7, abs=0.03)


def test_left_stays_left_and_dark_stays_dark() -> None:
    """No flip, no turn, no inversion: an image that is bright at its upper left stays so, whatever is drawn."""
    ramp = torch.linspace(0.9, -0.9, 16)
    x = ((ramp[:, None] + ramp[None]) / 2).expand(300, 1, 16, 16)
    changed = augment(x, drawn(1, 300, Strength(1.0)), 1)
    weight = torch.linspace(-1, 1, 16)
    inner = changed[:, 0, 2:-2, 2:-2]  # the black that comes in aside
    covered = inner == 0
    for axis in (1, 2):
        place = weight[2:-2].view(1, -1, 1) if axis == 1 else weight[2:-2].view(1, 1, -1)
        centred = torch.where(covered, 0, inner - inner.mean(dim=(1, 2), keepdim=True))
        assert ((centred * place).sum(dim=(1, 2)) < 0).float().mean() > 0.97


@pytest.mark.parametrize(("angle", "scale"), [(90.0, 0.0), (0.0, 1.0)])
def test_a_pose_turns_about_the_middle_and_magnifies(angle: float, scale: float) -> None:
    """By the largest angle, a quarter turn here, and the largest factor, 2; in the middle is what was there."""
    x = images(channels=2)
    changed = augment(x, only(3, strength=Strength(0.5, angle, scale), pose=[1.0, 1.0]), channels=1)
    if angle:
        assert torch.allclose(changed, x.rot90(1, (2, 3)), atol=1e-5)
    else:
        inner = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear")[:, :, 8:24, 8:24]
        assert torch.allclose(changed, inner, atol=1e-5)


def test_gradients_pass_through_to_what_is_seen() -> None:
    x = images().requires_grad_(True)
    augment(x, only(2, cutout=[0.5, 0.5]), 1).sum().backward()
    assert x.grad is not None
    assert (x.grad[:, :, 5:12, 5:12] == 0).all()
    assert (x.grad[:, :, :4] == 1).all()


def test_augmentation_grows_while_the_discriminator_is_sure() -> None:
    assert adapted_probability(0.2, sign=0.9, images=5000) == pytest.approx(0.3)
    assert adapted_probability(0.2, sign=0.1, images=5000) == pytest.approx(0.1)
    assert (adapted_probability(0.99, 1, 5000), adapted_probability(0.01, -1, 5000)) == (1, 0)


@pytest.mark.parametrize(("count", "probability"), [(1, 1), (5000, 1), (18_708, 0.5), (70_000, 0), (112_120, 0)])
def test_fewer_images_are_changed_more_often(count: int, probability: float) -> None:
    assert probability_for(count, most=1) == pytest.approx(probability, abs=0.01)
    assert probability_for(count, most=0.4) == pytest.approx(0.4 * probability, abs=0.01)
