"""Labels, maps and views choose images; a name that is nowhere is told, with those that are."""

import pandas as pd
import pytest

from xrgan.config import PrepareConfig
from xrgan.config_resolve import resolve
from xrgan.data.preparing.filters import apply_filters
from xrgan.errors import XrganError


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
