"""The table of arms: one row says all that the rest of the house needs to know."""

from typing import get_args

import pytest

from tests.downstream.blobs import ALL_ARMS
from xrgan import config
from xrgan.downstream.arms import ARMS, about_synthetic, baseline_of, held_against, needs_synthetic


def test_every_arm_that_can_be_asked_for_has_a_row_and_its_own_colour() -> None:
    assert tuple(ARMS) == get_args(config.Arm) == ALL_ARMS
    assert len({arm.colour for arm in ARMS.values()}) == len(ARMS)
    assert all(key == arm.name for key, arm in ARMS.items())


@pytest.mark.parametrize(
    ("name", "real", "synthetic", "mixes", "phases", "classic"),
    [
        ("real", True, False, False, 1, False),
        ("real+classic", True, False, False, 1, True),
        ("real+synthetic", True, True, True, 1, False),
        ("real+classic+synthetic", True, True, True, 1, True),
        ("real+agreed", True, True, True, 1, False),
        ("synthetic→real", True, True, False, 2, False),
        ("synthetic→real+classic", True, True, False, 2, True),
        ("synthetic", False, True, False, 1, False),
    ],
)
def test_what_an_arm_learns_from(
    name: str, real: bool, synthetic: bool, mixes: bool, phases: int, classic: bool
) -> None:
    arm = ARMS[name]
    assert (arm.uses_real, arm.uses_synthetic, arm.mixes) == (real, synthetic, mixes)
    assert (len(arm.phases), arm.classic) == (phases, classic)


def test_pretraining_comes_first_and_file_names_have_no_arrow() -> None:
    arm = ARMS["synthetic→real"]
    assert arm.phases == (frozenset({"synthetic"}), frozenset({"real"})) and arm.slug == "synthetic-to-real"


def test_real_images_alone_are_the_baseline_where_they_are_there() -> None:
    assert baseline_of(("synthetic", "real")) == "real"
    assert baseline_of(("real+classic", "synthetic")) == "real+classic"


def test_what_adds_to_classic_augmentation_is_held_against_it() -> None:
    every = tuple(ARMS)
    other = {arm: held_against(arm, every, "real") for arm in every}
    assert {arm for arm, own in other.items() if own == "real+classic"} == {
        "real+classic+synthetic",
        "synthetic→real+classic",
    }
    assert held_against("real+classic+synthetic", ("real", "real+classic+synthetic"), "real") == "real"


def test_who_needs_synthetic_images() -> None:
    assert not needs_synthetic(("real", "real+classic"))
    assert needs_synthetic(("real", "synthetic→real"))


def test_which_comparisons_say_something_of_synthetic_images() -> None:
    comparisons = [{"arm": arm} for arm in ("real+classic", "synthetic", "an arm of a later version")]
    assert about_synthetic(comparisons) == comparisons[1:]
