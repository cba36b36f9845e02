"""How well predicted masks fit the true ones: Dice, IoU and the 95 % Hausdorff distance, by MONAI.

N images, M structures, each of which has a mask of its own; masks may overlap.
"""

import math
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from monai.metrics.hausdorff_distance import compute_hausdorff_distance
from monai.metrics.meandice import compute_dice
from monai.metrics.meaniou import compute_iou
from numpy.typing import NDArray

# In the order of every table and figure. Prepared images have no physical spacing, so a distance is in their pixels:
# it compares arms on one dataset, never two sizes of it.
METRICS = {"dice": "Dice", "iou": "IoU", "hd95": "95 % Hausdorff distance (pixels)"}

Masks = NDArray[np.bool_]  # (N, M, H, W)
Scores = NDArray[np.float64]  # (N, M)


def score(predicted: Masks, true: Masks) -> dict[str, Scores]:
    """Every figure of `METRICS`, in its order, of each image and structure: (N, M).

    Dice and IoU lie in [0, 1], HD95 in [0, the image's diagonal]. Where neither mask shows anything, the prediction is
    right: 1, 1 and 0. Where only one does: 0, 0 and the diagonal. (The distance to nothing is infinite, and one such
    image would spoil every mean; no prediction can be further off than the diagonal.)
    """
    assert predicted.shape == true.shape and predicted.dtype == true.dtype == np.bool_
    iou = compute_iou(torch.from_numpy(predicted), torch.from_numpy(true), ignore_empty=False)
    return {"dice": dice(predicted, true), "iou": iou.double().numpy(), "hd95": hd95(predicted, true)}


def dice(predicted: Masks, true: Masks) -> Scores:
    """2 |A ∩ B| / (|A| + |B|), as in `score`."""
    values = compute_dice(torch.from_numpy(predicted), torch.from_numpy(true), ignore_empty=False)
    return values.double().numpy()


def hd95(predicted: Masks, true: Masks) -> Scores:
    """The 95th percentile of the distances from one outline to the other, or back: whichever is larger; as in `score`.

    The outline is those pixels of a mask that have one of four neighbours outside it, or outside the image.
    """
    shown, wanted = predicted.any(axis=(2, 3)), true.any(axis=(2, 3))
    distances = np.where(shown == wanted, 0.0, math.hypot(*true.shape[2:]))
    both = shown & wanted
    if both.any():
        distances[both] = _between_outlines(predicted[both], true[both])
    return distances


def _between_outlines(predicted: Masks, true: Masks) -> NDArray[np.float64]:
    """Masks (K, H, W), each of which shows something → (K,)."""
    of_one = torch.from_numpy(predicted[:, None]), torch.from_numpy(true[:, None])
    with warnings.catch_warnings():
        # MONAI 1.6 warns of an argument that it gives to itself.
        warnings.filterwarnings("ignore", ".*always_return_as_numpy", FutureWarning)
        distances = compute_hausdorff_distance(*of_one, include_background=True, percentile=95)
    return distances[:, 0].double().numpy()


def metrics_of(structures: Sequence[str]) -> dict[str, str]:
    """Name → label of every figure, in the order of tables: of each metric the mean over structures, then each one."""
    labels: dict[str, str] = {}
    for name, label in METRICS.items():
        labels |= {name: f"{label}, mean" if len(structures) > 1 else label}
        labels |= {f"{name}_{one.replace(' ', '_')}": f"{label}, {one}" for one in structures}
    return labels


def flat(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores (n, M, metrics) → one column per figure of `metrics_of`: (n, metrics · (1 + M))."""
    with_mean = np.concatenate([scores.mean(axis=1, keepdims=True), scores], axis=1)
    return np.asarray(with_mean.swapaxes(1, 2).reshape(len(scores), -1))
