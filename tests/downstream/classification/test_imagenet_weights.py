import hashlib
import pickle
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torchvision import models

from tests.servers import closed_port, serving
from xrgan import downloads
from xrgan.downstream.classification import imagenet_weights
from xrgan.downstream.classification.networks import build
from xrgan.errors import XrganError

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def point_download_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda url: monkeypatch.setattr(models.ResNet18_Weights.DEFAULT.value, "url", url)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address under which a server on this machine gives its files out."""
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder) as address:
        yield folder, address


def test_without_a_network_the_error_comes_at_once_and_names_both_ways_on(
    point_download_at: Callable[[str], None], own_cache: Path
) -> None:
    url = f"http://127.0.0.1:{closed_port()}/resnet18-f37072fd.pth"
    point_download_at(url)
    start = time.monotonic()
    with pytest.raises(XrganError) as caught:
        build("resnet18", 1, 2, "imagenet", unfreeze=False)
    assert time.monotonic() - start < 5
    assert "resnet18 could not be downloaded: the server can't be reached" in caught.value.message
    assert "--weights none" in caught.value.hint and "--weights FILE" in caught.value.hint and url in caught.value.hint
    assert not list(own_cache.glob("*"))


def test_a_server_that_never_answers_is_given_up(
    point_download_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        point_download_at(f"http://127.0.0.1:{silent.getsockname()[1]}/resnet18-f37072fd.pth")
        with pytest.raises(XrganError, match="no answer came in time"):
            imagenet_weights.locate("resnet18", "imagenet")


def test_a_download_is_checked_kept_and_not_repeated(
    served: tuple[Path, str], point_download_at: Callable[[str], None], own_cache: Path
) -> None:
    folder, address = served
    name = f"resnet18-{hashlib.sha256(b'tensors').hexdigest()[:8]}.pth"
    (folder / name).write_bytes(b"tensors")
    point_download_at(f"{address}/{name}")
    assert imagenet_weights.locate("resnet18", "imagenet") == own_cache / name
    assert (own_cache / name).read_bytes() == b"tensors"
    (folder / name).unlink()
    assert imagenet_weights.locate("resnet18", "imagenet") == own_cache / name


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"a page to log in", "SHA-256 is wrong"), (None, "answered 404")],
    ids=["another file", "no file"],
)
def test_what_is_not_the_file_is_not_kept(
    content: bytes | None,
    reason: str,
    served: tuple[Path, str],
    point_download_at: Callable[[str], None],
    own_cache: Path,
) -> None:
    folder, address = served
    if content is not None:
        (folder / "resnet18-f37072fd.pth").write_bytes(content)
    point_download_at(f"{address}/resnet18-f37072fd.pth")
    with pytest.raises(XrganError, match=reason):
        imagenet_weights.locate("resnet18", "imagenet")
    assert not list(own_cache.glob("*"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="There is no file .*imagnet"):
        imagenet_weights.load("resnet18", str(tmp_path / "imagnet"))


class Dangerous:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("executed",)


@pytest.mark.parametrize(
    "content",
    [b"", b"no tensors", pickle.dumps(Dangerous(), protocol=2), pickle.dumps(Dangerous(), protocol=4)],
    ids=["empty", "text", "code", "code in a newer pickle"],
)
def test_a_file_that_is_no_weights_is_refused_and_never_executed(
    content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(XrganError, match="can't be read as weights"):
        imagenet_weights.load("resnet18", str(path))
    assert "executed" not in capfd.readouterr().out


@pytest.mark.parametrize("content", [[torch.zeros(2)], {1: torch.zeros(2)}, {"epoch": 3}])
def test_anything_but_named_tensors_is_no_state_dictionary(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(XrganError, match="holds no state dictionary"):
        imagenet_weights.load("resnet18", str(tmp_path / "other.pth"))


@pytest.mark.parametrize(
    ("arch", "problem"),
    [
        ("resnet34", r"layer1\.2\.conv1\.weight is missing \(\d+ of \d+ tensors are\)"),
        ("densenet121", "is missing"),
    ],
)
def test_the_weights_of_another_network_are_refused(arch: str, problem: str, weights_file: Path) -> None:
    with pytest.raises(XrganError, match=problem) as caught:
        build(arch, 1, 2, str(weights_file), unfreeze=False)
    assert models.get_model_weights(arch).DEFAULT.url in caught.value.hint


def test_weights_of_a_larger_network_and_of_another_shape_are_refused(weights_file: Path, tmp_path: Path) -> None:
    state = torch.load(weights_file, weights_only=True)
    torch.save(state | {"layer5.weight": torch.zeros(1)}, tmp_path / "larger.pth")
    with pytest.raises(XrganError, match=r"layer5\.weight is no part of it"):
        build("resnet18", 1, 2, str(tmp_path / "larger.pth"), unfreeze=False)
    torch.save(state | {"conv1.weight": torch.zeros(64, 1, 7, 7)}, tmp_path / "gray.pth")
    with pytest.raises(XrganError, match=r"conv1\.weight is \(64, 1, 7, 7\), not \(64, 3, 7, 7\)"):
        build("resnet18", 1, 2, str(tmp_path / "gray.pth"), unfreeze=False)


def test_a_densenet_file_with_its_old_names_loads(tmp_path: Path) -> None:
    state = models.densenet121().state_dict()
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.", key): state[key] for key in state}
    without_counters = {key: value for key, value in old.items() if not key.endswith("num_batches_tracked")}
    assert "features.denseblock1.denselayer1.norm.1.weight" in without_counters
    torch.save(without_counters, tmp_path / "densenet.pth")
    network = build("densenet121", 3, 2, str(tmp_path / "densenet.pth"), unfreeze=False)
    key = "features.denseblock4.denselayer16.conv2.weight"
    torch.testing.assert_close(network.body.state_dict()[key], state[key])
