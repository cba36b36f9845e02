"""Pictures of numbers: a new matplotlib figure, saved atomically as PNG; an image on axes; the colours of image sets.

matplotlib is imported when a picture is drawn, so that whoever needs a colour alone doesn't wait for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xrgan.files import replacing
from xrgan.marks import Mark, png_info

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REAL, SYNTHETIC = "#4477aa", "#ee6677"  # told apart by the colour-blind (Tol's bright)
SHOWS_PATIENTS = (
    "Shows real patients, unless its real X-rays are phantoms: not for sharing (xrgan export leaves it out)."
)


def new_figure(width: float, height: float, dpi: int = 120) -> "Figure":
    """Create an empty white figure of so many inches, whose parts make room for one another.

    It belongs to no window and to no global state: nothing needs to be closed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: "Figure", path: Path, mark: Mark | None = None) -> None:
    """Write a figure as PNG, with the mark of synthetic images where it shows some; nobody ever reads half of one."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", pil_kwargs={"pnginfo": png_info(mark)} if mark else None)


@contextmanager
def drawn_figure(
    path: Path, width: float, height: float, dpi: int, font_size: float, mark: Mark | None = None
) -> Iterator["Figure"]:
    """Give a new figure of so many inches to draw on, and write it to `path` as PNG when the block ends well.

    Args:
        font_size: in points, of all text that names no other.
        mark: of synthetic images that it shows.
    """
    import matplotlib

    with matplotlib.rc_context({"font.size": font_size}):
        figure = new_figure(width, height, dpi)
        yield figure
        save_figure(figure, path, mark)


def show_image(axes: "Axes", image: NDArray[np.uint8], interpolation: str | None = None) -> None:
    """Draw uint8 (C, H, W), C = 1 or 3, on axes without ticks and without a frame."""
    pixels = np.moveaxis(image, 0, -1) if len(image) == 3 else image[0]
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation=interpolation)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
