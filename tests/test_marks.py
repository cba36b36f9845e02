import json
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from xrgan.marks import (
    COMPOSITE,
    FIELDS,
    SOURCE_TYPES,
    TRAINED,
    Mark,
    Origin,
    mark_of,
    mixed_mark,
    parse_comment,
    png_info,
    read_mark,
    with_gif_mark,
    xmp_packet,
)

ORIGIN = Origin("jrs_64-1", "0123abcd", "f" * 64, "e" * 64)


def noise(seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 16), dtype=np.uint8))


def written(path: Path, mark: Mark) -> Path:
    noise().save(path, pnginfo=png_info(mark))
    return path


def test_a_png_says_where_it_came_from_and_keeps_its_pixels(tmp_path: Path) -> None:
    mark = mark_of(ORIGIN, seed=3, number=7, label="PNEUMONIA")
    file = written(tmp_path / "a.png", mark)
    assert read_mark(file) == mark
    assert mark.source_type == TRAINED and set(mark.said) == set(FIELDS)
    assert mark.said["Seed"] == "3" and mark.said["Number"] == "7" and mark.said["Class"] == "PNEUMONIA"
    assert mark.said["Generator SHA-256"] == "f" * 64 and mark.said["Dataset hash"] == "e" * 64
    with Image.open(file) as image:
        assert np.array_equal(np.asarray(image), np.asarray(noise()))


def test_the_same_image_is_the_same_file(tmp_path: Path) -> None:
    files = [written(tmp_path / name, mark_of(ORIGIN, 3, 7)) for name in ("a.png", "b.png")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_picture_of_somebody_says_nothing(tmp_path: Path) -> None:
    noise().save(tmp_path / "a.png")
    (tmp_path / "torn.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    (tmp_path / "empty.png").touch()
    for name in ("a.png", "torn.png", "empty.png", "absent.png"):
        assert read_mark(tmp_path / name) is None


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.tif", "a.png"])
def test_others_marks_are_read(tmp_path: Path, name: str) -> None:
    """Whoever wrote it: the packet alone, in the place that each format has for it."""
    packet = xmp_packet(Mark())
    options = {"a.tif": {"tiffinfo": {700: packet}}, "a.png": {}}.get(name, {"xmp": packet})
    if name == "a.png":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode(), zip=True)
        options = {"pnginfo": info}
    noise().save(tmp_path / name, **options)  # type: ignore[arg-type]
    mark = read_mark(tmp_path / name)
    assert mark is not None and mark.source_type == TRAINED


@pytest.mark.parametrize(
    ("source_type", "synthetic"),
    [
        *((one, True) for one in ("trainedAlgorithmicMedia", "algorithmicMedia", "compositeSynthetic", COMPOSITE)),
        *((one, False) for one in ("digitalCapture", "negativeFilm", "algorithmicallyEnhanced", "humanEdits")),
    ],
)
def test_which_source_types_are_synthetic(tmp_path: Path, source_type: str, synthetic: bool) -> None:
    assert (read_mark(written(tmp_path / "a.png", Mark(source_type))) is not None) == synthetic


def test_a_gif_is_marked_and_still_moves(tmp_path: Path) -> None:
    mark, gif = mark_of(ORIGIN, seed=1, shows="walk"), BytesIO()
    frames = [noise(k) for k in range(3)]
    comment = mark.comment.encode()
    frames[0].save(gif, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0, comment=comment)
    (tmp_path / "walk.gif").write_bytes(with_gif_mark(gif.getvalue(), mark))
    assert read_mark(tmp_path / "walk.gif") == mark
    with Image.open(tmp_path / "walk.gif") as image, Image.open(BytesIO(gif.getvalue())) as before:
        assert image.n_frames == before.n_frames == 3  # type: ignore[attr-defined]
        assert image.convert("RGB").tobytes() == before.convert("RGB").tobytes()


def test_a_picture_with_patients_in_it_is_a_composite(tmp_path: Path) -> None:
    mark = read_mark(written(tmp_path / "a.png", mixed_mark()))
    assert mark is not None and mark.source_type == COMPOSITE and "real patients" in mark.said["Source"]


@given(run=st.text(max_size=30), label=st.text(max_size=30), seed=st.integers(0, 2**63), number=st.integers(1, 10**6))
def test_any_name_of_a_run_or_class_goes_there_and_back(run: str, label: str, seed: int, number: int) -> None:
    mark = mark_of(Origin(run, "id"), seed, number, label)
    assert parse_comment(mark.comment) == mark
    buffer = BytesIO()
    noise().save(buffer, "PNG", pnginfo=png_info(mark))
    with Image.open(buffer) as image:
        assert {name: image.info[name] for name in mark.said} == mark.said


def test_another_text_is_no_mark() -> None:
    assert parse_comment("Patient: somebody\nSeed: 3\nno colon") == Mark(said={"Seed": "3"})


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool isn't installed")
def test_exiftool_reads_the_mark(tmp_path: Path) -> None:
    mark = mark_of(ORIGIN, 3, 7, 'Lungenentzündung & "Co." <1>')
    file = written(tmp_path / "a.png", mark)
    answer = subprocess.run(
        ["exiftool", "-j", "-all", "-validate", str(file)], capture_output=True, text=True, check=True
    )
    said = json.loads(answer.stdout)[0]
    assert said["DigitalSourceType"] == SOURCE_TYPES + TRAINED
    assert said["Class"] == mark.said["Class"] and said["Validate"] == "OK"
