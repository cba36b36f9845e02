"""Every source's miniature goes the whole way: its archive is fetched, prepared, opened, and makes training batches."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.miniatures import IMAGES, MINIATURES, write_jrs_original, write_jrs_with_masks, zipped
from xrgan.config_resolve import resolve
from xrgan.data.fetch import fetch
from xrgan.data.packed import PackedDataset, open_packed
from xrgan.data.prepare import prepare
from xrgan.files import read_yaml, write_yaml
from xrgan.gan.batches import make_batches
from xrgan.gan.plan import training_plan

pytestmark = pytest.mark.slow

Ask = Callable[..., PackedDataset]

EXPECTED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # classes and masks as they come by default
    "jrs": (("nodule", "non-nodule"), ()),
    "kermany": (("NORMAL", "PNEUMONIA"), ()),
    "rsna": (("0", "1"), ()),
    "rsna-dicom": (("0", "1"), ()),
    "nih": (("Finding", "No Finding"), ()),
    "covid": (("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia"), ("lungs",)),
    "lungs": (("normal", "tuberculosis"), ("lungs",)),
    "phantom": (("NORMAL", "PNEUMONIA"), ("lungs", "heart")),
    "chexpert": (("Finding", "No Finding"), ()),
    "mimic": (("Finding", "No Finding"), ()),
    "vindr": (("Finding", "No finding"), ()),
    "padchest": (("finding", "normal"), ()),
}


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """A source's miniature, from its archive to a dataset at 32 pixels, with options of prepare by name."""

    def prepared(
        source: str, write: Callable[[Path], Path] | None = None, name: str = "", **wish: object
    ) -> PackedDataset:
        raw = tmp_path / "data" / "raw" / source
        if not raw.exists() and source == "phantom":
            (write or MINIATURES[source])(raw)  # nobody has an archive of it
            write_yaml(raw / "source.yaml", {"name": "phantom"})
        elif not raw.exists():
            miniature = (write or MINIATURES[source])(tmp_path / "miniature" / source)
            raw = fetch(source, tmp_path / "data" / "raw", archive=zipped(miniature, tmp_path / f"{source}.zip"))
        flags = {f"prepare.{key}": value for key, value in ({"size": 32, "workers": 1} | wish).items()}
        return open_packed(prepare(raw, tmp_path / "data" / "prepared", resolve(flags=flags).prepare, name))

    return prepared


def skipped(dataset: PackedDataset) -> list[dict[str, str]]:
    found: list[dict[str, str]] = read_yaml(dataset.path / "dataset.yaml")["skipped"]
    return found


def index_of(dataset: PackedDataset) -> pd.DataFrame:
    return pd.read_csv(dataset.path / "index.csv", dtype=str, keep_default_na=False)


def test_every_source_is_expected_to_do_something() -> None:
    assert EXPECTED.keys() == MINIATURES.keys()


@pytest.mark.parametrize("source", list(MINIATURES))
def test_a_miniature_becomes_batches(source: str, ask: Ask) -> None:
    dataset = ask(source)
    classes, masks = EXPECTED[source]
    assert (dataset.classes, dataset.masks) == (classes, masks)
    assert len(dataset.images) + len(skipped(dataset)) == IMAGES[source]
    assert {entry["reason"] for entry in skipped(dataset)} <= {"has no mask"}
    assert set(dataset.splits) <= {"train", "val", "test"}
    xrays = dataset.xrays(np.arange(len(dataset.images)))
    assert xrays.std(axis=(1, 2, 3)).min() > 20  # chests, not blank squares
    assert (dataset.path / "preview.png").stat().st_size > 5000
    config = resolve(settings=["train.batch_size=4", "model.conditional=false", "model.masks=true"])
    batches = make_batches(dataset, training_plan(config))
    places = batches.chosen(0)
    images, labels = batches.read(places), batches.labels(places)
    assert images.shape == (4, 1 + len(masks), 32, 32)
    assert labels.min() >= -1


def test_no_patient_of_a_miniature_is_torn_but_where_the_source_does_it(ask: Ask) -> None:
    for source in MINIATURES:
        dataset = ask(source)
        leaks = read_yaml(dataset.path / "dataset.yaml")["patients_in_two_splits"]
        assert leaks == (1 if source == "kermany" else 0)


def test_kermanys_leak_is_mended(ask: Ask) -> None:
    dataset = ask("kermany", fix_leaks=True)
    assert read_yaml(dataset.path / "dataset.yaml")["patients_in_two_splits"] == 0
    assert len(set(dataset.splits[dataset.patients == "person1"])) == 1


def test_opacities_are_masks_if_asked(ask: Ask) -> None:
    for source in ("rsna", "rsna-dicom"):
        dataset = ask(source, masks="opacity")
        area = (dataset.images[:, 1] == 255).mean(axis=(1, 2))
        ill = dataset.labels == dataset.classes.index("1")
        assert (area[ill] > 0.02).all()
        assert (area[~ill] == 0).all()
        assert {entry["reason"] for entry in skipped(dataset)} == {"has no mask"}  # the challenge's test images


def test_both_copies_of_rsna_are_the_same_chests(ask: Ask) -> None:
    png, dicom = (index_of(ask(source)) for source in ("rsna", "rsna-dicom"))
    assert list(dicom["kind"].unique()) == ["DICOM"]
    assert list(png["label"]) == list(dicom["label"])
    assert list(png["patient"]) == list(dicom["patient"])


def test_views_are_chosen(ask: Ask) -> None:
    for source in ("nih", "rsna", "rsna-dicom"):
        whole, pa = ask(source, name=f"{source}_whole"), ask(source, name=f"{source}_pa", view=["PA"])
        assert 0 < len(pa.images) < len(whole.images)
        facts = read_yaml(pa.path / "dataset.yaml")
        assert facts["views"] == {"PA": len(pa.images)}
        assert facts["classes_merged_by"] in {"Lung Opacity=1,*=0", "No Finding=No Finding,*=Finding"}
        assert set(index_of(pa)["view"]) == {"PA"}


def test_findings_are_chosen_and_merged(ask: Ask) -> None:
    dataset = ask("nih", labels=["Pneumonia", "Mass", "No Finding"], map="No Finding=healthy,*=ill")
    assert dataset.classes == ("healthy", "ill")
    every = ask("nih", name="every", map="none")
    assert "Mass|Nodule|Pleural_Thickening" in every.classes


@pytest.mark.parametrize("masks", ["lungs", "right lung,left lung,heart"])
@pytest.mark.parametrize("write", [write_jrs_with_masks, write_jrs_original])
def test_jsrt_with_masks_is_one_dataset_of_one_and_one_or_three_channels(
    masks: str, write: Callable[[Path], Path], ask: Ask
) -> None:
    dataset = ask("jrs", write, masks=masks)
    assert dataset.masks == tuple(masks.split(","))
    assert dataset.images.shape[1] == 1 + len(dataset.masks)
    assert skipped(dataset) == []
    inside = dataset.images[:, 1:] == 255
    assert (inside.mean(axis=(2, 3)) > 0.02).all()
    if len(dataset.masks) == 3:
        right, left = (np.nonzero(inside[:, k])[2].mean() for k in (0, 1))
        assert right < left - 8  # the patient's right is the image's left
    lungs, all_of_it = inside[:, 0], dataset.images[:, 0]
    assert all_of_it[lungs].mean() < all_of_it[~inside.any(axis=1)].mean()  # air is dark: .IMG is not inverted
