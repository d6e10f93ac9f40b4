"""Families of priors: each is a dataclass of parameters, with its densities in SciPy and PyMC."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import astropy.units as u
import numpy as np
from scipy import stats

from astro_hier.priors.base import Prior, PriorError
from astro_hier.priors.truncated import TruncatedBeta

__all__ = [
    "Beta",
    "Fixed",
    "Gamma",
    "HalfNormal",
    "LogNormal",
    "LogUniform",
    "Normal",
    "TruncatedNormal",
    "Uniform",
]


@dataclass(frozen=True, repr=False)
class Normal(Prior):
    """Normal distribution with mean ``mu`` and standard deviation ``sigma``.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> print(f"{priors.Normal(500 * u.pc, 50 * u.pc).frozen(u.kpc).mean():.4g}")
    0.5
    """

    mu: u.Quantity | float
    sigma: u.Quantity | float
    same_unit = ("mu", "sigma")
    positive = ("sigma",)

    def _scipy(self, mu, sigma):
        return stats.norm(mu, sigma)

    def _pymc_family(self, mu, sigma):
        import pymc as pm

        return pm.Normal, {"mu": mu, "sigma": sigma}


@dataclass(frozen=True, repr=False)
class TruncatedNormal(Prior):
    """Normal distribution with ``mu`` and ``sigma``, truncated to (``lower``, ``upper``).

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> low, high = priors.TruncatedNormal(1 * u.kpc, 2 * u.kpc, lower=0).support()
    >>> print(low, high)
    0.0 kpc inf kpc
    """

    mu: u.Quantity | float
    sigma: u.Quantity | float
    lower: u.Quantity | float = -np.inf
    upper: u.Quantity | float = np.inf
    same_unit = ("mu", "sigma", "lower", "upper")
    positive = ("sigma",)
    ordered = open_ends = ("lower", "upper")

    def _scipy(self, mu, sigma, lower, upper):
        frozen = stats.truncnorm((lower - mu) / sigma, (upper - mu) / sigma, mu, sigma)
        # SciPy inverts the upper tail through 1 - q, which fails beyond 8 sigma; the mirror image
        # has a lower tail instead, which it inverts through logarithms
        mirrored = stats.truncnorm((mu - upper) / sigma, (mu - lower) / sigma, -mu, sigma)
        frozen.isf = partial(_isf, mirrored)
        return frozen

    def _pymc_family(self, mu, sigma, lower, upper):
        import pymc as pm

        ends = {"lower": lower, "upper": upper}
        finite = {name: end for name, end in ends.items() if np.isfinite(end)}
        return pm.TruncatedNormal, {"mu": mu, "sigma": sigma, **finite}


def _isf(mirrored, q):
    return -mirrored.ppf(q)


@dataclass(frozen=True, repr=False)
class HalfNormal(Prior):
    """Positive half of a normal distribution with mean zero and standard deviation ``sigma``.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> low, high = priors.HalfNormal(5 * u.km / u.s).support()
    >>> print(low, high)
    0.0 km / s inf km / s
    """

    sigma: u.Quantity | float
    same_unit = ("sigma",)
    positive = ("sigma",)

    def _scipy(self, sigma):
        return stats.halfnorm(0, sigma)

    def _pymc_family(self, sigma):
        import pymc as pm

        return pm.HalfNormal, {"sigma": sigma}


@dataclass(frozen=True, repr=False)
class Uniform(Prior):
    """Constant density between ``lower`` and ``upper``.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> low, high = priors.Uniform(1 * u.day, 5 * u.day).support()
    >>> print(low, high)
    1.0 d 5.0 d
    """

    lower: u.Quantity | float
    upper: u.Quantity | float
    same_unit = ("lower", "upper")
    ordered = ("lower", "upper")

    def _scipy(self, lower, upper):
        return stats.uniform(lower, upper - lower)

    def _pymc_family(self, lower, upper):
        import pymc as pm

        return pm.Uniform, {"lower": lower, "upper": upper}


@dataclass(frozen=True, repr=False)
class LogUniform(Prior):
    """Constant density of the logarithm between ``lower`` and ``upper``.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> prior = priors.LogUniform(1 * u.day, 100 * u.day)
    >>> print(f"{prior.frozen(u.day).median():.4g}")
    10
    """

    lower: u.Quantity | float
    upper: u.Quantity | float
    same_unit = ("lower", "upper")
    positive = ("lower", "upper")
    ordered = ("lower", "upper")

    def _scipy(self, lower, upper):
        return stats.loguniform(lower, upper)

    def _pymc(self, name, lower, upper, initval):
        import pymc as pm

        # PyMC has no log-uniform distribution; its samplers move the logarithm.
        initval = None if initval is None else np.log(initval)
        log = pm.Uniform(f"ln_{name}_", np.log(lower), np.log(upper), initval=initval)
        return pm.Deterministic(name, pm.math.exp(log))

    def _pymc_log_density_and_share(self, value, low, lower, upper):
        import pymc as pm

        inside = (value > lower) * (value < upper)
        density = pm.math.switch(inside, -pm.math.log(value), -np.inf)
        return density, pm.math.log(np.log(upper) - pm.math.log(pm.math.maximum(low, lower)))


@dataclass(frozen=True, repr=False)
class LogNormal(Prior):
    """Normal distribution of the logarithm.

    ``mu`` and ``sigma`` are the mean and standard deviation of ln(x / ``scale``), as in
    ``LogNormal(2, 0.5, scale=1 * u.day)``. Without ``scale``, x is a number without unit.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> prior = priors.LogNormal(0, 0.5, scale=10 * u.day)
    >>> print(f"{prior.frozen(u.day).median():.4g}")
    10
    """

    mu: float
    sigma: float
    scale: u.Quantity | float = 1.0
    same_unit = ("scale",)
    positive = ("sigma", "scale")

    def _scipy(self, mu, sigma, scale):
        return stats.lognorm(sigma, scale=scale * np.exp(mu))

    def _pymc_family(self, mu, sigma, scale):
        import pymc as pm

        return pm.LogNormal, {"mu": mu + np.log(scale), "sigma": sigma}


@dataclass(frozen=True, repr=False)
class Gamma(Prior):
    """Gamma distribution with shape ``alpha`` and scale length ``scale``.

    The density is proportional to x^(alpha - 1) exp(-x / scale). For distances, ``alpha=3`` is the
    exponentially decreasing space density of Bailer-Jones (2015, PASP 127, 994).

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> print(f"{priors.Gamma(2, 1 * u.kpc).frozen(u.pc).mean():.4g}")
    2000
    """

    alpha: float
    scale: u.Quantity | float
    same_unit = ("scale",)
    positive = ("alpha", "scale")

    def _scipy(self, alpha, scale):
        return stats.gamma(alpha, scale=scale)

    def _pymc_family(self, alpha, scale):
        import pymc as pm

        return pm.Gamma, {"alpha": alpha, "beta": 1 / scale}


@dataclass(frozen=True, repr=False)
class Beta(Prior):
    """Beta distribution on (0, 1), for fractions; density x^(alpha - 1) (1 - x)^(beta - 1).

    It may be truncated to (``lower``, ``upper``), as in ``Beta(0.867, 3.03, upper=0.95)``.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> print(f"{priors.Beta(2, 8).frozen(u.one).mean():.4g}")
    0.2
    """

    alpha: float
    beta: float
    lower: float = 0.0
    upper: float = 1.0
    positive = ("alpha", "beta")
    ordered = ("lower", "upper")

    def __post_init__(self):
        super().__post_init__()
        if self.lower < 0 or self.upper > 1:
            raise PriorError(f"{self!r}: lower and upper must lie between 0 and 1")

    def __repr__(self):
        ends = "" if self._whole else f", lower={self.lower}, upper={self.upper}"
        return f"Beta(alpha={self.alpha}, beta={self.beta}{ends})"

    @property
    def _whole(self):
        return (self.lower, self.upper) == (0, 1)

    def _scipy(self, alpha, beta, lower, upper):
        if self._whole:
            return stats.beta(alpha, beta)
        return TruncatedBeta(alpha, beta, lower, upper)

    def _pymc_family(self, alpha, beta, lower, upper):
        import pymc as pm

        if self._whole:
            return pm.Beta, {"alpha": alpha, "beta": beta}
        whole = pm.Beta.dist(alpha=alpha, beta=beta)
        return pm.Truncated, {"dist": whole, "lower": lower, "upper": upper}


class _Point:
    """The distribution of a known number, with the methods of one from `scipy.stats`."""

    class dist:
        name = "point"

    def __init__(self, value):
        self.value = value

    def logpdf(self, x):
        """Zero: a known parameter adds nothing to a sum of ln densities, and is not integrated."""
        return np.zeros(np.shape(x))

    def rvs(self, size=None, random_state=None):
        return np.full(() if size is None else size, self.value)

    def cdf(self, x):
        return np.where(np.asarray(x) >= self.value, 1.0, 0.0)

    def sf(self, x):
        return 1 - self.cdf(x)

    def ppf(self, share):
        return np.full(np.shape(share), self.value)

    isf = ppf

    def support(self):
        return self.value, self.value

    def mean(self):
        return self.value

    median = mean

    def std(self):
        return 0.0


@dataclass(frozen=True, repr=False)
class Fixed(Prior):
    """A value that is known, not inferred.

    Instead of this, the value itself, a Quantity or number, may be given wherever a prior is
    expected.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> print(f"{priors.Fixed(0.5 * u.kpc).frozen(u.pc).mean():.4g}")
    500
    """

    value: u.Quantity | float
    same_unit = ("value",)

    def _scipy(self, value):
        return _Point(value)

    def _pymc(self, name, value, initval):
        import pymc as pm
        import pytensor.tensor as pt

        return pm.Deterministic(name, pt.constant(value, dtype="float64"))

    def pymc_above(self, name: str, unit: u.UnitBase, low: Any, excess: float) -> Any:
        import pymc as pm

        value = self.pymc(name, unit)
        pm.Potential(f"{name}_prior_", pm.math.switch(value > low, 0.0, -np.inf))
        return value
