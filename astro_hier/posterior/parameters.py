"""The quantities of a posterior: their names, units, symbols and ranges."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np

__all__ = ["LOG_PROB", "UNBOUNDED", "Parameter"]

UNBOUNDED = (-np.inf, np.inf)  # bounds of a parameter that may have any value


@dataclass(frozen=True)
class Parameter:
    """One quantity of a posterior.

    Attributes
    ----------
    name : str
        Its name in the posterior.
    unit : `~astropy.units.Unit`
        Unit of its values.
    symbol : str
        Its symbol in TeX, without dollars.
    long_name : str
        What it is.
    dims : tuple of str
        Dimensions besides chain and draw.
    positive : bool
        Whether a prior that allows values below zero, or zero alone, is refused.
    bounds : tuple of float, optional
        The ends of its own range, whatever its prior: (0, 1) for a fraction, infinities if it has
        none. A prior that ends there does not cut off the posterior. By default the range may end
        at zero, and at one if a prior goes from zero to one.
    turn : float, optional
        Of an angle, the difference between values that are the same.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier.posterior import Parameter
    >>> Parameter("mu_r", u.kpc, "r", "mean distance").long_name
    'mean distance'
    """

    name: str
    unit: u.UnitBase
    symbol: str
    long_name: str
    dims: tuple = ()
    positive: bool = False
    bounds: tuple | None = None
    turn: float | None = None

    @property
    def unit_label(self):
        """The unit as it follows a symbol on an axis."""
        return "" if self.unit == u.one else f" [{self.unit.to_string('latex_inline')}]"


LOG_PROB = Parameter(
    "log_prob",
    u.dimensionless_unscaled,
    r"\ln p",
    "log of the posterior density of the parameters common to all stars, up to a constant",
)
