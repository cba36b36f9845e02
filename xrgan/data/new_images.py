"""Images of no dataset, brought to a dataset's form: whatever `prepare` reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from xrgan import console
from xrgan.config import PrepareConfig
from xrgan.data.filenames import readable
from xrgan.data.images import Pixels
from xrgan.data.preparing.resize import ImageFormat, read_resized
from xrgan.data.reading.dicom import is_dicom
from xrgan.data.reading.kinds import KNOWN_KINDS, count_others, find_images, in_words
from xrgan.data.synthetic import find_samples
from xrgan.errors import XrganError
from xrgan.files import first_reason, no_such

DECODING = ("size", "fit", "channels", "window", "clahe")  # options of `prepare` that decide how a file is read


class NewImages(NamedTuple):
    """What was read.

    Attributes:
        names: of the files, below the folder.
        pixels: uint8 (n, C, S, S).
        problems: file → reason, for those that can't be read.
        numbered: file → what an output may call it, where its own name may be a person's: that of a DICOM file.
    """

    names: list[str]
    pixels: Pixels
    problems: dict[str, str]
    numbered: dict[str, str]


def read_new_images(images: Path, options: Mapping[str, Any]) -> NewImages:
    """Read one image, or all below a folder, as `prepare` does with those options.

    Args:
        options: size, fit, channels, window, clahe, as dataset.yaml holds them.

    Raises:
        XrganError: there is no such file or folder, or no image in it that can be read; or the options are damaged.
    """
    if not images.exists():
        raise no_such("file or folder", images)
    files = _images_in(images) if images.is_dir() else [images]
    if not files:
        raise XrganError(f"There is no image in {images}.", f"xrgan reads {KNOWN_KINDS}.")
    image_format = _image_format(options)
    if images.is_dir() and (others := count_others(images)):
        console.notice(f"Not read: {in_words(others)}; xrgan reads {KNOWN_KINDS}.")
    names, pixels, problems = [], [], {}
    numbered: dict[str, str] = {}
    for file in console.track(files, "Reading"):
        name = readable(file.relative_to(images).as_posix() if images.is_dir() else file.name)
        if file.is_file() and is_dicom(file):
            numbered[name] = f"dicom_{len(numbered) + 1:04d}.dcm"
        try:
            pixels.append(read_resized(file, image_format)[0])
            names.append(name)
        except ValueError as error:
            problems[name] = str(error)
    if not names:
        name, reason = next(iter(problems.items()))
        raise XrganError(f"None of the {len(files)} images in {images} can be read; {name}: {reason}.")
    return NewImages(names, np.stack(pixels), problems, numbered)


def _image_format(options: Mapping[str, Any]) -> ImageFormat:
    try:
        known = PrepareConfig.model_validate({name: options[name] for name in DECODING})
    except (KeyError, ValidationError) as error:
        reason = first_reason(error) if isinstance(error, ValidationError) else f"no {error.args[0]}"
        raise XrganError(
            f"What it says of how its images were prepared is damaged: {reason}.", "`xrgan classify` trains another."
        ) from None
    return ImageFormat(**{name: getattr(known, name) for name in DECODING})


def _images_in(folder: Path) -> list[Path]:
    """All images below a folder; of one that `xrgan sample` filled, the X-rays only."""
    return find_samples(folder) if (folder / "sample.yaml").is_file() else find_images(folder)
