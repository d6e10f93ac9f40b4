"""Distributions of the eccentricity of bound orbits, on [0, 1).

A family names a distribution F(e | theta) of numbers above zero. Where it extends beyond one, it is
cut there, so that density and share of an interval are

    p(e) = F'(e) / F(1),    S(a, b) = [F(b) - F(a)] / F(1).

The families also describe other quantities, such as masses, with another bound in place of one.

Circular orbits, of e = 0 exactly, have no share in any of these: they are a matter of
`astro_hier.populations.period_eccentricity`.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.core import interval
from astro_hier.core.floats import TINY, Theta
from astro_hier.core.normal import Floats
from astro_hier.populations import family
from astro_hier.populations.family import EVERYWHERE, Ends, Population
from astro_hier.posterior import register

BOUND = (0.0, 1.0)  # eccentricities of bound orbits
MEAN = (0.02, 0.9)  # of eccentricities, at a starting point
LEAST_SPREAD = 0.03  # of them, and at most this times the largest that their mean allows:
MOST_SPREAD = 0.9


class Eccentricity(Population):
    """Base of distributions of the eccentricity: a new one writes ``whole`` and ``initial``.

    ``theta`` may also hold parameters of others, from which a family without parameters of its own
    learns how many theta there are. The name of the PyMC variable is ``e``.

    Attributes
    ----------
    bound : tuple of float
        Lowest and highest value: those of eccentricities, unless `on` says otherwise.
    """

    quantity = "e"
    bound: Ends = BOUND

    def __post_init__(self):
        family.check_priors(self, self.sampled)

    def on(self, bound: Ends) -> "Eccentricity":
        """The same family of numbers with another lowest and highest value, such as (0, inf).

        PyMC's form remains that of eccentricities.
        """
        other = copy.copy(self)
        vars(other)["bound"] = tuple(bound)
        return other

    def whole(self, theta: Theta) -> Any:
        """The distribution before it is cut at one.

        It has the methods of one from `scipy.stats`, to whose parameters the arrays in ``theta``
        broadcast.
        """
        raise NotImplementedError

    def _of(self, theta, axes):
        """The distribution, with as many axes after that of theta, and its share in the bound."""
        whole = self.whole(
            {name: np.reshape(theta[name], (-1,) + (1,) * axes) for name in self.sampled}
        )
        return whole, interval.share(whole, *self.bound)

    def log_density(self, e: np.ndarray, theta: Theta, ends: Ends = BOUND) -> np.ndarray:
        whole, inside = self._of(theta, 1)
        low, high = self.bound
        bound = (e >= low) & (e < high)
        anywhere = low + 0.5 * min(high - low, 1.0)
        log_density = whole.logpdf(np.where(bound, e, anywhere)) - np.log(inside)
        return np.broadcast_to(np.where(bound, log_density, -np.inf), (number_of(theta), len(e)))

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        whole, inside = self._of(theta, 0)
        ends_here = (np.clip(np.asarray(end, float), *self.bound)[..., None] for end in (low, high))
        found = interval.share(whole, *ends_here) / inside
        return np.broadcast_to(found, (*np.shape(low), number_of(theta)))

    def shares(self, edges: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        if self._writer("share") is not Eccentricity:
            return super().shares(edges, theta, ends)
        whole, inside = self._of(theta, 1)
        found = interval.shares(whole, np.clip(np.asarray(edges, float), *self.bound)) / inside
        return np.broadcast_to(found, (number_of(theta), len(edges) - 1))

    def share_of_each(
        self, low: np.ndarray, high: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        whole, inside = self._of(theta, np.ndim(low) - 1)
        return interval.share(whole, np.clip(low, *self.bound), np.clip(high, *self.bound)) / inside

    def within(
        self, low: Floats, high: Floats, chance: Floats, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        whole, _ = self._of(theta, np.ndim(chance) - 1)
        low, high = np.clip(low, *self.bound), np.clip(high, *self.bound)
        return interval.within(whole, low, high, chance, 1 - np.asarray(chance))

    def draw(self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator) -> np.ndarray:
        chance = rng.random((number_of(theta), size))
        # of numbers from 0 to 1 the smallest are the most finely divided, and so below one is e
        return np.minimum(self.within(*self.bound, chance, theta), np.nextafter(self.bound[1], 0.0))

    def width(self, theta: Theta) -> np.ndarray:
        """Standard deviation of the whole distribution, or of a uniform one if that is smaller."""
        low, high = self.bound
        found = np.minimum(self.whole(theta).std(), (high - low) / np.sqrt(12))
        return np.broadcast_to(found, number_of(theta))

    def smallest_width(self, frozen: Mapping) -> float:
        corners = family.corners(self.sampled, frozen, family.tails)
        return float(np.min(self.width(corners)))

    def extent(self, frozen: Mapping) -> Ends:
        return self.bound

    def moments(self, e: np.ndarray) -> tuple[float, float]:
        """Mean and standard deviation of rough values, as a starting point may have them."""
        if self.bound == BOUND:
            return moments(e)
        mean = max(float(np.mean(e)), float(np.std(e)) / 2, TINY)
        return mean, max(float(np.std(e)), LEAST_SPREAD * mean)

    def agrees(self, method: str) -> bool:
        # the density follows from ``whole``, and PyMC's form has to be of the same class
        whole = self._writer("whole")
        return super().agrees(method) and (
            method != "pymc" or issubclass(self._writer("pymc"), whole)
        )


def number_of(theta: Theta) -> int:
    """The number of theta: one if there are no parameters."""
    return len(next(iter(theta.values()))) if theta else 1


def moments(e: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of rough eccentricities, as a starting point may have them."""
    mean = float(np.clip(np.mean(e), *MEAN))
    most = MOST_SPREAD * np.sqrt(mean * (1 - mean))
    return mean, float(np.clip(np.std(e), LEAST_SPREAD, most))


@dataclass(frozen=True)
class KnownDistribution(Eccentricity):
    """A distribution of eccentricities that is known, without hyperparameters.

    Parameters
    ----------
    prior : `~astro_hier.priors.Prior`, optional
        Any prior with a density on numbers from 0 to 1. By default that of Kipping (2013, MNRAS
        434, L51).

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.KnownDistribution()
    >>> model = BinaryPopulation(eccentricity=family)
    >>> [p.name for p in family.parameters]
    []
    """

    prior: priors.Prior = priors.Beta(0.867, 3.03)

    def __post_init__(self):
        priors.check("prior", self.prior, u.one, *BOUND)
        if isinstance(self.prior, priors.Fixed):
            raise priors.PriorError(
                f"prior={self.prior!r}; expected a distribution of eccentricities with a density"
            )

    def whole(self, theta: Theta) -> Any:
        return self.prior.frozen(u.one)

    def initial(self, e: np.ndarray) -> dict[str, float]:
        return {}

    def pymc(self, theta: Mapping, ends: Ends = BOUND, **options):
        import pymc as pm

        start = options.pop("initval", None)
        if np.ndim(start) == 0:
            return self.prior.pymc("e", u.one, start)
        each = [self.prior.pymc(f"e_{n}_", u.one, of) for n, of in enumerate(start)]
        return pm.Deterministic("e", pm.math.stack(each), **options)


# users' files hold this name: it stays the same, wherever the class moves
register(KnownDistribution, "astro_hier.populations.KnownDistribution")
