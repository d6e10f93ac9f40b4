"""What is prepared of the rows of a star cluster, and the zero points of its parallaxes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

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

Theta = Mapping[str, Any]


@dataclass(frozen=True)
class NoZeroPoint(Part):
    """The zero point of all parallaxes is 0."""

    by_star = 0.0  # what is known of each star's, shape (star,) [mas]

    def __bool__(self) -> bool:
        return False

    def prepared(self, rows: Mapping[str, np.ndarray]) -> "NoZeroPoint":
        """The same with what the rows say of it."""
        return self

    def added(self, theta: Theta) -> Any:
        """What is added to 1/r [mas]."""
        return 0.0

    def at(self, places: np.ndarray) -> Self:
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
    """Each star's own zero point, of a column."""

    column: str
    by_star: np.ndarray | float = np.nan  # [mas]

    def __bool__(self):
        return True

    @property
    def roles(self):
        return (Role("zero_point", u.mas, column=self.column),)

    def prepared(self, rows):
        return replace(self, by_star=rows["zero_point"])

    def added(self, theta):
        return self.by_star

    def at(self, places):
        return replace(self, by_star=self.by_star[places])


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
        at = {"zero_point": self.zero_point.at(places), "offsets": self.offsets.at(places)}
        return replace(others, **at)
