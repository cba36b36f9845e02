import math

import pytest
import torch

from xrgan.gan.losses import discriminator_bce, generator_bce


def test_at_logit_zero_each_term_is_log_2() -> None:
    zero = torch.zeros(5)
    assert discriminator_bce(zero, zero, real_label=1.0).item() == pytest.approx(2 * math.log(2))
    assert generator_bce(zero).item() == pytest.approx(math.log(2))


def test_smoothing_puts_the_optimum_where_d_says_the_real_label() -> None:
    logits = torch.linspace(-4, 4, 801)
    losses = [discriminator_bce(logit[None], torch.full((1,), -50.0), 0.9).item() for logit in logits]
    best = logits[int(torch.tensor(losses).argmin())].sigmoid().item()
    assert best == pytest.approx(0.9, abs=0.002)


def test_the_generator_wants_high_logits_and_the_discriminator_low_ones() -> None:
    low, high = torch.full((3,), -2.0), torch.full((3,), 2.0)
    assert generator_bce(high) < generator_bce(low)
    assert discriminator_bce(high, low, 0.9) < discriminator_bce(low, high, 0.9)
