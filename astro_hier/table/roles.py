"""What models need from the columns of a table: roles, the epoch of times, and their error."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy import constants
from astropy.time import Time, TimeDelta
from numpy.typing import ArrayLike

__all__ = ["Epoch", "Role", "TableError"]

ROWS_SHOWN = 5
# Sizes of numbers, in the unit of their role, that can be squared and divided by each other; no
# quantity of astronomy is near them.
SMALLEST, LARGEST = 1e-100, 1e100


class TableError(ValueError):
    """A table cannot be used as given; the message names the column, the rows and the cure.

    Parameters
    ----------
    message : str
        What is wrong, and what to do in Python.
    shell : str, optional
        The same for a user of the command, where this is not only another spelling of arguments.

    Attributes
    ----------
    shell : str

    Examples
    --------
    >>> from astro_hier import StarCluster, TableError, datasets
    >>> table = datasets.make_star_cluster(random_state=42)
    >>> del table["parallax_error"]
    >>> try:
    ...     StarCluster().fit(table)
    ... except TableError as error:
    ...     print("parallax_error" in str(error))
    True
    """

    __module__ = "astro_hier.table"  # the public name, which tracebacks show

    def __init__(self, message: str, shell: str | None = None):
        super().__init__(message)
        self.shell = message if shell is None else shell


@dataclass(frozen=True)
class Role:
    """What a model needs from one column.

    If the unit is one of speed, absolute values must also be below the speed of light.

    Attributes
    ----------
    name : str
        Name of the role, and default name of the column.
    unit : `~astropy.units.Unit` or None
        Unit of the floats that the model computes with; None for labels, which are kept as they
        are.
    positive : bool
        Whether values must be greater than zero.
    nonnegative : bool
        Whether values must be zero or greater.
    above : float
        Lower limit that values must exceed, in the unit.
    largest : float
        Largest absolute value, in the unit.
    required : bool
        Whether a table without this column is refused.
    unique : bool
        Whether all rows must have different values.
    observed : bool
        Whether the model describes how these values arise, rather than taking them as given.
    is_time : bool
        Whether the values are times, as Quantity or `~astropy.time.Time`; they are read as
        differences from the earliest.
    column : str or None
        Default name of the column, if it is not that of the role.
    usual : tuple of float
        Sizes, in the unit, outside which the unit of a column is probably wrong.
    relative : bool
        Whether the size of a column is that of distances from the median.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier.table import Role
    >>> Role("parallax_error", u.mas, positive=True).name
    'parallax_error'
    """

    name: str
    unit: u.UnitBase | None
    positive: bool = False
    required: bool = True
    unique: bool = False
    observed: bool = False
    is_time: bool = False
    column: str | None = None
    largest: float = np.inf
    above: float = -np.inf
    nonnegative: bool = False
    usual: tuple[float, float] = (0.0, np.inf)
    relative: bool = False

    def allows(self, values: np.ndarray) -> np.ndarray:
        """Which values, in the unit, are allowed: an array of bool."""
        above = max(self.above, 0.0) if self.positive else self.above
        allowed = np.isfinite(values) & (values > above) & (np.abs(values) <= self.largest)
        allowed &= (values >= 0) | (not self.nonnegative)
        return allowed & (np.abs(values) < self._light()) & ~self.overflows(values)

    @property
    def expected(self) -> str:
        """The allowed values in words."""
        if self.largest < np.inf and self.above == -np.inf:
            return f"values from {-self.largest:g} to {self.largest:g} {self.unit}"
        words = "finite values"
        if self.nonnegative:
            words += ", zero or greater"
        elif self.positive or self.above > -np.inf:
            words += f" greater than {'zero' if self.positive else f'{self.above:g}'}"
        if self.largest < np.inf:
            words += f", up to {self.largest:g}"
        if self._light() < np.inf:
            words += f", slower than light ({self._light():.7g} {self.unit})"
        return words

    def doubt(self, values: np.ndarray) -> str:
        """What absurd values suggest, for a message."""
        if np.any(self.overflows(values)):
            return f"; sizes beyond {SMALLEST:g} to {LARGEST:g} are refused: is the unit right?"
        fast = np.isfinite(values) & (np.abs(values) >= self._light())
        return "; is the unit right?" if np.any(fast) else ""

    def overflows(self, values: np.ndarray) -> np.ndarray:
        """Which values are too large to compute with, or too small to divide by."""
        sizes = np.abs(values)
        tiny = (sizes < SMALLEST) & (sizes > 0) & (self.positive or self.nonnegative)
        return ((sizes > LARGEST) & np.isfinite(sizes)) | tiny

    def _light(self):
        """The speed of light in the unit, if this is one of speed, else infinity."""
        is_speed = self.unit is not None and self.unit.is_equivalent(constants.c.unit)
        return constants.c.to_value(self.unit) if is_speed else np.inf


@dataclass(frozen=True)
class Epoch:
    """The time from which a model counts: two parts of a number of days, and their scale.

    ``scale`` is that of the `~astropy.time.Time` column, or None if times were Quantities, which
    count from the table's own origin.
    """

    day: float
    fraction: float
    scale: str | None

    def since(self, time: u.Quantity | Time) -> np.ndarray:
        """Days from the epoch to times of the same kind as those of the table.

        Raises
        ------
        TableError
            If ``time`` is a Time and the table held Quantities, or the other way round.
        """
        if isinstance(time, Time) and self.scale is not None:
            epoch = Time(self.day, self.fraction, format="jd", scale=self.scale)
            return (time - epoch).to_value(u.day)
        if isinstance(time, TimeDelta):
            time = time.to(u.day)
        if isinstance(time, u.Quantity) and self.scale is None and time.unit.is_equivalent(u.day):
            return (time.to_value(u.day) - self.day) - self.fraction
        kind = "a Quantity of time" if self.scale is None else f"a Time ({self.scale})"
        found = f"in {time.unit}" if isinstance(time, u.Quantity) else type(time).__name__
        if self.scale is None and not isinstance(time, (u.Quantity, Time)):
            found += " without unit"
        raise TableError(f"times are {found}; expected {kind}, as in the table that was fitted")

    def at(self, days: ArrayLike) -> u.Quantity | Time:
        """Times of the table's kind, a Time or a Quantity, from days since the epoch."""
        if self.scale is None:
            return (self.day + (self.fraction + np.asarray(days))) * u.day
        return Time(self.day, self.fraction + np.asarray(days), format="jd", scale=self.scale)

    def later(self, days: float) -> "Epoch":
        return Epoch(self.day, self.fraction + days, self.scale)
