"""Modes of an eccentric orbit's posterior in period and eccentricity.

Two nodes are of one mode if between their frequencies there is no gap wider than `GAP` over the
baseline, nor a valley in the distribution of e. Nodes that hold less than `TAIL` of the
probability fill no gaps.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from astro_hier.core.eccentric_nodes import EccentricNodes

GAP = 0.5
TAIL = 0.002
VALLEY = 10.0
BINS = 24  # of e, in which valleys are looked for
ROUNDING = 1e-12  # a spread over a mean that is not one
MANY = 400  # nodes of a mode that may be split in e


class Mode(NamedTuple):
    """A mode of the posterior: mean and standard deviation of P [d] and e, and its K's mean."""

    probability: float
    period: float
    period_sd: float
    eccentricity: float
    eccentricity_sd: float
    amplitude: float


@dataclass(frozen=True)
class Partition:
    """Which mode an orbit belongs to.

    Attributes
    ----------
    edges : ndarray
        Frequencies [1 / d] between ranges without a gap, in order, shape (range - 1,).
    cuts : tuple of ndarray
        Eccentricities between the modes of each range, in order.
    """

    edges: np.ndarray
    cuts: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, period: np.ndarray, e: np.ndarray, weight: np.ndarray, baseline: float):
        """From weighted orbits, arrays of shape (node,), and the time from first to last visit."""
        f, order = 1 / period, np.argsort(weight)
        bulk = np.sort(f[order[np.cumsum(weight[order]) > TAIL]])
        gap = np.diff(bulk) > GAP / max(baseline, 1e-300)
        edges = 0.5 * (bulk[1:] + bulk[:-1])[gap]
        within = np.searchsorted(edges, f)
        parts = (within == i for i in range(len(edges) + 1))
        return cls(edges, tuple(_valleys(e[part], weight[part]) for part in parts))

    def number(self, period: np.ndarray, e: np.ndarray) -> np.ndarray:
        """The number of the mode of each orbit."""
        within = np.searchsorted(self.edges, 1 / period)
        first = np.cumsum([0, *(len(cuts) + 1 for cuts in self.cuts)])
        above = np.zeros(len(period), int)
        for i, cuts in enumerate(self.cuts):
            if len(cuts):
                above[within == i] = np.searchsorted(cuts, e[within == i])
        return first[within] + above


def modes(nodes: EccentricNodes, least: float = 1e-4) -> list[Mode]:
    """Modes of at least this probability, the most probable first."""
    baseline = np.ptp(nodes.star.data.time)
    orbits = nodes.period, nodes.eccentricity, nodes.probability
    number = Partition.of(*orbits, baseline).number(*orbits[:2])
    found = described(number, *orbits, nodes.amplitude)
    return sorted((m for m in found if m.probability >= least), reverse=True)


def described(number, period, e, weight, amplitude) -> list[Mode]:
    """Each mode, from the numbers of those that weighted orbits belong to."""
    total = np.bincount(number, weight)
    share = weight / np.maximum(total, 1e-300)[number]

    def moments(values):
        mean = np.bincount(number, share * values)
        spread = np.sqrt(np.bincount(number, share * (values - mean[number]) ** 2))
        return mean, np.where(spread > ROUNDING * mean, spread, 0.0)

    K = np.bincount(number, share * amplitude)
    columns = np.array([total, *moments(period), *moments(e), K])
    return [Mode(*map(float, row)) for row in columns.T]


def _valleys(e, weight):
    """Eccentricities at which a range of frequencies falls apart."""
    if len(e) < MANY or 1 / np.sum((weight / weight.sum()) ** 2) < MANY:
        return np.empty(0)
    edges = np.linspace(e.min(), e.max(), BINS + 1)
    height = np.histogram(e, edges, weights=weight)[0]
    cuts, peak, valley, lowest = [], height[0], height[0], 0
    for i, h in enumerate(height):
        if h > VALLEY * max(valley, 1e-6 * height.max()) and peak > VALLEY * valley:
            cuts.append(edges[lowest] + 0.5 * (edges[1] - edges[0]))
            peak = valley = h
        elif h > peak:
            peak = valley = h
        if h < valley:
            valley, lowest = h, i
    return np.array(cuts)
