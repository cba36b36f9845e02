"""The device and the precision that networks run in."""

import contextlib
import functools
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xrgan import console
from xrgan.errors import XrganError

OTHER_BUILD = (
    "Update the driver, or install a PyTorch that knows the card (of one from before 2018: `pip install torch "
    "torchvision --index-url https://download.pytorch.org/whl/cu126`). `--device cpu` works everywhere."
)
DRIVER = Path("/proc/driver/nvidia/version")  # on Linux
ALIGNED = 16  # bytes: a part of a packed copy begins at a multiple of so many


def choose_device(name: str) -> torch.device:
    """Choose a device: cpu, mps, cuda, or cuda:1 for the second GPU; auto = the fastest that is available.

    On a GPU, convolutions compute in fp32 where fp32 was asked for (and not in TF32), and the same twice.

    Raises:
        XrganError: this machine has no such device, or one that PyTorch can't use.
    """
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if not _trouble(torch.device(kind)))
        unused = _trouble(torch.device("cuda"))
        if name == "cpu" and unused is not None and unused.hint == OTHER_BUILD:
            _warn_once(f"Computing on the CPU: {unused.message[0].lower()}{unused.message[1:]} {unused.hint}")
    device = torch.device(name)
    trouble = _trouble(device)
    if trouble is not None:
        raise trouble
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read once: without it cuBLAS can't repeat itself
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    return device


def _trouble(device: torch.device) -> XrganError | None:
    """Why a device can't be used; None where it can."""
    if device.type == "cpu" or (device.type == "mps" and torch.backends.mps.is_available()):
        return None
    if device.type != "cuda" or not _is_built_for_gpus():
        return _absent(device)
    if not _gpus():
        reason = _reason_of_no_gpu()
        if "driver" in reason and "too old" in reason:
            return XrganError(
                f"The driver of this machine's GPU is too old for PyTorch {torch.__version__}.", OTHER_BUILD
            )
        return _absent(device)
    if (device.index or 0) >= _gpus():
        return XrganError(
            f"This machine has no {device}: PyTorch finds {_gpus()} GPU{'s' * (_gpus() > 1)}, counted from cuda:0.",
            "`--device cuda` takes the first one.",
        )
    if not is_supported(torch.cuda.get_device_capability(device), torch.cuda.get_arch_list()):
        card = torch.cuda.get_device_name(device)
        return XrganError(f"PyTorch {torch.__version__} was built for other GPUs than this {card}.", OTHER_BUILD)
    return None


def _absent(device: torch.device) -> XrganError:
    return XrganError(
        f"This machine has no {device.type} device that PyTorch {torch.__version__} can use.",
        "`--device auto` takes the fastest that is there; `--device cpu` works everywhere.",
    )


def _is_built_for_gpus() -> bool:
    return torch.version.cuda is not None or torch.version.hip is not None


def _gpus() -> int:
    with warnings.catch_warnings():  # what it warns of is said by an error of our own
        warnings.simplefilter("ignore")
        return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _reason_of_no_gpu() -> str:
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return str(error)
    return ""


def is_supported(capability: tuple[int, int], built_for: Sequence[str]) -> bool:
    """Whether a GPU of that compute capability runs what PyTorch was built for: sm_80, compute_90, or gfx90a of AMD.

    A binary (sm) runs on its own generation, from its capability on; PTX (compute) on any one from its own on.
    """
    for name in built_for:
        kind, _, number = name.partition("_")
        if not number.isdecimal():  # of AMD, or of one chip alone
            if kind.startswith("gfx"):
                return True
            continue
        made_for = divmod(int(number), 10)
        if made_for <= capability and (kind == "compute" or made_for[0] == capability[0]):
            return True
    return not built_for


@functools.cache
def _warn_once(text: str) -> None:
    console.warn(text)


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


def is_fast(precision: str, device: torch.device) -> bool:
    """Whether the hardware multiplies in that precision natively."""
    return precision == "fp32" or choose_precision("auto", device) == precision


def release_memory(device: torch.device) -> None:
    """Give back what PyTorch keeps of a GPU's memory for later."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def free_memory(device: torch.device) -> int:
    """The bytes that are free in an NVIDIA or AMD GPU's own memory; 0 of what shares the machine's."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def describe(device: torch.device) -> str:
    """Name a device: a GPU's own name, or a CPU's number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({torch.get_num_threads()} threads)" if device.type == "cpu" else device.type


def versions_of(device: torch.device) -> dict[str, str]:
    """What a GPU's results depend on beside PyTorch: versions of CUDA, cuDNN and the driver; nothing of a CPU."""
    if device.type != "cuda":
        return {}
    found = re.search(r"\s(\d+\.\d+\S*)", DRIVER.read_text()) if DRIVER.is_file() else None
    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    versions = {"cuda": torch.version.cuda, "hip": torch.version.hip, "cudnn": cudnn, "driver": found and found[1]}
    return {name: str(version) for name, version in versions.items() if version}


@contextlib.contextmanager
def repeatable(device: torch.device, wanted: bool) -> Iterator[None]:
    """Train on a CUDA device so that every bit comes again within the block, where that is wanted; else faster.

    As PyTorch's notes on reproducibility say it; a CPU does so anyway, and MPS can't be made to.
    """
    if device.type != "cuda":
        yield
        return
    cudnn: Any = torch.backends.cudnn
    fill: Any = torch.utils.deterministic
    before = cudnn.deterministic, torch.are_deterministic_algorithms_enabled()
    filled = fill.fill_uninitialized_memory
    cudnn.deterministic = wanted
    torch.use_deterministic_algorithms(wanted or before[1])
    fill.fill_uninitialized_memory = False  # a third more kernels, for what no operation here reads
    try:
        yield
    finally:
        cudnn.deterministic = before[0]
        torch.use_deterministic_algorithms(before[1])
        fill.fill_uninitialized_memory = filled


@contextlib.contextmanager
def tuned(device: torch.device) -> Iterator[None]:
    """Let cuDNN try its algorithms for each new shape within the block, unless every bit shall come again.

    That takes seconds: it is for what is computed thousands of times, and not for a grid of samples.
    """
    cudnn: Any = torch.backends.cudnn
    before = cudnn.benchmark
    cudnn.benchmark = before or (device.type == "cuda" and not cudnn.deterministic)
    try:
        yield
    finally:
        cudnn.benchmark = before


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
