"""What VGG16 sees: its activations as a loss of the generator (Johnson et al. 2016, arXiv:1603.08155).

A synthetic X-ray has no real partner, so the batches are compared and not the images: the mean activation of the real
ones with that of the synthetic ones, place by place (feature matching, with VGG16 in the discriminator's place).
"""

import torch
from torch import Tensor, nn
from torchvision import models

from xrgan.errors import XrganError
from xrgan.files import existing_file

LAYERS = {"relu1_2": 3, "relu2_2": 8, "relu3_3": 15}  # places in torchvision's vgg16().features
LAYERS_USED = 1 + max(LAYERS.values())
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, of RGB in [0, 1]
WEIGHTS_HINT = (
    "It takes torchvision's vgg16-397923af.pth (https://download.pytorch.org/models), or any state dictionary with its "
    "first seven convolutions. Without --perceptual-weights, EfficientNet-Lite0's features are taken."
)


class VGG16(nn.Module):
    """Images (N, C + M, S, S) in [-1, 1] → activations of relu1_2, relu2_2, relu3_3 at their X-rays (C = 1 or 3)."""

    mean: Tensor
    std: Tensor

    def __init__(self, weights: str, channels: int) -> None:
        super().__init__()
        self.channels = channels
        with torch.device("meta"):
            self.features = models.vgg16(weights=None).features[:LAYERS_USED]
        self.features.load_state_dict(_read(weights, self.features.state_dict()), assign=True)
        for layer in self.features:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # the activations are kept
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        h = ((images[:, : self.channels] + 1) / 2 - self.mean) / self.std  # one channel becomes three
        seen = []
        for k, layer in enumerate(self.features):
            h = layer(h)
            if k in LAYERS.values():
                seen.append(h)
        return seen


def _read(weights: str, wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read the wanted tensors, named as in `vgg16().features`, from a file.

    Raises:
        XrganError: there is no such file, or it holds no VGG16.
    """
    path = existing_file(weights, WEIGHTS_HINT)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of a text file torch lets anything from IndexError to AssertionError through
        raise XrganError(f"{weights} holds no weights that can be read.", WEIGHTS_HINT) from error
    given = {}
    for key, value in wanted.items():
        tensor = content.get(f"features.{key}") if isinstance(content, dict) else None
        if not isinstance(tensor, Tensor) or tensor.shape != value.shape:
            raise XrganError(f"The weights in {weights} are not VGG16's: features.{key} does not fit.", WEIGHTS_HINT)
        given[key] = tensor.float()
    return given
