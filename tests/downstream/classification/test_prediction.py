"""What a classifier says of images that it has never met: a table that says no more than it knows."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tests.downstream.blobs import OPTIONS, blobs, small_build
from xrgan.downstream.classification.prediction import NO_DEVICE, predict_images
from xrgan.downstream.classification.saved import About, Saved

CPU = torch.device("cpu")


def saved_of(*classes: str) -> Saved:
    torch.manual_seed(0)
    network = small_build("", 1, len(classes), "none", unfreeze=True).eval()
    about = About("resnet18", 1, 16, classes, "real", 0, 1.0, 1, 0.9, "study", OPTIONS)
    return Saved(network.requires_grad_(False), about, "0" * 64)


@pytest.mark.parametrize("classes", [("NORMAL", "PNEUMONIA"), ("a, b", 'c"d', "e")])
def test_a_row_an_image_with_probabilities_that_add_up_to_one(classes: tuple[str, ...], tmp_path: Path) -> None:
    images, saved = blobs(np.arange(300) % 2, 0), saved_of(*classes)
    table = predict_images(saved, [f"{k}.png" for k in range(300)], images, CPU)
    table = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    assert list(table) == ["file", "predicted", *(f"probability {name}" for name in classes)]
    assert table.file.tolist() == [f"{k}.png" for k in range(300)]
    probabilities = table.filter(like="probability").to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=2e-6)
    assert table.predicted.tolist() == [classes[k] for k in probabilities.argmax(axis=1)]
    with torch.no_grad():
        expected = saved.network(torch.from_numpy(images)).double().softmax(dim=1).numpy()
    np.testing.assert_allclose(probabilities, expected, atol=5e-3)  # a CPU may compute in bfloat16
    assert len(np.unique(probabilities[:, 0])) > 200


def test_what_could_not_be_read_stands_at_the_end_with_its_reason() -> None:
    saved = saved_of("NORMAL", "PNEUMONIA")
    table = predict_images(saved, ["b.png"], blobs(np.array([1]), 0), CPU, {"a.png": "empty file"})
    assert table.file.tolist() == ["b.png", "a.png"]
    assert table.problem.tolist()[1] == "empty file" and pd.isna(table.problem[0])
    assert table.loc[1].drop(["file", "problem"]).isna().all()
    assert table.loc[0].drop("problem").notna().all()
    assert "problem" not in predict_images(saved, ["b.png"], blobs(np.array([1]), 0), CPU, {})


def test_it_is_no_medical_device() -> None:
    assert "no medical device" in NO_DEVICE and "diagnosis" in NO_DEVICE
