"""The prepared rows of a star cluster."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from astro_hier.core.threads import blocks
from astro_hier.models.errors import StatedErrors
from astro_hier.models.membership import NoBackground
from astro_hier.models.star_cluster.offsets import NoOffsets
from astro_hier.models.zero_point import NoZeroPoint, Theta
from astro_hier.profiles import Profile


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
    sample: Any = None  # of many stars, see `far`

    def offset(self, theta: Theta) -> Any:
        """The difference between a parallax and 1/r, apart from noise [mas].

        Here and below, ``theta`` holds columns of shape (theta, 1), or PyMC variables.
        """
        return self.offsets.added(self.zero_point.added(theta), theta)

    def error(self, theta: Theta) -> Any:
        """The error of a parallax, including each star's own variance beside the offsets [mas]."""
        return self.offsets.widened(self.errors.true(self.parallax_error, theta))

    def at(self, stars: slice | np.ndarray) -> "Stars":
        """Some of the stars."""
        of_stars = "parallax", "parallax_error", "star"
        some = {name: getattr(self, name)[stars] for name in of_stars}
        zero_point, offsets = self.zero_point.at(stars), self.offsets.at(stars)
        return replace(self, **some, zero_point=zero_point, offsets=offsets, sample=None)

    def blocks(self) -> list["Stars"]:
        """All stars, in blocks of which a few arrays fit in a core's cache."""
        places = blocks(len(self.parallax))
        return [self] if len(places) == 1 else [self.at(stars) for stars in places]

    def yet_to_be_measured(self, parallax_error: np.ndarray, rng: np.random.Generator) -> "Stars":
        """Other stars, with these errors, each at the place of a star picked at random."""
        others = replace(self, parallax_error=parallax_error)
        if np.ndim(self.zero_point.by_star) == 0 and not self.offsets:
            return others  # all places are alike
        places = rng.integers(len(self.parallax), size=len(parallax_error))
        zero_point, offsets = self.zero_point.at(places), self.offsets.at(places)
        return replace(others, zero_point=zero_point, offsets=offsets)
