"""The prepared rows of a star cluster, and the zero points of its parallaxes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.models.errors import StatedErrors
from astro_hier.models.membership import NoBackground
from astro_hier.models.star_cluster.offsets import NoOffsets
from astro_hier.part import Part
from astro_hier.posterior import UNBOUNDED, Parameter
from astro_hier.priors import Prior
from astro_hier.profiles import Profile
from astro_hier.table import Role

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

    def at(self, places: np.ndarray) -> "NoZeroPoint":
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


@dataclass(frozen=True)
class Stars:
    """The prepared rows, arrays of shape (star,), and the options."""

    parallax: np.ndarray  # [mas]
    parallax_error: np.ndarray  # as stated [mas]
    star: np.ndarray  # identifiers
    profile: Profile
    zero_point: NoZeroPoint
    errors: StatedErrors
    offsets: NoOffsets
    background: NoBackground

    def offset(self, theta: Theta) -> Any:
        """The difference between a parallax and 1/r, apart from noise [mas].

        Here and below, ``theta`` holds columns of shape (theta, 1), or PyMC variables.
        """
        return self.offsets.added(self.zero_point.added(theta), theta)

    def error(self, theta: Theta) -> Any:
        """The error of a parallax, including each star's own variance beside the offsets [mas]."""
        return self.offsets.widened(self.errors.true(self.parallax_error, theta))

    def yet_to_be_measured(self, parallax_error: np.ndarray, rng: np.random.Generator) -> "Stars":
        """Other stars, with these errors, each at the place of a star picked at random."""
        others = replace(self, parallax_error=parallax_error)
        if np.ndim(self.zero_point.by_star) == 0 and not self.offsets:
            return others  # all places are alike
        places = rng.integers(len(self.parallax), size=len(parallax_error))
        zero_point, offsets = self.zero_point.at(places), self.offsets.at(places)
        return replace(others, zero_point=zero_point, offsets=offsets)
