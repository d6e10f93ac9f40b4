"""An extra scatter s of velocities, beyond their errors: where it is tried, and drawn.

p(v | P, s) is smooth in ln s, and nowhere narrower than that of the scatter of n normal numbers,
1 / sqrt(2 n). So values of ln s `SPACING` of these widths apart, each with the prior probability of
the cell about it, integrate it to better than 0.01 in ln p, nearly the same for all periods. Which
of them matter is found from coarse to fine by the evidence of a few. Below `SMALL` of the smallest
error a scatter makes no difference, and one value stands for all, as above `LARGE` times the spread
of the velocities. Draws are exact, wherever the values lie.

Every instrument may have a scatter of its own: values, and the cells that they stand for, have
shape (node, instrument).
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from astro_hier.core import orbit, period_nodes

SPACING = 1.4
LARGEST_SPACING = 0.3
COARSEST = 1.2  # in ln s, where the search begins
SMALL = 0.03
LARGE = 30.0
NEGLIGIBLE = 25.0
TAIL = 1e-6  # of a prior without an end
MARGIN = 0.2  # in ln, of the bound that draws are kept against


@dataclass(frozen=True)
class JitterPrior:
    """What is known of the scatter of one star's velocities.

    Attributes
    ----------
    instrument : ndarray
        Number of the instrument of each visit.
    count : int
        Number of instruments, each with a scatter of its own.
    prior : object
        ``cdf``, ``ppf`` and ``support`` as of `scipy.stats`, of any one scatter.
    spacing : float, optional
        Of the values in ln s; by default what the number of visits needs.
    """

    instrument: np.ndarray
    count: int
    prior: Any
    spacing: float | None = None

    def laid(self, visits, period_prior):
        """``visits`` with the nodes of the scatter that matter."""
        nodes = _Lattice(self, visits).nodes(visits, period_prior)
        return replace(visits, jitter=nodes)

    def draw(self, visits, frequency, rng):
        """One exact draw of the scatter for each frequency, shape (instrument, frequency)."""

        def within(low, high, chance, which):
            low, high = self.prior.cdf(low), self.prior.cdf(high)
            return self.prior.ppf(low + chance * (high - low))

        return draw(visits, frequency, visits.jitter.log_weight[:, None], within, rng)


def spacing_for(n_visits):
    """The spacing in ln s that a star of so many visits needs."""
    return min(LARGEST_SPACING, SPACING / np.sqrt(2 * n_visits))


class _Lattice:
    """Equally spaced ln s for every instrument, on marks that all stars share."""

    def __init__(self, jitter, visits):
        self.jitter = jitter
        self.spacing = jitter.spacing or spacing_for(len(visits.time))
        self.support = low, high = jitter.prior.support()
        if not np.isfinite(high):
            high = jitter.prior.ppf(1 - TAIL)
        self.first, self.last = [], []
        for i in range(jitter.count):
            own = jitter.instrument == i
            error, rv = visits.rv_error[own], visits.rv[own]
            if error.size:
                smallest = np.clip(SMALL * error.min(), low, high)
                largest = np.clip(LARGE * (np.ptp(rv) + error.max()), smallest, high)
            else:  # its scatter is nowhere in the likelihood
                smallest = largest = np.sqrt(max(low, 1e-9) * high)
            self.first.append(int(np.floor(np.log(max(smallest, 1e-9)) / self.spacing)))
            self.last.append(int(np.ceil(np.log(largest) / self.spacing)))

    def cells(self, indices):
        """Values and cells' ends at lattice points, shape (node, instrument)."""
        place = np.array(indices)
        low = np.exp((place - 0.5) * self.spacing)
        high = np.exp((place + 0.5) * self.spacing)
        low = np.where(place == self.first, self.support[0], low)
        high = np.where(place == self.last, self.support[1], high)
        return np.clip(np.exp(place * self.spacing), *self.support), low, high

    def log_mass(self, low, high):
        """ln of the prior probability of cells."""
        mass = self.jitter.prior.cdf(high) - self.jitter.prior.cdf(low)
        return np.log(np.maximum(mass, 1e-300)).sum(axis=1)

    def nodes(self, visits, period_prior):
        if self.support[0] == self.support[1]:
            known = np.full((1, self.jitter.count), self.support[0])
            return orbit.Jitter(self.jitter.instrument, known, known, known, np.zeros(1))
        stride = 2 ** int(np.log2(max(COARSEST / self.spacing, 1)))
        found = {}
        wanted = self._all(stride)
        while True:
            heights = self._heights(wanted, found, visits, period_prior)
            kept = [k for k, h in heights.items() if h > max(heights.values()) - NEGLIGIBLE]
            if stride <= 2:
                break
            stride //= 2
            wanted = self._about(kept, 2 * stride, stride)
        indices = self._about(kept, stride, 1)
        values, low, high = self.cells(indices)
        return orbit.Jitter(self.jitter.instrument, values, low, high, self.log_mass(low, high))

    def _heights(self, wanted, found, visits, period_prior):
        """ln of evidence times prior at lattice points."""
        heights = {}
        for index in wanted:
            value, low, high = self.cells([index])
            if index not in found:
                scattered = replace(
                    visits, rv_error=np.hypot(visits.rv_error, value[0][self.jitter.instrument])
                )
                found[index] = period_nodes.log_evidence(scattered, period_prior)
            heights[index] = found[index] + self.log_mass(low, high)[0]
        return heights

    def _all(self, stride):
        axes = [
            sorted({*range(first, last, stride), last})
            for first, last in zip(self.first, self.last, strict=True)
        ]
        return list(product(*axes))

    def _about(self, kept, reach, stride):
        """Lattice points within ``reach`` of those kept."""
        points = set()
        for index in kept:
            axes = [
                {min(max(k, first), last) for k in range(at - reach, at + reach + 1, stride)}
                for at, first, last in zip(index, self.first, self.last, strict=True)
            ]
            points.update(product(*axes))
        return sorted(points)


def likely(visits, frequency):
    """The mean scatter of each instrument at each frequency, shape (instrument, frequency)."""
    log_mass = orbit.by_node(visits, frequency)
    mass = np.exp(log_mass - log_mass.max(axis=0))
    return visits.jitter.values.T @ (mass / mass.sum(axis=0))


def draw(visits, frequency, log_weight, within, rng):
    """One exact draw of the scatter for each frequency.

    Parameters
    ----------
    visits : `~astro_hier.core.orbit.Visits`
        With the nodes of the scatter.
    frequency : ndarray
        Shape (frequency,).
    log_weight : ndarray
        ln of the prior probability of each node's cell, shape (node, 1) or (node, frequency).
    within : callable
        ``within(low, high, chance, which)`` is the scatter between two ends that has this share of
        the prior between them below it; all have shape (n, instrument), and belong to the
        frequencies of numbers ``which``, shape (n,).
    rng : `numpy.random.Generator`

    Returns
    -------
    ndarray
        Shape (instrument, frequency).
    """
    jitter = visits.jitter
    by_node = orbit.by_node(visits, frequency) - jitter.log_weight[:, None]
    log_mass = by_node + log_weight
    cumulative = np.cumsum(np.exp(log_mass - log_mass.max(axis=0)), axis=0)
    result = np.empty((jitter.values.shape[1], len(frequency)))
    missing, bound = np.arange(len(frequency)), None
    while missing.size:
        chance = rng.random(missing.size) * cumulative[-1, missing]
        node = (cumulative[:, missing] < chance).sum(axis=0)
        chance = rng.random((missing.size, len(result)))
        values = within(jitter.low[node], jitter.high[node], chance, missing).T
        exact = orbit.log_marginal(visits.scattered(values), frequency[missing])
        ratio = exact - by_node[node, missing]
        if bound is None:
            bound = ratio.max() + MARGIN
        keep = np.log(rng.random(missing.size)) < ratio - bound
        result[:, missing[keep]] = values[:, keep]
        missing = missing[~keep]
    return result
