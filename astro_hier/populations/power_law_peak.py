"""A power law and a normal peak, as in populations of black holes.

With lower and upper ends a and b,

    p(x) = (1 - f) C x^-alpha + f N(x | mu, sigma) / S    from a to b,

where C normalises the power law, and S is the share of the normal distribution from a to b: Talbot
& Thrane (2018, ApJ 856, 173), without the smooth rise at a. Where b does not exceed a, or a is not
positive, there is no distribution: the density, and the share of any interval, are zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.core import normal
from astro_hier.core.floats import TINY, Theta
from astro_hier.core.normal import Floats
from astro_hier.populations import family
from astro_hier.populations.binned import values_in
from astro_hier.populations.family import EVERYWHERE, Ends, Population
from astro_hier.populations.power_law import PowerLaw, log_integral
from astro_hier.posterior import UNBOUNDED, Parameter, register

POSITIVE = (0.0, np.inf)
HALVINGS = 60  # of the interval that brackets a value: more than a float has digits
NEAR = 1e-2  # of the values beyond which the ends lie, at a starting point
SMALLEST = np.log(1e-200)  # share of the peak below which its logarithm is taken of all shares
ALPHA = Parameter("alpha", u.one, r"\alpha", "power of the density, negative", bounds=UNBOUNDED)
LOWER = Parameter("lower", u.one, r"x_\mathrm{min}", "lower end of the quantity", bounds=POSITIVE)
UPPER = Parameter("upper", u.one, r"x_\mathrm{max}", "upper end of the quantity", bounds=POSITIVE)
FRACTION = Parameter("fraction_peak", u.one, "f", "share of the peak", bounds=(0, 1))
MU = Parameter("mu_peak", u.one, r"\mu", "middle of the peak of the quantity", bounds=UNBOUNDED)
SIGMA = Parameter("sigma_peak", u.one, r"\sigma", "standard deviation of the peak", bounds=POSITIVE)

Given: TypeAlias = priors.Prior | u.Quantity | float | None


@dataclass(frozen=True)
class PowerLawPeak(Population):
    """A power law x^-alpha and a normal peak, between ends that are inferred.

    Parameters
    ----------
    alpha : `~astro_hier.priors.Prior` or float, optional
        Prior on the power, which is positive if there are more small values than large ones.
    lower, upper : `~astro_hier.priors.Prior` or `~astropy.units.Quantity` or float, optional
        Priors on the ends, which are positive; by default about those of the values.
    fraction_peak : `~astro_hier.priors.Prior` or float, optional
        Prior on the share of the peak.
    mu_peak, sigma_peak : `~astro_hier.priors.Prior` or `~astropy.units.Quantity` or float, optional
        Priors on the mean and the standard deviation of the peak before it is cut at the ends; by
        default the peak may lie anywhere among the values.
    peak_upper : `~astropy.units.Quantity` or float, optional
        Where the peak is cut above, if not at ``upper``.

    Examples
    --------
    >>> from astro_hier import SamplePopulation, populations
    >>> family = populations.PowerLawPeak()
    >>> model = SamplePopulation(quantity="mass", population=family)
    >>> [p.name for p in family.parameters]
    ['alpha', 'lower', 'upper', 'fraction_peak', 'mu_peak', 'sigma_peak']
    """

    alpha: priors.Prior | float = priors.Normal(2, 2)
    lower: Given = None
    upper: Given = None
    fraction_peak: priors.Prior | float = priors.Uniform(0, 1)
    mu_peak: Given = None
    sigma_peak: Given = None
    peak_upper: u.Quantity | float | None = None

    quantity = "any"
    edged = True
    parameters = (ALPHA, LOWER, UPPER, FRACTION, MU, SIGMA)
    sampled = ("alpha", "lower", "upper", "fraction_peak", "mu_peak", "sigma_peak")
    in_unit = ("lower", "upper", "mu_peak", "sigma_peak")

    def __post_init__(self):
        family.check_priors(self, self.sampled)

    def priors_for(self, middle: float, spread: float, unit: u.UnitBase) -> dict[str, priors.Prior]:
        typical = middle if middle > 0 else spread
        lowest = max(typical - 2 * spread, typical / 10)
        return {
            "lower": priors.LogNormal(0, 1, scale=lowest * unit),
            "upper": priors.LogNormal(0, 0.5, scale=(typical + 2 * spread) * unit),
            "mu_peak": priors.Normal(typical * unit, 2 * spread * unit),
            "sigma_peak": priors.LogNormal(0, 1, scale=spread / 2 * unit),
        }

    def in_unit_of(self, unit: u.UnitBase) -> "PowerLawPeak":
        if not isinstance(self.peak_upper, u.Quantity):
            return self
        (end,) = values_in(unit, [self.peak_upper], "peak_upper")
        return replace(self, peak_upper=end)

    def _of(self, theta, axes):
        """The distributions, with as many axes after that of theta."""
        of = {name: np.reshape(theta[name], (-1,) + (1,) * axes) for name in self.sampled}
        return _Peaked(*of.values(), self.peak_upper)

    def log_density(self, x: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(self._of(theta, 1).density(x))

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        low, high = np.asarray(low)[..., None], np.asarray(high)[..., None]
        return self._of(theta, 0).share(low, high)

    def shares(self, edges: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        return self._of(theta, 1).shares(edges)

    def share_of_each(
        self, low: np.ndarray, high: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        return self._of(theta, np.ndim(low) - 1).share(low, high)

    def within(
        self, low: Floats, high: Floats, chance: Floats, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        of = self._of(theta, np.ndim(chance) - 1)
        below, above = (np.clip(end, of.lower, of.highest) for end in (low, high))
        low, wanted = below, chance * of.share(below, above)
        for _ in range(HALVINGS):
            middle = 0.5 * (below + above)
            too_low = of.share(low, middle) < wanted
            below, above = np.where(too_low, middle, below), np.where(too_low, above, middle)
        return above

    def draw(self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator) -> np.ndarray:
        return self._of(theta, 1).draw((len(theta["alpha"]), size), rng)

    def width(self, theta: Theta) -> np.ndarray:
        return np.minimum(theta["sigma_peak"], np.maximum(theta["upper"] - theta["lower"], 0.0))

    def smallest_width(self, frozen: Mapping) -> float:
        return float(family.tails(frozen["sigma_peak"])[0])

    def extent(self, frozen: Mapping) -> Ends:
        highest = max(family.tails(frozen["upper"])[1], self.peak_upper or 0.0)
        return float(family.tails(frozen["lower"])[0]), float(highest)

    def initial(self, x: np.ndarray) -> dict[str, float]:
        highest, spread = float(np.max(x)), float(np.std(x))
        return {
            "alpha": float(priors.bulk(self.alpha, u.one, 0.5)[0]),
            "lower": max(float(np.min(x)) * (1 - NEAR), NEAR * highest),
            "upper": highest * (1 + NEAR),
            "fraction_peak": float(priors.bulk(self.fraction_peak, u.one, 0.5)[0]),
            "mu_peak": float(np.median(x)),
            "sigma_peak": max(0.5 * spread, NEAR * highest),
        }


class _Peaked:
    """Distributions whose parameters are arrays, which broadcast with the other arguments."""

    def __init__(self, alpha, lower, upper, fraction, mean, sd, peak_upper):
        self.exists = (upper > lower) & (lower > 0)
        lower = np.where(self.exists, lower, 1.0)
        self.upper, self.lower = np.where(self.exists, upper, 2.0), lower
        self.peak_upper = self.upper if peak_upper is None else np.maximum(peak_upper, lower)
        self.highest = np.maximum(self.upper, self.peak_upper)
        self.slope, self.mean, self.sd = 1 - alpha, mean, sd
        self.weights = np.where(self.exists, 1 - fraction, 0), np.where(self.exists, fraction, 0)
        self.log_power = log_integral(self.slope, np.log(lower), np.log(self.upper))
        self.log_peak = normal.log_share((lower - mean) / sd, (self.peak_upper - mean) / sd)

    def density(self, x: np.ndarray) -> np.ndarray:
        """The density itself, per unit of x."""
        with np.errstate(over="ignore"):  # far below the lower end
            power = np.exp((self.slope - 1) * np.log(np.maximum(x, TINY)) - self.log_power)
        peak = np.exp(normal.log_density(x, self.mean, self.sd) - self.log_peak)
        above = x >= self.lower
        power = np.where(above & (x <= self.upper), power, 0.0)
        peak = np.where(above & (x <= self.peak_upper), peak, 0.0)
        return self.weights[0] * power + self.weights[1] * peak

    def share(self, low: Floats, high: Floats) -> np.ndarray:
        """The share between two values."""
        power = self._power_below(high) - self._power_below(low)
        low, high = ((np.clip(x, self.lower, self.peak_upper) - self.mean) / self.sd
                     for x in (low, high))  # fmt: skip
        peak = np.exp(normal.log_share(low, high) - self.log_peak)
        return self.weights[0] * power + self.weights[1] * peak

    def shares(self, edges: np.ndarray) -> np.ndarray:
        """The shares between neighbours of rising values."""
        power = np.diff(self._power_below(edges))
        scaled = (np.clip(edges, self.lower, self.peak_upper) - self.mean) / self.sd
        if np.all(self.log_peak > SMALLEST):
            peak = normal.shares(scaled) * np.exp(-self.log_peak)
        else:
            peak = np.exp(normal.log_share(scaled[:, :-1], scaled[:, 1:]) - self.log_peak)
        return self.weights[0] * power + self.weights[1] * peak

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """Values of one or the other, by their weights."""
        ends = np.log(self.lower), np.log(self.upper)
        slope = {"slope": self.slope[:, 0]}
        of_power = np.exp(PowerLaw().within(*ends, rng.random(shape), slope))
        low, high = ((x - self.mean) / self.sd for x in (self.lower, self.peak_upper))
        of_peak = self.mean + self.sd * normal.within(low, high, rng.random(shape))
        return np.where(rng.random(shape) < self.weights[1], of_peak, of_power)

    def _power_below(self, x):
        """The share of the power law below a value, of which no term overflows."""
        whole = np.log(self.upper / self.lower)
        part = np.log(np.clip(x, self.lower, self.upper) / self.lower)
        steep = np.maximum(np.abs(self.slope), TINY)
        bent = np.expm1(-steep * part) / np.expm1(-steep * whole)
        return np.exp(np.maximum(self.slope, 0.0) * (part - whole)) * bent


# users' files hold this name: it stays the same, wherever the class moves
register(PowerLawPeak, "astro_hier.populations.PowerLawPeak")
