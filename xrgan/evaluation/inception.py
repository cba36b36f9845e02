"""The Inception network of torch-fidelity, with weights that were read as plain numbers."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_fidelity.feature_extractor_inceptionv3 import BasicConv2d, FeatureExtractorInceptionV3

from xrgan.evaluation.inception_weights import FULL, weights_file
from xrgan.evaluation.scores_file import INCEPTION

LAYERS = (64, 192, 768, 2048)  # each named by its number of features
LOGITS = 1008  # of the last layer, without its bias: what the Inception Score stands on
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

    def load_state_dict(self, state_dict: dict[str, torch.Tensor], strict: bool = True, assign: bool = True) -> Any:
        return super().load_state_dict(state_dict, strict, assign) if state_dict else None


def load_network(weights: Path, device: torch.device) -> Inception:
    """Load the network with the features of LAYERS: uint8 (B, 3, H, W) → a tuple of float32 (B, 64) … (B, 2048).

    The full weights give (B, LOGITS) behind them. It resizes to 299 × 299 itself, bilinear as TensorFlow 1 did it.

    Args:
        weights: one of the two files that `fetch_weights` gives.
    """
    full = weights_file(weights) == FULL
    network = Inception(logits=full)
    if full:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    else:
        state = _state_without_logits(weights, network)
    network.load_state_dict(state)
    network.requires_grad_(False)
    network.to(device=device, memory_format=torch.channels_last)  # 1.6× faster on a CPU than the default layout
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
