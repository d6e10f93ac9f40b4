"""Priors with heavier tails than a normal one, for scales and for values that may lie far out."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from scipy import stats

from astro_hier.priors.base import Prior
from astro_hier.priors.truncated import Truncated

__all__ = ["Exponential", "HalfCauchy", "StudentT"]


@dataclass(frozen=True, repr=False)
class Exponential(Prior):
    """Exponential distribution of positive values, with mean ``scale``.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> low, high = priors.Exponential(2 * u.km / u.s).support()
    >>> print(low, high)
    0.0 km / s inf km / s
    """

    scale: u.Quantity | float
    same_unit = ("scale",)
    positive = ("scale",)

    def _scipy(self, scale):
        return stats.expon(0, scale)

    def _pymc_family(self, scale):
        import pymc as pm

        return pm.Exponential, {"lam": 1 / scale}


@dataclass(frozen=True, repr=False)
class HalfCauchy(Prior):
    """Positive half of a Cauchy distribution about zero, with median ``beta``.

    Recommended for standard deviations by Gelman (2006, Bayesian Analysis 1, 515).

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> prior = priors.HalfCauchy(5 * u.km / u.s)
    >>> print(f"{prior.frozen(u.km / u.s).median():.4g}")
    5
    """

    beta: u.Quantity | float
    same_unit = ("beta",)
    positive = ("beta",)

    def _scipy(self, beta):
        return stats.halfcauchy(0, beta)

    def _pymc_family(self, beta):
        import pymc as pm

        return pm.HalfCauchy, {"beta": beta}


@dataclass(frozen=True, repr=False)
class StudentT(Prior):
    """Student t distribution with ``nu`` degrees of freedom, middle ``mu`` and scale ``sigma``.

    It may be truncated to (``lower``, ``upper``). One degree of freedom is a Cauchy distribution:
    that of the tangent of an angle which is uniformly distributed, as of a slope of no preferred
    direction. ``StudentT(1, 0, 1, upper=0)`` is that of a slope below zero.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> prior = priors.StudentT(3, 0 * u.mag, 0.1 * u.mag)
    >>> print(f"{prior.frozen(u.mag).ppf(0.975):.4g}")
    0.3182
    """

    nu: float
    mu: u.Quantity | float
    sigma: u.Quantity | float
    lower: u.Quantity | float = -np.inf
    upper: u.Quantity | float = np.inf
    same_unit = ("mu", "sigma", "lower", "upper")
    positive = ("nu", "sigma")
    ordered = open_ends = ("lower", "upper")

    def __repr__(self):
        ends = "" if self._whole else f", lower={self.lower}, upper={self.upper}"
        return f"StudentT(nu={self.nu}, mu={self.mu}, sigma={self.sigma}{ends})"

    @property
    def _whole(self):
        return bool(np.isinf(self.lower) and np.isinf(self.upper))

    def _scipy(self, nu, mu, sigma, lower, upper):
        whole = stats.t(nu, mu, sigma)
        return whole if self._whole else Truncated(whole, lower, upper)

    def _pymc_family(self, nu, mu, sigma, lower, upper):
        import pymc as pm

        moments = {"nu": nu, "mu": mu, "sigma": sigma}
        if self._whole:
            return pm.StudentT, moments
        ends = {"lower": lower, "upper": upper}
        finite = {name: end for name, end in ends.items() if np.isfinite(end)}
        return pm.Truncated, {"dist": pm.StudentT.dist(**moments), **finite}
