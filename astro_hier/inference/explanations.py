"""The distinct explanations that a posterior contains: separate regions of high density.

The points of an exploration are linked to their nearest neighbours, and taken in order of
decreasing density. Each starts a region or joins that of a higher neighbour; two regions that meet
are merged unless both rise by `RISE` above where they meet (persistence, as in ToMATo: Chazal et
al. 2013, J. ACM 60, 41). The density is known at each point, so nothing is smoothed. Because points
are sparse along narrow ridges, two regions are also merged if the density on the straight line
between their maxima does not fall to a tenth of the lower of these.
"""

from itertools import combinations

import numpy as np
from scipy.spatial import cKDTree

from astro_hier.core.floats import TINY

NEIGHBOURS = 12
RISE = 3.0
VALLEY = np.log(10.0)
MIN_PROBABILITY = 0.01
MAX_POINTS = 4000  # that are linked; the others follow the nearest of these
LINE = 33  # points on a straight line


def find(pool, log_density):
    """Number of the explanation that each point of a pool belongs to, the most probable first.

    Parameters
    ----------
    pool : `~astro_hier.inference.weights.Pool`
        Weighted points.
    log_density : callable
        Takes points of shape (n, dimension), returns shape (n,).

    Returns
    -------
    ndarray
        Shape (point,); -1 for points in regions with a probability of less than one percent.
    """
    # resample the points in proportion to their weights
    edges, places = np.cumsum(pool.weights), (np.arange(MAX_POINTS) + 0.5) / MAX_POINTS
    order = np.unique(np.searchsorted(edges, places * edges[-1]).clip(0, len(edges) - 1))
    z, height = pool.z[order], pool.heights()[order]
    scale = np.maximum(z.std(axis=0), TINY)
    tree = cKDTree(z / scale)
    regions = _regions(tree, height)
    if not regions.any():  # one for all
        return np.zeros(len(pool.z), int)
    # all other points belong to the region of the nearest of these
    regions = regions[tree.query(pool.z / scale)[1]]
    probability = np.bincount(regions, pool.weights)
    regions, all_regions = regions[order], regions
    large = np.flatnonzero(probability > MIN_PROBABILITY)
    peak = {n: np.flatnonzero(regions == n)[np.argmax(height[regions == n])] for n in large}
    same = {n: n for n in large}
    for one, other in combinations(large, 2):
        if same[one] != same[other] and _is_level(z, height, peak[one], peak[other], log_density):
            same = {n: same[one] if m == same[other] else m for n, m in same.items()}
    of_region = np.full(len(probability), -1)
    together = np.zeros(len(probability))
    for n, root in same.items():
        together[root] += probability[n]
    roots = list(np.argsort(-together, kind="stable"))
    for n, root in same.items():
        of_region[n] = roots.index(root)
    return of_region[all_regions]


def _regions(tree, height):
    """Number of the region that each point of a tree belongs to."""
    size, order = len(height), np.argsort(-height, kind="stable")
    height, rank = height[order], np.argsort(order)
    first, neighbours = _higher_neighbours(tree, rank)
    root = list(range(size))

    def root_of(point):
        while root[point] != point:
            point = root[point]
        return point

    for point in range(size):  # in order of decreasing density
        linked = {root[n] for n in neighbours[first[point] : first[point + 1]]}
        met = sorted({root_of(n) for n in linked})
        if met:
            root[point] = met[0]
        for other in met[1:]:
            if height[other] < height[point] + RISE:
                root[other] = met[0]
    roots = order[[root_of(point) for point in range(size)]]
    return np.unique(roots[rank], return_inverse=True)[1]


def _higher_neighbours(tree, rank):
    """For each point in order of rank, those of lower rank that it is linked to.

    Returns where they begin for each, and all their ranks.
    """
    size = len(rank)
    _, near = tree.query(tree.data, min(NEIGHBOURS + 1, size))
    near = np.reshape(near, (size, -1))
    of = np.broadcast_to(rank[:, None], near.shape)
    low, high = np.minimum(of, rank[near]), np.maximum(of, rank[near])
    pairs = np.unique(high[low < high] * size + low[low < high])
    first = np.searchsorted(pairs // size, np.arange(size + 1))
    return first.tolist(), (pairs % size).tolist()


def _is_level(z, height, one, other, log_density):
    """Whether the density on the line between two maxima stays above a tenth of the lower one."""
    share = np.linspace(0, 1, LINE)[:, None]
    lowest = log_density(z[one] + share * (z[other] - z[one])).min()
    return lowest > min(height[one], height[other]) - VALLEY
