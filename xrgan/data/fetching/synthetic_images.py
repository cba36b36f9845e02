"""Images that say they are synthetic, among those that were fetched as somebody's X-rays: taken out, and named."""

from pathlib import Path

from xrgan import console
from xrgan.data.reading.kinds import find_images
from xrgan.data.reading.marked import mark_in
from xrgan.errors import XrganError
from xrgan.layout import first_few

NAMED = 3  # images


def remove_synthetic(folder: Path, name: str) -> int:
    """Remove what says it is synthetic from a folder that is being fetched, and say so: how many.

    Args:
        name: of the source, for what is said.

    Raises:
        XrganError: no other image is left.
    """
    images = find_images(folder)
    marked = [file for file in console.track(images, "Looking for synthetic images") if mark_in(file) is not None]
    if not marked:
        return 0
    if len(marked) == len(images):
        raise XrganError(
            f"All {len(images):,} images of {name} say that they are synthetic: none shows a patient.",
            "--allow-synthetic takes them.",
        )
    named = first_few([file.relative_to(folder).as_posix() for file in marked], NAMED)
    console.warn(
        f"{len(marked):,} of {len(images):,} images say that they are synthetic, and were left out: {named}. "
        "--allow-synthetic takes them."
    )
    for file in marked:
        file.unlink()
    return len(marked)
