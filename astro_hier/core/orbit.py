"""The visits of one star, and the likelihood of an orbit given its period.

All else is integrated out or drawn: the linear parameters in closed form
(`astro_hier.core.circular`), and an extra scatter s, added to the errors in quadrature, on a
`Jitter` lattice: ln p(v | f) is then ln of the sum over its nodes of weight times p(v | f, s).

Times are in d, frequencies in 1 / d, velocities in km / s. A visit's arrays have shape (visit,).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from astro_hier.core import circular
from astro_hier.core.circular import Solution


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

    def nodes(self):
        """ln of the weight, and the visits with the scatter, of each node of the jitter."""
        if self.jitter is None:
            return [(0.0, self)]
        return [
            (weight, self.scattered(value))
            for weight, value in zip(self.jitter.log_weight, self.jitter.values, strict=True)
        ]


def log_marginal(visits, frequency):
    """ln p(rv | frequency), all else integrated out, shape (frequency,)."""
    if visits.jitter is None:
        return Solution(visits, frequency).log_marginal()
    return logsumexp(by_node(visits, frequency), axis=0)


def by_node(visits, frequency):
    """ln of weight times p(rv | frequency, s) at the nodes of s, shape (node, frequency)."""
    waves = circular.phases(visits.time, frequency)
    return np.array([w + Solution(v, frequency, waves).log_marginal() for w, v in visits.nodes()])


def draw_linear(visits, frequency, rng):
    """One draw of a, b, v0, ... for each frequency, shape (parameter, frequency)."""
    noise = rng.standard_normal((len(visits.sd), len(frequency)))
    return Solution(visits, frequency).linear(noise)


def log_marginal_grid(visits, start, step, count):
    """ln p(rv | frequency) at ``count`` equally spaced frequencies from ``start``."""
    if visits.jitter is not None:
        total = np.full(count, -np.inf)
        for weight, scattered in visits.nodes():
            np.logaddexp(total, weight + log_marginal_grid(scattered, start, step, count), total)
        return total
    return circular.log_marginal_grid(visits, start, step, count)


def radial_velocity(time, period, a, b, v0):
    """v = a cos(2 pi t / P) + b sin(2 pi t / P) + v0, broadcasting."""
    phase = 2 * np.pi * time / period
    return a * np.cos(phase) + b * np.sin(phase) + v0


def velocity(visits, frequency, linear):
    """Velocities at the visits of one orbit with all its linear parameters."""
    orbital = radial_velocity(visits.time, 1 / frequency, *linear[:2], 0)
    return orbital + visits.constant @ linear[2:]
