"""Blank pictures and masks that lie among X-rays are named, and packed if asked only."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.data.conftest import Ask
from xrgan.files import read_yaml

ODD = ("labels.png", "hot.png", "faint.png", "strip.png", "marked.png")


def test_blank_pictures_and_masks_are_no_xrays_unasked(raw: Path, ask: Ask) -> None:
    blank = {"black": 0, "white": 255, "gray": 128}
    for name, value in blank.items():
        Image.fromarray(np.full((20, 20), value, np.uint8)).save(raw / "NORMAL" / f"{name}.png")
    disc = (np.hypot(*np.mgrid[-40:40, -40:40]) < 28) * np.uint8(255)
    Image.fromarray(disc).save(raw / "NORMAL" / "disc.png")
    Image.fromarray(disc).save(raw / "NORMAL" / "disc.jpg", quality=90)
    labels = np.repeat(np.repeat(np.arange(16, dtype=np.uint8).reshape(4, 4) % 4 * 85, 10, 0), 10, 1)
    Image.fromarray(labels).save(raw / "NORMAL" / "labels.png")
    hot = np.random.default_rng(0).integers(500, 1500, (20, 20), dtype=np.uint16)
    hot[3, 3] = 65535
    Image.fromarray(hot).save(raw / "NORMAL" / "hot.png")
    faint = np.random.default_rng(0).integers(100, 104, (20, 20), dtype=np.uint8)
    Image.fromarray(faint).save(raw / "NORMAL" / "faint.png")
    gray = np.random.default_rng(0).integers(30, 230, (90, 10), dtype=np.uint8)
    Image.fromarray(gray).save(raw / "NORMAL" / "strip.png")
    Image.fromarray(gray[:70]).save(raw / "NORMAL" / "oblong.png")
    marked = np.pad(gray.reshape(30, 30).astype(np.uint16) * 16, 3, constant_values=65535)  # 12 bits in a frame of 16
    Image.fromarray(marked).save(raw / "NORMAL" / "marked.png")
    skipped = {entry["file"]: entry["reason"] for entry in read_yaml(ask() / "dataset.yaml")["skipped"]}
    assert skipped.keys() == {
        f"NORMAL/{name}" for name in ("black.png", "white.png", "gray.png", "disc.png", "disc.jpg", *ODD)
    }
    assert skipped["NORMAL/black.png"] == "is black throughout (--keep-blank packs it)"
    assert all("of one gray value" in skipped[f"NORMAL/{name}.png"] for name in ("gray", "faint"))
    assert "is black but for a few pixels (--window p1-p99 may show more; " in skipped["NORMAL/hot.png"]
    assert "few gray values, as a mask has" in skipped["NORMAL/labels.png"]
    assert "two gray values, as a mask has" in skipped["NORMAL/disc.jpg"]
    assert "is a strip, more than 8 times" in skipped["NORMAL/strip.png"]
    assert "two gray values, as a mask has (--window p1-p99 may show more; " in skipped["NORMAL/marked.png"]
    assert read_yaml(ask("kept", keep_blank=True) / "dataset.yaml")["skipped"] == []
