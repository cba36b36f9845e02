"""The network that `--arch auto` means, online and offline: `xrgan classify`, typed."""

from pathlib import Path

import pytest

from tests.commands.toy_studies import QUICK, said, summary_of
from tests.terminal import Terminal
from xrgan.downstream.classification import imagenet_weights
from xrgan.errors import XrganError

pytestmark = [pytest.mark.usefixtures("any_hash", "small_networks", "one_thread", "pictures"), pytest.mark.slow]

AUTO = QUICK.replace("--arch resnet18 --weights none ", "")


def test_where_they_can_t_be_fetched_the_classifier_is_the_one_whose_weights_are_here(
    here: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import models

    monkeypatch.setenv("TORCH_HOME", str(here.folder / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(models.ResNet50_Weights.DEFAULT.value, "url", "http://127.0.0.1:9/resnet50-11ad3fa6.pth")
    answer = said(here(f"classify {AUTO}"))
    assert "could not be downloaded" in answer and "So it is efficientnet-lite0" in answer
    options = summary_of("a")["options"]
    assert (options["arch"], options["weights"]) == ("efficientnet-lite0", "imagenet")
    assert "efficientnet-lite0, from imagenet weights" in Path("runs/a/classify/report.md").read_text(encoding="utf-8")


def test_a_study_that_began_offline_goes_on_with_its_network_online(
    here: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object) -> Path:
        raise XrganError("No internet.")

    with monkeypatch.context() as patch:
        patch.setattr(imagenet_weights, "_download", offline)
        here(f"classify {AUTO}")
    monkeypatch.setattr(imagenet_weights, "_download", lambda _: Path("resnet50-here.pth"))  # online again
    again = said(here(f"classify {AUTO}"))
    assert "efficientnet-lite0, as when this study began" in again and "--arch resnet50" in again
    assert "2 of 2 trainings were there already" in again
    assert summary_of("a")["options"]["arch"] == "efficientnet-lite0"


def test_a_study_that_began_online_says_offline_what_it_lacks(here: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It doesn't go on with another network, whose figures would stand beside the first one's."""
    Path("runs/a/classify").mkdir()
    Path("runs/a/classify/auto.yaml").write_text("arch: resnet50\n")

    def offline(*_: object) -> Path:
        raise XrganError("No internet.", "Take `--arch efficientnet-lite0`.")

    monkeypatch.setattr(imagenet_weights, "_download", offline)
    answer = said(here(f"classify {AUTO}", code=1))
    assert "No internet" in answer and "--arch efficientnet-lite0" in answer
    Path("runs/a/classify/auto.yaml").write_text("arch: vgg\n")
    assert "auto.yaml is damaged" in said(here(f"classify {AUTO}", code=1))
