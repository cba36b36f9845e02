"""ImageNet weights as torchvision publishes them: from its site, from torch's cache, or from a file."""

import http.client
import pickle
import re
import urllib.request
import zipfile
from pathlib import Path
from typing import IO

import torch
from torch import Tensor, nn
from torchvision import models

from xrgan import console
from xrgan.errors import XrganError
from xrgan.files import replacing, sha256

CONNECT_SECONDS = 10.0  # for each address of the server, and for each silence in between
CHUNK_BYTES = 1 << 20

State = dict[str, Tensor]


def load(arch: str, weights: str) -> State:
    """The state dictionary of a torchvision network with its 1000-class head.

    Args:
        arch: a torchvision network by name.
        weights: "imagenet", or the path of a file that holds a state dictionary.

    Raises:
        XrganError: the download failed, or the file is absent, damaged, or no state dictionary.
    """
    return _read(_download(arch) if weights == "imagenet" else _existing(weights))


def fill(network: nn.Module, state: State, head: str, arch: str, source: str) -> None:
    """Load all weights but those of the module named `head` into a torchvision network.

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
    raise XrganError(f"The weights in {source} don't fit {arch}: {problem}.", f"{arch} takes the file {_url(arch)}.")


def _existing(weights: str) -> Path:
    path = Path(weights).expanduser()
    if not path.is_file():
        raise XrganError(f"There is no weights file {weights}.", "--weights takes imagenet, none, or a file.")
    return path


def _read(path: Path) -> State:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, OSError, ValueError) as error:
        raise XrganError(
            f"{path} can't be read as weights: it is damaged, or holds more than tensors.", "Fetch it anew."
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise XrganError(f"{path} holds no state dictionary (name → tensor).", "--weights takes torchvision's files.")
    # DenseNet's file was written before names with a dot in them were forbidden: norm.1 is norm1 today.
    return {re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", key): state[key] for key in state}


def _download(arch: str) -> Path:
    url = _url(arch)
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if path.is_file() and _hash_fits(path, path.name):
        return path
    console.notice(f"The ImageNet weights of {arch} come from {url}.")
    try:
        with urllib.request.urlopen(url, timeout=CONNECT_SECONDS) as answer, replacing(path) as temporary:
            with console.progress(path.name, _megabytes(answer), unit="MB") as bar, temporary.open("wb") as file:
                while chunk := answer.read(CHUNK_BYTES):
                    file.write(chunk)
                    bar.advance(len(chunk) / 1e6)
            if not _hash_fits(temporary, path.name):
                raise OSError("what arrived is not the file: its SHA-256 differs")
    except (OSError, http.client.HTTPException) as error:  # URLError and time-outs are OSErrors
        reason = getattr(error, "reason", None) or error
        raise XrganError(
            f"The ImageNet weights of {arch} could not be downloaded: {reason}.",
            f"Either train from scratch with `--weights none`, or bring {url} from a machine with internet"
            " and pass it with `--weights FILE`.",
        ) from error
    return path


def _url(arch: str) -> str:
    return str(models.get_model_weights(arch).DEFAULT.url)


def _hash_fits(path: Path, name: str) -> bool:
    """torchvision's file names end in the first eight digits of the SHA-256."""
    return sha256(path).startswith(Path(name).stem.rpartition("-")[2])


def _megabytes(answer: IO[bytes]) -> float | None:
    length = getattr(answer, "length", None)
    return length / 1e6 if length else None
