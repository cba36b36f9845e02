"""`xrgan fetch`, typed."""

from pathlib import Path

import pytest

from tests.terminal import Terminal
from xrgan.evaluation import inception_weights


def test_what_can_be_fetched_is_listed_and_what_is_here_of_it(type_: Terminal) -> None:
    listed = type_("fetch --list")
    for name in ("phantom", "jrs, jsrt", "kermany", "rsna", "rsna-dicom", "nih", "covid", "lungs"):
        assert name in listed.out
    assert "covid: It contains images of rsna" in listed.err.replace("\n", " ")
    type_("fetch phantom --n 20 --size 32")
    assert "yes: 20 images" in type_("fetch --list").out


def test_inception_means_the_weights(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inception_weights, "fetch_weights", lambda: Path("cache/inception.pth"))
    assert type_("fetch inception").out == "cache/inception.pth\n"
    assert not Path("data").exists()


def test_the_phantoms_flags_are_for_the_phantom(type_: Terminal) -> None:
    Path("mine").mkdir()
    assert "--size is for the phantom" in type_("fetch my-own --folder mine --size 32", code=2).err
