"""A uniform distribution whose ends are inferred.

The density is 1 / (upper - lower) from lower to upper. Where upper does not exceed lower there is
no distribution: the density, and the share of any interval, are zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.core.floats import TINY, Theta
from astro_hier.core.normal import Floats
from astro_hier.populations import family
from astro_hier.populations.family import EVERYWHERE, Ends, Population
from astro_hier.posterior import UNBOUNDED, Parameter, register
from astro_hier.priors import Normal, Prior

LOWER = Parameter("lower", u.one, r"x_\mathrm{min}", "lower end of the quantity", bounds=UNBOUNDED)
UPPER = Parameter("upper", u.one, r"x_\mathrm{max}", "upper end of the quantity", bounds=UNBOUNDED)
LEAST_SPREAD = 1e-3  # of the values, over themselves, at a starting point
HALF = np.sqrt(3)  # of the width, in standard deviations
FINEST = 0.01  # of the range that the priors allow: the narrowest width that is looked for


@dataclass(frozen=True)
class Uniform(Population):
    """A quantity is uniform between ends that are inferred.

    Parameters
    ----------
    lower, upper : `~astro_hier.priors.Prior` or `~astropy.units.Quantity` or float, optional
        Priors on the ends; by default about those of the values.

    Examples
    --------
    >>> from astro_hier import SamplePopulation, populations
    >>> family = populations.Uniform()
    >>> model = SamplePopulation(quantity="mass", population=family)
    >>> [p.name for p in family.parameters]
    ['lower', 'upper']
    """

    lower: Prior | u.Quantity | float | None = None
    upper: Prior | u.Quantity | float | None = None

    quantity = "any"
    edged = True
    parameters = (LOWER, UPPER)
    sampled = ("lower", "upper")
    in_unit = ("lower", "upper")

    def __post_init__(self):
        family.check_priors(self, self.sampled)

    def priors_for(self, middle: float, spread: float, unit: u.UnitBase) -> dict[str, Prior]:
        ends = middle - HALF * spread, middle + HALF * spread
        return {
            name: Normal(end * unit, 2 * spread * unit)
            for name, end in zip(self.sampled, ends, strict=True)
        }

    def log_density(self, x: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        lower, upper = (theta[name][:, None] for name in self.sampled)
        with np.errstate(divide="ignore", invalid="ignore"):
            height = -np.log(upper - lower)
        return np.where((x >= lower) & (x <= upper) & (upper > lower), height, -np.inf)

    def pymc_log_density(self, x: np.ndarray, theta: Mapping, ends: Ends) -> Any:
        import pytensor.tensor as pt

        lower, upper = (theta[name] for name in self.sampled)
        inside = (x >= lower) & (x <= upper) & (upper > lower)
        return pt.switch(inside, -pt.log(upper - lower), -np.inf)

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        low, high = np.asarray(low)[..., None], np.asarray(high)[..., None]
        return _share(low, high, theta["lower"], theta["upper"])

    def shares(self, edges: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        lower, upper = (theta[name][:, None] for name in self.sampled)
        return np.diff(np.clip(edges, lower, np.maximum(lower, upper))) / _width(lower, upper)

    def share_of_each(
        self, low: np.ndarray, high: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        return _share(low, high, *self._expanded(theta, np.ndim(low)))

    def within(
        self, low: Floats, high: Floats, chance: Floats, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        lower, upper = self._expanded(theta, np.ndim(chance))
        bottom, top = (np.clip(end, lower, np.maximum(lower, upper)) for end in (low, high))
        return np.clip(bottom + chance * (top - bottom), low, high)

    def _expanded(self, theta, axes):
        """Both ends, with as many axes in all."""
        return (np.reshape(theta[name], (-1,) + (1,) * (axes - 1)) for name in self.sampled)

    def draw(self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator) -> np.ndarray:
        chance = rng.random((len(theta["lower"]), size))
        return self.within(-np.inf, np.inf, chance, theta)

    def width(self, theta: Theta) -> np.ndarray:
        return np.maximum(theta["upper"] - theta["lower"], 0.0)

    def smallest_width(self, frozen: Mapping) -> float:
        low, high = self.extent(frozen)
        return FINEST * (high - low)

    def extent(self, frozen: Mapping) -> Ends:
        ends = [family.tails(frozen[name]) for name in self.sampled]
        return float(np.min(ends)), float(np.max(ends))

    def initial(self, x: np.ndarray) -> dict[str, float]:
        low, high = float(np.min(x)), float(np.max(x))
        beyond = max((high - low) / np.size(x), LEAST_SPREAD * abs(high), TINY)
        return {"lower": low - beyond, "upper": high + beyond}


def _width(lower, upper):
    """Of the distribution; infinite, so that no interval has a share, if there is none."""
    return np.where(upper > lower, upper - lower, np.inf)


def _share(low, high, lower, upper):
    top = np.maximum(lower, upper)
    return (np.clip(high, lower, top) - np.clip(low, lower, top)) / _width(lower, upper)


# users' files hold this name: it stays the same, wherever the class moves
register(Uniform, "astro_hier.populations.Uniform")
