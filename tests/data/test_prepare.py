"""Any folder of images becomes one packed dataset: each good file in it, each bad one named; or nothing is made."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.conftest import write_image
from tests.data.conftest import Ask, options
from tests.data.pictures import png_that_declares, square_of
from xrgan.data.packed import open_packed
from xrgan.data.phantom import draw, write_dataset
from xrgan.data.prepare import prepare
from xrgan.data.preparing import decoding, resize
from xrgan.data.preparing.packing import HEADER_BYTES
from xrgan.data.preparing.summary import table
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml

FILES = ["dataset.yaml", "images.npy", "index.csv", "preview.png"]


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file() and ".staging" not in path.parts]
    return {str(file.relative_to(folder)): (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


def left_over(prepared_root: Path) -> list[str]:
    """What stands in the root of prepared datasets, but for the staging folder with its lock."""
    return sorted(path.name for path in prepared_root.rglob("*") if path.suffix != ".lock" and path.name != ".staging")


# --- a dataset


def test_every_image_is_packed_with_its_place_in_the_index(raw: Path, ask: Ask) -> None:
    folder = ask()
    packed, index = open_packed(folder), pd.read_csv(folder / "index.csv")
    assert folder.name == "chests_16"
    assert packed.images.shape == (30, 1, 16, 16)
    assert packed.classes == ("ILL", "NORMAL")
    assert sorted(index["file"]) == sorted(path.relative_to(raw).as_posix() for path in raw.rglob("*.*"))
    for k, row in index.iterrows():
        image_format, size = square_of(raw / row["file"], 16, "pad", 1)
        assert np.array_equal(packed.images[k], image_format)
        assert (row["width"], row["height"]) == size
    assert index["hash"].nunique() == 30


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_three_channels_and_every_fit(raw: Path, ask: Ask, fit: str) -> None:
    folder = ask(channels=3, fit=fit, size=20)
    packed = open_packed(folder)
    assert packed.images.shape == (30, 3, 20, 20)
    first = pd.read_csv(folder / "index.csv")["file"][0]
    assert np.array_equal(packed.images[0], square_of(raw / first, 20, fit, 3)[0])


def test_the_images_are_a_memory_map_as_long_as_the_index_after_skips(raw: Path, ask: Ask) -> None:
    for k in range(5):
        (raw / "NORMAL" / f"n{k * 3:02d}.png").write_bytes(b"torn")
    folder = ask()
    packed = open_packed(folder)
    assert isinstance(packed.images, np.memmap)
    assert packed.images.shape == (25, 1, 16, 16)
    assert (folder / "images.npy").stat().st_size == HEADER_BYTES + 25 * 16 * 16
    last = pd.read_csv(folder / "index.csv")["file"][24]
    assert np.array_equal(packed.images[24], square_of(raw / last, 16, "pad", 1)[0])


def test_a_phantom_keeps_labels_patients_and_masks(tmp_path: Path, ask: Ask) -> None:
    source = tmp_path / "raw" / "phantom"
    write_dataset(source, 6, size=16)
    write_yaml(source / "source.yaml", {"name": "phantom", "licence": "MIT"})
    packed = open_packed(ask(source=source))
    index = pd.read_csv(source / "index.csv").sort_values("file")
    assert packed.images.shape == (6, 3, 16, 16)
    assert packed.masks == ("lungs", "heart")
    assert packed.channels == 1
    assert packed.xrays(np.arange(6)).shape == (6, 1, 16, 16)
    lungs = np.asarray(packed.images[:, 1])
    assert set(np.unique(packed.images[:, 1:])) == {0, 255}
    assert 0.1 < (lungs == 255).mean() < 0.6
    assert packed.name == "phantom_16"
    assert packed.patients.tolist() == index["patient"].tolist()
    assert [packed.classes[label] for label in packed.labels] == index["label"].tolist()
    assert read_yaml(packed.path / "dataset.yaml")["source"] == {"name": "phantom", "licence": "MIT"}


def test_images_without_labels_are_counted_as_such(tmp_path: Path, ask: Ask) -> None:
    for k in range(4):
        write_image(tmp_path / "flat" / f"{k}.png", seed=k)
    folder = ask(source=tmp_path / "flat")
    assert open_packed(folder).labels.tolist() == [-1] * 4
    assert table(folder)[0] == ["split", "no label", "images"]


def test_a_source_without_a_name_is_called_after_its_folder(raw: Path, ask: Ask) -> None:
    write_yaml(raw / "source.yaml", {"licence": "CC0"})
    assert ask().name == "chests_16"


# --- bad files


def spoil(raw: Path) -> dict[str, str]:
    """Bad files among the good ones: file → a word of the reason."""
    whole = write_image(raw.parent / "whole.jpg", 200, 150).read_bytes()
    bad = {
        "ILL/torn.jpg": (whole[: len(whole) // 2], "truncated"),
        "ILL/letter.png": (b"Dear colleague, the images follow by mail.", "no image"),
        "NORMAL/empty.png": (b"", "empty file"),
        "NORMAL/bomb.png": (png_that_declares(50_000, 50_000), "too many pixels"),
        "NORMAL/zero.png": (png_that_declares(0, 0), ""),
        "NORMAL/noise.bmp": (np.random.default_rng(0).bytes(500), "no image"),
    }
    for name, (content, _) in bad.items():
        (raw / name).write_bytes(content)
    return {name: reason for name, (_, reason) in bad.items()}


def test_where_all_are_bad_nothing_is_left(tmp_path: Path, ask: Ask) -> None:
    source = tmp_path / "bad"
    source.mkdir()
    for k in range(3):
        (source / f"{k}.png").write_bytes(b"")
    with pytest.raises(XrganError, match="None of the 3 images can be packed; 0.png: empty file"):
        ask(source=source)
    assert left_over(tmp_path / "prepared") == []


def test_a_folder_without_images_is_told_and_nothing_is_left(tmp_path: Path, ask: Ask) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(XrganError, match="There is no image in"):
        ask(source=tmp_path / "none")
    assert not (tmp_path / "prepared").exists()


# --- once more


def test_a_second_run_does_nothing(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ask()
    before = snapshot(folder)
    assert ask(workers=2) == folder
    assert snapshot(folder) == before
    assert "is there already, prepared with the same options" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("fit", "crop", "fit: pad, not crop"),
        ("channels", 3, "channels: 1, not 3"),
        ("fraction", 0.5, "fraction: 1.0, not 0.5"),
        ("limit", 5, "limit: 0, not 5"),
        ("seed", 9, "seed: 0, not 9"),
    ],
)
def test_other_options_are_told_and_the_old_dataset_stays(ask: Ask, key: str, value: object, sentence: str) -> None:
    folder = ask()
    before = snapshot(folder)
    with pytest.raises(XrganError, match=f"prepared with {sentence}.*--name.*--force"):
        ask(**{key: value})
    assert snapshot(folder) == before


def test_other_files_are_told(raw: Path, ask: Ask) -> None:
    ask()
    write_image(raw / "ILL" / "new.png")
    with pytest.raises(XrganError, match="files or labels have changed since"):
        ask()


def test_other_labels_are_told(raw: Path, ask: Ask) -> None:
    (raw / "index.csv").write_text("file,label\nILL/i00.tiff,a\nILL/i01.tiff,b\n")
    ask()
    (raw / "index.csv").write_text("file,label\nILL/i00.tiff,b\nILL/i01.tiff,a\n")
    with pytest.raises(XrganError, match="files or labels have changed since"):
        ask()


def test_force_replaces(ask: Ask, tmp_path: Path) -> None:
    assert ask() == ask(force=True, channels=3)
    assert open_packed(ask(channels=3)).channels == 3
    assert left_over(tmp_path / "prepared") == ["chests_16", *FILES]


def test_another_name_leaves_the_first(ask: Ask) -> None:
    first = ask()
    before = snapshot(first)
    assert ask(name="small", limit=6).name == "small"
    assert snapshot(first) == before


@pytest.mark.parametrize("name", [".", "..", "a/b", "../up", "/tmp/absolute", ".hidden"])
def test_a_name_that_leads_elsewhere_is_refused(ask: Ask, tmp_path: Path, name: str) -> None:
    before = snapshot(ask())
    with pytest.raises(XrganError, match="can't be the name of a dataset.*--name"):
        ask(name=name, force=True)
    assert snapshot(tmp_path / "prepared" / "chests_16") == before
    assert [path.name for path in (tmp_path / "prepared").iterdir() if path.name != ".staging"] == ["chests_16"]


def test_a_folder_that_is_no_dataset_is_not_replaced(ask: Ask, tmp_path: Path) -> None:
    mine = tmp_path / "prepared" / "chests_16" / "my notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("years of work")
    with pytest.raises(XrganError, match="is there already, and is no prepared dataset"):
        ask()
    assert mine.read_text() == "years of work"


# --- the same everywhere


def test_two_roots_give_the_same_dataset(tmp_path: Path, raw: Path) -> None:
    spoil(raw)
    folders = [prepare(raw, tmp_path / root, options(seed=4)) for root in ("one", "two")]
    one, two = (read_yaml(folder / "dataset.yaml") for folder in folders)
    assert one == two
    assert len(one["content_hash"]) == 64


# --- masks, classes, duplicates, leaks


def index_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "index.csv", keep_default_na=False, dtype=str)


@pytest.mark.slow
def test_masks_are_channels_as_asked(phantoms: Path, ask: Ask) -> None:
    sides = open_packed(ask("sides", source=phantoms, masks="right lung,left lung,heart"))
    lungs = open_packed(ask("lungs", source=phantoms, masks="lungs"))
    none = open_packed(ask("none", source=phantoms, masks="none"))
    assert [data.images.shape[1] for data in (sides, lungs, none)] == [4, 2, 1]
    assert np.array_equal(sides.images[:, 1] | sides.images[:, 2], lungs.images[:, 1])
    assert np.array_equal(sides.xrays(np.arange(20)), none.images)


@pytest.mark.slow
def test_an_image_without_its_mask_is_skipped_and_named(phantoms: Path, ask: Ask) -> None:
    index = pd.read_csv(phantoms / "index.csv", keep_default_na=False)
    index.loc[3, "mask"] = ""
    index.loc[5, "mask"] = "masks/nowhere.png"
    index.to_csv(phantoms / "index.csv", index=False)
    folder = ask(source=phantoms)
    reasons = {entry["file"]: entry["reason"] for entry in read_yaml(folder / "dataset.yaml")["skipped"]}
    assert reasons == {
        index["file"][3]: "has no mask",
        index["file"][5]: "its mask nowhere.png: No such file or directory",
    }
    assert len(open_packed(folder).images) == 18


def test_classes_are_chosen_and_merged(raw: Path, ask: Ask) -> None:
    merged = read_yaml(ask("merged", map="ILL=1,*=0") / "dataset.yaml")
    assert (merged["classes"], merged["classes_merged_by"]) == (["0", "1"], "ILL=1,*=0")
    chosen = read_yaml(ask("chosen", labels=["ILL"]) / "dataset.yaml")
    assert (chosen["classes"], chosen["images"]) == (["ILL"], 10)
    assert chosen["left_out"] == {"of other labels": 20}


def copies(raw: Path) -> None:
    """n00 again as another patient's, as JPEG of half quality, and under the other class."""
    original = Image.fromarray(draw(1, 1, "NORMAL", 64).image)
    original.save(raw / "NORMAL" / "n00.png")
    original.save(raw / "NORMAL" / "z00.png")
    original.save(raw / "NORMAL" / "z01.jpg", quality=70)
    original.save(raw / "ILL" / "z02.png")


def test_copies_are_named_and_stand_in_one_split(raw: Path, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    copies(raw)
    folder = ask(size=64)
    index = index_of(folder).set_index("file")
    group = ["ILL/z02.png", "NORMAL/n00.png", "NORMAL/z00.png", "NORMAL/z01.jpg"]
    assert list(index.loc[group, "duplicate_of"]) == ["", "ILL/z02.png", "ILL/z02.png", "ILL/z02.png"]
    assert (index.drop(group)["duplicate_of"] == "").all()
    assert index.loc[group, "split"].nunique() == 1
    facts = read_yaml(folder / "dataset.yaml")
    assert (facts["duplicates"], facts["near_duplicates"], facts["pictures_of_two_classes"]) == (2, 1, 1)
    said = capsys.readouterr().err
    assert "2 images are copies of another one, 1 nearly so" in said
    assert "1 pictures stand in two classes" in said


def test_copies_are_dropped_if_asked(raw: Path, ask: Ask) -> None:
    copies(raw)
    whole, dropped = ask("whole", size=64), ask("dropped", size=64, drop_duplicates=True)
    facts = read_yaml(dropped / "dataset.yaml")
    assert facts["images"] == 30
    assert [entry["file"] for entry in facts["skipped"]] == ["NORMAL/n00.png", "NORMAL/z00.png", "NORMAL/z01.jpg"]
    assert {entry["reason"] for entry in facts["skipped"]} == {"shows the same picture as ILL/z02.png"}
    kept = (index_of(whole)["duplicate_of"] == "").to_numpy()
    assert np.array_equal(open_packed(whole).images[kept], open_packed(dropped).images)
    assert (index_of(dropped)["duplicate_of"] == "").all()


def test_leaks_of_the_source_are_fixed_if_asked(tmp_path: Path, ask: Ask) -> None:
    for k, split in enumerate(("train", "train", "val", "test")):
        write_image(tmp_path / "leaky" / split / f"p1_{k}.png", seed=k)
        write_image(tmp_path / "leaky" / split / f"q{k}_0.png", seed=10 + k)
    folder = ask(source=tmp_path / "leaky", patient_pattern=r"^(\w+)_", fix_leaks=True)
    index, facts = index_of(folder), read_yaml(folder / "dataset.yaml")
    assert index[index["patient"] == "p1"]["split"].unique().tolist() == ["train"]
    assert facts["images_moved_beside_their_patients"] == 2
    assert facts["patients_in_two_splits"] == 0


# --- for the reader


def test_a_folder_of_a_sources_name_is_not_taken_for_the_source(tmp_path: Path, ask: Ask) -> None:
    for k in range(12):
        write_image(tmp_path / "mine" / "lungs" / "Normal" / f"pat{k:02d}_1.png", seed=k)
    folder = ask(source=tmp_path / "mine" / "lungs")
    assert open_packed(folder).classes == ("Normal",)


@pytest.mark.parametrize("moment", ["_write_index", "save_png", "write_yaml"])
def test_an_interruption_at_the_very_end_loses_nothing(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"xrgan.data.prepare.{moment}", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ask()
    assert len(open_packed(ask()).images) == 30
    assert "30 of 30 are done" in capsys.readouterr().err


# --- a part of it


# --- interrupted


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("there", [False, True])
def test_an_interruption_leaves_what_was_there_and_nothing_half_made(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, there: bool
) -> None:
    before = snapshot(ask()) if there else {}
    decoded = []

    def interrupted(*arguments: object) -> object:
        decoded.append(arguments)
        if len(decoded) == 9:
            raise failure
        return resize.read_resized(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(decoding, "read_resized", interrupted)
    with pytest.raises(type(failure)):
        ask(force=True, channels=3)
    assert len(decoded) == 9
    assert snapshot(tmp_path / "prepared" / "chests_16") == before
    assert snapshot(tmp_path / "prepared").keys() == {f"chests_16/{file}" for file in FILES if there}


def test_what_a_killed_run_left_is_cleared_away(ask: Ask, tmp_path: Path) -> None:
    half = tmp_path / "prepared" / ".staging" / "chests_16" / "images.npy"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    ask()
    assert left_over(tmp_path / "prepared") == ["chests_16", *FILES]


# --- real X-rays


@pytest.mark.real
@pytest.mark.parametrize("structures", [("lungs",), ("right lung", "left lung", "heart")])
def test_jsrt_gives_its_247_images_with_one_mask_or_three(
    real_data: Path, tmp_path: Path, structures: tuple[str, ...]
) -> None:
    folder = prepare(real_data / "jsrt_224", tmp_path, options(size=64, masks=",".join(structures)))
    packed = open_packed(folder)
    assert packed.images.shape == (247, 1 + len(structures), 64, 64)
    assert packed.masks == structures
    masks = packed.images[:, 1:] == 255
    areas = dict(zip(structures, masks.mean((0, 2, 3)), strict=True))
    if "heart" in areas:
        left, right = (np.nonzero(masks[:, k])[2].mean() for k in (1, 0))
        assert right < left  # the patient's right lung is on the image's left
        assert 0.05 < areas["heart"] < 0.15
    assert 0.1 < sum(areas.values()) < 0.5
    # Lungs are dark: they hold air.
    xrays = packed.images[:, 0]
    assert xrays[masks[:, 0]].mean() < xrays[~masks.any(1)].mean()


@pytest.mark.real
def test_kermanys_originals_are_all_prepared_gray_and_rgb_alike(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "kermany_original_sample"
    files = [file.relative_to(source).as_posix() for file in source.rglob("*.jp*g")]
    folder = prepare(source, tmp_path, options(size=64, patient_pattern=r"^(person\d+(?=_)|(?:NORMAL\d*-)?IM-\d+)"))
    assert read_yaml(folder / "dataset.yaml")["skipped"] == []
    assert list(pd.read_csv(folder / "index.csv")["file"]) == sorted(files)
    assert open_packed(folder).classes == ("NORMAL", "PNEUMONIA")
    modes = set()
    for file in files:
        with Image.open(source / file) as image:
            modes.add(image.mode)
    assert modes == {"L", "RGB"}


@pytest.mark.parametrize("with_index", [True, False])
def test_what_xrgan_drew_is_read_right(tmp_path: Path, ask: Ask, with_index: bool) -> None:
    folder = tmp_path / "synthetic"
    folder.mkdir()
    for k in range(1, 13):
        phantom = draw(k, 1, "NORMAL", 32)
        Image.fromarray(phantom.image).save(folder / f"synthetic_{k:05d}.png")
        heart = np.where(phantom.mask == 250, 255, 0).astype(np.uint8)
        Image.fromarray(heart).save(folder / f"synthetic_{k:05d}_mask.png")
    write_image(folder / "sheet.png", 99, 88)
    write_yaml(folder / "sample.yaml", {"mask_values": {"heart": 255}})
    if with_index:
        lines = [f"synthetic_{k:05d}.png,{k},{('NORMAL', 'ILL')[k % 2]}" for k in range(1, 13)]
        (folder / "index.csv").write_text("\n".join(["file,seed,label", *lines]))
    packed = open_packed(ask(source=folder))
    assert packed.images.shape == (12, 2, 16, 16)
    assert packed.masks == ("heart",)
    assert packed.classes == (("ILL", "NORMAL") if with_index else ())
    assert 0 < (packed.images[:, 1] == 255).mean() < 0.3
