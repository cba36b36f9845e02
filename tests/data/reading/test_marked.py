import os
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from tests.conftest import write_image
from tests.data import dicom_files
from tests.data.phantoms import PICTURE
from xrgan.data.images import save_png
from xrgan.data.reading.marked import mark_in
from xrgan.files import write_yaml
from xrgan.marks import Origin, mark_of


def test_pictures_and_dicom_files(tmp_path: Path) -> None:
    mark = mark_of(Origin("run"), 1, 2)
    save_png(tmp_path / "drawn.png", np.zeros((1, 8, 8), np.uint8), mark)
    assert mark_in(tmp_path / "drawn.png") == mark
    assert mark_in(write_image(tmp_path / "taken.png")) is None
    assert mark_in(tmp_path / "absent.png") is None
    taken = dicom_files.write(tmp_path / "taken.dcm", PICTURE)
    assert mark_in(taken) is None
    dataset = dcmread(taken)
    dataset.SyntheticData = "YES"
    dataset.save_as(tmp_path / "drawn.dcm")
    said = mark_in(tmp_path / "drawn.dcm")
    assert said is not None and dict(said.said) == {}
    dataset.SyntheticData = "NO"
    dataset.save_as(tmp_path / "no.dcm")
    assert mark_in(tmp_path / "no.dcm") is None


def test_what_an_earlier_version_drew_is_told_by_its_record(tmp_path: Path) -> None:
    image = write_image(tmp_path / "synthetic_00001.png")
    write_yaml(tmp_path / "sample.yaml", {"run": "old", "seed": 0, "step": 100})
    mark = mark_in(image)
    assert mark is not None and mark.said["Run"] == "old"
    write_yaml(tmp_path / "sample.yaml", {"rate": 44100})  # somebody else's
    os.utime(tmp_path / "sample.yaml", (1, 1))
    assert mark_in(image) is None
    (tmp_path / "sample.yaml").write_text("[torn")
    assert mark_in(image) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert mark_in(tmp_path / "pipe.png") is None
