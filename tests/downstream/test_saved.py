"""A trained classifier goes into a file and comes back the same."""

from pathlib import Path

import pytest
import torch

from xrgan.downstream.networks import build
from xrgan.downstream.saved import NAME, About, load_classifier, save_classifier
from xrgan.errors import XrganError

ABOUT = About("resnet18", 1, 16, ("NORMAL", "PNEUMONIA"), "real", 2)
IMAGES = torch.randint(0, 256, (3, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_it_answers_as_before(tmp_path: Path) -> None:
    network = build("resnet18", 1, 2, "none", unfreeze=False).eval()
    save_classifier(tmp_path, network, ABOUT)
    state = torch.get_rng_state()
    saved = load_classifier(tmp_path)
    assert torch.equal(torch.get_rng_state(), state)
    assert saved.about == ABOUT and saved.features == 512
    assert torch.equal(saved.network(IMAGES), network(IMAGES))
    assert saved.network.features(IMAGES).shape == (3, 512)


def test_none_and_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="There is no classifier") as caught:
        load_classifier(tmp_path / "run" / "classify")
    assert "xrgan classify --run" in str(caught.value.hint)
    (tmp_path / NAME).write_bytes(b"torn")
    with pytest.raises(XrganError, match="is damaged"):
        load_classifier(tmp_path)
