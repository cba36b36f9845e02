"""Classic augmentation: another picture of the same chest, each time anew."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torchvision import tv_tensors
from torchvision.transforms import v2

from xrgan.config import ClassifyConfig, SegmentConfig
from xrgan.downstream.classic import augment, augment_pairs, classic_of
from xrgan.downstream.segmentation import metrics
from xrgan.downstream.training_loop import fixed_seed

CLASSIC = classic_of(SegmentConfig())


def seeded(images: Tensor, seed: int = 0) -> Tensor:
    return augment(images, CLASSIC, seed)


def pairs(images: Tensor, masks: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    return augment_pairs(images, masks, CLASSIC, seed)


def chest(side: int = 32) -> Tensor:
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
    """No flip, no large turn: the bright spot moves by what is allowed, and no further."""
    images = chest(64).repeat(200, 1, 1, 1)
    rows, columns = np.mgrid[:64, :64]
    before = images[0, 0].numpy() > 120
    middle_before = rows[before].mean() - 31.5, columns[before].mean() - 31.5
    for image in seeded(images)[:, 0].numpy():
        bright = image > 120
        middle = rows[bright].mean() - 31.5, columns[bright].mean() - 31.5
        assert middle[1] < -8, "left of the middle, as before"
        distance = abs(middle_before[1])
        turned = distance * 1.1 * np.sin(np.radians(CLASSIC.rotation + CLASSIC.shear))
        assert abs(middle[0]) < turned + CLASSIC.shift * 64 + 1.5


def test_brightness_stays_near_what_it_was() -> None:
    images = chest().repeat(100, 1, 1, 1)
    peaks = seeded(images).amax(dim=(1, 2, 3)).float()
    assert 200 * 0.85**2 - 1 < peaks.min() < 195 and 205 < peaks.max() < 256


@pytest.mark.parametrize(("channels", "size"), [(1, (48, 48)), (3, (48, 48)), (1, (40, 56))])
def test_a_whole_batch_is_changed_as_torchvision_changes_one_image_after_the_other(
    channels: int, size: tuple[int, int]
) -> None:
    random = torch.Generator().manual_seed(0)
    coarse = torch.rand(16, channels, 12, 12, generator=random)
    images = (functional.interpolate(coarse, size=size, mode="bicubic").clamp(0, 1) * 255).to(torch.uint8)
    masks = ((images[:, :1] > 128) * 255).to(torch.uint8)
    shift, scale = (CLASSIC.shift, CLASSIC.shift), (1 - CLASSIC.scale, 1 + CLASSIC.scale)
    bilinear = v2.InterpolationMode.BILINEAR
    affine = v2.RandomAffine(CLASSIC.rotation, shift, scale, CLASSIC.shear, interpolation=bilinear)
    change = v2.Compose([affine, v2.ColorJitter(brightness=CLASSIC.light, contrast=CLASSIC.light)])
    with fixed_seed(7):
        one_by_one = [change(tv_tensors.Image(a), tv_tensors.Mask(b)) for a, b in zip(images, masks, strict=True)]
    for ours, k in zip(pairs(images, masks, 7), (0, 1), strict=True):
        theirs = torch.stack([pair[k] for pair in one_by_one])
        difference = (ours.int() - theirs.int()).abs()
        assert (difference > 0).float().mean() < 1e-3  # where rounding was a near thing
        assert k == 1 or difference.max() <= 2


# --- with masks


def squares(count: int = 24) -> tuple[Tensor, Tensor]:
    """A bright square somewhere in the middle of a dark image, and the mask that shows it."""
    rng = np.random.default_rng(0)
    images = torch.full((count, 1, 64, 64), 40, dtype=torch.uint8)
    for image in images:
        top, left = rng.integers(18, 26, 2)
        image[0, top : top + 20, left : left + 20] = 200
    return images, ((images > 120) * 255).to(torch.uint8)


def centres(masks: Tensor) -> Tensor:
    """Masks (N, 1, H, W) → the mean row and column of each: (N, 2)."""
    return torch.stack([torch.nonzero(mask[0]).float().mean(dim=0) for mask in masks])


def test_an_image_and_its_mask_are_changed_together() -> None:
    images, masks = squares()
    changed, moved = pairs(images, masks, seed=0)
    assert type(changed) is type(moved) is Tensor and changed.dtype == moved.dtype == torch.uint8
    assert changed.shape == images.shape and set(moved.unique().tolist()) == {0, 255}
    # Threshold and mask differ where bilinear and nearest pixels do: along the outline, half a pixel wide.
    seen = (changed > 110).numpy()
    assert metrics.dice(seen, moved.numpy() > 127).min() > 0.93
    # And the change is one: the mask from before no longer fits.
    assert metrics.dice(seen, masks.numpy() > 127).mean() < 0.9


def test_each_image_is_changed_by_itself_and_by_the_seed_alone() -> None:
    images, masks = (batch[:1].expand(6, -1, -1, -1) for batch in squares())
    changed, moved = pairs(images, masks, seed=0)
    for batch in (changed, moved):
        assert len({bytes(one.numpy()) for one in batch}) == 6
    again, other = pairs(images, masks, seed=0), pairs(images, masks, seed=1)
    assert torch.equal(again[0], changed) and torch.equal(again[1], moved)
    assert not torch.equal(other[0], changed)


def test_changes_stay_within_their_bounds() -> None:
    images, masks = (batch[:1].expand(200, -1, -1, -1) for batch in squares())
    changed, moved = pairs(images, masks, seed=0)
    areas = (moved > 127).sum((1, 2, 3)) / 400
    assert 0.9**2 * 0.9 < areas.min() < 0.9 and 1.1 < areas.max() < 1.1**2 * 1.1
    shift = ((centres(moved) - centres(masks)) / 64).abs().amax(dim=0)
    assert (shift > 0.06).all() and (shift < 0.08 + 0.05).all()  # the square is off the centre that it turns about
    light = torch.stack([image[mask > 127].median() for image, mask in zip(changed, moved, strict=True)])
    assert 200 * 0.85**2 < light.min() < 165 and light.max() > 235


def test_nothing_is_flipped() -> None:
    masks = torch.zeros(100, 2, 64, 64, dtype=torch.uint8)
    masks[:, 0, 16:28, 16:28], masks[:, 1, 36:48, 36:48] = 255, 255
    _, moved = pairs(masks[:, :1], masks, seed=0)
    assert (centres(moved[:, :1]) < centres(moved[:, 1:])).all()


def test_both_studies_change_images_alike() -> None:
    """Skew included: what the parameters are is one decision, in config.py."""
    assert classic_of(ClassifyConfig()) == classic_of(SegmentConfig()) == CLASSIC
    assert CLASSIC.shear > 0
    images, masks = squares(6)
    assert torch.equal(augment(images, CLASSIC, 3), pairs(images, masks, seed=3)[0])


def test_every_parameter_changes_something_and_without_any_nothing_does() -> None:
    images, _ = squares(4)
    still = replace(CLASSIC, rotation=0, shift=0, scale=0, shear=0, light=0)
    assert torch.equal(augment(images, still, 0), images)
    for name in ("rotation", "shift", "scale", "shear", "light"):
        alone = replace(still, **{name: getattr(CLASSIC, name)})
        assert not torch.equal(augment(images, alone, 0), images), name


def test_the_global_random_state_has_no_say_and_is_left_alone() -> None:
    images, _ = squares(3)
    torch.manual_seed(1)
    first, before = augment(images, CLASSIC, 0), torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(augment(images, CLASSIC, 0), first)
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), before)
