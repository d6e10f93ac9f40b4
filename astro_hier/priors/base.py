"""The base of all priors: checks of their parameters, and conversion to any unit.

A prior holds its parameters as they were given, as floats or Quantities. SciPy evaluates it and
PyMC builds it, both in the unit that the model declares for the parameter, so a prior on a distance
may be stated in pc, kpc or lyr.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import astropy.units as u
import numpy as np
from numpy.typing import ArrayLike

from astro_hier.given import MOST, RandomState, generator, whole
from astro_hier.logarithms import value_in

__all__ = ["FrozenPrior", "Prior", "PriorError"]

FOR_USERS = ("frozen", "logpdf", "rvs", "support", "unit")  # among all methods of priors
FROZEN = "_frozen"  # the attribute of a prior that holds its distributions, by unit


class PriorError(ValueError):
    """A prior cannot be used as given; the message says what is expected.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import StarCluster, datasets, priors
    >>> model = StarCluster(mu_r=priors.Normal(1 * u.mas, 1 * u.mas))
    >>> try:
    ...     model.fit(datasets.make_star_cluster(random_state=42))
    ... except priors.PriorError as error:
    ...     print(type(error).__name__)
    PriorError
    """


@runtime_checkable
class FrozenPrior(Protocol):
    """A distribution of bare floats, like the frozen ones of `scipy.stats`.

    This is what inference and models need. Sums over cells need only ``cdf``, ``ppf`` and
    ``support``: an object used as a prior there may lack the rest.
    """

    def logpdf(self, x: ArrayLike) -> np.ndarray:
        """ln of the density."""

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """Probability below ``x``."""

    def sf(self, x: ArrayLike) -> np.ndarray:
        """Probability above ``x``, accurate where it is small."""

    def ppf(self, q: ArrayLike) -> np.ndarray:
        """The value below which the probability is ``q``."""

    def isf(self, q: ArrayLike) -> np.ndarray:
        """The value above which the probability is ``q``, accurate where this is small."""

    def rvs(self, size=None, random_state=None) -> np.ndarray:
        """Random draws of shape ``size``."""

    def support(self) -> tuple[float, float]:
        """Lowest and highest possible value."""

    def mean(self) -> float:
        """The mean, or the value itself if it is known."""

    def median(self) -> float:
        """The median."""

    def std(self) -> float:
        """The standard deviation, which is zero if the value is known."""


class Prior:
    """Base of all priors: a distribution of one quantity.

    A subclass is a frozen dataclass of the distribution's parameters. It lists those with the unit
    of the quantity in ``same_unit``, those that must be greater than zero in ``positive``, a pair
    of which the first must be less than the second in ``ordered``, and those that may be infinite
    in ``open_ends``; and it defines ``_scipy`` and ``_pymc_family`` on bare floats.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import priors
    >>> period = priors.LogUniform(1 * u.day, 100 * u.day)
    >>> period.rvs(3, random_state=1).unit
    Unit("d")
    >>> print(f"{period.logpdf(10 * u.day):.3f}")
    -3.830
    """

    same_unit: ClassVar[tuple] = ()
    positive: ClassVar[tuple] = ()
    ordered: ClassVar[tuple] = ()
    open_ends: ClassVar[tuple] = ()
    _scipy: Callable[..., FrozenPrior]
    _pymc_family: Callable[..., tuple]

    def __dir__(self) -> list[str]:
        """What completion shows, which is not what only subclasses and models need."""
        own = [name for name in super().__dir__() if name.startswith("__")]
        return [*own, *getattr(self, "__dataclass_fields__", ()), *FOR_USERS]

    def __post_init__(self):
        for field in fields(self):
            check_scalar(self, field.name)
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
        own = fields(self) if is_dataclass(self) else ()
        values = ", ".join(f"{field.name}={getattr(self, field.name)}" for field in own)
        return f"{type(self).__name__}({values})"

    @property
    def unit(self) -> u.UnitBase:
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
                # not a Python float, with which PyTensor would compute in single precision
                values[name] = np.float64(value_in(given, wanted))
            except u.UnitConversionError:
                raise PriorError(
                    f"{self!r}: {name} has unit {str(given.unit) or 'none'!r},"
                    f" expected {kind(wanted, given)}"
                ) from None
        return values

    def frozen(self, unit: u.UnitBase) -> FrozenPrior:
        """The distribution of the quantity's value in ``unit``, frozen, from `scipy.stats`.

        Parameters
        ----------
        unit : `~astropy.units.Unit`
            Unit of the values that the distribution describes.

        Returns
        -------
        FrozenPrior
            From `scipy.stats`, or an object with the same methods if the value is known.

        Raises
        ------
        PriorError
            If the prior's own unit cannot be converted to ``unit``.
        """
        unit = _as_unit(unit)
        known = vars(self).setdefault(FROZEN, {})  # SciPy takes a millisecond to freeze one
        if unit not in known:
            known[unit] = self._scipy(**self._floats(unit))
        return known[unit]

    def __getstate__(self):
        return {name: of for name, of in vars(self).items() if name != FROZEN}

    def pymc(self, name: str, unit: u.UnitBase, initval: float | None = None) -> Any:
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

    def pymc_above(self, name: str, unit: u.UnitBase, low: Any, excess: float) -> Any:
        """The same distribution truncated below at a variable ``low``, and normalised given it.

        Parameters
        ----------
        name, unit
            As for ``pymc``.
        low : variable
            The lower end.
        excess : float
            How far above ``low`` a sampler starts.
        """
        import pymc as pm

        value = pm.Deterministic(name, low + pm.HalfFlat(f"{name}_excess_", initval=excess))
        density, share = self._pymc_log_density_and_share(value, low, **self._floats(unit))
        pm.Potential(f"{name}_prior_", pm.math.switch(share > -np.inf, density - share, -np.inf))
        return value

    def _pymc_log_density_and_share(self, value, low, **floats):
        """ln of the density at a value, and of the probability above another value."""
        import pymc as pm

        family, options = self._pymc_family(**floats)
        of = family.dist(**options)
        return pm.logp(of, value), pm.math.log(1 - pm.math.exp(pm.logcdf(of, low)))

    def rvs(
        self, size: int | tuple[int, ...] | None = None, random_state: RandomState = None
    ) -> u.Quantity:
        """Random draws: a Quantity of shape ``size`` in this prior's unit."""
        rng = generator(random_state)
        shape = size if isinstance(size, tuple) else () if size is None else (size,)
        for one in shape:
            whole("size", one, 0, MOST)
        return self.frozen(self.unit).rvs(size=size, random_state=rng) * self.unit

    def logpdf(self, value: u.Quantity | ArrayLike) -> np.ndarray:
        """ln of the density at ``value`` (a Quantity), per unit of this prior; a float or array."""
        try:
            values = value_in(u.Quantity(value, dtype=float), self.unit)
        except (TypeError, ValueError):
            raise PriorError(
                f"{self!r}: value={value!r}; expected {kind(self.unit)}, or several"
            ) from None
        return self.frozen(self.unit).logpdf(values)

    def support(self) -> tuple[u.Quantity, u.Quantity]:
        """Lowest and highest possible value, as Quantities."""
        low, high = self.frozen(self.unit).support()
        return low * self.unit, high * self.unit


def _as_unit(given: Any) -> u.UnitBase:
    """A unit, which may be given as text, or as 1 if there is none."""
    if isinstance(given, u.UnitBase):
        return given
    try:
        if isinstance(given, str) or (isinstance(given, int | float) and given == 1):
            return u.Unit(given)
    except ValueError:
        pass
    raise PriorError(f"unit={given!r}; expected a unit, such as u.km / u.s")


def check_scalar(owner: Any, name: str) -> None:
    """Raise `PriorError` unless the attribute ``name`` is one number or one Quantity."""
    given = getattr(owner, name)
    try:
        no_number = isinstance(given, (str, bool, np.bool_))
        value = None if no_number else u.Quantity(given, dtype=float)
    except (TypeError, ValueError):
        value = None
    if value is None or value.shape or np.isnan(value.value):
        raise PriorError(
            f"{type(owner).__name__}: {name} must be one number or one Quantity, not {given!r}"
        )


def kind(unit: u.UnitBase, given: u.Quantity | None = None) -> str:
    """What a value in ``unit`` is, in the words of a message; ``given`` is what was there."""
    if unit == u.dimensionless_unscaled:
        return "a number without unit"
    if str(unit.physical_type) in ("unknown", "dimensionless"):
        return f"a Quantity in {unit}"
    if given is not None and given.unit == u.one and isinstance(unit, u.NamedUnit):
        example = f"{given.value:g} * u.{unit.name}"
        return f"a Quantity of physical type {str(unit.physical_type)!r}, such as {example}"
    return f"a Quantity of physical type {str(unit.physical_type)!r}, such as in {unit}"
