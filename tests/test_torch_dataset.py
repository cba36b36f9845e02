from pathlib import Path

import numpy as np
import pytest

from tests.gan.helpers import tiny_dataset
from xrgan.errors import XrganError
from xrgan.torch_dataset import XrayDataset


def test_items_are_the_packed_pixels(tmp_path: Path) -> None:
    packed = tiny_dataset(tmp_path)
    data = XrayDataset.of_split(packed, "test")
    item = data[2]
    assert np.allclose(item["image"].numpy() * 255, packed.images[data.indices[2]])
    assert item["label"] == packed.labels[data.indices[2]] and "mask" not in item
    with pytest.raises(XrganError, match="train, val, test"):
        XrayDataset.of_split(packed, "dev")
