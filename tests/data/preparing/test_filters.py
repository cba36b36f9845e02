"""Labels, maps and views choose images; a name that is nowhere is told, with those that are."""

from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import write_image
from tests.data.conftest import Ask
from xrgan.config import PrepareConfig
from xrgan.config_resolve import resolve
from xrgan.data.packed import open_packed
from xrgan.data.preparing.filters import apply_filters
from xrgan.errors import XrganError
from xrgan.files import read_yaml


def rows(labels: list[str], views: list[str] | None = None) -> pd.DataFrame:
    files = [f"{k}.png" for k in range(len(labels))]
    return pd.DataFrame({"file": files, "label": labels, "view": views or [""] * len(labels)})


def wish(**options: object) -> PrepareConfig:
    return resolve(flags={f"prepare.{key}": value for key, value in options.items()}).prepare


def chosen(table: pd.DataFrame, source_map: str = "", **options: object) -> dict[str, str]:
    kept, _ = apply_filters(table, wish(**options), source_map)
    return dict(zip(kept["file"], kept["label"], strict=True))


RSNA = rows(["Normal", "Lung Opacity", "No Lung Opacity / Not Normal", ""])


def test_without_a_wish_all_are_kept() -> None:
    assert apply_filters(RSNA, wish(), "")[0].equals(RSNA)


def test_the_sources_own_map_is_the_default_and_leaves_the_unlabelled_alone() -> None:
    labels = {"0.png": "0", "1.png": "1", "2.png": "0", "3.png": ""}
    assert chosen(RSNA, "Lung Opacity=1,*=0") == labels


def test_none_keeps_the_labels() -> None:
    assert chosen(RSNA, "Lung Opacity=1,*=0", map="none")["2.png"] == "No Lung Opacity / Not Normal"


def test_labels_are_chosen_before_they_are_merged() -> None:
    wish = {"labels": ["Normal", "Lung Opacity"]}
    assert chosen(RSNA, map="Lung Opacity=1,*=0", **wish) == {"0.png": "0", "1.png": "1"}
    assert chosen(RSNA, "Lung Opacity=1,*=0", **wish) == {"0.png": "Normal", "1.png": "Lung Opacity"}


def test_of_several_findings_the_chosen_ones_stay() -> None:
    nih = rows(["Mass|Edema", "Edema", "Mass|Hernia", "Hernia"])
    assert chosen(nih, labels=["Mass", "Edema"]) == {"0.png": "Mass|Edema", "1.png": "Edema", "2.png": "Mass"}
    assert chosen(nih, map="Mass=mass,*=other")["0.png"] == "mass"


def test_what_a_map_does_not_name_is_left_out_and_counted() -> None:
    kept, left_out = apply_filters(rows(["A", "B", "C", ""]), wish(map="A=a"), "")
    assert list(kept["label"]) == ["a", ""]
    assert left_out == {"of labels that --map doesn't name": 2}


def test_views_are_chosen_whatever_their_case() -> None:
    table = rows(["a"] * 4, ["PA", "AP", "LL", ""])
    kept, left_out = apply_filters(table, wish(view=["pa", "AP"]), "")
    assert list(kept["file"]) == ["0.png", "1.png"]
    assert left_out == {"of another view": 1, "of unknown view": 1}


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"labels": ["Lung Opacty"]}, "No image has a label 'Lung Opacty'.", "Lung Opacity, No Lung Opacity / Not"),
        ({"map": "Opacity=1,*=0"}, "--map: no image is labelled 'Opacity'.", "Lung Opacity"),
        ({"view": ["PA"]}, "No image has a view 'PA'.", ""),
    ],
)  # fmt: skip
def test_a_name_that_is_nowhere_is_told(options: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(XrganError) as error:
        apply_filters(RSNA, wish(**options), "")
    assert error.value.message == message
    assert hint in error.value.hint


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
