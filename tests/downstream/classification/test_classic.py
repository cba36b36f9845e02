"""Classic augmentation: another picture of the same chest, each time anew."""

import numpy as np
import torch

from xrgan.downstream.classification.classic import DEGREES, augment


def seeded(images: torch.Tensor, seed: int = 0) -> torch.Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return augment(images)


def chest(side: int = 32) -> torch.Tensor:
    """uint8 (1, side, side): dark, with a bright square left of the middle."""
    image = torch.full((1, side, side), 40, dtype=torch.uint8)
    image[:, side // 2 - 4 : side // 2 + 4, side // 8 : side // 8 + 8] = 200
    return image


def test_shape_and_type_stay_and_pixels_change() -> None:
    for channels in (1, 3):
        images = chest().repeat(5, channels, 1, 1)
        changed = seeded(images)
        assert changed.shape == images.shape and changed.dtype == torch.uint8
        assert (changed.float() - images.float()).abs().mean() > 1


def test_every_image_is_changed_by_itself_and_anew_each_time() -> None:
    images = chest().repeat(6, 1, 1, 1)
    changed = seeded(images)
    assert len({image.numpy().tobytes() for image in changed}) == 6
    assert torch.equal(changed, seeded(images)) and not torch.equal(changed, seeded(images, seed=1))
    assert torch.equal(images, chest().repeat(6, 1, 1, 1)), "what came in stays as it was"


def test_colours_of_one_image_stay_together() -> None:
    changed = seeded(chest().repeat(4, 3, 1, 1))
    assert torch.equal(changed[:, 0], changed[:, 1]) and torch.equal(changed[:, 0], changed[:, 2])


def test_hearts_stay_on_their_side_and_heads_up() -> None:
    """No flip, no large turn: the bright spot moves by what DEGREES, SHIFT and SCALE allow, and no further."""
    images = chest(64).repeat(200, 1, 1, 1)
    rows, columns = np.mgrid[:64, :64]
    before = images[0, 0].numpy() > 120
    middle_before = rows[before].mean() - 31.5, columns[before].mean() - 31.5
    for image in seeded(images)[:, 0].numpy():
        bright = image > 120
        middle = rows[bright].mean() - 31.5, columns[bright].mean() - 31.5
        assert middle[1] < -8, "left of the middle, as before"
        distance = abs(middle_before[1])
        assert abs(middle[0]) < distance * 1.1 * np.sin(np.radians(DEGREES)) + 0.05 * 64 + 1.5


def test_brightness_stays_near_what_it_was() -> None:
    images = chest().repeat(100, 1, 1, 1)
    peaks = seeded(images).amax(dim=(1, 2, 3)).float()
    assert 150 < peaks.min() < 195 and 205 < peaks.max() < 250
