"""A second device in pure Python: tensors that say they are on another one, with real numbers on the CPU behind them.

It refuses operations that mix devices, as a GPU does, and counts what makes a GPU slow: operations, copies that are
waited for, and numbers that are read back. What it can't show: speed, memory, and the arithmetic of a GPU's kernels.
"""

import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

NAME = "secondgpu"
DEVICE = torch.device("cpu")  # until `registered`
aten = torch.ops.aten


class Counts(Counter[str]):
    """operations; blocking: copies to the device that are waited for; read back: numbers and tensors. By place, too."""

    def __init__(self) -> None:
        super().__init__()
        self.places: Counter[str] = Counter()

    def note(self, what: str) -> None:
        self[what] += 1
        ours = [frame for frame in traceback.extract_stack() if "/xrgan/" in frame.filename]
        self.places[f"{what}: {ours[-1].filename.rpartition('/xrgan/')[2]}:{ours[-1].lineno}" if ours else what] += 1


counts = Counts()
trace: list[object] = []  # what was run: the operation, the shapes it was given, and every number that is no tensor's


class _Backend(backend_registration._DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


class There(torch.Tensor):
    """A tensor on the second device."""

    @staticmethod
    def __new__(cls, raw: torch.Tensor) -> "There":
        size, strides, offset = raw.size(), raw.stride(), raw.storage_offset()
        return torch.Tensor._make_wrapper_subclass(  # type: ignore[no-any-return]
            cls, size, strides=strides, storage_offset=offset, dtype=raw.dtype, device=DEVICE
        )

    def __init__(self, raw: torch.Tensor) -> None:
        self.raw = raw

    def __repr__(self) -> str:  # type: ignore[override]
        return f"There({tuple(self.shape)})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class _Mode(TorchDispatchMode):
    """What makes a tensor on the device out of nothing, such as torch.zeros(…, device=DEVICE)."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        there = any(isinstance(leaf, There) for leaf in tree_leaves((args, kwargs)))
        return _run(func, args, kwargs) if there or _names(kwargs, NAME) else func(*args, **kwargs)


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    on = [isinstance(leaf, There) for leaf in leaves]
    copying = func in (aten._to_copy.default, aten.copy_.default)
    elsewhere = [leaf for leaf, here in zip(leaves, on, strict=True) if not here and leaf.dim()]
    if any(on) and elsewhere and not copying:
        counts.note("mixed")
        raise RuntimeError(f"{func}: tensors on two devices")
    _count(func, on, args, kwargs)
    trace.append((func, tree_map(_described, (args, kwargs))))
    to_device, to_cpu = _names(kwargs, NAME), _names(kwargs, "cpu")
    bare = kwargs | ({"device": torch.device("cpu")} if kwargs.get("device") is not None else {})
    args_of, kwargs_of = tree_map(lambda leaf: leaf.raw if isinstance(leaf, There) else leaf, (args, bare))
    out = func(*args_of, **kwargs_of)
    if func is aten.copy_.default:
        return args[0]
    if to_device or (any(on) and not to_cpu and func is not aten._local_scalar_dense.default):
        out = tree_map(lambda leaf: There(leaf) if isinstance(leaf, torch.Tensor) else leaf, out)
    return return_and_correct_aliasing(func, args, kwargs, out) if any(on) else out


def _count(func: Any, on: list[bool], args: Any, kwargs: dict[str, Any]) -> None:
    counts["operations"] += _launches(func, args)
    number = func is aten._local_scalar_dense.default
    if any(on) and (number or (func is aten._to_copy.default and _names(kwargs, "cpu"))):
        counts.note("read back")
    elif func is aten._to_copy.default and _names(kwargs, NAME) and not any(on):
        counts.note("not blocking" if kwargs.get("non_blocking") else "blocking")
    elif func is aten.copy_.default and on[0] != on[-1]:
        counts.note("read back" if on[-1] else "blocking")


def _described(leaf: object) -> object:
    """A tensor's shape and type, of a number in Python its value: what a recorded step would keep of them."""
    if isinstance(leaf, torch.Tensor) and (isinstance(leaf, There) or leaf.dim()):
        return leaf.shape, leaf.dtype
    return leaf.item() if isinstance(leaf, torch.Tensor) else leaf


def _launches(func: Any, args: Any) -> int:
    """One; of lists of tensors that have not the same shapes, CUDA takes each by itself (can_use_fast_route)."""
    if not func._schema.name.startswith("aten::_foreach_"):
        return 1
    lists = [part for part in args if isinstance(part, list | tuple)]
    shapes = [[tensor.shape for tensor in part] for part in lists]
    return 1 if all(shape == shapes[0] for shape in shapes) else len(shapes[0])


def _names(kwargs: dict[str, Any], device: str) -> bool:
    return kwargs.get("device") is not None and torch.device(kwargs["device"]).type == device


@contextmanager
def second_device() -> Iterator[torch.device]:
    """Make the device; within the block, what is put there is there."""
    global DEVICE
    if DEVICE.type == "cpu":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            backend_registration._setup_privateuseone_for_python_backend(NAME, backend_module=_Backend())
        DEVICE = torch.device(NAME, 0)
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with _Mode():
            yield DEVICE
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)


def raw(tensor: torch.Tensor) -> torch.Tensor:
    """The numbers behind a tensor, wherever it is."""
    return tensor.raw if isinstance(tensor, There) else tensor
