"""Contact sheets: some images of each class under its name, and once more with their masks in colour."""

import textwrap
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from xrgan.data.images import Pixels, from_pil, grid, to_pil

COLOURS = ((0, 160, 255), (255, 80, 60), (90, 220, 90), (255, 200, 0), (200, 90, 255))  # of the masks, in their order
TINT = 0.35  # share of a mask's colour
COLOUR_NAMES = ("blue", "red", "green", "yellow", "violet")
CAPTION_HEIGHT = 22  # pixels
WIDEST = 1600  # pixels of a picture that is looked at on a screen
FONT_SIZE, LINE_HEIGHT, LETTER_WIDTH = 13, 17, 6.6  # pixels, about


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


def with_caption(image: Pixels, caption: str) -> Pixels:
    """Write what an image shows on a margin below it; an image wider than `WIDEST` is made smaller.

    Args:
        image: uint8 (C, H, W).

    Returns:
        uint8 (C, rows, W or `WIDEST`); where nothing is made smaller, the pixels above the margin are the image's.
    """
    picture = to_pil(image)
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    lines = textwrap.wrap(caption, max(12, int((picture.width - 8) / LETTER_WIDTH)))
    canvas = Image.new(picture.mode, (picture.width, picture.height + LINE_HEIGHT * len(lines) + 6))
    canvas.paste(picture, (0, 0))
    drawing, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=FONT_SIZE)
    for k, line in enumerate(lines):
        place = (4, picture.height + 2 + LINE_HEIGHT * k)
        drawing.text(place, line, fill=255 if picture.mode == "L" else (255, 255, 255), font=font)
    return from_pil(canvas)


def legend_of(masks: Sequence[str]) -> str:
    """Name the colour of each mask, as in "lungs blue, heart red"."""
    return ", ".join(f"{name} {COLOUR_NAMES[k % len(COLOUR_NAMES)]}" for k, name in enumerate(masks))


def _captioned(caption: str, band: Pixels, width: int) -> Pixels:
    gray = len(band) == 1
    height = band.shape[1] + CAPTION_HEIGHT
    canvas = Image.new("L" if gray else "RGB", (width, height))
    canvas.paste(to_pil(band), (0, CAPTION_HEIGHT))
    font = ImageFont.load_default(size=13)
    ImageDraw.Draw(canvas).text((4, 3), caption, fill=255 if gray else (255, 255, 255), font=font)
    return from_pil(canvas)
