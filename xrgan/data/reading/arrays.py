"""Arrays in files that are no picture format: NumPy's .npy; .mha, .nii.gz and their kin, which SimpleITK reads.

Only single images: a volume of several slices is refused, as a DICOM file of several frames is.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from xrgan.data.reading.deep_files import Values, refuse_several
from xrgan.data.reading.kinds import extension

NUMPY = ".npy"
INSTALL = "pip install 'xrgan[volumes]'"


def read_array(path: Path) -> Values:
    """The values as they are stored: (H, W), or (H, W, 3) where the last axis holds colours.

    Raises:
        ValueError: it holds no array of numbers, or several slices; or the package that reads it isn't here.
    """
    values = _from_numpy(path) if path.suffix.lower() == NUMPY else _from_simpleitk(path)
    if values.dtype == bool:
        values = values.astype(np.uint8)
    colours = values.ndim > 2 and values.shape[-1] in {3, 4} and min(values.shape[-3:-1]) > 4
    plane = values.shape[-3:] if colours else values.shape[-2:] if values.ndim > 1 else values.shape
    refuse_several(int(np.prod(values.shape[: values.ndim - len(plane)], dtype=np.int64)), "slices")
    if len(plane) < 2 or 0 in plane:
        raise ValueError("holds no image")
    values = values.reshape(plane)
    return values[..., :3] if colours else values


def _from_numpy(path: Path) -> Values:
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError("no NumPy array of numbers") from error
    if values.dtype.kind not in "biuf":
        raise ValueError("no NumPy array of numbers")
    _refuse_too_many(values.size)
    return np.asarray(values.squeeze() if 1 in values.shape[2:] else values)


def _from_simpleitk(path: Path) -> Values:
    try:
        import SimpleITK
    except ImportError:
        raise ValueError(f"is read by the package SimpleITK ({INSTALL})") from None
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        _refuse_too_many(int(np.prod(reader.GetSize(), dtype=np.int64)))
        return np.asarray(SimpleITK.GetArrayFromImage(reader.Execute()))
    except RuntimeError:
        raise ValueError(f"no {extension(path)} image") from None


def _refuse_too_many(pixels: int) -> None:
    if pixels > (Image.MAX_IMAGE_PIXELS or pixels):
        raise ValueError("declares too many pixels")
