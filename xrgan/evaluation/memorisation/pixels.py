"""The training images nearest to an image by its pixels, as a whole or in one half, however it was moved.

Chests are alike in their coarse shapes, and one radiograph is known by its details. So images are compared by the
correlation of band-passed ones at 64 × 64, the image laid over the training image: neither brightness nor contrast nor
inversion matters, nor a turn of up to 10°, a zoom of up to 15 %, a shift of up to 6 %, or a mirror.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn.functional import interpolate

from xrgan import console
from xrgan.evaluation.image_sets import Images
from xrgan.evaluation.memorisation.alignment import PIXELS, align, lattice, poses, sample, with_slopes
from xrgan.evaluation.memorisation.neighbours import NEIGHBOURS, Neighbours, rank

# What these find of real X-rays, tests/benchmarks/planted_copies.py shows.
FINE, MIDDLE, COARSE = (0.8, 2.0), (1.3, 3.3), (2.0, 5.0)
"""σ of the two Gaussians between which details lie, in pixels: below is noise, above are the shapes of all chests.
Fine ones tell images apart; the others, which match from farther off, choose candidates and align them."""
BANDS = (FINE, MIDDLE, COARSE)
FINE_PLACES, MIDDLE_PLACES, COARSE_PLACES = lattice(49), lattice(25), lattice(13)
SHIFTS = (-4, -2, 0, 2, 4)
POSES = poses((-10, -5, 0, 5, 10), (0.87, 0.93, 1, 1.07, 1.15), (1, -1), SHIFTS)  # tried with all training images
SHIFTED = poses((0,), (1,), (1,), SHIFTS)
CANDIDATES = 32  # training images that are compared closely; in each half, NEIGHBOURS are enough
LEAST_CONTRAST = 0.5  # gray levels: less is no detail, but round-off
LEAST_LOCAL_SCALE = 0.1  # distance: where even the 16th is nearer, an image is there more than 16 times
BATCH_IMAGES = 256

Part = Callable[[Tensor], Tensor]  # places (M, 2) → (M,), whether each counts


@dataclass(frozen=True)
class PixelBank:
    """The details of N training images in gray levels, at the places where they are compared."""

    fine: Tensor  # float16 (N, 49²)
    middle: Tensor  # float16 (N, 25²)
    coarse: Tensor  # float32 (N, 13²)

    def __len__(self) -> int:
        return len(self.fine)


def pixel_bank(training: Images) -> PixelBank:
    """Take the details of training images, uint8 (N, C, H, W), C = 1 or 3; a memory map is read piece by piece."""
    as_it_is = poses((0,), (1,), (1,), (0,))
    kept: list[list[Tensor]] = [[], [], []]
    for start in range(0, len(training), BATCH_IMAGES):
        small = _small(training[start : start + BATCH_IMAGES])
        for of_band, band, places in zip(kept, BANDS, (FINE_PLACES, MIDDLE_PLACES, COARSE_PLACES), strict=True):
            of_band.append(sample(_details(small, band), as_it_is, places)[:, 0])
    fine, middle, coarse = (torch.cat(of_band) for of_band in kept)
    return PixelBank(fine.half(), middle.half(), coarse)


def nearest_in_pixels(images: Images, bank: PixelBank, bar: console.Bar | None = None) -> Neighbours:
    """Find the nearest training images of uint8 (Q, C, H, W), Q ≥ 1, by their pixels.

    The distance is 1 − the highest correlation, of either sign: 0 … 1.

    Args:
        bar: advances by each image.
    """
    return _nearest(images, bank, POSES, lambda places: torch.ones(len(places), dtype=torch.bool), CANDIDATES, bar)


def nearest_in_halves(images: Images, bank: PixelBank) -> Neighbours:
    """Find the training images that are nearest to uint8 (Q, C, H, W), Q ≥ 1, in the left, right, upper or lower half.

    Each half is compared for itself, where it is and a little beside; the one of the least relative distance counts.
    """
    halves: tuple[Part, ...] = (
        lambda places: places[:, 0] < 0,
        lambda places: places[:, 0] > 0,
        lambda places: places[:, 1] < 0,
        lambda places: places[:, 1] > 0,
    )
    found = [_nearest(images, bank, SHIFTED, half, NEIGHBOURS) for half in halves]
    best = np.argmin([of.relative_distance for of in found], axis=0), np.arange(len(images))
    return Neighbours(
        np.stack([of.index for of in found])[best],
        np.stack([of.distance for of in found])[best],
        np.stack([of.local_scale for of in found])[best],
    )


def _nearest(
    images: Images, bank: PixelBank, tried: Tensor, part: Part, candidates: int, bar: console.Bar | None = None
) -> Neighbours:
    """Find the nearest training images by the part of the places that counts.

    Coarse details in all poses that are tried choose candidates from all training images; the image is aligned with
    each of those by middle ones, and compared with it by fine ones.
    """
    fine_part, middle_part, coarse_part = (part(places) for places in (FINE_PLACES, MIDDLE_PLACES, COARSE_PLACES))
    known = _unit(bank.coarse[:, coarse_part]).T.contiguous()
    index, distance = [], []
    for start in range(0, len(images), BATCH_IMAGES):
        small = _small(images[start : start + BATCH_IMAGES])
        for fine, middle, coarse in zip(*(_details(small, band) for band in BANDS), strict=True):
            alike = _unit(sample(coarse[None], tried, COARSE_PLACES[coarse_part])[0]) @ known  # (poses, N)
            among, starts = _candidates(alike, tried, candidates)
            times = len(starts) // len(among)
            others = bank.middle[among][:, middle_part].float().repeat(times, 1)
            aligned = align(with_slopes(middle), starts, others, MIDDLE_PLACES[middle_part])
            wanted = _unit(bank.fine[among][:, fine_part].float())
            # An alignment may fail where there is little to hold on to: the better of both counts.
            seen = sample(fine[None], torch.cat([starts, aligned]), FINE_PLACES[fine_part])[0]
            seen = _unit(seen).view(2 * times, len(among), -1)
            index.append(among.numpy())
            distance.append(1 - (seen * wanted).sum(dim=-1).abs().amax(dim=0).numpy())
            if bar is not None:
                bar.advance()
    ranked = rank(np.array(index), np.array(distance))
    return Neighbours(ranked.index, ranked.distance, np.maximum(ranked.local_scale, LEAST_LOCAL_SCALE))


def _candidates(alike: Tensor, tried: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Choose K training images by the similarity of P poses, (P, N), and the poses to start from, (K or 2 K, 2, 3).

    Among so many poses of others, a faint copy in its own place would not be the nearest: some are chosen by that
    alone, and each is compared there, too.
    """
    least, most = alike.aminmax(dim=0)
    closest = torch.maximum(most, -least)
    in_place = (tried[:, :, :2] == torch.eye(2)).all(dim=2).all(dim=1)
    there = alike[in_place].abs()
    closest[there.amax(dim=0).topk(min(NEIGHBOURS, len(closest))).indices] += 1
    among = closest.topk(min(count, len(closest))).indices
    starts = tried[alike[:, among].abs().argmax(dim=0)]
    if bool(in_place.all()):
        return among, starts
    return among, torch.cat([starts, tried[in_place][there[:, among].argmax(dim=0)]])


def _small(images: Images) -> Tensor:
    """uint8 (B, C, H, W) → float32 (B, 64, 64), gray."""
    gray = torch.from_numpy(np.array(images, np.float32).mean(axis=1, keepdims=True))
    return interpolate(gray, (PIXELS, PIXELS), mode="bilinear", antialias=True)[:, 0]


def _details(small: Tensor, band: tuple[float, float]) -> Tensor:
    """Keep of (B, 64, 64) what lies between the two Gaussians."""
    inner, outer = (gaussian_filter(small.numpy(), (0, sigma, sigma), mode="nearest") for sigma in band)
    return torch.from_numpy(inner - outer)


def _unit(vectors: Tensor) -> Tensor:
    """Vectors (…, F) without their mean, of length 1; shorter where there is next to no detail."""
    centred = vectors - vectors.mean(dim=-1, keepdim=True)
    least = LEAST_CONTRAST * vectors.shape[-1] ** 0.5
    unit: Tensor = centred / torch.linalg.vector_norm(centred, dim=-1, keepdim=True).clamp_min(least)
    return unit
