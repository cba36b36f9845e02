"""A study's summary.yaml holds the keys that `summary.py` documents: all of them, and no others."""

from typing import Any, get_args, get_type_hints

import pytest

from tests.downstream.blobs import QUICK, constructed, summarised, toy_dataset
from xrgan.downstream import summary
from xrgan.downstream.classification.data import cut, gather

DATASET = toy_dataset(train=60, test=40)
POOL = gather(DATASET)


def keys(kind: type) -> set[str]:
    return set(kind.__required_keys__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("k", [0, 2])
def test_every_level_holds_what_it_should(k: int) -> None:
    folds = cut(POOL, k, 0)
    config = QUICK.model_copy(update={"arms": ("real", "synthetic"), "k_folds": k, "resamples": 10})
    made: dict[str, Any] = summarised(
        DATASET, POOL, folds, config, constructed(POOL, folds, {"real": 1, "synthetic": 2})
    )
    assert made.keys() == keys(summary.Summary)
    assert made["dataset"].keys() == keys(summary.DatasetFacts) | {"classes"}
    (result, _), (comparison,) = made["results"], made["comparisons"]
    assert result.keys() == keys(summary.ArmResult) | {"n_behind"} and result["test"]["auroc"].keys() == keys(
        summary.Figure
    )
    assert comparison.keys() == keys(summary.Comparison) | {"images"}
    assert comparison["difference"]["auroc"].keys() == keys(summary.Difference)
    assert comparison["effect"].keys() == keys(summary.Effect)
    assert (comparison["folds"].keys() == keys(summary.FoldsTest)) if k else comparison["folds"] is None


def test_the_paired_tests_of_both_studies_have_a_place() -> None:
    hints = get_type_hints(summary.Comparison)
    assert {"images", "patients"} <= hints.keys() and get_args(hints["images"]) == get_args(hints["patients"])
