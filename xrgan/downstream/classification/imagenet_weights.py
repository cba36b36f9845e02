"""ImageNet weights as torchvision publishes them: from its site, from torch's cache, or from a file."""

import re
import warnings
from pathlib import Path

import requests
import torch
from torch import Tensor, nn
from torchvision import models

from xrgan import console
from xrgan.errors import XrganError
from xrgan.files import replacing, sha256

CONNECT_SECONDS = 5  # for each address of the server: a hospital's firewall often just doesn't answer
READ_SECONDS = 30  # the longest silence in between
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
    return _read(locate(arch, weights))


def locate(arch: str, weights: str) -> Path:
    """The file of "imagenet" weights, downloaded where torch's cache has none, or the file that `weights` names.

    Raises:
        XrganError: the download failed, or there is no such file.
    """
    return _download(arch) if weights == "imagenet" else _existing(weights)


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
    if path.is_file() and _hash_fits(path, path.name):
        return path
    console.notice(f"The ImageNet weights of {arch} come from {url}.")
    try:
        _stream(url, path)
    except OSError as error:  # those of requests are, too
        raise XrganError(
            f"The ImageNet weights of {arch} could not be downloaded: {_reason(error)}.",
            f"Either train from scratch with `--weights none`, or bring {url} from a machine with internet"
            " and pass it with `--weights FILE`.",
        ) from error
    return path


def _stream(url: str, path: Path) -> None:
    with requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response, replacing(path) as file:
        response.raise_for_status()
        megabytes = int(response.headers.get("Content-Length", 0)) / 1e6
        with console.progress(path.name, megabytes or None, unit="MB") as bar, file.open("wb") as out:
            for chunk in response.iter_content(CHUNK_BYTES):
                out.write(chunk)
                bar.advance(len(chunk) / 1e6)
        if not _hash_fits(file, path.name):
            raise OSError("what arrived is another file (its SHA-256 is wrong)")


def _reason(error: OSError) -> str:
    match error:
        case requests.HTTPError(response=response) if response is not None:
            return f"the server answered {response.status_code}"
        case requests.Timeout():
            return "no answer came in time"
        case requests.exceptions.SSLError():
            return "the server's certificate is not trusted; REQUESTS_CA_BUNDLE can name your proxy's"
        case requests.RequestException():
            return "the server can't be reached"
    return error.strerror or str(error)


def _url(arch: str) -> str:
    return str(models.get_model_weights(arch).DEFAULT.url)


def _hash_fits(path: Path, name: str) -> bool:
    """torchvision's file names end in the first eight digits of the SHA-256."""
    return sha256(path).startswith(Path(name).stem.rpartition("-")[2])
