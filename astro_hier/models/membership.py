"""Which rows are members: all, or those that a background leaves.

`NoBackground` and `WithBackground` have the same methods, so that a model need not ask whether
there is a background. `astro_hier.outliers` has the mathematics.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.stats import norm

from astro_hier import outliers
from astro_hier.checks import Finding
from astro_hier.core import groups
from astro_hier.core.groups import Groups
from astro_hier.inference import influence
from astro_hier.model.parameters import Theta
from astro_hier.models import goodness
from astro_hier.posterior import Parameter

__all__ = ["NoBackground", "WithBackground", "as_background"]

FAR = 4.0  # robust standard deviations beyond which a row is not a member at the start


@dataclass(frozen=True)
class NoBackground:
    """All rows are members."""

    owners: ClassVar[tuple[Any, ...]] = ()  # of the priors
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    latents: ClassVar[tuple[Parameter, ...]] = ()  # those of each row
    # what else to do about rows that decide the result, in Python and in the shell
    remedy_of_rows: ClassVar[tuple[str, str]] = influence.OUTLIERS

    def __bool__(self) -> bool:
        return False

    # ---- the posterior

    def mix(self, log_member: np.ndarray, value: np.ndarray, error: np.ndarray, theta: Theta):
        """ln of the density of each row, shape (theta, row), and of its odds of membership."""
        return log_member, np.inf

    def given_some(self, log_odds: np.ndarray, theta: Theta):
        """ln of the factor of the likelihood, and memberships, given that some row is a member."""
        return 0.0, 1.0

    def lower_ends(self, spread: Callable[[Theta], np.ndarray]) -> dict[str, Callable]:
        """Where priors are cut below, if ``spread`` is the members' true standard deviation."""
        return {}

    def typical(self, log_likelihood: np.ndarray) -> float:
        """Of the likelihoods of some draws, that which stands for all."""
        return np.max(log_likelihood)

    # ---- starting points

    def near(self, value: np.ndarray, error: np.ndarray) -> tuple[Any, dict[str, float]]:
        """Which rows are members at the start, and the start of the parameters that follows."""
        return slice(None), {}

    def groups(self, value: np.ndarray, error: np.ndarray, rng) -> Iterable[Groups]:
        """Groups among the rows, the first of which may be the members."""
        return ()

    def start(self, found: Groups) -> dict[str, float]:
        """A starting point of the background's parameters from groups, the first the members'."""
        return {}

    # ---- draws

    def redrawn(
        self,
        drawn: np.ndarray,
        log_odds: Callable[[], np.ndarray],
        theta: Theta,
        rng: np.random.Generator,
        redraw: Callable,
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Values drawn as of members, those of others drawn anew; and memberships.

        ``log_odds()`` are those of membership, shape (theta, row), and ``redraw(drawn, other,
        theta, rng)`` draws values of the rows that the array ``other`` marks.
        """
        return drawn, {}

    def contaminated(self, true: np.ndarray, theta: Theta, rng, some: bool = True) -> np.ndarray:
        """True values of members, and of others at random; ``some`` row is known to be one."""
        return true

    def contaminated_given(
        self, true: np.ndarray, value: np.ndarray, error: np.ndarray, theta: Theta, rng
    ) -> np.ndarray:
        """True values of measured rows, if those of members are ``true``, shape (theta, row)."""
        return true

    # ---- results

    def remedies(self, narrow: bool) -> list[tuple[str, str]]:
        """What else to say of the rows, where they scatter too widely or too narrowly."""
        return [] if narrow else [goodness.OUTLIERS]

    def checks(self, values: Theta, mean, sd, remedy: str) -> list[Finding]:
        """Whether the background is what it is meant for.

        ``mean`` and ``sd`` are those of the members' values with their errors, shape (draw,), and
        ``remedy`` is what to do where it stands for their wings.
        """
        return []

    def reword(self, finding: Finding) -> Finding:
        """A finding of the method, with the option that is the likeliest cure."""
        return goodness.reword(finding)

    def rows_to_compare(self, value: np.ndarray, error: np.ndarray):
        """Both, unless something describes rows far from all others."""
        return value, error

    def add_membership(self, table: QTable, member: np.ndarray, names: Iterable[str]) -> None:
        """Add the probabilities to a table, and mask columns of rows that are hardly members."""


@dataclass(frozen=True)
class WithBackground(NoBackground):
    """Some rows are not members, and follow a background."""

    background: outliers.Background

    latents = (Parameter("member", u.one, "p", "probability of membership", ("star",)),)
    remedy_of_rows = "", ""

    @property
    def owners(self):
        return (self.background,)

    @property
    def parameters(self):
        return self.background.parameters

    def __bool__(self):
        return True

    def mix(self, log_member, value, error, theta):
        return self.background.mix(log_member, value, error, theta)

    def given_some(self, log_odds, theta):
        return self.background.given_some(log_odds, theta)

    def lower_ends(self, spread):
        return self.background.lower_ends(spread)

    def typical(self, log_likelihood):
        # a background may describe nearly all rows in some of the draws
        return np.median(log_likelihood)

    def near(self, value, error):
        off = np.abs(value - np.median(value))
        near = off <= FAR * np.hypot(1.4826 * np.median(off), error)
        return near, {"outlier_fraction": np.mean(~near)}

    def groups(self, value, error, rng):
        return groups.labelled(value, error, 1 + self.background.parts, rng)

    def start(self, found):
        return self.background.start(found)

    def redrawn(self, drawn, log_odds, theta, rng, redraw):
        log_odds = log_odds()
        other = ~outliers.draw_members(log_odds, rng)
        member = self.background.given_some(log_odds, theta)[1]
        return redraw(drawn, other, theta, rng), {"member": member}

    def contaminated(self, true, theta, rng, some=True):
        member, other = self.background.draw(theta, true.shape[1], rng, some)
        return np.where(member, true, other)

    def contaminated_given(self, true, value, error, theta, rng):
        log_odds = self.background.mix(norm.logpdf(value, true, error), value, error, theta)[1]
        member = outliers.draw_members(log_odds, rng)
        return np.where(member, true, self.background.draw_true(value, error, theta, rng))

    def remedies(self, narrow):
        return []

    def checks(self, values, mean, sd, remedy):
        return [
            self.background.check_wings(values, mean, sd, remedy),
            goodness.check_background(self.background, values),
        ]

    def reword(self, finding):
        return finding

    def rows_to_compare(self, value, error):
        return None

    def add_membership(self, table, member, names):
        table["member"] = member
        for name in names:
            table[name] = goodness.of_members(table[name], member)


def as_background(given: Any, kind: type[outliers.Background]) -> NoBackground:
    """What the argument ``outliers`` of a model stands for, a background of ``kind``."""
    background = outliers.of(given, kind)
    return NoBackground() if background is None else WithBackground(background)
