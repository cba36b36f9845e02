"""What a report tells its reader to keep in mind: of studies that nobody ran, whose truth is known."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.downstream.blobs import QUICK, constructed, results_of, summarised, toy_dataset
from xrgan.downstream.caveats import caveats, doubts
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.classification.task import Classification
from xrgan.downstream.external import external_summary
from xrgan.downstream.leaks import TrainingProvenance
from xrgan.downstream.pool import External
from xrgan.downstream.task import Results
from xrgan.downstream.verdict import summarise

pytestmark = pytest.mark.slow

BOTH = {"real": 1.0, "real+synthetic": 1.0}


def told(on_test: Mapping[str, float], k: int = 5, test: int = 40, **options: Any) -> str:
    """The caveats of a study whose arms are as good as is said."""
    dataset = toy_dataset(test=test)
    pool = gather(dataset)
    folds = cut(pool, k, 0)
    fractions, seeds = options.pop("fractions", (1.0,)), options.pop("seeds", 1)
    trials = constructed(pool, folds, on_test, None, fractions, seeds)
    wish = {"arms": tuple(on_test), "fractions": fractions, "seeds": seeds, "k_folds": k, "resamples": 5}
    return " ".join(summarised(dataset, pool, folds, QUICK.model_copy(update=wish | options), trials)["caveats"])


def few() -> tuple[Classification, Results]:
    """A study of both arms with a tenth of the real images, and what nobody knows of its generator yet."""
    pool = gather(toy_dataset())
    folds = cut(pool, 0, 0)
    wish = {"arms": tuple(BOTH), "fractions": (0.1,), "k_folds": 0}
    trials = constructed(pool, folds, BOTH, fractions=(0.1,))
    return Classification(QUICK.model_copy(update=wish)), results_of(pool, folds, trials)


def test_they_fit_the_study() -> None:
    whole = told(BOTH)
    assert "40 images of 20 patients" in whole and "It holds for this dataset" in whole
    assert "One split" not in whole and "Only" not in whole and "learned from all" not in whole
    assert "One split" in told(BOTH, k=0, seeds=3) and "--seeds 3" in told(BOTH, k=0)
    assert "One training an arm" in told(BOTH, k=0) and "Two folds an arm" in told(BOTH, k=2)
    assert "Two trainings an arm" in told(BOTH, k=0, seeds=2)
    assert "3 trainings an arm find large differences alone" in told(BOTH, k=0, seeds=3)
    assert "large differences alone" not in whole and "large differences alone" not in told(BOTH, k=0, seeds=5)
    assert "Only 1.00 synthetic images a real one were used, not 2" in told(BOTH, ratio=2)
    fractions = (0.1, 1.0)
    assert "The generator learned from all training images" in told(BOTH, fractions=fractions)
    assert "Each fold's generator learned from all" in told(BOTH, fractions=fractions, gan_per_fold=True)
    assert "learned from all" not in told({"real": 1, "real+classic": 1}, fractions=fractions)


def test_few_validation_images_are_told_of() -> None:
    """The toys' val has six patients of each class, two images each."""
    said = told(BOTH, k=0, fractions=(0.25, 1.0))
    assert "Few validation images pick the epochs, about 3 (25 %), 12 (100 %)" in said


def test_augmentation_beside_synthetic_images_is_told_of_where_no_arm_has_it_alone() -> None:
    both = {"real": 1, "real+classic+synthetic": 1}
    assert "nobody can tell without the arm real+classic" in told(both)
    assert "without the arm" not in told(both | {"real+classic": 1})


def test_what_the_generator_learned_from_is_said_as_far_as_it_is_known() -> None:
    task, results = few()
    rows = results.pool.rows[results.pool.training]

    def said(**of: Any) -> str:
        return " ".join(caveats(task, replace(results, **of)))

    assert "from all training images" in said(seen=(TrainingProvenance("a", rows, rows),))
    assert "learned from 7 real images" in said(seen=(TrainingProvenance("a", rows[:7], rows[:7]),))
    unknown = said(behind={results.trials[1].key: None})
    assert "Nobody knows which real images the generator learned from" in unknown and "from all" not in unknown


def test_arms_that_guess_are_told_of() -> None:
    assert "guessing" not in told({"real": 1, "synthetic": 1}, test=160)
    one = told({"real": 1, "synthetic": -0.2}, test=160)
    assert "With 100 % of the real images, synthetic is no better than guessing (AUROC 0.5 or less)." in one
    both = told({"real": -1, "synthetic": -1}, test=160)
    assert "real and synthetic are no better than guessing" in both and "no arm has learned anything" in both
    assert "real and synthetic are surely worse than guessing: are classes exchanged?" in both
    hardly = told({"real": 1, "synthetic": 0.15}, k=0)
    assert "synthetic is not told from guessing: the interval goes down to AUROC 0.5 or less." in hardly


def test_another_dataset_s_few_patients_and_exchanged_classes_are_told_of() -> None:
    task, results = few()
    there = gather(toy_dataset(train=16, test=16, name="clinic", seed=3))
    pool = replace(there, test=np.arange(len(there.rows)))
    answers = np.eye(2)[1 - pool.strata] * 0.8 + 0.1
    trials = [replace(one, on_external=answers) for one in results.trials]
    results = replace(results, trials=trials, external=External("clinic", pool, "d", 0))
    summary = summarise(task, toy_dataset(), results)
    assert results.external
    said = doubts(task, results, summary["results"], external_summary(task, results, results.external, "real"))
    assert [one for one in said if one in summary["caveats"]] == said
    assert any(one.startswith("clinic has patients: 8 of NORMAL, 8 of PNEUMONIA") for one in said)
    assert "On clinic, with 10 % of the real images, real and real+synthetic are surely worse" in " ".join(said)
