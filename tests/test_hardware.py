"""Which device and which precision networks run in."""

import numpy as np
import pytest
import torch

from xrgan.errors import XrganError
from xrgan.hardware import autocast, choose_device, choose_precision, upload


def test_auto_is_the_fastest_that_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    for cuda, mps, device in ((True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda cuda=cuda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda mps=mps: mps)
        assert choose_device("auto").type == device


def test_a_device_that_is_missing_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(XrganError, match=r"no cuda device.*--device auto"):
        choose_device("cuda")
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize(("capability", "precision"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_auto_precision_is_bf16_where_the_gpu_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert choose_precision("auto", torch.device("cuda")) == precision
    assert choose_precision("fp32", torch.device("cuda")) == "fp32"
    assert choose_precision("auto", torch.device("mps")) == "fp32"


def test_bf16_is_a_matter_of_the_computation_and_not_of_the_weights() -> None:
    layer, ones = torch.nn.Linear(2, 2), torch.ones(1, 2)
    with autocast(torch.device("cpu"), "bf16"):
        assert layer(ones).dtype == torch.bfloat16
    with autocast(torch.device("cpu"), "fp32"):
        assert layer(ones).dtype == torch.float32
    assert layer.weight.dtype == torch.float32


def test_precision_is_what_was_asked_for_or_what_the_processor_multiplies() -> None:
    cpu = torch.device("cpu")
    assert choose_precision("fp32", cpu) == "fp32"
    assert choose_precision("bf16", cpu) == "bf16"
    assert choose_precision("auto", cpu) in {"fp32", "bf16"}


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_arrays_keep_their_shapes_and_kinds_on_their_way(device: str) -> None:
    arrays = [np.arange(3), np.ones((3, 5), np.float32), np.empty((3, 0), np.float32), np.ones((3, 1, 7, 7), np.uint8)]
    there = upload(arrays, torch.device(device))
    assert [(tuple(a.shape), a.dtype) for a in there] == [(a.shape, torch.from_numpy(a).dtype) for a in arrays]
    assert all(tensor.device.type == device for tensor in there)
