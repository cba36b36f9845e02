"""The Inception network of torch-fidelity, with weights that were read as plain numbers; twice as fast on a CPU.

Its features are torch-fidelity's to a relative 1e-5 (tests/benchmarks/evaluate_throughput.py). In bfloat16 it would be
faster still, but FID between 250 and 250 real X-rays moved by 0.9 %, which is more than a score may: it stays float32.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch_fidelity.feature_extractor_inceptionv3 import BasicConv2d, FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x as resize

from xrgan.evaluation.inception_weights import FULL, weights_file
from xrgan.evaluation.scores_file import INCEPTION

LAYERS = (64, 192, 768, 2048)  # each named by its number of features
LOGITS = 1008  # of the last layer, without its bias: what the Inception Score stands on
STAGES = (
    ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "MaxPool_1"),
    ("Conv2d_3b_1x1", "Conv2d_4a_3x3", "MaxPool_2"),
    ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
    ("Mixed_7a", "Mixed_7b", "Mixed_7c"),
)
"""The network's parts up to each of LAYERS."""
INPUT_PIXELS = FeatureExtractorInceptionV3.INPUT_IMAGE_SIZE


class Inception(FeatureExtractorInceptionV3):  # type: ignore[misc]  # torch-fidelity has no types
    """torch-fidelity's network before it has weights.

    Its own constructor would unpickle the weights file, code and all. Here it gets an empty one, and makes no
    initial weights either (they would cost time and draw from the global random numbers of a training run).
    """

    def __init__(self, logits: bool) -> None:
        nothing = io.BytesIO()
        torch.save({}, nothing)
        nothing.seek(0)
        with torch.device("meta"):
            layers = [*map(str, LAYERS), *(["logits_unbiased"] if logits else [])]
            super().__init__(INCEPTION, layers, feature_extractor_weights_path=nothing)
        self.logits = logits

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Run torch-fidelity's layers in its order; a gray image is resized once, not once for each channel."""
        resized = resize(images.float(), (INPUT_PIXELS, INPUT_PIXELS), align_corners=False)
        maps = ((resized - 128) / 128).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        features = []
        for stage in STAGES:
            for layer in stage:
                maps = self.get_submodule(layer)(maps)
            features.append(adaptive_avg_pool2d(maps, 1).flatten(1))
        if self.logits:
            features.append(features[-1] @ self.fc.weight.T)
        return tuple(features)

    def load_state_dict(self, state_dict: dict[str, torch.Tensor], strict: bool = True, assign: bool = True) -> Any:
        return super().load_state_dict(state_dict, strict, assign) if state_dict else None


def load_network(weights: Path, device: torch.device) -> Inception:
    """Load the network with the features of LAYERS: uint8 (B, C, H, W) → a tuple of float32 (B, 64) … (B, 2048).

    C = 3, or 1: gray, seen as three equal channels. The full weights give (B, LOGITS) behind them. It resizes to
    299 × 299 itself, bilinear as TensorFlow 1 did it.

    Args:
        weights: one of the two files that `fetch_weights` gives.
    """
    network = published_network(weights)
    for block in list(network.modules()):
        for name, layer in block.named_children():
            if isinstance(layer, BasicConv2d):
                folded = fuse_conv_bn_eval(layer.conv, layer.bn)
                block.add_module(name, nn.Sequential(folded, nn.ReLU(inplace=True)))
    network.requires_grad_(False)
    network.to(device=device, memory_format=torch.channels_last)
    return network


def published_network(weights: Path) -> Inception:
    """Read the network as it was published, each convolution with its BatchNorm behind it."""
    full = weights_file(weights) == FULL
    network = Inception(logits=full)
    if full:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    else:
        state = _state_without_logits(weights, network)
    network.load_state_dict(state)
    return network


def _state_without_logits(path: Path, network: Inception) -> dict[str, torch.Tensor]:
    """Read the 4 × 94 arrays of the TorchScript archive as what they are: numbered files of little-endian float32.

    The file was checked by its hash, so its layout is known: the layers stand in torch-fidelity's order, each as
    weight, beta, mean, var. Nothing in it is unpickled or run. It has no last layer: `fc` is zero and never used.
    """
    state = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    with zipfile.ZipFile(path) as archive:

        def array(number: int) -> torch.Tensor:
            return torch.from_numpy(np.frombuffer(archive.read(f"out_jit_module/data/{number}"), "<f4").copy())

        layers = [(name, module) for name, module in network.named_modules() if isinstance(module, BasicConv2d)]
        for index, (name, module) in enumerate(layers):
            weight, beta, mean, variance = (array(4 * index + part) for part in range(4))
            state[f"{name}.conv.weight"] = weight.reshape(module.conv.weight.shape)
            state[f"{name}.bn.weight"] = torch.ones_like(beta)  # the TensorFlow network had no scale
            state[f"{name}.bn.bias"] = beta
            state[f"{name}.bn.running_mean"] = mean
            state[f"{name}.bn.running_var"] = variance
    return state
