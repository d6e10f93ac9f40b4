"""Stars that scatter more widely about the relation than the others.

`AllMembers` and `WithOutliers` have the same methods, so that the model need not ask whether there
are outliers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.special import expit

from astro_hier.checks import Finding
from astro_hier.core.floats import Theta
from astro_hier.inference import influence
from astro_hier.models import goodness
from astro_hier.outliers import WiderScatter
from astro_hier.populations import membership
from astro_hier.posterior import Parameter

__all__ = ["AllMembers", "WithOutliers", "as_outliers"]

Columns = dict[str, Any]  # theta, as columns of shape (theta, 1)


@dataclass(frozen=True)
class AllMembers:
    """All stars have the scatter of the relation."""

    owners: ClassVar[tuple[Any, ...]] = ()  # parts that own the priors
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    latents: ClassVar[tuple[Parameter, ...]] = ()
    remedy_of_rows: ClassVar[tuple[str, str]] = influence.OUTLIERS

    def __bool__(self) -> bool:
        return False

    def lower_ends(self) -> dict[str, Callable]:
        """Lower ends of priors that other parameters set."""
        return {}

    def scatters(self, theta: Columns) -> tuple[Any, ...]:
        """The scatter of members and of others."""
        return (theta["scatter"],)

    def mix(self, log_densities: list[np.ndarray], theta: Theta) -> tuple[np.ndarray, Any]:
        """ln of each star's density, from those with each scatter, and ln of its odds."""
        return log_densities[0], np.inf

    def membership(self, log_odds: Any) -> Any:
        """The probability that each star is a member."""
        return np.ones(1)

    def draw(
        self, log_odds: Callable[[], np.ndarray], theta: Columns, rng: np.random.Generator
    ) -> tuple[Any, dict[str, np.ndarray]]:
        """The scatter of each star, some of them drawn as outliers, and memberships."""
        return theta["scatter"], {}

    def drawn(self, theta: Columns, size: int, rng: np.random.Generator) -> Any:
        """The scatter of each of ``size`` stars about which nothing is known."""
        return theta["scatter"]

    def remedies(self, narrow: bool) -> list[tuple[str, str]]:
        """Remedies by way of outliers, for rows that scatter too little (narrow) or too much."""
        return [] if narrow else [goodness.OUTLIERS]

    def checks(self, values: Theta) -> list[Finding]:
        """Whether outliers are few."""
        return []

    def reword(self, finding: Finding) -> Finding:
        """A finding of the sampling method, with the option that is the likeliest cure."""
        return goodness.reword(finding)

    def add_membership(self, table: QTable, member: np.ndarray) -> None:
        """Add the probabilities of membership to a table."""


@dataclass(frozen=True)
class WithOutliers(AllMembers):
    """A share of the stars has a wider scatter."""

    outliers: WiderScatter

    latents = (
        Parameter("member", u.one, "p", "probability of membership", ("star",), bounds=(0.0, 1.0)),
    )
    remedy_of_rows = "", ""

    @property
    def owners(self):
        return (self.outliers,)

    @property
    def parameters(self):
        return self.outliers.parameters

    def __bool__(self):
        return True

    def lower_ends(self):
        return {"outlier_scatter": lambda theta: theta["scatter"]}

    def scatters(self, theta):
        return theta["scatter"], theta["outlier_scatter"]

    def mix(self, log_densities, theta):
        return membership.mix(*log_densities, theta["outlier_fraction"])

    def membership(self, log_odds):
        return expit(log_odds)

    def draw(self, log_odds, theta, rng):
        member = expit(log_odds())
        other = rng.random(member.shape) > member
        return np.where(other, theta["outlier_scatter"], theta["scatter"]), {"member": member}

    def drawn(self, theta, size, rng):
        other = rng.random((len(theta["scatter"]), size)) < theta["outlier_fraction"]
        return np.where(other, theta["outlier_scatter"], theta["scatter"])

    def remedies(self, narrow):
        return []

    def checks(self, values):
        return [goodness.check_background(self.outliers, values)]

    def reword(self, finding):
        return finding

    def add_membership(self, table, member):
        table["member"] = member


def as_outliers(given: Any) -> AllMembers:
    """The outliers that the argument ``outliers`` stands for."""
    if given is None or given is False:
        return AllMembers()
    outliers = WiderScatter() if given is True else given
    if not isinstance(outliers, WiderScatter):
        raise ValueError(
            f"outliers={given!r}; expected True, False, None or astro_hier.outliers.WiderScatter()"
        )
    return WithOutliers(outliers)
