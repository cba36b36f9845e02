"""The device and the precision that networks run in."""

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xrgan.errors import XrganError

ALIGNED = 16  # bytes: a part of a packed copy begins at a multiple of so many


def choose_device(name: str) -> torch.device:
    """Choose a device: cpu, cuda or mps; auto = the fastest that is available.

    Raises:
        XrganError: this machine has no such device.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(device for device in ("cuda", "mps", "cpu") if available[device]))
    if not available[name]:
        raise XrganError(
            f"This machine has no {name} device that PyTorch {torch.__version__} can use.",
            "`--device auto` takes the fastest that is there; `--device cpu` works everywhere.",
        )
    return torch.device(name)


def choose_precision(name: str, device: torch.device) -> str:
    """Choose a precision: fp32 or bf16; auto = bf16 where the hardware multiplies it natively (elsewhere slower)."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp32"
    if device.type == "cpu":
        capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        return "bf16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "fp32"
    return "fp32"


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """Run the networks in bf16; parameters, losses and optimizers stay in fp32."""
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def upload(arrays: Sequence[NDArray[Any]], device: torch.device) -> list[Tensor]:
    """Bring arrays to a device: to a GPU in one copy from pinned memory, for which nobody waits."""
    tensors = [torch.from_numpy(array) for array in arrays]
    if device.type in {"cpu", "mps"}:  # MPS may read what is freed by then, if it isn't waited for: pytorch#139550
        return [tensor.to(device) for tensor in tensors]
    starts = np.cumsum([0, *(-(-tensor.nbytes // ALIGNED) * ALIGNED for tensor in tensors)]).tolist()
    # PyTorch hands out pinned memory again when the copy is done, and not before.
    packed = torch.empty(starts[-1], dtype=torch.uint8, pin_memory=torch.cuda.is_available())
    for start, array in zip(starts, arrays, strict=False):
        packed.numpy()[start : start + array.nbytes] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    there = packed.to(device, non_blocking=True)
    return [
        there[start : start + tensor.nbytes].view(tensor.dtype).view(tensor.shape)
        for start, tensor in zip(starts, tensors, strict=False)
    ]
