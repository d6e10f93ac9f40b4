"""The visits of one star, and the likelihood of an orbit given its period.

All else is integrated out or drawn: the linear parameters in closed form
(`astro_hier.core.linear`), and an extra scatter s, added to the errors in quadrature, on a
`Jitter` lattice: ln p(v | f) is then ln of the sum over its nodes of weight times p(v | f, s).
`Circle` and `OverScatter` are these likelihoods, as functions of the frequency.

Times are in d, frequencies in 1 / d, velocities in km / s. A visit's arrays have shape (visit,).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from astro_hier.core import circular
from astro_hier.core.floats import TINY
from astro_hier.core.linear import Solution, phases

FEW_VISITS = 4  # of which two at the same phase decide


@dataclass(frozen=True)
class Jitter:
    """Nodes at which an extra scatter is tried, one scatter for each instrument.

    Attributes
    ----------
    values, low, high : ndarray
        The scatter at each node, and the ends of the cell that it stands for, shape
        (node, instrument).
    log_weight : ndarray
        ln of the prior probability of each cell, shape (node,).
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    log_weight: np.ndarray


@dataclass(frozen=True)
class Visits:
    """The visits of one star, and the normal priors on its linear parameters.

    Attributes
    ----------
    time, rv : ndarray
        Shape (visit,).
    rv_error : ndarray
        Shape (visit,), or (visit, frequency) where it differs between the frequencies asked for.
    mean, sd : ndarray
        Of a, b, v0 and the parameters of further columns; sd is zero of those that are known.
    columns : ndarray, optional
        Columns of M of the parameters that follow v0, shape (visit, parameter).
    instrument : ndarray, optional
        Number of the instrument of each visit, needed where a scatter is known or to be found.
    jitter : Jitter, optional
        Where an extra scatter is integrated over.
    """

    time: np.ndarray
    rv: np.ndarray
    rv_error: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    columns: np.ndarray | None = None
    instrument: np.ndarray | None = None
    jitter: Jitter | None = None

    @property
    def constant(self):
        """Columns of M that do not depend on the frequency, that of v0 the first."""
        ones = np.ones((len(self.time), 1))
        return ones if self.columns is None else np.hstack([ones, self.columns])

    @property
    def center(self):
        """Values of the linear parameters about which to expand: what is left loses few digits."""
        center = self.mean.copy()
        if self.sd[2] > 0:
            rest = self.rv - self.constant[:, 1:] @ self.mean[3:]
            if self.rv_error.ndim == 1:
                center[2] = np.average(rest, weights=self.rv_error**-2)
            else:
                center[2] = rest.mean()
        return center

    @property
    def from_center(self):
        """Velocities without what the centre has to say of the constant columns."""
        return self.rv - self.constant @ self.center[2:]

    def scattered(self, jitter):
        """The same with errors that hold the scatter of each instrument, and none to be found.

        ``jitter`` has shape (instrument,), or (instrument, frequency).
        """
        extra = np.asarray(jitter)[self.instrument]
        error = self.rv_error if extra.ndim == 1 else self.rv_error[:, None]
        return replace(self, rv_error=np.hypot(error, extra), jitter=None)


class Circle:
    """The likelihood of a circular orbit, the errors of its visits known.

    Any likelihood of a period has the attribute ``time``, of the visits, and the methods ``at``,
    ``grid`` and ``special``: `astro_hier.core.period_nodes` asks no more of it.
    """

    def __init__(self, visits):
        self.visits, self.time = visits, visits.time

    def at(self, frequency, waves=None):
        """ln p(rv | frequency), all else integrated out, shape (frequency,)."""
        return Solution(self.visits, frequency, waves).log_marginal()

    def grid(self, start, step, count):
        """The same at ``count`` equally spaced frequencies from ``start``."""
        return circular.log_marginal_grid(self.visits, start, step, count)

    def special(self, lowest, highest):
        """Frequencies at which two of few visits have the same phase, and how near to look.

        At these, k / (t_i - t_j), the two count as one, and orbits of any amplitude up to the
        prior's appear and vanish within an angle of error over amplitude.
        """
        visits = self.visits
        if not 2 <= len(visits.time) <= FEW_VISITS:
            return np.array([]), np.inf
        first, second = np.triu_indices(len(visits.time), 1)
        spans = np.abs(visits.time[first] - visits.time[second])
        found = [
            np.arange(np.ceil(lowest * span), np.floor(highest * span) + 1) / span
            for span in spans[spans > 0]
        ]
        angle = visits.rv_error.min() / max(visits.sd[:2].max(), TINY)
        narrow = angle / (2 * np.pi * max(np.ptp(visits.time), TINY))
        return np.sort(np.concatenate([np.array([]), *found])), narrow

    def scatter(self, frequency):
        """Values of the scatter, shape (node, instrument), and their probabilities: no more."""
        return np.empty((1, 0)), np.ones((1, len(frequency)))

    def picked(self, frequency, chance):
        """The visits with the scatter below which the posterior has a share ``chance``."""
        return self.visits


class OverScatter:
    """The same, summed over the nodes of a scatter.

    Parameters
    ----------
    visits : Visits
        With a `Jitter`.
    each : callable, optional
        The likelihood of visits whose scatter is known, such as `Circle`.
    """

    def __init__(self, visits, each=Circle):
        self.visits, self.time, self.each = visits, visits.time, each
        self.parts = [
            (weight, each(visits.scattered(value)))
            for weight, value in zip(visits.jitter.log_weight, visits.jitter.values, strict=True)
        ]

    def by_node(self, frequency):
        """ln of weight times p(rv | frequency, s) at the nodes of s, shape (node, frequency)."""
        waves = phases(self.time, frequency)
        return np.array([weight + part.at(frequency, waves) for weight, part in self.parts])

    def at(self, frequency):
        return logsumexp(self.by_node(frequency), axis=0)

    def grid(self, start, step, count):
        total = np.full(count, -np.inf)
        for weight, part in self.parts:
            np.logaddexp(total, weight + part.grid(start, step, count), total)
        return total

    def special(self, lowest, highest):
        least = np.full(self.visits.jitter.values.shape[1], self.visits.jitter.values.min())
        return self.each(self.visits.scattered(least)).special(lowest, highest)

    def scatter(self, frequency):
        log_mass = self.by_node(frequency)
        return self.visits.jitter.values, np.exp(log_mass - logsumexp(log_mass, axis=0))

    def picked(self, frequency, chance):
        log_mass = self.by_node(frequency)
        mass = np.cumsum(np.exp(log_mass - log_mass.max(axis=0)), axis=0)
        node = np.sum(mass < chance * mass[-1], axis=0)
        return self.visits.scattered(self.visits.jitter.values[node].T)


def likelihood(visits):
    """The likelihood of the visits: of a circle, its scatter summed over if there is one."""
    return Circle(visits) if visits.jitter is None else OverScatter(visits)


def log_marginal(visits, frequency):
    """ln p(rv | frequency), all else integrated out, shape (frequency,)."""
    return likelihood(visits).at(frequency)


def log_marginal_grid(visits, start, step, count):
    """ln p(rv | frequency) at ``count`` equally spaced frequencies from ``start``."""
    return likelihood(visits).grid(start, step, count)


def by_node(visits, frequency):
    """ln of weight times p(rv | frequency, s) at the nodes of s, shape (node, frequency)."""
    return OverScatter(visits).by_node(frequency)


def draw_linear(visits, frequency, rng):
    """One draw of a, b, v0, ... for each frequency, shape (parameter, frequency)."""
    noise = rng.standard_normal((len(visits.sd), len(frequency)))
    return Solution(visits, frequency).linear(noise)


def radial_velocity(time, period, a, b, v0):
    """v = a cos(2 pi t / P) + b sin(2 pi t / P) + v0, broadcasting."""
    phase = 2 * np.pi * time / period
    return a * np.cos(phase) + b * np.sin(phase) + v0


def velocity(visits, frequency, linear):
    """Velocities at the visits of one orbit with all its linear parameters."""
    orbital = radial_velocity(visits.time, 1 / frequency, *linear[:2], 0)
    return orbital + visits.constant @ linear[2:]
