"""Priors with heavier tails than a normal one, for scales and for values that may lie far out."""

from dataclasses import dataclass

import astropy.units as u
from scipy import stats

from astro_hier.priors.base import Prior

__all__ = ["Exponential", "HalfCauchy", "StudentT"]


@dataclass(frozen=True, repr=False)
class Exponential(Prior):
    """Exponential distribution of positive values, with mean ``scale``."""

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
    """Student t distribution with ``nu`` degrees of freedom, middle ``mu`` and scale ``sigma``."""

    nu: float
    mu: u.Quantity | float
    sigma: u.Quantity | float
    same_unit = ("mu", "sigma")
    positive = ("nu", "sigma")

    def _scipy(self, nu, mu, sigma):
        return stats.t(nu, mu, sigma)

    def _pymc_family(self, nu, mu, sigma):
        import pymc as pm

        return pm.StudentT, {"nu": nu, "mu": mu, "sigma": sigma}
