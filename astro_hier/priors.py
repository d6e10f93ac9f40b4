"""Prior distributions with units.

A prior holds its parameters as they were given, as floats or Quantities. SciPy evaluates it and
PyMC builds it, both in the unit that the model declares for the parameter, so that a prior on a
distance may be stated in pc, kpc or lyr alike.
"""

from dataclasses import dataclass, fields
from typing import ClassVar

import astropy.units as u
import numpy as np
from scipy import stats

__all__ = [
    "Beta",
    "Fixed",
    "Gamma",
    "HalfNormal",
    "LogNormal",
    "LogUniform",
    "Normal",
    "Prior",
    "PriorError",
    "TruncatedNormal",
    "Uniform",
]


class PriorError(ValueError):
    """A prior that cannot be what it is used for; the message says what is accepted."""


class Prior:
    """Base of all priors: a distribution of one quantity.

    A subclass is a frozen dataclass of the distribution's parameters, which names those that
    carry the unit of the quantity in ``same_unit``, those that must exceed zero in ``positive``,
    two of which the first must be less than the second in ``ordered`` and those that may be
    infinite in ``open_ends``, and writes ``_scipy`` and ``_pymc_family`` on bare floats.
    """

    same_unit: ClassVar[tuple] = ()
    positive: ClassVar[tuple] = ()
    ordered: ClassVar[tuple] = ()
    open_ends: ClassVar[tuple] = ()

    def __post_init__(self):
        for field in fields(self):
            self._check_scalar(field.name)
        for name in self.positive:
            if not u.Quantity(getattr(self, name)).value > 0:
                raise PriorError(f"{self!r}: {name} must be greater than zero")
        values = self._floats(self.unit)
        for name, value in values.items():
            if np.isinf(value) and name not in self.open_ends:
                raise PriorError(f"{self!r}: {name} must be finite")
        if self.ordered and not values[self.ordered[0]] < values[self.ordered[1]]:
            raise PriorError(f"{self!r}: {self.ordered[0]} must be less than {self.ordered[1]}")

    def __repr__(self):
        values = ", ".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))
        return f"{type(self).__name__}({values})"

    def _check_scalar(self, name):
        given = getattr(self, name)
        try:
            value = None if isinstance(given, str) else u.Quantity(given, dtype=float)
        except (TypeError, ValueError):
            value = None
        if value is None or value.shape or np.isnan(value.value):
            raise PriorError(
                f"{type(self).__name__}: {name} must be one number or one Quantity, not {given!r}"
            )

    @property
    def unit(self):
        """Unit of the quantity that this prior describes."""
        for name in self.same_unit:
            value = getattr(self, name)
            if isinstance(value, u.Quantity):
                return value.unit
        return u.dimensionless_unscaled

    def _floats(self, unit):
        """The parameters as floats, for values of the quantity in ``unit``."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            given = u.Quantity(value)
            wanted = unit if name in self.same_unit else u.dimensionless_unscaled
            if given.unit == u.one and (given.value == 0 or np.isinf(given.value)):
                wanted = u.one  # zero and an open end need no unit
            try:
                # not a Python float, which PyTensor would compute with in single precision
                values[name] = np.float64(given.to_value(wanted))
            except u.UnitConversionError:
                raise PriorError(
                    f"{self!r}: {name} has unit {str(given.unit) or 'none'!r},"
                    f" accepted is {_kind(wanted)}"
                ) from None
        return values

    def frozen(self, unit):
        """The distribution of the quantity's value in ``unit``, frozen, from `scipy.stats`.

        Parameters
        ----------
        unit : `~astropy.units.Unit`
            Unit of the values that the distribution describes.

        Returns
        -------
        scipy.stats frozen distribution
            With ``logpdf``, ``ppf``, ``rvs``, ``support`` on floats.

        Raises
        ------
        PriorError
            If the prior's own unit cannot be converted to ``unit``.
        """
        return self._scipy(**self._floats(unit))

    def pymc(self, name, unit, initval=None):
        """The same distribution as a variable of the PyMC model in whose context this is called.

        Parameters
        ----------
        name : str
            Name of the variable.
        unit : `~astropy.units.Unit`
            Unit of the variable's values.
        initval : float, optional
            Where a sampler starts.
        """
        return self._pymc(name, initval=initval, **self._floats(unit))

    def _pymc(self, name, initval, **floats):
        family, options = self._pymc_family(**floats)
        return family(name, initval=initval, **options)

    def pymc_above(self, name, unit, low, excess):
        """The same distribution cut below at a variable ``low``, and normalised given it.

        Parameters
        ----------
        name, unit
            As of ``pymc``.
        low : variable
            Where it is cut.
        excess : float
            How far above ``low`` a sampler starts.
        """
        import pymc as pm

        value = pm.Deterministic(name, low + pm.HalfFlat(f"{name}_excess_", initval=excess))
        density, share = self._pymc_log_density_and_share(value, low, **self._floats(unit))
        pm.Potential(f"{name}_prior_", pm.math.switch(share > -np.inf, density - share, -np.inf))
        return value

    def _pymc_log_density_and_share(self, value, low, **floats):
        """ln of the density at a value, and of the share of the distribution above another."""
        import pymc as pm

        family, options = self._pymc_family(**floats)
        of = family.dist(**options)
        return pm.logp(of, value), pm.math.log(1 - pm.math.exp(pm.logcdf(of, low)))

    def rvs(self, size=None, random_state=None):
        """Random draws, a Quantity in this prior's unit, of shape ``size``."""
        rng = np.random.default_rng(random_state)
        return self.frozen(self.unit).rvs(size=size, random_state=rng) * self.unit

    def logpdf(self, value):
        """ln of the density per this prior's unit at ``value`` (a Quantity), a float or array."""
        return self.frozen(self.unit).logpdf(u.Quantity(value).to_value(self.unit))

    def support(self):
        """Lowest and highest value that are possible, as Quantities."""
        low, high = self.frozen(self.unit).support()
        return low * self.unit, high * self.unit


def _kind(unit):
    if unit == u.dimensionless_unscaled:
        return "a number without unit"
    return f"a Quantity of physical type {str(unit.physical_type)!r}, such as in {unit}"


def of(given):
    """``given``, as a prior if it is a number or Quantity: `Fixed` at that value."""
    if isinstance(given, (int, float, u.Quantity)) and not isinstance(given, bool):
        return Fixed(given)
    return given


def bulk(given, unit, tail=0.001):
    """The range that all but a share ``tail`` of a prior lies in, at either end, in ``unit``."""
    return of(given).frozen(unit).ppf([tail, 1 - tail])


def check(name, prior, unit, low=-np.inf, high=np.inf):
    """Raise `PriorError` unless ``prior`` is a prior in ``unit`` of values from low to high."""
    if not isinstance(prior, Prior):
        families = ", ".join(n for n in __all__ if n not in ("Prior", "PriorError"))
        raise PriorError(
            f"{name}={prior!r} is not a prior; give one of astro_hier.priors: {families}, or the"
            " value itself if it is known"
        )
    try:
        support = prior.frozen(unit).support()
    except PriorError as error:
        what = f"prior of {name}"
        if isinstance(prior, Fixed):
            what = f"{name}={prior.value!r}"
        raise PriorError(f"{what} (in {unit.to_string() or 'no unit'}): {error}") from None
    if support[0] < low or support[1] > high:
        allowed = "not be negative" if high == np.inf else f"lie between {low} and {high}"
        given = prior.value if isinstance(prior, Fixed) else prior
        raise PriorError(f"{name}={given!r}; it must {allowed}")


@dataclass(frozen=True, repr=False)
class Normal(Prior):
    """Normal distribution of mean ``mu`` and standard deviation ``sigma``."""

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
    """Normal distribution, of ``mu`` and ``sigma`` before it is cut to (``lower``, ``upper``)."""

    mu: u.Quantity | float
    sigma: u.Quantity | float
    lower: u.Quantity | float = -np.inf
    upper: u.Quantity | float = np.inf
    same_unit = ("mu", "sigma", "lower", "upper")
    positive = ("sigma",)
    ordered = open_ends = ("lower", "upper")

    def _scipy(self, mu, sigma, lower, upper):
        frozen = stats.truncnorm((lower - mu) / sigma, (upper - mu) / sigma, mu, sigma)
        # SciPy inverts the upper tail through 1 - q, which ends 8 sigma out; the mirror image has
        # a lower tail, which it inverts through logarithms
        mirrored = stats.truncnorm((mu - upper) / sigma, (mu - lower) / sigma, -mu, sigma)
        frozen.isf = lambda q: -mirrored.ppf(q)
        return frozen

    def _pymc_family(self, mu, sigma, lower, upper):
        import pymc as pm

        ends = {"lower": lower, "upper": upper}
        finite = {name: end for name, end in ends.items() if np.isfinite(end)}
        return pm.TruncatedNormal, {"mu": mu, "sigma": sigma, **finite}


@dataclass(frozen=True, repr=False)
class HalfNormal(Prior):
    """Normal distribution of mean zero and standard deviation ``sigma``, positive values only."""

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
    """The same density everywhere between ``lower`` and ``upper``."""

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
    """A logarithm of the same density everywhere between those of ``lower`` and ``upper``."""

    lower: u.Quantity | float
    upper: u.Quantity | float
    same_unit = ("lower", "upper")
    positive = ("lower", "upper")
    ordered = ("lower", "upper")

    def _scipy(self, lower, upper):
        return stats.loguniform(lower, upper)

    def _pymc(self, name, lower, upper, initval):
        import pymc as pm

        # PyMC has no log-uniform distribution; the logarithm is what its samplers move.
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
    """A logarithm that is normal, of mean ``mu`` and standard deviation ``sigma``.

    ``mu`` and ``sigma`` are those of ln(x / ``scale``): ``LogNormal(2, 0.5, scale=1 * u.day)``.
    Without ``scale`` it is the distribution of a number without unit.
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
    """Gamma distribution of shape ``alpha`` and scale length ``scale``.

    The density is proportional to x^(alpha - 1) exp(-x / scale). With ``alpha=3`` it is the
    exponentially decreasing space density of Bailer-Jones (2015, PASP 127, 994) for distances.
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
    """Beta distribution on (0, 1), for fractions: density x^(alpha - 1) (1 - x)^(beta - 1)."""

    alpha: float
    beta: float
    positive = ("alpha", "beta")

    def _scipy(self, alpha, beta):
        return stats.beta(alpha, beta)

    def _pymc_family(self, alpha, beta):
        import pymc as pm

        return pm.Beta, {"alpha": alpha, "beta": beta}


class _Point:
    """What `scipy.stats` would call the distribution of a number that is known."""

    class dist:
        name = "point"

    def __init__(self, value):
        self.value = value

    def logpdf(self, x):
        """Zero: it is the parameter's place in a sum over densities, and not integrated over."""
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

    Wherever a prior is taken, the value itself may be given instead, a Quantity or number.
    """

    value: u.Quantity | float
    same_unit = ("value",)

    def _scipy(self, value):
        return _Point(value)

    def _pymc(self, name, value, initval):
        import pymc as pm
        import pytensor.tensor as pt

        return pm.Deterministic(name, pt.constant(value, dtype="float64"))

    def pymc_above(self, name, unit, low, excess):
        import pymc as pm

        value = self.pymc(name, unit)
        pm.Potential(f"{name}_prior_", pm.math.switch(value > low, 0.0, -np.inf))
        return value
