"""Which trainings a study has, and what each learns from: decided before anything is trained."""

import numpy as np
import pytest

from tests.downstream.blobs import QUICK, toy_dataset
from xrgan.config import ClassifyConfig
from xrgan.downstream.arms import ARMS
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.design import budget_of, deciding_first, grid, parts, phases_of, seed_of, thinned

POOL = gather(toy_dataset())
FOLD = cut(POOL, 2, seed=0)[0]


def designed(**options: object) -> ClassifyConfig:
    return QUICK.model_copy(update={"arms": ("real", "real+synthetic"), "fractions": (0.5, 1.0), **options})


def test_every_arm_comes_before_the_next_seed() -> None:
    keys = list(grid(designed(seeds=2), FOLD))
    assert [key.seed for key in keys] == [1] * 4 + [2] * 4
    assert [(key.arm, key.fraction) for key in keys[:3]] == [("real", 0.5), ("real+synthetic", 0.5), ("real", 1.0)]
    assert {key.fold for key in keys} == {FOLD.number}


def test_who_decides_for_others_is_trained_before_them() -> None:
    config = designed(arms=("real+agreed", "real"))
    ordered = deciding_first(grid(config, FOLD), config)
    assert [(key.arm, key.fraction) for key in ordered] == [
        ("real", 0.5),
        ("real+agreed", 0.5),
        ("real", 1.0),
        ("real+agreed", 1.0),
    ]


def test_a_generator_per_fraction_sees_what_its_networks_see() -> None:
    ((part, keys),) = parts(designed(seeds=2), FOLD, POOL)
    assert np.array_equal(part.fold.training, FOLD.training) and len(keys) == 8
    own = parts(designed(seeds=2, gan_per_fraction=True), FOLD, POOL)
    assert [len(keys) for _, keys in own] == [2, 4, 2], "with all real images they are the same whatever the seed"
    for part, keys in own:
        for key in keys:
            seen = thinned(FOLD, POOL, key, designed()).training
            assert np.array_equal(np.sort(seen), np.sort(part.fold.training))
    alone = parts(designed(arms=("real",), gan_per_fraction=True), FOLD, POOL)
    assert len(alone) == 1, "no arm needs a generator"


def test_arms_of_one_seed_share_it_and_folds_and_seeds_don_t() -> None:
    config = designed(seeds=3)
    keys = [key for fold in cut(POOL, 2, seed=0) for key in grid(config, fold)]
    of_place: dict[tuple[int, int], set[int]] = {}
    for key in keys:
        of_place.setdefault((key.fold, key.seed), set()).add(seed_of(key, config))
    assert all(len(seeds) == 1 for seeds in of_place.values())
    assert len(set.union(*of_place.values())) == len(of_place) == 6


@pytest.mark.parametrize("fraction", [0.25, 0.5, 1.0])
def test_all_arms_may_take_as_many_steps(fraction: float) -> None:
    config = designed(fractions=(fraction,), epochs=4, batch_size=8)
    budget = budget_of(FOLD, config)
    assert budget.steps == 4 * -(-len(FOLD.training) // 8)
    synthetic = np.arange(100, 130)
    for name in ("real", "real+synthetic", "synthetic→real", "synthetic"):
        (key, *_) = grid(config, FOLD)
        real = thinned(FOLD, POOL, key, config).training
        phases = phases_of(ARMS[name], real, synthetic, budget, pretraining=0.5)
        assert sum(phase.budget.steps for phase in phases) == budget.steps, name
        learned = [set(phase.training.tolist()) for phase in phases]
        wanted = {"real": set(real.tolist()), "synthetic": set(synthetic.tolist())}
        assert learned == [set.union(*(wanted[kind] for kind in phase)) for phase in ARMS[name].phases], name
