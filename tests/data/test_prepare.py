"""Any folder of images becomes one packed dataset: each good file in it, each bad one named; or nothing is made."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.conftest import write_image
from tests.data.test_images import png_that_declares, read_resized
from xrgan.config import PrepareConfig
from xrgan.config_resolve import resolve
from xrgan.data.packed import open_packed
from xrgan.data.phantom import draw, write_dataset
from xrgan.data.prepare import prepare
from xrgan.data.preparing import decoding, resize
from xrgan.data.preparing.packing import HEADER_BYTES
from xrgan.data.preparing.resize import ImageFormat
from xrgan.data.preparing.summary import facts_table, table
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml

Ask = Callable[..., Path]
FILES = ["dataset.yaml", "images.npy", "index.csv", "preview.png"]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two classes of 20 and 10 images, of sizes and formats that differ."""
    for k in range(20):
        write_image(tmp_path / "raw" / "chests" / "NORMAL" / f"n{k:02d}.{('png', 'jpg', 'bmp')[k % 3]}", 24 + k, 20, k)
    for k in range(10):
        write_image(
            tmp_path / "raw" / "chests" / "ILL" / f"i{k:02d}.tiff", 20, 24 + k, 100 + k, "RGB" if k % 2 else "L"
        )
    return tmp_path / "raw" / "chests"


@pytest.fixture
def ask(tmp_path: Path, raw: Path) -> Ask:
    """`prepare` at 16 pixels, with options of prepare by name."""

    def prepared(name: str = "", force: bool = False, source: Path = raw, **wish: object) -> Path:
        return prepare(source, tmp_path / "prepared", options(**wish), name, force)

    return prepared


def options(**wish: object) -> PrepareConfig:
    return resolve(
        flags={f"prepare.{key}": value for key, value in ({"size": 16, "workers": 1} | wish).items()}
    ).prepare


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
        image_format, size = read_resized(raw / row["file"], 16, "pad", 1)
        assert np.array_equal(packed.images[k], image_format)
        assert (row["width"], row["height"]) == size
    assert index["hash"].nunique() == 30


def test_its_description_tells_how_it_came_about(ask: Ask) -> None:
    description = read_yaml(ask(split=(0.6, 0.2, 0.2), seed=3) / "dataset.yaml")
    assert description["source"] == {"name": "chests"}
    assert description["options"]["size"] == 16
    assert description["options"]["split"] == [0.6, 0.2, 0.2]
    assert description["options"]["seed"] == 3
    assert "workers" not in description["options"]
    assert (description["images"], description["patients"]) == (30, None)
    assert description["counts"] == {
        "train": {"ILL": 6, "NORMAL": 12},
        "val": {"ILL": 2, "NORMAL": 4},
        "test": {"ILL": 2, "NORMAL": 4},
    }
    assert description["skipped"] == []


def test_the_table_sums_up_what_there_is(ask: Ask) -> None:
    columns, rows = table(ask(split=(0.6, 0.2, 0.2)))
    assert columns == ["split", "ILL", "NORMAL", "images"]
    assert rows == [["train", 6, 12, 18], ["val", 2, 4, 6], ["test", 2, 4, 6], ["all", 10, 20, 30]]


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_three_channels_and_every_fit(raw: Path, ask: Ask, fit: str) -> None:
    folder = ask(channels=3, fit=fit, size=20)
    packed = open_packed(folder)
    assert packed.images.shape == (30, 3, 20, 20)
    first = pd.read_csv(folder / "index.csv")["file"][0]
    assert np.array_equal(packed.images[0], read_resized(raw / first, 20, fit, 3)[0])


def test_the_images_are_a_memory_map_as_long_as_the_index_after_skips(raw: Path, ask: Ask) -> None:
    for k in range(5):
        (raw / "NORMAL" / f"n{k * 3:02d}.png").write_bytes(b"torn")
    folder = ask()
    packed = open_packed(folder)
    assert isinstance(packed.images, np.memmap)
    assert packed.images.shape == (25, 1, 16, 16)
    assert (folder / "images.npy").stat().st_size == HEADER_BYTES + 25 * 16 * 16
    last = pd.read_csv(folder / "index.csv")["file"][24]
    assert np.array_equal(packed.images[24], read_resized(raw / last, 16, "pad", 1)[0])


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


def test_patients_in_two_of_the_sources_own_splits_are_warned_of(
    tmp_path: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    for k, split in enumerate(("train", "train", "val", "test")):
        write_image(tmp_path / "leaky" / split / "NORMAL" / f"p{k // 2}_{k}.png", seed=k)
    ask(source=tmp_path / "leaky", patient_pattern=r"^(p\d+)_")
    assert "1 patients have images in more than one of the source's own splits" in capsys.readouterr().err
    ask(source=tmp_path / "leaky", name="another")
    assert "more than one" not in capsys.readouterr().err


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


def test_bad_files_are_named_with_their_reason_and_the_good_ones_packed(
    raw: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    good = open_packed(ask(name="clean")).images
    bad = spoil(raw)
    folder = ask()
    skipped = {entry["file"]: entry["reason"] for entry in read_yaml(folder / "dataset.yaml")["skipped"]}
    assert skipped.keys() == bad.keys()
    assert all(reason and bad[name] in reason for name, reason in skipped.items())
    assert Counter(image.tobytes() for image in open_packed(folder).images) == Counter(map(bytes, good))
    err = capsys.readouterr().err
    assert f"{len(bad)} file(s) skipped" in err
    assert any(f"{name}: " in err for name in bad)


def test_a_listed_file_that_is_absent_is_skipped(raw: Path, ask: Ask) -> None:
    (raw / "index.csv").write_text("file,label\nILL/i00.tiff,x\nlost.png,x\nILL,x\n")
    folder = ask()
    assert [entry["file"] for entry in read_yaml(folder / "dataset.yaml")["skipped"]] == ["ILL", "lost.png"]
    assert len(open_packed(folder).images) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_no_text_is_skipped(raw: Path, ask: Ask) -> None:
    foreign = os.fsencode(raw / "ILL") + b"/Jos\xe9.png"
    try:
        os.link(os.fsencode(write_image(raw / "ILL" / 'ü, "x".png')), foreign)
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    folder = ask()
    (entry,) = read_yaml(folder / "dataset.yaml")["skipped"]
    assert entry["reason"] == "its name is not UTF-8"
    assert 'ILL/ü, "x".png' in list(pd.read_csv(folder / "index.csv")["file"])
    assert len(open_packed(folder).images) == 31


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


@pytest.mark.parametrize("wish", [{"seed": 1}, {"size": 17}, {"split": (0.5, 0.25, 0.25)}, {"limit": 7}])
def test_what_changes_the_images_or_splits_changes_the_hash(ask: Ask, wish: dict[str, object]) -> None:
    assert open_packed(ask(name="a")).content_hash != open_packed(ask(name="b", **wish)).content_hash


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough for several processes to be worth it, a bad one among them."""
    folder = tmp_path_factory.mktemp("raw") / "many"
    for k in range(decoding.FEW_IMAGES + 10):
        write_image(folder / f"{k:03d}.png", 8, 8, k)
    (folder / "100.png").write_bytes(b"torn")
    return folder


def test_several_processes_give_what_one_gives(many: Path, tmp_path: Path) -> None:
    folders = [prepare(many, tmp_path / str(n), options(size=8, workers=n)) for n in (1, 2)]
    one, two = (read_yaml(folder / "dataset.yaml") for folder in folders)
    assert one == two
    assert one["skipped"] == [{"file": "100.png", "reason": "no image"}]
    assert np.array_equal(*(open_packed(folder).images for folder in folders))


def decode_or_die(raw: Path, image_format: ImageFormat, entries: Sequence[decoding.Entry]) -> decoding.Decoded:
    """What a worker does whom the kernel kills for want of memory; in its process `decoding` is the unpatched one."""
    if any(entry.file == "200.png" for entry in entries):
        os.kill(os.getpid(), signal.SIGKILL)
    return decoding._decode_some(raw, image_format, entries)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_process_that_dies_is_told_and_what_is_done_is_kept(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(decoding, "_decode_some", decode_or_die)
    with pytest.raises(XrganError, match="was killed, probably for want of memory.*--workers 1"):
        prepare(many, tmp_path, options(size=8, workers=2))
    assert not (tmp_path / "many_8").exists()
    monkeypatch.undo()
    prepare(many, tmp_path, options(size=8, workers=2))
    assert "Going on where an earlier preparation was interrupted" in capsys.readouterr().err
    whole = prepare(many, tmp_path / "whole", options(size=8, workers=1))
    assert snapshot(tmp_path / "many_8").keys() == snapshot(whole).keys()
    assert (tmp_path / "many_8" / "images.npy").read_bytes() == (whole / "images.npy").read_bytes()
    assert (tmp_path / "many_8" / "index.csv").read_bytes() == (whole / "index.csv").read_bytes()


# --- masks, classes, duplicates, leaks


@pytest.fixture
def phantoms(tmp_path: Path) -> Path:
    """20 phantoms with masks, of 15 or so patients."""
    write_dataset(tmp_path / "raw" / "phantom", 20, size=32)
    return tmp_path / "raw" / "phantom"


def index_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "index.csv", keep_default_na=False, dtype=str)


def test_masks_are_channels_as_asked(phantoms: Path, ask: Ask) -> None:
    sides = open_packed(ask("sides", source=phantoms, masks="right lung,left lung,heart"))
    lungs = open_packed(ask("lungs", source=phantoms, masks="lungs"))
    none = open_packed(ask("none", source=phantoms, masks="none"))
    assert [data.images.shape[1] for data in (sides, lungs, none)] == [4, 2, 1]
    assert np.array_equal(sides.images[:, 1] | sides.images[:, 2], lungs.images[:, 1])
    assert np.array_equal(sides.xrays(np.arange(20)), none.images)


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


def test_the_preview_shows_every_class_and_the_masks(phantoms: Path, ask: Ask) -> None:
    plain = Image.open(ask("plain", source=phantoms, masks="none") / "preview.png")
    masked = Image.open(ask("masked", source=phantoms) / "preview.png")
    assert (plain.mode, masked.mode) == ("L", "RGB")
    assert np.asarray(plain).std() > 20
    coloured = np.ptp(np.asarray(masked).astype(int), axis=2) > 30
    assert 0.02 < coloured.mean() < 0.5


def test_the_facts_say_what_the_files_were(raw: Path, ask: Ask) -> None:
    (raw / "NORMAL" / "n00.png").write_bytes(b"torn")
    rows = dict(facts_table(ask())[1])
    assert rows["packed"] == "16², 1 channel"
    assert rows["width before"] == "20 to 43 px, median 29"
    assert rows["kinds of file"] == "L 24, RGB 5"
    assert rows["skipped"] == "1 × no image"


def test_the_content_hash_does_not_depend_on_names(raw: Path, ask: Ask, tmp_path: Path) -> None:
    def content(name: str) -> str:
        return str(read_yaml(ask(name, patient_pattern=r"([ni]\d+|other.*)$") / "dataset.yaml")["content_hash"])

    before = content("before")
    (raw / "NORMAL" / "n07.jpg").rename(raw / "NORMAL" / "n07.jpeg")
    assert content("after") == before


def test_a_folder_of_a_sources_name_is_not_taken_for_the_source(tmp_path: Path, ask: Ask) -> None:
    for k in range(12):
        write_image(tmp_path / "mine" / "lungs" / "Normal" / f"pat{k:02d}_1.png", seed=k)
    folder = ask(source=tmp_path / "mine" / "lungs")
    assert open_packed(folder).classes == ("Normal",)


def test_whose_the_splits_are_is_told(tmp_path: Path, ask: Ask) -> None:
    assert read_yaml(ask("drawn") / "dataset.yaml")["splits"] == "drawn by patient"
    for split, count in (("train", 40), ("test", 10)):
        for k in range(count):
            write_image(tmp_path / "official" / split / f"{split}{k}.png", seed=k + len(split) * 100)
    official = read_yaml(ask(source=tmp_path / "official") / "dataset.yaml")["splits"]
    assert official == "the source's own; 4 images of its train became val, where it has none or hardly any"


def test_a_split_without_an_image_is_told(tmp_path: Path, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(6):
        write_image(tmp_path / "one" / f"anonymous_{k}.png", seed=k)
    ask(source=tmp_path / "one", patient_pattern="^(anonymous)_")
    assert "There is no image for val and test" in capsys.readouterr().err


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


@pytest.mark.parametrize("wish", [{"fraction": 0.5}, {"limit": 15}, {"fraction": 0.9, "limit": 15}])
def test_a_part_keeps_the_shares_of_splits_and_classes(ask: Ask, wish: dict[str, object]) -> None:
    shares = (0.6, 0.2, 0.2)
    whole, part = (
        read_yaml(ask(name=name, split=shares, **more) / "dataset.yaml")
        for name, more in (("whole", {}), ("part", wish))
    )
    assert part["images"] == 15
    assert part["left_out"] == {"beyond --fraction or --limit": 15}
    for split, counts in whole["counts"].items():
        for label, count in counts.items():
            assert abs(part["counts"][split][label] - count / 2) <= 1


def test_a_small_part_still_has_every_split_and_class(tmp_path: Path, ask: Ask) -> None:
    for k in range(60):
        write_image(tmp_path / "lopsided" / "train" / "common" / f"{k}.png", 8, 8, k)
    for start, split in ((100, "train"), (110, "val"), (120, "test")):
        for k in range(4):
            write_image(tmp_path / "lopsided" / split / "rare" / f"{split}{k}.png", 8, 8, start + k)
    counts = read_yaml(ask(source=tmp_path / "lopsided", limit=6) / "dataset.yaml")["counts"]
    assert sum(sum(of_split.values()) for of_split in counts.values()) == 6
    assert all(counts[split]["rare"] >= 1 for split in ("train", "val", "test"))
    assert counts["train"]["common"] >= 1


def test_a_part_is_drawn_by_the_seed_from_the_same_splits(ask: Ask) -> None:
    def files(name: str, **wish: object) -> dict[str, str]:
        index = pd.read_csv(ask(name=name, **wish) / "index.csv")
        return dict(zip(index["file"], index["split"], strict=True))

    whole, part, other = files("a"), files("b", fraction=0.5), files("c", fraction=0.5, seed=1)
    assert part.items() < whole.items()
    assert part.keys() != other.keys()


def test_a_limit_above_the_number_of_images_keeps_all(ask: Ask) -> None:
    assert len(open_packed(ask(limit=1000)).images) == 30


def test_the_smallest_fraction_keeps_an_image(ask: Ask) -> None:
    assert len(open_packed(ask(fraction=0.001)).images) == 1


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
