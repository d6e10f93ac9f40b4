"""Families of distributions of the eccentricity that are in use: beta, Rayleigh, gamma and others.

The defaults of the hyperparameters are centred on what was found for planets and extend, at one
standard deviation, by a factor e either way. Of a population of 30 orbits or more they say little.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from scipy import stats

from astro_hier import priors
from astro_hier.core import interval
from astro_hier.core.floats import Theta
from astro_hier.populations.eccentricity import BOUND, Eccentricity
from astro_hier.populations.family import Ends
from astro_hier.posterior import Parameter, register

POSITIVE = (0.0, np.inf)


def _positive(name: str, symbol: str, long_name: str) -> Parameter:
    return Parameter(name, u.one, symbol, long_name, bounds=POSITIVE)


ALPHA = _positive("alpha_e", r"\alpha_e", "first shape parameter of the eccentricities")
BETA = _positive("beta_e", r"\beta_e", "second shape parameter of the eccentricities")
SIGMA = _positive("sigma_e", r"\sigma_e", "scale of the Rayleigh distribution of eccentricities")
SCALE = _positive("scale_e", r"s_e", "scale length of the distribution of eccentricities")
FRACTION = Parameter(
    "fraction_e", u.one, "f_e", "share of the exponential component", bounds=(0, 1)
)


def _about(size: float, unit: u.UnitBase) -> priors.Prior:
    """A prior on a scale, by a factor e about a size."""
    return priors.LogNormal(0, 1, scale=size * unit)


def _typical(middle: float, spread: float) -> float:
    """The mean of positive values; of values that errors have made negative, their spread."""
    return middle if middle > 0 else spread


def _cut(distribution, **options):
    """A PyMC distribution cut at one, as the variable e."""
    import pymc as pm

    return pm.Truncated("e", distribution, upper=1.0, **options)


@dataclass(frozen=True)
class Beta(Eccentricity):
    """e ~ Beta(alpha_e, beta_e), with density e^(alpha_e - 1) (1 - e)^(beta_e - 1).

    Kipping (2013, MNRAS 434, L51) found (0.867, 3.03) for planets found by their velocities.

    Parameters
    ----------
    alpha_e, beta_e : `~astro_hier.priors.Prior` or float, optional
        Priors on the shape parameters.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.Beta()
    >>> model = BinaryPopulation(eccentricity=family)
    >>> [p.name for p in family.parameters]
    ['alpha_e', 'beta_e']
    """

    alpha_e: priors.Prior | float = priors.LogNormal(0, 1, scale=0.867)
    beta_e: priors.Prior | float = priors.LogNormal(0, 1, scale=3.03)

    parameters = (ALPHA, BETA)
    sampled = ("alpha_e", "beta_e")

    def whole(self, theta: Theta) -> Any:
        return stats.beta(theta["alpha_e"], theta["beta_e"])

    def initial(self, e: np.ndarray) -> dict[str, float]:
        mean, sd = self.moments(e)
        both = mean * (1 - mean) / sd**2 - 1  # the sum of the parameters
        return {"alpha_e": mean * both, "beta_e": (1 - mean) * both}

    def pymc(self, theta: Mapping, ends: Ends = BOUND, **options):
        import pymc as pm

        return pm.Beta("e", alpha=theta["alpha_e"], beta=theta["beta_e"], **options)


@dataclass(frozen=True)
class Rayleigh(Eccentricity):
    """e has the density e exp(-e^2 / (2 sigma_e^2)), cut at one.

    Where planets scatter each other, sigma_e is 0.3 (Juric & Tremaine 2008, ApJ 686, 603). The
    wider it is, the closer is the density to 2 e, that of orbits in thermal equilibrium.

    Parameters
    ----------
    sigma_e : `~astro_hier.priors.Prior` or float, optional
        Prior on the scale: the most common eccentricity, if it is below one.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.Rayleigh()
    >>> model = BinaryPopulation(eccentricity=family)
    >>> [p.name for p in family.parameters]
    ['sigma_e']
    """

    sigma_e: priors.Prior | float = priors.LogNormal(0, 1, scale=0.3)

    parameters = (SIGMA,)
    sampled = ("sigma_e",)
    in_unit = ("sigma_e",)

    def priors_for(self, middle: float, spread: float, unit: u.UnitBase) -> dict[str, priors.Prior]:
        return {"sigma_e": _about(_typical(middle, spread) / np.sqrt(np.pi / 2), unit)}

    def whole(self, theta: Theta) -> Any:
        return stats.rayleigh(scale=theta["sigma_e"])

    def initial(self, e: np.ndarray) -> dict[str, float]:
        return {"sigma_e": self.moments(e)[0] / np.sqrt(np.pi / 2)}

    def pymc(self, theta: Mapping, ends: Ends = BOUND, **options):
        return _cut(_rayleigh(theta["sigma_e"]), **options)


@dataclass(frozen=True)
class Exponential(Eccentricity):
    """e has the density exp(-e / scale_e), cut at one.

    Parameters
    ----------
    scale_e : `~astro_hier.priors.Prior` or float, optional
        Prior on the scale length. By default it is centred on that of the exponential component
        that Stevenson et al. (2025, arXiv:2503.20385) found for planets, 1 / 3.32.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.Exponential()
    >>> model = BinaryPopulation(eccentricity=family)
    >>> [p.name for p in family.parameters]
    ['scale_e']
    """

    scale_e: priors.Prior | float = priors.LogNormal(0, 1, scale=0.3)

    parameters = (SCALE,)
    sampled = ("scale_e",)
    in_unit = ("scale_e",)

    def priors_for(self, middle: float, spread: float, unit: u.UnitBase) -> dict[str, priors.Prior]:
        return {"scale_e": _about(_typical(middle, spread), unit)}

    def whole(self, theta: Theta) -> Any:
        return stats.expon(scale=theta["scale_e"])

    def initial(self, e: np.ndarray) -> dict[str, float]:
        return {"scale_e": self.moments(e)[0]}

    def pymc(self, theta: Mapping, ends: Ends = BOUND, **options):
        import pymc as pm

        return _cut(pm.Exponential.dist(scale=theta["scale_e"]), **options)


@dataclass(frozen=True)
class Gamma(Eccentricity):
    """e has the density e^(alpha_e - 1) exp(-e / scale_e), cut at one.

    Of several families, this describes the density of planets' eccentricities best, according to
    Stevenson et al. (2025, arXiv:2503.20385).

    Parameters
    ----------
    alpha_e, scale_e : `~astro_hier.priors.Prior` or float, optional
        Priors on the shape parameter, which is one for an exponential distribution, and on the
        scale length. They are centred on that.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.Gamma()
    >>> model = BinaryPopulation(eccentricity=family)
    >>> [p.name for p in family.parameters]
    ['alpha_e', 'scale_e']
    """

    alpha_e: priors.Prior | float = priors.LogNormal(0, 1)
    scale_e: priors.Prior | float = priors.LogNormal(0, 1, scale=0.3)

    parameters = (ALPHA, SCALE)
    sampled = ("alpha_e", "scale_e")
    in_unit = ("scale_e",)

    def priors_for(self, middle: float, spread: float, unit: u.UnitBase) -> dict[str, priors.Prior]:
        return {"scale_e": _about(spread**2 / _typical(middle, spread), unit)}

    def whole(self, theta: Theta) -> Any:
        return stats.gamma(theta["alpha_e"], scale=theta["scale_e"])

    def initial(self, e: np.ndarray) -> dict[str, float]:
        mean, sd = self.moments(e)
        return {"alpha_e": (mean / sd) ** 2, "scale_e": sd**2 / mean}

    def pymc(self, theta: Mapping, ends: Ends = BOUND, **options):
        import pymc as pm

        return _cut(pm.Gamma.dist(alpha=theta["alpha_e"], beta=1 / theta["scale_e"]), **options)


@dataclass(frozen=True)
class RayleighExponential(Eccentricity):
    """A sum of an exponential and a Rayleigh distribution, together cut at one.

    Planets whose eccentricities tides have damped or that never were scattered make up the one, and
    those that were scattered the other. Stevenson et al. (2025, arXiv:2503.20385) prefer this to a
    beta distribution; they found sigma_e = 0.11 and an exponential scale of 1 / 3.32 for planets.

    Parameters
    ----------
    fraction_e : `~astro_hier.priors.Prior` or float, optional
        Prior on the share of the exponential component, before both are cut.
    scale_e, sigma_e : `~astro_hier.priors.Prior` or float, optional
        Priors on the scales of the exponential and of the Rayleigh component.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.RayleighExponential()
    >>> model = BinaryPopulation(eccentricity=family)
    >>> [p.name for p in family.parameters]
    ['fraction_e', 'scale_e', 'sigma_e']
    """

    fraction_e: priors.Prior | float = priors.Uniform(0, 1)
    scale_e: priors.Prior | float = priors.LogNormal(0, 1, scale=0.3)
    sigma_e: priors.Prior | float = priors.LogNormal(0, 1, scale=0.11)

    parameters = (FRACTION, SCALE, SIGMA)
    sampled = ("fraction_e", "scale_e", "sigma_e")
    in_unit = ("scale_e", "sigma_e")

    def priors_for(self, middle: float, spread: float, unit: u.UnitBase) -> dict[str, priors.Prior]:
        typical = _typical(middle, spread)
        rayleigh = _about(typical / np.sqrt(np.pi / 2), unit)
        return {"scale_e": _about(typical, unit), "sigma_e": rayleigh}

    def whole(self, theta: Theta) -> Any:
        parts = stats.expon(scale=theta["scale_e"]), stats.rayleigh(scale=theta["sigma_e"])
        return interval.Sum(theta["fraction_e"], *parts)

    def width(self, theta: Theta) -> np.ndarray:
        return np.minimum(super().width(theta), stats.rayleigh(scale=theta["sigma_e"]).std())

    def initial(self, e: np.ndarray) -> dict[str, float]:
        mean, _ = self.moments(e)
        return {"fraction_e": 0.5, "scale_e": mean, "sigma_e": mean / np.sqrt(np.pi / 2)}

    def pymc(self, theta: Mapping, ends: Ends = BOUND, **options):
        import pymc as pm

        parts = pm.Exponential.dist(scale=theta["scale_e"]), _rayleigh(theta["sigma_e"])
        fractions = theta["fraction_e"], 1 - theta["fraction_e"]
        mass = [f * pm.math.exp(pm.logcdf(d, 1.0)) for f, d in zip(fractions, parts, strict=True)]
        weight = pm.math.stack(mass)
        cut = [pm.Truncated.dist(part, upper=1.0) for part in parts]
        return pm.Mixture("e", w=weight / weight.sum(), comp_dists=cut, **options)


def _rayleigh(sigma):
    """A Rayleigh distribution, which PyMC has as a special case of another."""
    import pymc as pm

    return pm.Weibull.dist(alpha=2.0, beta=np.sqrt(2) * sigma)


# users' files hold these names: they stay the same, wherever the classes move
register(Beta, "astro_hier.populations.Beta")
register(Rayleigh, "astro_hier.populations.Rayleigh")
register(Exponential, "astro_hier.populations.Exponential")
register(Gamma, "astro_hier.populations.Gamma")
register(RayleighExponential, "astro_hier.populations.RayleighExponential")
