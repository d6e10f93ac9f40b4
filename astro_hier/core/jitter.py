"""An extra scatter s of velocities beyond their errors: the nodes of its integral, and its draws.

p(v | P, s) is smooth in x = ln(s^2 + e^2) / 2, where e is the smallest error, and nowhere narrower
than for the scatter of n normal numbers, 1 / sqrt(2 n). So cells in x that are `SPACING` of these
widths wide, each evaluated at its prior mean of x, integrate it to better than 0.01 in ln p. The
first cell is split, because priors on ln s put much of their mass in it. The cells that matter are
found from coarse to fine, from the evidence at a few of them; the last cell covers everything above
`LARGE` times the spread of the velocities. Draws are exact wherever the cells lie.

Each instrument may have its own scatter: values, and the cells that they represent, have shape
(node, instrument).
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from astro_hier.core import orbit, period_nodes
from astro_hier.core.floats import TINY

SPACING = 1.2
LARGEST_SPACING = 0.25
COARSEST = 8  # cells from one to the next at the start of the search
SPLIT = (1 / 16, 1 / 4, 1 / 2)  # of the first cell, in x
LARGE = 30.0
UNLIKELY = 25.0  # a coarse search drops cells below exp(-UNLIKELY) of the best
NEGLIGIBLE = 15.0  # the same for its last step
TAIL = 1e-6  # ignored probability of a prior without an upper end
SHARES = 16
MARGIN = 0.2  # in ln, added to the bound used for rejection


@dataclass(frozen=True)
class JitterPrior:
    """What is known a priori about the scatter of velocities.

    Attributes
    ----------
    count : int
        Number of instruments, each with its own scatter.
    prior : object
        With ``cdf``, ``ppf`` and ``support`` like those of `scipy.stats`, for each scatter.
    """

    count: int
    prior: Any

    def with_nodes(self, visits, period_prior, progress=iter, floor=-np.inf):
        """``visits`` with the nodes of the scatter that matter; ``progress`` wraps the search.

        Whatever is negligible compared with an evidence of exp(``floor``) need not be resolved.
        """
        return replace(visits, jitter=_Lattice(self, visits, floor).nodes(period_prior, progress))

    def draw(self, visits, frequency, rng):
        """One exact draw of the scatter for each frequency, shape (instrument, frequency)."""
        if len(set(self.prior.support())) == 1:  # it is known
            return np.repeat(visits.jitter.values.T, len(frequency), axis=1)

        def within(low, high, chance, which):
            low, high = self.prior.cdf(low), self.prior.cdf(high)
            return self.prior.ppf(low + chance * (high - low))

        return draw(visits, frequency, visits.jitter.log_weight[:, None], within, rng)


class _Lattice:
    """Cells of the scatter of every instrument, and their products."""

    def __init__(self, jitter, visits, floor):
        self.prior, self.visits, self.floor = jitter.prior, visits, floor
        self.support = jitter.prior.support()
        axes = [self._axis(visits.instrument == i) for i in range(jitter.count)]
        self.edges, self.values = zip(*axes, strict=True)

    def _axis(self, own):
        """Edges of the cells of one instrument's scatter, from its ``own`` visits, and values."""
        low, high = self.support
        if low == high:  # it is known
            return np.array([low, high]), np.array([low])
        if not own.any():  # its scatter does not enter the likelihood
            return np.array([low, high]), self.prior.ppf([0.5])
        top = min(high, self.prior.ppf(1 - TAIL))
        spacing = min(LARGEST_SPACING, SPACING / np.sqrt(2 * own.sum()))
        error, rv = self.visits.rv_error[own], self.visits.rv[own]
        largest = np.clip(LARGE * (np.ptp(rv) + error.max()), low, top)
        error = error.min()

        def x(s):
            return 0.5 * np.log1p((s / error) ** 2)

        first, last = x(np.array([low, largest]))
        count = max(int(np.ceil((last - first) / spacing)), 1)
        steps = np.concatenate([[0.0], SPLIT, np.arange(1, count + 1)])
        edges = error * np.sqrt(np.expm1(2 * (first + steps * (last - first) / count)))
        edges[0], edges[-1] = low, largest
        edges = np.unique(edges)
        if len(edges) == 1:
            edges = np.array([low, top])
        # the prior mean of x, from the middles of equal shares of the prior
        below = self.prior.cdf(edges)
        shares = below[:-1, None] + np.diff(below)[:, None] * (np.arange(SHARES) + 0.5) / SHARES
        within = np.clip(self.prior.ppf(shares), edges[:-1, None], edges[1:, None])
        values = error * np.sqrt(np.expm1(2 * x(within).mean(axis=1)))
        edges[-1] = high
        return edges, values

    def cells(self, indices):
        """Values and ends of products of cells, shape (node, instrument)."""
        place = np.array(indices).T
        return tuple(
            np.array([axis[k + shift] for axis, k in zip(axes, place, strict=True)]).T
            for axes, shift in ((self.values, 0), (self.edges, 0), (self.edges, 1))
        )

    def log_mass(self, low, high):
        """ln of the prior probability of cells."""
        mass = self.prior.cdf(high) - self.prior.cdf(low)
        return np.log(np.maximum(mass, TINY)).sum(axis=1)

    def nodes(self, period_prior, progress):
        """The products of cells that matter, as a `~astro_hier.core.orbit.Jitter`."""
        if self.support[0] == self.support[1]:
            return orbit.Jitter(*self.cells(self._all(1)), np.zeros(1))
        stride, found = COARSEST, {}
        wanted = self._all(stride)
        while True:
            heights = self._heights(progress(wanted), found, period_prior)
            least = max(heights.values()) - (NEGLIGIBLE if stride <= 2 else UNLIKELY)
            kept = [k for k, height in heights.items() if height > least]
            if stride <= 2:
                break
            stride //= 2
            wanted = self._about(kept, 2 * stride, stride)
        indices = self._about(kept, stride, 1)
        values, low, high = self.cells(indices)
        return orbit.Jitter(values, low, high, self.log_mass(low, high), progress)

    def _heights(self, wanted, found, period_prior):
        """ln of evidence times prior for products of cells."""
        heights = {}
        for index in wanted:
            value, low, high = self.cells([index])
            if index not in found:
                scattered = self.visits.scattered(value[0])
                found[index] = period_nodes.log_evidence(
                    orbit.likelihood(scattered), period_prior, self.floor
                )
            heights[index] = found[index] + self.log_mass(low, high)[0]
        return heights

    def _all(self, stride):
        lasts = [len(values) - 1 for values in self.values]
        return list(product(*(sorted({*range(0, last, stride), last}) for last in lasts)))

    def _about(self, kept, reach, stride):
        """Products of cells within ``reach`` of those that are kept."""
        points = set()
        for index in kept:
            axes = [
                {min(max(k, 0), len(values) - 1) for k in range(at - reach, at + reach + 1, stride)}
                for at, values in zip(index, self.values, strict=True)
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
        ``within(low, high, chance, which)`` returns the scatter below which the fraction ``chance``
        of the prior between ``low`` and ``high`` lies; all have shape (n, instrument) and belong to
        the frequencies with the indices ``which``, shape (n,).
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
