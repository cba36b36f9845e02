import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.report.cases import noise, put_run
from xrgan.data.images import save_png
from xrgan.errors import XrganError
from xrgan.marks import COMPOSITE, Origin, mark_of, mixed_mark, read_mark
from xrgan.report.pictures import MOST_GRIDS, WIDEST, Picture, embedded, grids, samples


def opened(picture: Picture) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(picture.source.partition(",")[2])))


def test_a_small_file_is_taken_as_it_is(tmp_path: Path) -> None:
    save_png(tmp_path / "a.png", noise(1), mark_of(Origin("mine"), 0, 1))
    picture = embedded(tmp_path / "a.png", "An X-ray")
    assert base64.b64decode(picture.source.removeprefix("data:image/png;base64,")) == (tmp_path / "a.png").read_bytes()
    assert (picture.width, picture.height) == (16, 16)


def test_a_large_one_becomes_small_and_stays_marked(tmp_path: Path) -> None:
    save_png(tmp_path / "a.png", noise(1, 1500), mixed_mark())
    picture = embedded(tmp_path / "a.png", "Some")
    image = opened(picture)
    assert image.size == (picture.width, picture.height) == (WIDEST, WIDEST) and image.format == "WEBP"
    (tmp_path / "a.webp").write_bytes(base64.b64decode(picture.source.partition(",")[2]))
    mark = read_mark(tmp_path / "a.webp")
    assert mark is not None and mark.source_type == COMPOSITE


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"x" * 40])
def test_what_is_no_picture_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(XrganError, match="no picture"):
        embedded(tmp_path / "a.png", "An X-ray")


def test_samples_come_by_class_with_their_masks(tmp_path: Path) -> None:
    run = put_run(tmp_path)
    first, second = samples(run.synthetic)
    assert (first.label, second.label) == ("NORMAL", "PNEUMONIA") and first.count == second.count == 3
    assert [picture.caption for picture in first.pictures] == [f"synthetic_0000{k}" for k in (1, 3, 5)]
    assert len({picture.alt for picture in (*first.pictures, *first.with_masks)}) == 6 and first.legend == "lungs blue"
    red, _, blue = np.moveaxis(np.asarray(opened(first.with_masks[0])).astype(int), -1, 0)
    mask = np.asarray(Image.open(run.synthetic / "synthetic_00001_mask.png")) > 0
    assert (red != blue)[mask].mean() > 0.9 and (red == blue)[~mask].all()


def test_a_folder_without_an_image_has_no_samples(tmp_path: Path) -> None:
    assert samples(tmp_path / "none") == []
    (tmp_path / "empty").mkdir()
    assert samples(tmp_path / "empty") == []


def test_many_grids_are_thinned_and_strangers_left_out_of_a_public_page(tmp_path: Path) -> None:
    for epoch in range(1, 41):
        mark = mark_of(Origin("mine"), 0) if epoch % 2 else mixed_mark() if epoch % 4 else None
        save_png(tmp_path / f"epoch_{epoch:04d}.png", noise(epoch), mark)
    captions = [picture.caption for picture in grids(tmp_path, "mine")]
    assert len(captions) == MOST_GRIDS and captions[0] == "epoch 1" and captions[-1] == "epoch 40"
    public = [int(picture.caption.split()[1]) for picture in grids(tmp_path, "mine", only_marked=True)]
    assert public and all(epoch % 2 for epoch in public)
