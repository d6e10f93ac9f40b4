"""The zero point of parallaxes: none, one for all stars, or one for each.

Measured parallaxes are 1/r plus the zero point plus noise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table

from astro_hier import checks
from astro_hier.checks import Finding
from astro_hier.part import Part
from astro_hier.posterior import UNBOUNDED, Parameter
from astro_hier.priors import Prior
from astro_hier.table import Role, as_columns, find_column, named

TYPICAL_ZERO_POINT = 0.03  # mas
MAX_SHIFT = 0.5  # of the mean parallax by a zero point that is left out, in standard errors
ZERO_POINT = checks.define(
    "zero_point",
    limit=f"known, or {TYPICAL_ZERO_POINT} mas at most {MAX_SHIFT} standard errors of the mean"
    " parallax",
    said="the parallaxes seem to be Gaia's, and no zero point is given: one of -0.03 mas would"
    " shift the mean by {sigmas} standard errors",
    python="zero_point=-0.029 * u.mas is that of data release 2 (Lindegren et al. 2018, A&A 616,"
    " A2); that of release 3 is between -0.017 and -0.039 mas and depends on magnitude, colour and"
    " latitude (Lindegren et al. 2021, A&A 649, A4), so give it as a column of the table, which the"
    " package gaiadr3-zeropoint computes;"
    " zero_point=0 * u.mas if the parallaxes are already corrected",
    shell="--set zero_point='-0.029 mas' is that of data release 2; that of release 3 is between"
    " -0.017 and -0.039 mas, and --set zero_point=COLUMN reads it star by star (the Python package"
    " gaiadr3-zeropoint computes it);"
    " --set zero_point='0 mas' if the parallaxes are already corrected",
)

# usual sizes [mas]: the nearest star has 768.5, and Gaia's errors are from 0.007 to some 2
PARALLAX, PARALLAX_ERROR = (0.0, 800.0), (0.002, 10.0)

Theta = dict[str, Any]  # arrays or PyMC variables, by parameter


@dataclass(frozen=True)
class NoZeroPoint(Part):
    """The zero point of all parallaxes is 0."""

    def __bool__(self) -> bool:
        return False

    @property
    def by_star(self) -> np.ndarray | float:
        """The zero point of each star in the table, shape (star,), or 0 [mas]."""
        return 0.0

    def prepared(self, rows: Mapping[str, np.ndarray]) -> "NoZeroPoint":
        """The zero point of the stars in these rows."""
        return self

    def added(self, theta: Theta) -> Any:
        """What is added to 1/r [mas]."""
        return 0.0

    def at(self, places: np.ndarray | slice) -> "NoZeroPoint":
        """The zero point of the stars with these numbers."""
        return self


@dataclass(frozen=True)
class CommonZeroPoint(NoZeroPoint):
    """One zero point for all parallaxes, given or inferred."""

    zero_point: Prior | u.Quantity

    parameters = (Parameter("zero_point", u.mas, r"\varpi_0", "zero point", bounds=UNBOUNDED),)

    def __bool__(self):
        return True

    def added(self, theta):
        return theta["zero_point"]


@dataclass(frozen=True)
class ColumnZeroPoint(NoZeroPoint):
    """The option: each star has its own zero point, in a column of this name."""

    column: str

    def __bool__(self):
        return True

    @property
    def roles(self):
        return (Role("zero_point", u.mas, column=self.column),)

    def prepared(self, rows):
        return StarZeroPoints(rows["zero_point"])


@dataclass(frozen=True)
class StarZeroPoints(NoZeroPoint):
    """Each star's own zero point."""

    values: np.ndarray  # shape (star,) [mas]

    def __bool__(self):
        return True

    @property
    def by_star(self):
        return self.values

    def added(self, theta):
        return self.values

    def at(self, places):
        return StarZeroPoints(self.values[places])


def as_zero_point(given: Any) -> NoZeroPoint:
    """The zero point that the argument ``zero_point`` stands for."""
    if given is None:
        return NoZeroPoint()
    return ColumnZeroPoint(given) if isinstance(given, str) else CommonZeroPoint(given)


def check(model, table: Table, error: float) -> list[Finding]:
    """Whether parallaxes that seem to be Gaia's lack a zero point that matters; a list.

    ``error`` is the standard error of their mean [mas].
    """
    name = named(table, as_columns(model.columns).get("parallax", "parallax"))
    if name is None or name.lower() != "parallax" or find_column(table, "source_id") is None:
        return []
    known = model.zero_point is not None
    sigmas = TYPICAL_ZERO_POINT / max(error, 1e-9)
    found = "given" if known else f"none, {sigmas:.1f} standard errors"
    missing = not known and sigmas > MAX_SHIFT
    return [ZERO_POINT.finding(found, missing, sigmas=f"{sigmas:.2g}")]
