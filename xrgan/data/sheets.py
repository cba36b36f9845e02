"""Contact sheets: some images of each class under its name, and once more with their masks in colour."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from xrgan.data.images import Pixels, from_pil, grid, to_pil

COLOURS = ((0, 160, 255), (255, 80, 60), (90, 220, 90), (255, 200, 0), (200, 90, 255))  # of the masks, in their order
TINT = 0.35  # share of a mask's colour
CAPTION_HEIGHT = 22  # pixels


def tinted(images: Pixels, channels: int) -> Pixels:
    """Images with masks (N, C + M, H, W) → RGB (N, 3, H, W) with each mask in its colour."""
    rgb = np.broadcast_to(images[:, :channels], (len(images), 3, *images.shape[2:])).astype(np.float32)
    for k in range(images.shape[1] - channels):
        share = TINT * (images[:, channels + k] > 127)[:, None]
        colour = np.array(COLOURS[k % len(COLOURS)], np.float32)[None, :, None, None]
        rgb = rgb * (1 - share) + colour * share
    return np.rint(rgb).astype(np.uint8)


def shown(images: Pixels, channels: int) -> Pixels:
    """What a sheet shows of images (N, C + M, H, W): the images, beside each its masks, (N, C or 3, H, W or 2 W)."""
    if images.shape[1] == channels:
        return images
    plain = np.broadcast_to(images[:, :channels], (len(images), 3, *images.shape[2:]))
    return np.concatenate([plain, tinted(images, channels)], axis=3)


def sheet(bands: Sequence[tuple[str, Pixels]], channels: int, columns: int) -> Pixels:
    """Draw a contact sheet: one band per class, its caption above it.

    Args:
        bands: caption, and images uint8 (n, C + M, H, W).
        columns: images in a row; with masks half as many.

    Returns:
        uint8 (C or 3, rows, width).
    """
    drawn = []
    for caption, images in bands:
        cells = shown(images, channels)
        drawn.append((caption, grid(cells, columns if len(images[0]) == channels else -(-columns // 2))))
    width = max(band.shape[2] for _, band in drawn)
    return np.concatenate([_captioned(caption, band, width) for caption, band in drawn], axis=1)


def _captioned(caption: str, band: Pixels, width: int) -> Pixels:
    gray = len(band) == 1
    height = band.shape[1] + CAPTION_HEIGHT
    canvas = Image.new("L" if gray else "RGB", (width, height))
    canvas.paste(to_pil(band), (0, CAPTION_HEIGHT))
    font = ImageFont.load_default(size=13)
    ImageDraw.Draw(canvas).text((4, 3), caption, fill=255 if gray else (255, 255, 255), font=font)
    return from_pil(canvas)
