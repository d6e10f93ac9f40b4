"""The prior of the nodes of an eccentric orbit, as the uniform measure on a unit cube.

A node is a point (p, u, m, z) of [0, 1]^4, so that the prior mass of a cell is its volume:

    P = F_P^-1(p),   e = F_e^-1(u) e_max(P),   m,   s = F_s^-1(z),

where F are the cumulative distributions of the period, of the eccentricity and of an extra scatter
of the velocities. F_P is used as it is. F_e is a table, straight between its knots; that table is
the prior, exact for itself. F_s is a staircase: its steps are fine in prior mass, and in
the distance that counts in a likelihood of visits of errors sigma,

    dD = sqrt(2 sum_j [s^2 / (s^2 + sigma_j^2)]^2) d ln s,

in which a posterior of ln s has unit width. With all scatters of a step the same, what depends on s
alone is computed once for each step.

e_max(P) = 1, or 1 - (P / 2 d)^(-2/3) (Moe & Di Stefano 2017, ApJS 230, 15, eq. 3).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from astro_hier.core import eccentric_kernel, period_nodes

BY_MASS = 600  # steps of F_s of equal prior mass
BY_DISTANCE = 600  # and at most as many of equal distance
FINEST = 0.1  # of these
TAIL = 1e-6  # of a scatter's prior without an end
KNOTS = 2000
LARGEST = 0.999  # an eccentricity beyond which Kepler's equation is not solved
GUIDE = 4096
SHORTEST_ECCENTRIC = 2.0  # d, in the e_max(P) of Moe & Di Stefano


def tidal_limit(period):
    """e_max(P) of Moe & Di Stefano (2017): what tides have not made circular, zero below 2 d."""
    ratio = np.maximum(np.asarray(period, float) / SHORTEST_ECCENTRIC, 1.0)
    return 1 - ratio ** (-2 / 3)


@dataclass(frozen=True)
class Guide:
    """Where to look among edges from 0 to 1: the number below each of even steps."""

    edges: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, edges: np.ndarray) -> "Guide":
        """Of edges that do not fall, the first 0 and the last 1."""
        even = np.linspace(0, 1, GUIDE + 1)
        # one below, for what rounding may do
        start = np.searchsorted(edges, even, side="right") - 2
        return cls(edges, np.clip(start, 0, len(edges) - 2))

    def find(self, share: np.ndarray) -> np.ndarray:
        """The last interval whose lower edge is not above a share of [0, 1]."""
        if eccentric_kernel.COMPILED and np.ndim(share):
            from astro_hier.core import eccentric_compiled

            return eccentric_compiled.find(share, self.edges, self.start)
        found = np.searchsorted(self.edges, share, side="right") - 1
        return np.clip(found, 0, len(self.edges) - 2)


@dataclass(frozen=True)
class EccentricityTable:
    """A distribution of e by its cumulative one.

    Attributes
    ----------
    e, below : ndarray
        Knots, and the probability below each, from 0 to 1.
    """

    e: np.ndarray
    below: np.ndarray

    @classmethod
    def of(cls, prior: Any) -> "EccentricityTable":
        """That of a number, which is known, or of an object with ``support`` and ``cdf``.

        Raises
        ------
        ValueError
            If there are eccentricities below 0, or a known one above 0.999.
        """
        low, high = prior.support() if hasattr(prior, "support") else (float(prior),) * 2
        if not (0 <= low <= high and low <= LARGEST):
            raise ValueError(f"eccentricities from {low:g} to {high:g}; expected within [0, 1)")
        if low == high:
            return cls(np.array([low, low]), np.array([0.0, 1.0]))
        high = min(high, LARGEST)
        share = np.linspace(0, 1, KNOTS)
        near_low = np.concatenate([[0.0], np.geomspace(1e-6, 0.02, 200)])
        near_one = 1 - np.geomspace(1, 1 - LARGEST, KNOTS // 4)
        e = np.concatenate([low + (high - low) * np.append(share, near_low), near_one])
        e = np.unique(e[(e >= low) & (e <= high)])
        below = prior.cdf(e)
        return cls(e, (below - below[0]) / (below[-1] - below[0]))

    @property
    def known(self) -> bool:
        """Whether there is but one."""
        return self.e[0] == self.e[-1]

    def ppf(self, share: np.ndarray) -> np.ndarray:
        """The eccentricity that has a probability of ``share`` below it."""
        cell = self._guide.find(share)
        low, e = self.below[cell], self.e[cell]
        return e + (share - low) * self._rise[cell]

    @cached_property
    def _guide(self):
        return Guide.of(self.below)

    @cached_property
    def _rise(self):
        """de / du of each interval; those of no probability are never found."""
        mass = np.diff(self.below)
        return np.diff(self.e) / np.where(mass > 0, mass, np.inf)

    def cdf(self, e: np.ndarray) -> np.ndarray:
        """The probability below an eccentricity that is not known."""
        return np.interp(e, self.e, self.below)


@dataclass(frozen=True)
class ScatterTable:
    """The staircase of a distribution of the scatter.

    Attributes
    ----------
    edges : ndarray
        Prior probability below each step and, last, 1, shape (step + 1,).
    low, values, high : ndarray
        Scatter at the lower end, in the middle by mass and at the upper end, shape (step,).
    distance : ndarray
        D from the first edge to each edge, shape (step + 1,).
    """

    edges: np.ndarray
    low: np.ndarray
    values: np.ndarray
    high: np.ndarray
    distance: np.ndarray

    @classmethod
    def of(cls, prior: Any, rv_error: np.ndarray) -> "ScatterTable":
        """That of a number, which is known, or of ``support``, ``cdf`` and ``ppf``."""
        low, high = prior.support() if hasattr(prior, "support") else (float(prior),) * 2
        if low == high:
            known = np.array([low])
            return cls(np.array([0.0, 1.0]), known, known, known, np.zeros(2))
        low, high = max(low, prior.ppf(TAIL)), min(high, prior.ppf(1 - TAIL))
        least = min(low if low > 0 else np.inf, 1e-3 * rv_error.min())
        s = np.geomspace(max(low, least), high, 4000)
        distance = _distance(s, rv_error)
        count = int(min(BY_DISTANCE, np.ceil(distance[-1] / FINEST) + 1))
        by_distance = np.interp(np.linspace(0, distance[-1], count + 1), distance, s)
        by_mass = prior.ppf(np.linspace(0, 1, BY_MASS + 1)[1:-1])
        ends = np.unique(np.clip(np.concatenate([[low, high], by_distance, by_mass]), low, high))
        below = prior.cdf(ends)
        below = (below - below[0]) / (below[-1] - below[0])
        keep = np.concatenate([[True], np.diff(below) > 0])
        ends, below = ends[keep], below[keep]
        first, last = prior.cdf(ends[[0, -1]])
        values = prior.ppf(first + 0.5 * (below[1:] + below[:-1]) * (last - first))
        values = np.clip(values, ends[:-1], ends[1:])
        return cls(below, ends[:-1], values, ends[1:], np.interp(ends, s, distance))

    @property
    def known(self) -> bool:
        """Whether there is but one."""
        return len(self.values) == 1

    def at_visits(self, ratio: np.ndarray) -> np.ndarray:
        """The scatter of visits at each step, ``ratio`` times s, shape (step, visit)."""
        return np.multiply.outer(self.values, ratio)

    def step(self, share: np.ndarray) -> np.ndarray:
        """The number of the step at a share of the probability."""
        return self._guide.find(share)

    @cached_property
    def _guide(self):
        return Guide.of(self.edges)

    def at(self, share: np.ndarray) -> np.ndarray:
        """The scatter that has a share of the probability below it, straight within a step."""
        return np.interp(share, self.edges, np.append(self.low, self.high[-1]))

    def distance_at(self, share: np.ndarray) -> np.ndarray:
        """D up to a share of the probability."""
        return np.interp(share, self.edges, self.distance)

    def slabs(self, typical_error: float, factor: float) -> np.ndarray:
        """Shares between slabs of s: that below ``typical_error``, then by factors, [0, ..., 1]."""
        if self.known:
            return np.array([0.0, 1.0])
        low, high = self.low[0], self.high[-1]
        start = np.clip(typical_error, max(low, 1e-300), high)
        count = max(int(np.rint(np.log(high / start) / np.log(factor))), 1)
        inner = np.geomspace(start, high, count + 1)[:-1]
        inner = inner[inner > 1.5 * low]
        return np.unique(
            np.concatenate([[0.0], np.interp(inner, self.high, self.edges[1:]), [1.0]])
        )


def _distance(s, rv_error):
    """D from the first scatter to each, by the trapezoid rule in ln s."""
    share = s[:, None] ** 2 / (s[:, None] ** 2 + rv_error**2)
    slope = np.sqrt(2 * np.sum(share**2, axis=1))
    steps = 0.5 * (slope[1:] + slope[:-1]) * np.diff(np.log(s))
    return np.concatenate([[0.0], np.cumsum(steps)])


@dataclass(frozen=True)
class OrbitPrior:
    """What is known of a node before there are visits.

    Attributes
    ----------
    period : object
        ``support``, ``cdf`` and ``ppf`` as of `scipy.stats`, of P [d].
    eccentricity : EccentricityTable
    amplitude : callable
        ``amplitude(period, eccentricity)``, the prior's standard deviation of A and of B.
    scatter : object or float
        Of the extra scatter, ``support``, ``cdf`` and ``ppf``; a number is known.
    largest_eccentricity : callable, optional
        e_max(P), such as `tidal_limit`.
    """

    period: Any
    eccentricity: EccentricityTable
    amplitude: Callable[[np.ndarray, np.ndarray], np.ndarray]
    scatter: Any = 0.0
    largest_eccentricity: Callable[[np.ndarray], np.ndarray] | None = None

    @cached_property
    def period_range(self) -> tuple[float, float]:
        """Shortest and longest period [d]."""
        return period_nodes.searched_range(self.period)

    @cached_property
    def period_shares(self) -> tuple[float, float]:
        """The p of these."""
        low, high = self.period_range
        return (0.0, 1.0) if low == high else tuple(self.period.cdf(np.array([low, high])))

    def period_at(self, share: np.ndarray) -> np.ndarray:
        """P(p) [d]."""
        low, high = self.period_range
        if low == high:
            return np.full(np.shape(share), low)
        return np.clip(self.period.ppf(share), low, high)

    def eccentricity_at(self, share: np.ndarray, period: np.ndarray) -> np.ndarray:
        """e(u, P)."""
        e = self.eccentricity.ppf(share)
        return e if self.largest_eccentricity is None else e * self.largest_eccentricity(period)
