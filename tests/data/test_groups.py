"""Things that are linked, directly or through others, are one group."""

import numpy as np

from xrgan.data.groups import group_by_links, group_by_names


def partition(groups: np.ndarray) -> list[list[int]]:
    return [np.flatnonzero(groups == group).tolist() for group in dict.fromkeys(groups.tolist())]


def test_links_join_whoever_they_reach() -> None:
    groups = group_by_links(np.array([0, 4]), np.array([2, 2]), 6)
    assert partition(groups) == [[0, 2, 4], [1], [3], [5]]
    assert sorted(set(groups.tolist())) == [0, 1, 2, 3]


def test_without_links_each_stands_alone() -> None:
    assert partition(group_by_links(np.empty(0, np.int64), np.empty(0, np.int64), 3)) == [[0], [1], [2]]


def test_an_equal_name_in_any_column_joins() -> None:
    patients = np.array(["a", "a", "b", "c", "d"])
    pictures = np.array([1, 2, 2, 3, 4])
    assert partition(group_by_names(patients, pictures)) == [[0, 1, 2], [3], [4]]


def test_a_name_means_something_within_its_column_only() -> None:
    assert partition(group_by_names(np.array(["a", "b"]), np.array(["b", "c"]))) == [[0], [1]]


def test_no_things_are_no_groups() -> None:
    assert group_by_names(np.empty(0, np.str_)).shape == (0,)
