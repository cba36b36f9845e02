"""Eigen-warps: how chests lie and bend in their pictures, learned from the training images before the first step.

A mean of X-rays has one ribcage, and a sum of eigen X-rays sharpens to that one: all bodies would stand in one place.
So shape and appearance part ways, as in the active appearance model (Cootes et al. 1998): every training image is
registered to the common mean by an affine map and a smooth local one; the maps' principal components, drawn with the
image, place and bend what the decoder draws, as the generator's last step, which no decoder can undo.

Coordinates are (x, y), and an image's frame is [-1, 1]². What is drawn lies on a canvas, `margin` times as wide as the
frame. Where a frame's pixels come from on the canvas is a field of displacements (2, LATTICE, LATTICE) over the frame.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample, interpolate

from xrgan.gan.networks.bilinear import sample_bilinear

LATTICE = 8  # displacements across the frame, which are interpolated between
CONTROLS = 5  # of the local map, across the canvas
REGISTERED_PIXELS = 32  # of the images while they are registered
AFFINE_STEPS, STEPS, REDRAWN_EVERY = 40, 100, 10  # of Adam; the mean is redrawn in between
AT_ONCE = 512  # images, whose gradient is computed together: as much as a processor's cache holds
LEARNING_RATE = 0.02
AFFINE_COST, LOCAL_COST, BENDING_COST = 2.0, 0.3, 0.3  # of a map's squared parameters, beside the squared distance
INVERSIONS = 15  # steps to a fixed point
FURTHEST = 2.33  # standard deviations: 1 to 99 % of a normal distribution
EPSILON = 1e-3


class EigenWarps(nn.Module):
    """Latents (N, W) (and labels) → fields (N, 2, LATTICE, LATTICE): mean of the class + Σ zₖ · σₖ · componentₖ.

    Args:
        count: W.
        margin: the canvas' width over the frame's.
    """

    mean: Tensor
    components: Tensor

    def __init__(self, count: int, margin: float, classes: int) -> None:
        super().__init__()
        self.count, self.margin = count, margin
        self.register_buffer("mean", torch.zeros(max(classes, 1), 2, LATTICE, LATTICE))
        self.register_buffer("components", torch.zeros(count, 2 * LATTICE**2))

    @torch.no_grad()
    def fit(self, images: Tensor, labels: Tensor, images_per_component: int) -> Tensor:
        """Compute mean and components from images (N, C, S, S) and labels (N,), both on the CPU.

        Components that the images are too few for stay 0. torch's random state changes.

        Returns:
            The images, aligned: (N, C, P, P), P = margin · S.
        """
        displacements = register(images, self.margin)
        fields = inverted(displacements, self.margin)
        labels = labels if len(self.mean) > 1 else torch.zeros_like(labels)
        by_class = [fields[labels == label] for label in range(len(self.mean))]
        mean = torch.stack([(ours if len(ours) else fields).mean(dim=0) for ours in by_class])
        self.mean.copy_(mean)
        rest = (fields - mean[labels]).flatten(1)
        count = min(len(self.components), len(rest) // images_per_component)
        if count:
            _, singular, components = torch.svd_lowrank(rest, q=count, niter=4)
            self.components[:count] = (components * (singular / math.sqrt(len(rest)))).T.to(self.components)
        return _aligned(images, displacements, self.margin)

    @torch.no_grad()
    def align(self, images: Tensor) -> Tensor:
        """Align images (N, C, S, S) with one another on the canvas, as `fit` does: (N, C, P, P), P = margin · S."""
        return _aligned(images, register(images, self.margin), self.margin)

    def forward(self, z: Tensor, labels: Tensor | None) -> Tensor:
        with torch.autocast(z.device.type, enabled=False):
            moved = z.float().clamp(-FURTHEST, FURTHEST) @ self.components
        mean = self.mean[labels] if labels is not None and len(self.mean) > 1 else self.mean
        fields: Tensor = mean + moved.view(len(z), *self.mean.shape[1:])
        return fields

    def place(self, canvas: Tensor, fields: Tensor, size: int) -> Tensor:
        """Look at canvases (N, C, …) through fields: images (N, C, size, size), the canvas' border repeated."""
        displacements = interpolate(fields, size=(size, size), mode="bilinear", align_corners=True)
        places = (_grid(size, 1.0, fields.device) + _to_last(displacements)) / self.margin
        return sample_bilinear(canvas, places, padding_mode="border")


@torch.enable_grad()
def register(images: Tensor, margin: float) -> Tensor:
    """Register images (N, C, S, S) to their common mean: displacements (N, 2, P, P) of a canvas' pixels, P of them.

    The image at a pixel's place and displacement is what the mean has at its place. An affine map first (6 numbers),
    then with it a smooth local one (CONTROLS² displacements), by Adam, all images in every step; what all have in
    common is taken out of the maps again and again. Light and contrast don't count: every image has mean 0 and
    variance 1.
    """
    pixels = REGISTERED_PIXELS
    images = interpolate(images, size=(pixels, pixels), mode="area")
    images = images - images.mean(dim=(2, 3), keepdim=True)
    images = images / (images.std(dim=(2, 3), keepdim=True) + EPSILON)
    affine = torch.zeros(len(images), 2, 3, requires_grad=True)
    local = torch.zeros(len(images), 2, CONTROLS, CONTROLS, requires_grad=True)
    groups: list[dict[str, Any]] = [{"params": [affine]}, {"params": [local], "lr": LEARNING_RATE / 2}]
    optimizer = torch.optim.Adam(groups, LEARNING_RATE)
    across = round(margin * pixels)
    before = (across - pixels) // 2
    canvas = _shapes(across, margin)
    frame = canvas[:, before : before + pixels, before : before + pixels]
    parts = [slice(first, first + AT_ONCE) for first in range(0, len(images), AT_ONCE)]
    mean = images
    for step in range(STEPS):
        bend = local if step >= AFFINE_STEPS else None
        if step % REDRAWN_EVERY == 0:
            with torch.no_grad():
                mean = torch.stack([_moved(images, affine, bend, frame, part).sum(dim=0) for part in parts]).sum(dim=0)
                mean = mean / len(images)
        optimizer.zero_grad()
        for part in parts:
            distance = (_moved(images, affine, bend, frame, part) - mean).square().sum() / mean.numel()
            distance.backward()  # type: ignore[no-untyped-call]
        bending = sum(local.diff(dim=axis).square().sum() for axis in (2, 3))
        cost = AFFINE_COST * affine.square().sum() + LOCAL_COST * local.square().sum() + BENDING_COST * bending
        cost.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if (step + 1) % REDRAWN_EVERY == 0:
            with torch.no_grad():
                affine -= affine.mean(dim=0)
                local -= local.mean(dim=0)
    return _combined(canvas, affine, local).detach()


def _moved(images: Tensor, affine: Tensor, local: Tensor | None, shapes: Tensor, part: slice) -> Tensor:
    """Those of the images of a part of them, moved by their maps: (n, C, h, w)."""
    identity = torch.eye(2, 3)
    places = _combined(shapes, affine[part] + identity, None if local is None else local[part])
    return grid_sample(images[part], _to_last(places), padding_mode="border", align_corners=False)


def _shapes(across: int, margin: float) -> Tensor:
    """What each number of a map adds to its displacements: (3 + CONTROLS², across, across) of a canvas' pixels."""
    grid = _grid(across, margin)
    controls = torch.eye(CONTROLS**2).view(-1, 1, CONTROLS, CONTROLS)
    bumps = interpolate(controls, size=(across, across), mode="bicubic", align_corners=True)[:, 0]
    return torch.cat([grid.permute(2, 0, 1), torch.ones(1, across, across), bumps])


def _combined(shapes: Tensor, affine: Tensor, local: Tensor | None) -> Tensor:
    """Displacements (N, 2, h, w) of maps (N, 2, 3) and (N, 2, CONTROLS, CONTROLS), in one product."""
    maps = affine if local is None else torch.cat([affine, local.flatten(2)], dim=2)
    return (maps @ shapes[: maps.shape[2]].flatten(1)).view(-1, 2, *shapes.shape[1:])


def inverted(displacements: Tensor, margin: float) -> Tensor:
    """Invert displacements (N, 2, P, P) of a canvas' pixels: fields (N, 2, LATTICE, LATTICE) over the frame.

    Where q(u) = u + d(u), the fixed point of p = v − d(p) is q⁻¹(v).
    """
    edge = torch.linspace(-1, 1, LATTICE)
    goal = torch.stack(torch.meshgrid(edge, edge, indexing="xy"), dim=-1)
    places = goal.expand(len(displacements), *goal.shape)
    for _ in range(INVERSIONS):
        there = grid_sample(displacements, places / margin, padding_mode="border", align_corners=False)
        places = goal - _to_last(there)
    return (places - goal).permute(0, 3, 1, 2)


def _aligned(images: Tensor, displacements: Tensor, margin: float) -> Tensor:
    """Bring images (N, C, S, S) to where the mean has what they show: (N, C, P, P), P = margin · S."""
    pixels = round(margin * images.shape[-1])
    places = _grid(pixels, margin) + _to_last(interpolate(displacements, size=(pixels, pixels), mode="bilinear"))
    return grid_sample(images, places, padding_mode="border", align_corners=False)


def _grid(pixels: int, reach: float, device: torch.device | None = None) -> Tensor:
    """The places (pixels, pixels, 2) of the pixels' centres of [-reach, reach]²; None = on the CPU."""
    identity = torch.eye(2, 3, device=device or "cpu")[None] * reach
    return affine_grid(identity, [1, 1, pixels, pixels], align_corners=False)[0]


def _to_last(fields: Tensor) -> Tensor:
    return fields.permute(0, 2, 3, 1)
