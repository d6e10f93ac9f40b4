"""What is prepared of the rows of a star cluster, and the zero points of its parallaxes."""

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

Theta = dict[str, Any]  # arrays, or variables of PyMC, by parameter


@dataclass(frozen=True)
class NoZeroPoint(Part):
    """The zero point of all parallaxes is 0."""

    def __bool__(self) -> bool:
        return False

    @property
    def by_star(self) -> np.ndarray | float:
        """What the table says of it, shape (star,) or () [mas]."""
        return 0.0

    def prepared(self, rows: Mapping[str, np.ndarray]) -> "NoZeroPoint":
        """That of the stars of these rows."""
        return self

    def added(self, theta: Theta) -> Any:
        """What is added to 1/r [mas]."""
        return 0.0

    def at(self, places: np.ndarray) -> "NoZeroPoint":
        """That of the stars of these numbers."""
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
    """The option: each star's own zero point, in a column of this name."""

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
    """The zero points of certain stars."""

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
    """The rows, prepared: arrays of shape (star,), and what the options make of them."""

    parallax: np.ndarray  # [mas]
    parallax_error: np.ndarray  # as stated [mas]
    star: np.ndarray  # identifiers
    profile: Profile
    zero_point: NoZeroPoint
    errors: StatedErrors
    offsets: NoOffsets
    background: NoBackground

    def offset(self, theta: Theta) -> Any:
        """What a measured parallax has besides 1/r [mas].

        ``theta`` holds columns (theta, 1), or variables of PyMC, here and below.
        """
        return self.offsets.added(self.zero_point.added(theta), theta)

    def error(self, theta: Theta) -> Any:
        """The error of a parallax, with what offsets leave of its own variance [mas]."""
        return self.offsets.widened(self.errors.true(self.parallax_error, theta))

    def yet_to_be_measured(self, parallax_error: np.ndarray, rng: np.random.Generator) -> "Stars":
        """Others, with these errors, each at the place of a star picked at random."""
        others = replace(self, parallax_error=parallax_error)
        if np.ndim(self.zero_point.by_star) == 0 and not self.offsets:
            return others  # all places are alike
        places = rng.integers(len(self.parallax), size=len(parallax_error))
        zero_point, offsets = self.zero_point.at(places), self.offsets.at(places)
        return replace(others, zero_point=zero_point, offsets=offsets)
