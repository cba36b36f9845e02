"""What a trained classifier says of images that it has never met."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from xrgan.downstream.classification.classifier import predict
from xrgan.downstream.classification.saved import Saved

NO_DEVICE = "A study's classifier, and no medical device: no diagnosis may rest on it."


def predict_images(
    saved: Saved,
    names: Sequence[str],
    images: NDArray[np.uint8],
    device: torch.device,
    problems: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """A row an image: file, the likeliest class, each class's probability; what couldn't be read stands at the end.

    Args:
        images: uint8 (n, C, S, S), prepared as the classifier's were.
        problems: file → why it can't be read.
    """
    probabilities = predict(saved.network, torch.from_numpy(images), np.arange(len(images)), device)
    classes = saved.about.classes
    table = pd.DataFrame({"file": list(names), "predicted": [classes[k] for k in probabilities.argmax(axis=1)]})
    for k, name in enumerate(classes):
        table[f"probability {name}"] = probabilities[:, k].round(6)
    if problems:
        unread = pd.DataFrame({"file": list(problems), "problem": list(problems.values())})
        table = pd.concat([table, unread], ignore_index=True)
    return table
