"""A prepared dataset as torch and MONAI take it: items with image, label and mask."""

from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from xrgan.data.packed import SPLITS, PackedDataset
from xrgan.errors import XrganError


class Item(TypedDict, total=False):
    image: Tensor
    label: int
    mask: Tensor


class XrayDataset(Dataset[Item]):
    """The images of a prepared dataset; pixels are read from the disk when they are asked for.

    Attributes:
        packed: the whole dataset, as arrays.
        indices: of these images in it, ascending: int64 (N,).
    """

    def __init__(self, packed: PackedDataset, indices: NDArray[np.int64]) -> None:
        self.packed, self.indices = packed, indices

    @classmethod
    def of_split(cls, packed: PackedDataset, split: str) -> "XrayDataset":
        """Take the images of one split; all of them where it is empty.

        Raises:
            XrganError: there is none in it.
        """
        indices = packed.of_split(*([split] if split else SPLITS))
        if not len(indices):
            raise XrganError(f"{packed.path} has no image for {split or 'any split'}.", f"Splits: {', '.join(SPLITS)}.")
        return cls(packed, indices)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.packed.classes

    @property
    def masks(self) -> tuple[str, ...]:
        """The structures that the channels of `mask` show."""
        return self.packed.masks

    @property
    def patients(self) -> NDArray[np.str_]:
        """Whose each image is, (N,): no patient belongs on both sides of a split."""
        return self.packed.patients[self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, k: int) -> Item:
        index = int(self.indices[k])
        pixels = torch.from_numpy(np.array(self.packed.images[index])).float() / 255
        item: Item = {"image": pixels[: self.packed.channels], "label": int(self.packed.labels[index])}
        if self.packed.masks:
            item["mask"] = pixels[self.packed.channels :]
        return item
