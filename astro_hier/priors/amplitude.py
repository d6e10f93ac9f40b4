"""The prior of an orbit's amplitudes where it depends on period and eccentricity."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial

import astropy.units as u
import numpy as np
from numpy.typing import ArrayLike

from astro_hier.logarithms import value_in
from astro_hier.priors.base import PriorError, check_scalar, kind

__all__ = ["PeriodScaled"]


@dataclass(frozen=True, repr=False)
class PeriodScaled:
    """Normal priors of both amplitudes of an orbit, whose width depends on its period.

    Given the period P and the eccentricity e, the amplitudes a and b are independent, each normal
    with mean 0 and standard deviation

        s = sigma (P / period)^exponent / sqrt(1 - e^2).

    The semi-amplitude K = sqrt(a^2 + b^2) then has a Rayleigh distribution of scale s, with mean
    1.25 s and 95 percent below 2.45 s, and the argument of periastron is uniform.

    By Kepler's third law two bodies of total mass M move at 2 pi axis / P = (2 pi G M / P)^(1/3),
    of which the star has the share m / M for a companion of mass m; on an ellipse, seen at an
    inclination i, K = (2 pi G / P)^(1/3) M^(-2/3) m sin i / sqrt(1 - e^2). So one distribution of
    M^(-2/3) m sin i at all P and e has an ``exponent`` of -1/3, and the factor of e above.

    Parameters
    ----------
    sigma : `~astropy.units.Quantity`
        Standard deviation of a and of b in a circular orbit of the period ``period``.
    period : `~astropy.units.Quantity`, optional
        The period at which it is stated.
    exponent : float, optional
        Power of the period; 0 for the same width at all periods.

    Raises
    ------
    PriorError
        If ``sigma`` has no unit, ``period`` is not a time, either is not greater than zero, or a
        number is not finite.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import SB1Binary, priors
    >>> amplitude = priors.PeriodScaled(30 * u.km / u.s)
    >>> print(f"{amplitude.sd(8 * u.yr):.0f}")
    15 km / s
    >>> model = SB1Binary(amplitude=amplitude)
    """

    sigma: u.Quantity
    period: u.Quantity = 1 * u.yr
    exponent: float = -1 / 3

    def __post_init__(self):
        for field in fields(self):
            check_scalar(self, field.name)
            if not np.isfinite(u.Quantity(getattr(self, field.name)).value):
                raise PriorError(f"{self!r}: {field.name} must be finite")
        if u.Quantity(self.sigma).unit == u.one:
            raise PriorError(
                f"{self!r}: sigma has unit 'none', expected a velocity, such as in km/s"
            )
        self._value("period", u.day)
        self._value("exponent", u.one)
        for name in ("sigma", "period"):
            if not getattr(self, name).value > 0:
                raise PriorError(f"{self!r}: {name} must be greater than zero")

    def __repr__(self):
        return f"PeriodScaled(sigma={self.sigma}, period={self.period}, exponent={self.exponent})"

    def sd(self, period: u.Quantity, eccentricity: ArrayLike = 0.0) -> u.Quantity:
        """The standard deviation of a and of b, in the unit of ``sigma``.

        Parameters
        ----------
        period : `~astropy.units.Quantity`
            Any shape.
        eccentricity : array_like, optional
            At least 0 and less than 1, of a shape that broadcasts with that of ``period``.

        Raises
        ------
        PriorError
            If ``period`` is not a time.
        """
        days = _converted(u.Quantity(period), u.day, f"{self!r}: the period of sd()")
        found = self.in_unit(self.sigma.unit)(days, u.Quantity(eccentricity).to_value(u.one))
        return found * self.sigma.unit

    def in_unit(self, unit: u.UnitBase) -> Callable[[ArrayLike, ArrayLike], np.ndarray]:
        """The same as a function of bare numbers: period [d] and eccentricity, arrays of any shape.

        Parameters
        ----------
        unit : `~astropy.units.Unit`
            Unit of the standard deviations that it returns.

        Raises
        ------
        PriorError
            If ``sigma`` cannot be converted to ``unit``.
        """
        values = self._value("sigma", unit), self._value("period", u.day)
        return partial(_standard_deviation, *values, self._value("exponent", u.one))

    def _value(self, name, unit):
        given = u.Quantity(getattr(self, name))
        return float(_converted(given, unit, f"{self!r}: {name}"))


def _converted(given, unit, what):
    """The value of a Quantity in ``unit``."""
    try:
        return value_in(given, unit)
    except u.UnitConversionError:
        raise PriorError(
            f"{what} has unit {str(given.unit) or 'none'!r}, expected {kind(unit)}"
        ) from None


def _standard_deviation(sigma, reference, exponent, period, eccentricity):
    """Plain arithmetic, so that it also serves symbolic variables."""
    return sigma * (period / reference) ** exponent * (1 - eccentricity**2) ** -0.5
