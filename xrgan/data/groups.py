"""Which things belong together: the connected components of what links them."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def group_by_links(left: NDArray[np.integer], right: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Number the groups of `count` things of which left[k] and right[k] are linked: (count,), 0 …."""
    links = coo_array((np.ones(len(left), np.bool_), (left, right)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def group_by_names(*columns: NDArray[np.generic]) -> NDArray[np.int64]:
    """Number the groups of things that have an equal name in any column, directly or through others.

    Args:
        columns: each (N,), of any type that sorts; a name means something within its column only.

    Returns:
        (N,), 0 ….
    """
    things = len(columns[0])
    nodes, names = things, []  # a node per thing, then one per name of each column
    for column in columns:
        _, name = np.unique(column, return_inverse=True)
        names.append(name + nodes)
        nodes += int(name.max(initial=-1)) + 1
    return group_by_links(np.tile(np.arange(things), len(names)), np.concatenate(names), nodes)[:things]
