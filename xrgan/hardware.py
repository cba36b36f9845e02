"""The device and the precision that networks run in."""

import contextlib

import torch

from xrgan.errors import XrganError


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
