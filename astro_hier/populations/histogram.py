"""Histograms whose neighbouring heights are alike: of ln P, of e, and of any other quantity.

ln of the heights h_k is a `random_walk` over the middles of the bins, up to a constant, with the
average width of the bins for the average distance. The constant follows from sum_k h_k w_k = 1,
with the widths w_k. The prior is the same from either end, and its centre is a uniform
distribution. Foreman-Mackey, Hogg & Morton (2014, ApJ 795, 64) also smooth ln of the heights, by a
Gaussian process.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from scipy.special import logsumexp

from astro_hier import priors
from astro_hier.core import shares
from astro_hier.populations import binned, random_walk
from astro_hier.populations.binned import Binned
from astro_hier.populations.eccentricity import BOUND
from astro_hier.posterior import Parameter, register


def _parameters(suffix: str, index: str, of: str) -> tuple[Parameter, ...]:
    """The smoothness, the steps and the shares of the bins."""
    walk = random_walk.parameters(suffix, index, f"neighbouring heights of {of}")
    return (*walk, binned.shares_of(suffix, index, of))


class SmoothHistogram(Binned):
    """Base of histograms: a subclass has ``edges``, parameters by `_parameters`, and priors."""

    @property
    def standard_normals(self) -> dict[str, int]:
        return {self.parameters[1].name: len(self.edges) - 2}

    def _deviations(self):
        """Standard deviation of each change of ln of the heights, for a smoothness of one."""
        edges = np.array(self.edges)
        average = (edges[-1] - edges[0]) / (len(edges) - 1)
        return random_walk.deviations(0.5 * (edges[1:] + edges[:-1]), average)

    def _changes(self, theta):
        smoothness, step = (theta[parameter.name] for parameter in self.parameters[:2])
        return random_walk.changes(smoothness, step, self._deviations())

    def _log_heights(self, theta):
        log_height = random_walk.log_heights(self._changes(theta))
        mass = logsumexp(log_height + np.log(np.diff(self.edges)), axis=-1, keepdims=True)
        return log_height - mass

    def _pymc_log_heights(self, theta):
        import pytensor.tensor as pt

        log_height = random_walk.pymc_log_heights(self._changes(theta))
        return log_height - pt.logsumexp(log_height + np.log(np.diff(self.edges)))

    def initial(self, x: np.ndarray) -> dict:
        """Steps between the heights of a histogram with one more count, shared by all bins."""
        changes = np.diff(np.log(self._counts(x) / np.diff(self.edges)))
        start = random_walk.initial(changes, self._deviations())
        return dict(zip((p.name for p in self.parameters), start, strict=False))

    def posterior(self, likelihood: shares.Likelihood, priors: Mapping, near: Mapping) -> Any:
        name, widths = self.parameters[0].name, np.diff(self.edges)
        one = np.eye(len(widths) - 1) * self._deviations()
        changes = random_walk.log_heights(one)
        return shares.Walk(likelihood, changes, np.log(widths), priors[name], float(near[name]))

    def theta_of(self, posterior: Any, points: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip((p.name for p in self.parameters), posterior.steps(points), strict=False))


@dataclass(frozen=True)
class EccentricityHistogram(SmoothHistogram):
    """A histogram of eccentricities, with a prior by which neighbouring heights are alike.

    Parameters
    ----------
    edges : tuple of float, optional
        Edges of the bins, from 0 to 1; by default ten bins of equal width.
    smoothness_e : `~astro_hier.priors.Prior` or float, optional
        Prior on the standard deviation of ln of the ratio of neighbouring heights, for bins of the
        average width.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.EccentricityHistogram()
    >>> model = BinaryPopulation(eccentricity=family)
    >>> [p.name for p in family.parameters]
    ['smoothness_e', 'step_e', 'share_e']
    """

    edges: tuple[float, ...] = tuple(float(x) for x in np.linspace(0, 1, 11))
    smoothness_e: priors.Prior | float = priors.HalfNormal(1)

    quantity = "e"
    parameters = _parameters("_e", "_e", "the eccentricities")
    sampled = ("smoothness_e",)

    def __post_init__(self):
        self._check_edges("that rise from 0 to 1", *BOUND)


@dataclass(frozen=True)
class PeriodHistogram(SmoothHistogram):
    """A histogram of ln(P / d), with a prior by which neighbouring heights are alike.

    Parameters
    ----------
    edges : `~astropy.units.Quantity` or tuple of float
        Periods at the edges of the bins, or their ln(P / d); there are no orbits beyond.
    smoothness : `~astro_hier.priors.Prior` or float, optional
        Prior on the standard deviation of ln of the ratio of neighbouring heights, for bins of the
        average width.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.PeriodHistogram(edges=(0, 1, 2, 3, 4))
    >>> model = BinaryPopulation(population=family)
    >>> [p.name for p in family.parameters]
    ['smoothness', 'step', 'share']
    """

    edges: tuple[float, ...]
    smoothness: priors.Prior | float = priors.HalfNormal(1)

    scale = "ln"
    parameters = _parameters("", "", "ln(P / d)")
    sampled = ("smoothness",)

    def __post_init__(self):
        if isinstance(self.edges, u.Quantity):
            object.__setattr__(self, "edges", _ln_periods(self.edges))
        self._check_edges("that rise, ln(P / d) at the edges of bins, or periods with a unit")


@dataclass(frozen=True)
class Histogram(SmoothHistogram):
    """A histogram of any quantity, with a prior by which neighbouring heights are alike.

    Parameters
    ----------
    edges : `~astropy.units.Quantity` or tuple of float
        Edges of the bins; there are no objects beyond. Numbers are in the unit that the model has
        for the quantity.
    smoothness : `~astro_hier.priors.Prior` or float, optional
        Prior on the standard deviation of ln of the ratio of neighbouring heights, for bins of the
        average width.

    Examples
    --------
    >>> from astro_hier import SamplePopulation, populations
    >>> family = populations.Histogram(edges=(0, 1, 2, 3))
    >>> model = SamplePopulation(quantity="mass", population=family)
    >>> [p.name for p in family.parameters]
    ['smoothness', 'step', 'share']
    """

    edges: tuple[float, ...]
    smoothness: priors.Prior | float = priors.HalfNormal(1)

    quantity = "any"
    parameters = _parameters("", "", "the quantity")
    sampled = ("smoothness",)

    def __post_init__(self):
        binned.check_rising(self, "edges")


def _ln_periods(edges):
    """ln(P / d) of periods."""
    if edges.unit.physical_type != "time" or not np.all(edges > 0):
        raise ValueError(f"edges={edges!r}; expected periods, such as [1, 10, 100] * u.day")
    return tuple(np.log(np.ravel(edges.to_value(u.day))))


# users' files hold these names: they stay the same, wherever the classes move
register(EccentricityHistogram, "astro_hier.populations.EccentricityHistogram")
register(Histogram, "astro_hier.populations.Histogram")
register(PeriodHistogram, "astro_hier.populations.PeriodHistogram")
