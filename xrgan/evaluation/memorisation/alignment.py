"""Lay an image over others, however it was turned, zoomed, shifted or mirrored.

A pose is (2, 3): it takes a place in the other image, in pixels right of and below its centre, to one in this image.
"""

import itertools
import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

PIXELS = 64  # height and width of all maps here
REACH = 24.0  # pixels from the centre to the outermost places that are compared: beyond, a moved image has other ones
STEPS = 5  # of `align`
MOST_SHIFT, MOST_TURN, MOST_ZOOM = 1.5, 0.06, 0.05  # of one step: pixels, radians, share
DAMPING = 1e-3


def lattice(per_side: int) -> Tensor:
    """Make places in a square around the centre, float32 (per_side², 2): x, y."""
    along = torch.linspace(-REACH, REACH, per_side)
    y, x = torch.meshgrid(along, along, indexing="ij")
    return torch.stack([x, y], dim=-1).reshape(-1, 2)


def poses(turns: Iterable[float], zooms: Iterable[float], mirrors: Iterable[int], shifts: Iterable[float]) -> Tensor:
    """Make every combination, (P, 2, 3): degrees; shares; 1 or -1; pixels, in both directions."""
    made = []
    for turn, zoom, mirror, right, down in itertools.product(turns, zooms, mirrors, (kept := list(shifts)), kept):
        cosine, sine = zoom * math.cos(math.radians(turn)), zoom * math.sin(math.radians(turn))
        made.append([[mirror * cosine, -mirror * sine, right], [sine, cosine, down]])
    return torch.tensor(made)


def sample(maps: Tensor, at: Tensor, places: Tensor) -> Tensor:
    """Read maps (C, 64, 64) at M places in P poses, (P, 2, 3): (C, P, M), bilinear; beyond the border as at it."""
    grid = (_turned(places, at) + at[:, None, :, 2]) / (PIXELS / 2)
    return grid_sample(maps[None], grid[None], mode="bilinear", padding_mode="border", align_corners=False)[0]


def with_slopes(image: Tensor) -> Tensor:
    """Put the slopes of (64, 64) to the right and downwards behind it: (3, 64, 64)."""
    down, right = torch.gradient(image)
    return torch.stack([image, right, down])


def align(image: Tensor, at: Tensor, others: Tensor, places: Tensor) -> Tensor:
    """Turn, zoom and shift an image until it fits others better: K poses → K poses, by Gauss and Newton's method.

    Each step explains the other image by this one in its pose, a constant and the changes that a small shift, zoom and
    turn would make: least squares (Lucas & Kanade 1981). Its brightness, its contrast and their sign don't matter.

    Args:
        image: (3, 64, 64), `with_slopes`.
        at: (K, 2, 3), from at most about 3 pixels off.
        others: (K, M), each other image at the places.
    """
    for _ in range(STEPS):
        value, right, down = sample(image, at, places)
        x, y = _turned(places, at).unbind(dim=-1)
        columns = [value, torch.ones_like(value), right, down, right * x + down * y, down * x - right * y]
        matrix = torch.stack(columns, dim=-1)  # (K, M, 6)
        square = matrix.transpose(1, 2) @ matrix
        damping = torch.diag_embed(DAMPING * square.diagonal(dim1=1, dim2=2) + 1e-6)
        found = torch.linalg.solve(square + damping, matrix.transpose(1, 2) @ others[..., None])[..., 0]
        contrast = torch.where(found[:, :1].abs() < 1e-3, 1e-3, found[:, :1])
        shift_x, shift_y, zoom, turn = (found[:, 2:] / contrast).unbind(dim=-1)
        shift = torch.stack([shift_x, shift_y], dim=-1).clamp(-MOST_SHIFT, MOST_SHIFT)
        one, turn = 1 + zoom.clamp(-MOST_ZOOM, MOST_ZOOM), turn.clamp(-MOST_TURN, MOST_TURN)
        change = torch.stack([torch.stack([one, -turn], dim=-1), torch.stack([turn, one], dim=-1)], dim=1)
        at = torch.cat([change @ at[:, :, :2], at[:, :, 2:] + shift[..., None]], dim=2)
    return at


def _turned(places: Tensor, at: Tensor) -> Tensor:
    """Turn, zoom and mirror M places in each of P poses, (P, M, 2); a product of such small matrices takes longer."""
    return places[:, :1] * at[:, None, :, 0] + places[:, 1:] * at[:, None, :, 1]
