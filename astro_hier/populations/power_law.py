"""A power law of the period between the shortest and the longest that are searched.

The density in x = ln P is proportional to exp(slope x) from a to b. With w = b - a and
t = |slope| w,

    ln integral_a^b exp(slope x) dx = max(slope a, slope b) + ln w + ln[(1 - e^-t) / t],

in which no exponential overflows, and nothing is lost as the slope goes to zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.core.floats import Theta
from astro_hier.core.normal import Floats
from astro_hier.populations import family
from astro_hier.populations.family import EVERYWHERE, Ends, Population
from astro_hier.posterior import UNBOUNDED, Parameter, register

SLOPE = Parameter(
    "slope", u.one, r"\gamma_P", "power of P in the density of ln(P / d)", bounds=UNBOUNDED
)
FLATTEST = 1e-12  # t below which the density is uniform, to the digits of a float
WIDEST = 1.0  # in ln P: the feature of a density that hardly has one


@dataclass(frozen=True)
class PowerLaw(Population):
    """The density of ln P is proportional to P^slope, between the ends of the periods searched.

    A slope of zero is Öpik's law, uniform in ln P. For planets, Cumming et al. (2008, PASP 120,
    531) found 0.26.

    Parameters
    ----------
    slope : `~astro_hier.priors.Prior` or float, optional
        Prior on the power.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.PowerLaw()
    >>> model = BinaryPopulation(population=family)
    >>> [p.name for p in family.parameters]
    ['slope']
    """

    slope: priors.Prior | float = priors.Normal(0, 1)

    parameters = (SLOPE,)
    sampled = ("slope",)
    scale = "ln"

    def __post_init__(self):
        family.check_priors(self, self.sampled)

    def log_density(self, ln_period: np.ndarray, theta: Theta, ends: Ends) -> np.ndarray:
        slope = theta["slope"][:, None]
        log_density = slope * ln_period - log_integral(slope, *ends)
        return np.where((ln_period >= ends[0]) & (ln_period <= ends[1]), log_density, -np.inf)

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        low, high = np.asarray(low)[..., None], np.asarray(high)[..., None]
        return _share(theta["slope"], low, high, ends)

    def share_of_each(
        self, low: np.ndarray, high: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        return _share(_expanded(theta["slope"], np.ndim(low)), low, high, ends)

    def within(
        self, low: Floats, high: Floats, chance: Floats, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        slope = _expanded(theta["slope"], np.ndim(chance))
        low, high, chance = np.broadcast_arrays(np.clip(low, *ends), np.clip(high, *ends), chance)
        depth = np.abs(slope) * (high - low)
        flat = depth < FLATTEST
        # from the end where the density is highest
        of = np.where(slope > 0, 1 - chance, chance)
        steps = -np.log1p(of * np.expm1(-depth)) / np.where(flat, 1.0, np.abs(slope))
        steps = np.where(flat, of * (high - low), steps)
        return np.clip(np.where(slope > 0, high - steps, low + steps), low, high)

    def draw(self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator) -> np.ndarray:
        return self.within(*ends, rng.random((len(theta["slope"]), size)), theta, ends)

    def width(self, theta: Theta) -> np.ndarray:
        """The scale on which the density changes."""
        return 1 / np.maximum(np.abs(theta["slope"]), 1 / WIDEST)

    def smallest_width(self, frozen: Mapping) -> float:
        return float(self.width(family.corners(self.sampled, frozen, family.tails)).min())

    def initial(self, ln_period: np.ndarray) -> dict[str, float]:
        return {"slope": float(priors.bulk(self.slope, u.one, 0.5)[0])}


def _expanded(slope, axes):
    """With as many axes in all."""
    return np.reshape(slope, np.shape(slope) + (1,) * (axes - 1))


def log_integral(slope, low, high):
    """ln of the integral of exp(slope x), -inf over nothing."""
    width = high - low
    depth = np.abs(slope) * width
    flat = depth < FLATTEST
    bent = np.where(flat, 0.0, np.log(-np.expm1(-np.where(flat, 1.0, depth))))
    bent = bent - np.where(flat, 0.0, np.log(np.where(flat, 1.0, depth)))
    with np.errstate(divide="ignore"):
        return np.maximum(slope * low, slope * high) + np.log(width) + bent


def _share(slope, low, high, ends):
    low, high = np.clip(low, *ends), np.clip(high, *ends)
    return np.exp(log_integral(slope, low, high) - log_integral(slope, *ends))


# users' files hold this name: it stays the same, wherever the class moves
register(PowerLaw, "astro_hier.populations.PowerLaw")
