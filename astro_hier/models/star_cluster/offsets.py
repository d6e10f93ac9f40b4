"""Common offsets of the parallaxes of neighbouring stars, which represent their covariance.

The covariance is decomposed into modes, each a pattern over the stars times a standard normal
number zeta; what the modes leave out becomes each star's own variance (`astro_hier.core.sky`). Up
to `MAX_SAMPLED_MODES` are sampled like other parameters; more are integrated out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import astropy.units as u
import numpy as np

from astro_hier import checks, covariances
from astro_hier.checks import Finding
from astro_hier.core import sky
from astro_hier.part import Part
from astro_hier.posterior import Parameter
from astro_hier.table import Role

MAX_SAMPLED_MODES = 6  # more are integrated out
MAX_MODES = 200
MEAN_TOLERANCE = 0.01  # share of the variance of a mean parallax that the modes may leave out
DEPTH_TOLERANCE = 0.05  # standard deviations by which the depth may be off
TOO_MUCH = 0.1  # of either: a warning
LEFT_OUT = checks.define(
    "covariance_left_out",
    limit=f"at most {100 * TOO_MUCH:.0f} percent of the variance of the mean parallax, and"
    f" {TOO_MUCH} standard deviations of the depth",
    said="{modes} common offsets leave out {found}, because the covariance of these stars changes"
    " too fast with their separation",
    python="the error of mu_r is off by half that share, and std_r by about that much; to see by"
    " how much, fit parts of the table, of some hundred stars each",
)
ZERO = (np.zeros(1),) * 4  # coordinates of a star, twice


@dataclass(frozen=True)
class NoOffsets(Part):
    """The parallaxes are independent."""

    def __bool__(self) -> bool:
        return False

    def check_argument(self) -> None:
        """Raise a ValueError if the argument is not a covariance."""

    def prepared(self, rows: Mapping[str, np.ndarray]) -> "NoOffsets":
        """The offsets of the stars in these rows."""
        return self

    @property
    def numbers(self) -> dict[str, int]:
        """Number of elements of the parameter, by name."""
        return {}

    @property
    def sampled(self) -> dict[str, int]:
        """The same, if they are few enough to be sampled like other parameters."""
        return {}

    def missing(self, theta: Mapping[str, Any]) -> bool:
        """Whether there are offsets that ``theta`` lacks, so that they are integrated out."""
        return False

    def added(self, offset: Any, theta: Mapping[str, Any]) -> Any:
        """An offset of the parallaxes plus the common offsets in ``theta`` [mas]."""
        return offset

    def widened(self, error: Any) -> Any:
        """Errors that include the stars' own variance [mas]."""
        return error

    def at(self, places: np.ndarray | slice) -> Self:
        """The offsets of the stars with these numbers."""
        return self

    @property
    def attrs(self) -> dict[str, float]:
        """Attributes for the posterior."""
        return {}

    def checks(self) -> list[Finding]:
        """Whether there are enough modes."""
        return []


@dataclass(frozen=True)
class OwnVariance(NoOffsets):
    """Each star's own variance alone, once the offsets have been subtracted."""

    own_variance: np.ndarray  # shape (star,) [mas2]

    def widened(self, error):
        return (error**2 + self.own_variance) ** 0.5


@dataclass(frozen=True)
class Modes(OwnVariance):
    """The offsets of a table's stars."""

    modes: np.ndarray  # shape (mode, star) [mas]
    left_out: float  # share of the variance of the mean parallax
    depth_off: float  # standard deviations

    def __bool__(self):
        return True

    @property
    def numbers(self):
        return {"mode": len(self.modes)}

    @property
    def sampled(self):
        return self.numbers if len(self.modes) <= MAX_SAMPLED_MODES else {}

    def missing(self, theta):
        return "mode" not in theta

    def taken_off(self) -> OwnVariance:
        """What is left once the offsets are known and subtracted from the parallaxes."""
        return OwnVariance(self.own_variance)

    def added(self, offset, theta):
        return offset + theta["mode"] @ self.modes

    def at(self, places):
        at = {"modes": self.modes[:, places], "own_variance": self.own_variance[places]}
        return replace(self, **at)

    @property
    def attrs(self):
        return {
            "covariance_modes": len(self.modes),
            "covariance_left_out": self.left_out,
            "covariance_depth_off": self.depth_off,
        }

    def checks(self):
        mean, depth = abs(self.left_out), self.depth_off
        found = (
            f"{100 * mean:.0f} percent of the variance of the mean parallax, and"
            f" {depth:.2f} standard deviations of the depth"
        )
        return [LEFT_OUT.finding(found, max(mean, depth) > TOO_MUCH, modes=len(self.modes))]


@dataclass(frozen=True)
class CommonOffsets(NoOffsets):
    """The option: a covariance, by name or as a function of separation."""

    covariance: str | Callable

    parameters = (
        Parameter("mode", u.one, r"\zeta", "common offset of the parallaxes", ("mode_number",)),
    )
    roles = Role("ra", u.deg, largest=360), Role("dec", u.deg, largest=90)

    def __bool__(self):
        return True

    def check_argument(self):
        covariances.as_covariance(self.covariance)

    def prepared(self, rows):
        covariance = covariances.as_covariance(self.covariance)
        parallax, error = rows["parallax"], rows["parallax_error"]
        scatter = (np.median(np.abs(parallax - np.median(parallax))) / 0.6745) ** 2
        spread = np.sqrt(0.5 * max(scatter - np.median(error) ** 2 - covariance(*ZERO)[0, 0], 0))
        modes, variance, left_out, depth_off = sky.modes(
            rows["ra"],
            rows["dec"],
            error,
            spread,
            covariance,
            few=MAX_SAMPLED_MODES,
            most=MAX_MODES,
            enough=MEAN_TOLERANCE,
            enough_depth=DEPTH_TOLERANCE,
        )
        return Modes(variance, modes, left_out, depth_off)
