"""The visits of one star, and the likelihood of an orbit given its period.

Everything else is integrated out or drawn: the linear parameters in closed form
(`astro_hier.core.linear`), and an extra scatter s, added to the errors in quadrature, on a
`Jitter` lattice: ln p(v | f) is then ln of the sum over its nodes of weight times p(v | f, s).
`Circle` and `OverScatter` are these likelihoods as functions of the frequency.

Times are in d, frequencies in 1 / d, velocities in km / s. A visit's arrays have shape (visit,).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from astro_hier.core import circular
from astro_hier.core.floats import TINY, log_sum_exp
from astro_hier.core.linear import Solution, phases

MAX_DEGENERATE_VISITS = 4  # so few that two at the same phase decide the likelihood
PROBES = 33  # frequencies at which the largest amplitude of all is looked for


@dataclass(frozen=True)
class Jitter:
    """Nodes of the integral over an extra scatter, one scatter for each instrument.

    Attributes
    ----------
    values, low, high : ndarray
        The scatter at each node, and the ends of the cell that it represents, shape
        (node, instrument).
    log_weight : ndarray
        ln of the prior probability of each cell, shape (node,).
    progress : callable, optional
        Wraps long loops over the nodes.
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    log_weight: np.ndarray
    progress: Callable[..., Iterable] = iter


@dataclass(frozen=True)
class Visits:
    """The visits of one star, and the normal priors on its linear parameters.

    Attributes
    ----------
    time, rv : ndarray
        Shape (visit,).
    rv_error : ndarray
        Shape (visit,), or (visit, frequency) where it depends on the frequency.
    mean, sd : ndarray
        Prior means and standard deviations of a, b, v0 and the parameters of further columns;
        sd is zero for known parameters.
    columns : ndarray, optional
        Columns of M for the parameters that follow v0, shape (visit, parameter).
    instrument : ndarray, optional
        Number of the instrument of each visit, needed if there is an extra scatter.
    jitter : Jitter, optional
        Nodes of an extra scatter that is to be integrated out.
    amplitude : callable, optional
        ``amplitude(frequency)``, the prior standard deviation of a and of b where it depends on the
        frequency. The first two of ``mean`` are then 0, and those of ``sd`` factors of it: 1, or 0
        for an amplitude of zero.
    compiled : bool
        Whether likelihoods take the compiled loops of `astro_hier.core.circular_compiled`, which
        pay where there are many stars.
    """

    time: np.ndarray
    rv: np.ndarray
    rv_error: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    columns: np.ndarray | None = None
    instrument: np.ndarray | None = None
    jitter: Jitter | None = None
    amplitude: Callable[[np.ndarray], np.ndarray] | None = None
    compiled: bool = False

    def sd_at(self, frequency: np.ndarray) -> list[float | np.ndarray]:
        """``sd`` at given frequencies, an array over these where it depends on them."""
        if self.amplitude is None:
            return [*self.sd]
        own = self.amplitude(frequency)
        return [*(factor * own for factor in self.sd[:2]), *self.sd[2:]]

    @cached_property
    def constant(self):
        """Columns of M that do not depend on the frequency; the first is that of v0."""
        ones = np.ones((len(self.time), 1))
        return ones if self.columns is None else np.hstack([ones, self.columns])

    @cached_property
    def center(self):
        """Values of the linear parameters to expand about, so that few digits are lost."""
        center = self.mean.copy()
        if self.sd[2] > 0:
            rest = self.rv - self.constant[:, 1:] @ self.mean[3:]
            if self.rv_error.ndim == 1:
                center[2] = np.average(rest, weights=self.rv_error**-2)
            else:
                center[2] = rest.mean()
        return center

    @cached_property
    def from_center(self):
        """Velocities minus the contribution of the constant columns at the centre."""
        return self.rv - self.constant @ self.center[2:]

    def scattered(self, jitter):
        """The visits with the scatter of each instrument included in the errors.

        ``jitter`` has shape (instrument,) or (instrument, frequency).
        """
        extra = np.asarray(jitter)[self.instrument]
        error = self.rv_error if extra.ndim == 1 else self.rv_error[:, None]
        return replace(self, rv_error=np.hypot(error, extra), jitter=None)


class Circle:
    """The likelihood of a circular orbit when the errors of the visits are known.

    Any likelihood of a period has the attribute ``time`` (of the visits) and the methods ``at``,
    ``grid`` and ``special``: `astro_hier.core.period_nodes` needs nothing else. One that has an
    attribute ``star`` other than None is searched by compiled loops.
    """

    def __init__(self, visits):
        self.visits, self.time = visits, visits.time

    @cached_property
    def star(self):
        """What compiled loops take; None if these are not wanted, or the visits not for them."""
        return circular.star([self.visits], np.zeros(1)) if self.visits.compiled else None

    def at(self, frequency, waves=None):
        """ln p(rv | frequency) with all else integrated out, shape (frequency,)."""
        if waves is None and self.star is not None:
            return circular.compiled_at(self.star, frequency)
        return Solution(self.visits, frequency, waves).log_marginal()

    def grid(self, start, step, count):
        """The same at ``count`` equally spaced frequencies from ``start`` on."""
        return circular.log_marginal_grid(self.visits, start, step, count)

    def special(self, lowest, highest):
        """Frequencies at which two of few visits have the same phase, and the width to resolve.

        At these, k / (t_i - t_j), the two count as one, and orbits of any amplitude that the prior
        allows appear and vanish within a phase angle of error over amplitude.
        """
        visits = self.visits
        if not 2 <= len(visits.time) <= MAX_DEGENERATE_VISITS:
            return np.array([]), np.inf
        first, second = np.triu_indices(len(visits.time), 1)
        spans = np.abs(visits.time[first] - visits.time[second])
        found = [
            np.arange(np.ceil(lowest * span), np.floor(highest * span) + 1) / span
            for span in spans[spans > 0]
        ]
        largest = np.max(visits.sd_at(np.geomspace(lowest, highest, PROBES))[:2])
        angle = visits.rv_error.min() / max(largest, TINY)
        narrow = angle / (2 * np.pi * max(np.ptp(visits.time), TINY))
        return np.sort(np.concatenate([np.array([]), *found])), narrow

    def scatter(self, frequency):
        """Values of the scatter, shape (node, instrument), and their probabilities: none here."""
        return np.empty((1, 0)), np.ones((1, len(frequency)))

    def picked(self, frequency, chance):
        """The visits with the scatter at which its cumulative posterior is ``chance``."""
        return self.visits


class OverScatter:
    """The likelihood of an orbit summed over the nodes of a scatter.

    Parameters
    ----------
    visits : Visits
        With a `Jitter`.
    each : callable, optional
        Makes the likelihood of visits whose scatter is known, such as `Circle`.
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

    @cached_property
    def star(self):
        if not self.visits.compiled or not isinstance(self.parts[0][1], Circle):
            return None
        return circular.star([part.visits for _, part in self.parts], self.visits.jitter.log_weight)

    def at(self, frequency):
        if self.star is not None:
            return circular.compiled_at(self.star, frequency)
        return log_sum_exp(self.by_node(frequency))

    def grid(self, start, step, count):
        total = np.full(count, -np.inf)
        for weight, part in self.visits.jitter.progress(self.parts):
            np.logaddexp(total, weight + part.grid(start, step, count), total)
        return total

    def special(self, lowest, highest):
        least = np.full(self.visits.jitter.values.shape[1], self.visits.jitter.values.min())
        return self.each(self.visits.scattered(least)).special(lowest, highest)

    def scatter(self, frequency):
        log_mass = self.by_node(frequency)
        return self.visits.jitter.values, np.exp(log_mass - log_sum_exp(log_mass))

    def picked(self, frequency, chance):
        log_mass = self.by_node(frequency)
        mass = np.cumsum(np.exp(log_mass - log_mass.max(axis=0)), axis=0)
        node = np.sum(mass < chance * mass[-1], axis=0)
        return self.visits.scattered(self.visits.jitter.values[node].T)


def likelihood(visits):
    """The likelihood of a circular orbit, summed over the scatter if there is one."""
    return Circle(visits) if visits.jitter is None else OverScatter(visits)


def log_marginal(visits, frequency):
    """ln p(rv | frequency) with all else integrated out, shape (frequency,)."""
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
    """Velocities of one orbit at the visits, with all its linear parameters."""
    orbital = radial_velocity(visits.time, 1 / frequency, *linear[:2], 0)
    return orbital + visits.constant @ linear[2:]
