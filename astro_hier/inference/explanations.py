"""The distinct explanations that a posterior holds: regions of high density, apart from each other.

The points of an exploration are joined to their nearest neighbours, and taken from the highest
density down. Each begins a region or joins that of a higher neighbour; two regions that meet are
one unless both rise by `RISE` above where they meet (persistence, as in ToMATo: Chazal et al. 2013,
J. ACM 60, 41). The density is known at each point, so nothing is smoothed. As points are few along
narrow ridges, two regions are one, too, where the density does not fall to a tenth of the lower of
their maxima on the straight line between them.
"""

from itertools import combinations

import numpy as np
from scipy.spatial import cKDTree

NEIGHBOURS = 12
RISE = 3.0
VALLEY = np.log(10.0)
LEAST_PROBABILITY = 0.01
COVERED = 0.9999  # of the weight, by the points that are looked at
MOST_POINTS = 4000
LINE = 33  # points on a straight line


def find(pool, log_density):
    """Number of the explanation of each point of a pool, the most probable first.

    Parameters
    ----------
    pool : `~astro_hier.inference.weights.Pool`
        Weighted points.
    log_density : callable
        Of points of shape (n, dimension), shape (n,).

    Returns
    -------
    ndarray
        Shape (point,); -1 for points of regions of less than a percent, and without weight.
    """
    order = np.argsort(-pool.weights)
    covered = np.searchsorted(np.cumsum(pool.weights[order]), COVERED) + 1
    order = order[: min(covered, MOST_POINTS)]
    z, height = pool.z[order], pool.heights()[order]
    regions = _regions((z - z.mean(axis=0)) / np.maximum(z.std(axis=0), 1e-300), height)
    probability = np.bincount(regions, pool.weights[order])
    large = np.flatnonzero(probability > LEAST_PROBABILITY)
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
    labels = np.full(len(pool.z), -1)
    labels[order] = of_region[regions]
    return labels


def _regions(x, height):
    """Number of the region of each point."""
    _, near = cKDTree(x).query(x, min(NEIGHBOURS + 1, len(x)))
    joined = [set() for _ in x]
    for point, others in enumerate(np.reshape(near, (len(x), -1))):
        for other in others:
            joined[point].add(other)
            joined[other].add(point)
    root = np.full(len(x), -1)

    def root_of(point):
        while root[point] != point:
            point = root[point]
        return point

    for point in np.argsort(-height, kind="stable"):
        met = {root_of(n) for n in joined[point] if root[n] >= 0}
        higher = sorted(met, key=lambda n: (-height[n], n))
        root[point] = higher[0] if higher else point
        for other in higher[1:]:
            if height[other] < height[point] + RISE:
                root[other] = higher[0]
    roots = [root_of(point) for point in range(len(x))]
    return np.unique(roots, return_inverse=True)[1]


def _is_level(z, height, one, other, log_density):
    """Whether the density stays above a tenth of the lower maximum on the line between two."""
    share = np.linspace(0, 1, LINE)[:, None]
    lowest = log_density(z[one] + share * (z[other] - z[one])).min()
    return lowest > min(height[one], height[other]) - VALLEY
