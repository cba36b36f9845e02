"""Files of tensors: written whole, and looked at before anything in them is unpacked or believed."""

import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xrgan.errors import XrganError
from xrgan.files import replacing

Content = dict[str, Any]


def write_tensors(path: Path, content: Mapping[str, Any]) -> None:
    """Write an ordinary torch archive; a reader meets the old one or the new one, never half of either."""
    with replacing(path) as temporary, temporary.open("wb") as file:  # of a name alone, torch forgets the disk's error
        torch.save(dict(content), file)


def safetensors_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Write tensors as a safetensors file: the same tensors are the same bytes, on whatever device they were."""
    from safetensors.torch import save

    return save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})


def load_safetensors(content: bytes, name: str) -> dict[str, Tensor]:
    """Read what `safetensors_bytes` wrote, onto the CPU.

    Raises:
        XrganError: it is damaged; `name` says what.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(content)
    except SafetensorError as error:
        raise XrganError(f"{name} is damaged: {error}.") from error


def read_tensors(path: Path) -> Content:
    """Read an archive of `write_tensors` onto the CPU, once every record's checksum was compared; no code in it runs.

    Raises:
        OSError: it can't be opened.
        ValueError: it is no regular file, torn, damaged, made to fill the memory, or none of ours; on one line.
    """
    with _explained():
        with _opened(path) as archive:
            damaged = archive.testzip()  # torch.load itself doesn't look at the checksums
        if damaged is not None:
            raise ValueError(f"{damaged} fails its checksum")
        return _load(path)


def read_entry(path: Path, key: str) -> Any:
    """Read one entry of an archive, and none of its tensors from the disk: their checksums are not compared.

    Raises:
        OSError, ValueError: as `read_tensors`; or there is no such entry.
    """
    with _explained():
        with _opened(path) as archive:
            for name in archive.namelist():
                if name.endswith("/data.pkl"):
                    archive.read(name)  # zipfile compares the checksum
        return _load(path, mmap=True)[key]


def _opened(path: Path) -> zipfile.ZipFile:
    """The archive, if it holds no more than its file does: torch.save compresses nothing."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for ever
        raise ValueError("it is no regular file")
    archive = zipfile.ZipFile(path)
    records = archive.infolist()
    compressed = any(record.compress_type != zipfile.ZIP_STORED for record in records)
    if compressed or sum(record.file_size for record in records) > status.st_size:
        archive.close()
        raise ValueError("its records claim to be larger than the file")
    return archive


def _load(path: Path, mmap: bool = False) -> Content:
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}")
    return content


@contextmanager
def _explained() -> Iterator[None]:
    """Of spoiled bytes zipfile and torch let anything from IndexError to AssertionError through: one ValueError."""
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(" ".join(str(error).split())[:200].rstrip(".") or type(error).__name__) from error
