"""xrgan: train a GAN on chest X-rays, draw synthetic ones, and learn honestly how good they are.

The command line is `xrgan`; from Python, what it made is opened by `xrgan.open_run` and `xrgan.open_dataset`, and
images are compared by `xrgan.evaluate` (`xrgan/api.py`). Importing xrgan itself loads nothing else: no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xrgan.api import Run, evaluate, open_dataset, open_run

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "evaluate", "open_dataset", "open_run"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("xrgan.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
