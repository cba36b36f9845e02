"""What each of two processes does that extract features together: `python -m tests.evaluation.in_ranks FILE`."""

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xrgan import ranks
from xrgan.evaluation import features
from xrgan.evaluation.extractors import Extractor, custom

FEATURES = 5


def images() -> NDArray[np.uint8]:
    """Two whole blocks and a part of one, (N, 1, 8, 8): the last one's batches are shared, too."""
    count = 2 * features.BLOCK_IMAGES + features.BATCH_IMAGES + 3
    return np.random.default_rng(0).integers(0, 256, (count, 1, 8, 8), np.uint8)


def extractor() -> Extractor:
    """A network whose answer to an image depends on the others of its batch: other batches would be seen."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, FEATURES))

    def answers(batch: Tensor) -> Tensor:
        found: Tensor = network(batch / 255)
        return found - found.mean(dim=0)

    return custom("toy", "of this test", FEATURES, answers, "cpu", channels=1)


def main(file: Path) -> None:
    torch.set_num_threads(1)
    with ranks.joined("cpu"):
        if ranks.is_first():
            with features.shared():
                np.save(file, features.extract(images(), extractor(), "images")[FEATURES])
                features.extract(images(), extractor(), "images")  # from the cache: nobody is asked
        else:
            features.help_first(extractor)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
