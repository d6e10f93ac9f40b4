"""Which rows are members: all of them, or all but those that belong to a background.

`NoBackground` and `WithBackground` have the same methods, so that a model need not ask whether
there is a background. The mathematics is in `astro_hier.outliers`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.special import log_expit
from scipy.stats import norm

from astro_hier.checks import Finding
from astro_hier.core import groups
from astro_hier.core.floats import Theta
from astro_hier.core.groups import Groups
from astro_hier.inference import influence
from astro_hier.models import goodness
from astro_hier.populations.background import Background
from astro_hier.populations.membership import Tally, draw_members
from astro_hier.posterior import Parameter

__all__ = ["NoBackground", "WithBackground", "as_background"]

FAR = 4.0  # robust standard deviations beyond which a row does not start as a member


@dataclass(frozen=True)
class NoBackground:
    """All rows are members."""

    owners: ClassVar[tuple[Any, ...]] = ()  # parts that own the priors
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    latents: ClassVar[tuple[Parameter, ...]] = ()  # parameters that each row has
    # what can be done about rows that decide the result, in Python and in the shell
    remedy_of_rows: ClassVar[tuple[str, str]] = influence.OUTLIERS

    def __bool__(self) -> bool:
        return False

    # ---- the posterior

    def mix(self, log_member: np.ndarray, value: np.ndarray, error: np.ndarray, theta: Theta):
        """ln of each row's density, shape (theta, row), and ln of its odds of membership."""
        return log_member, np.inf

    def given_some(self, log_odds: np.ndarray, theta: Theta):
        """ln of the factor for the likelihood, and memberships, given at least one member."""
        return 0.0, 1.0

    def tally(self, log_odds: np.ndarray) -> Any:
        """What `log_factor` needs of some of the rows; tallies add up."""
        return 0

    def log_factor(self, tally: Any, theta: Theta) -> Any:
        """The first of what `given_some` returns, from the tally of all rows."""
        return 0.0

    def log_some(self, tally: Any, theta: Theta) -> np.ndarray:
        """ln of the probability that at least one row is a member, shape (theta,)."""
        return np.zeros(len(next(iter(theta.values()))))

    def members(self, log_odds: np.ndarray, log_some: np.ndarray) -> Any:
        """The second, of some of the rows, given `log_some` of all."""
        return 1.0

    def lower_ends(self, spread: Callable[[Theta], np.ndarray]) -> dict[str, Callable]:
        """Lower ends of priors; ``spread`` returns the members' true standard deviation."""
        return {}

    def typical(self, log_likelihood: np.ndarray) -> float:
        """The log likelihood that stands for those of several draws."""
        return np.max(log_likelihood)

    # ---- starting points

    def near(self, value: np.ndarray, error: np.ndarray) -> tuple[Any, dict[str, float]]:
        """Which rows start as members, and where that lets parameters start."""
        return slice(None), {}

    def groups(self, value: np.ndarray, error: np.ndarray, rng) -> Iterable[Groups]:
        """Ways to divide the rows into groups, the first of which may be the members."""
        return ()

    def start(self, found: Groups) -> dict[str, float]:
        """A starting point for the background's parameters, from groups, the members first."""
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
        """Redraw the values of rows that are not members; return values and memberships.

        ``drawn`` are values drawn as if all rows were members, ``log_odds()`` returns ln of the
        odds of membership, shape (theta, row), and ``redraw(drawn, other, theta, rng)`` redraws the
        rows that the boolean array ``other`` marks.
        """
        return drawn, {}

    def contaminated(self, true: np.ndarray, theta: Theta, rng, some: bool = True) -> np.ndarray:
        """True values, with some rows at random from the background.

        ``some`` is whether at least one row is known to be a member.
        """
        return true

    def contaminated_given(
        self, true: np.ndarray, value: np.ndarray, error: np.ndarray, theta: Theta, rng
    ) -> np.ndarray:
        """True values of measured rows, where members have the values ``true``, (theta, row)."""
        return true

    # ---- results

    def remedies(self, narrow: bool) -> list[tuple[str, str]]:
        """Remedies by way of outliers, for rows that scatter too little (narrow) or too much."""
        return [] if narrow else [goodness.OUTLIERS]

    def checks(self, values: Theta, mean, sd, remedy: str) -> list[Finding]:
        """Whether the background describes what it is meant for.

        ``mean`` and ``sd`` are those of the members' measured values, errors included, shape
        (draw,), and ``remedy`` is what to do if the background describes the members' wings.
        """
        return []

    def reword(self, finding: Finding) -> Finding:
        """A finding of the sampling method, with the option that is the likeliest cure."""
        return goodness.reword(finding)

    def rows_to_compare(self, value: np.ndarray, error: np.ndarray):
        """Values and errors to look for stray rows in; None if a background describes those."""
        return value, error

    def add_membership(self, table: QTable, member: np.ndarray, names: Iterable[str]) -> None:
        """Add the probabilities to a table, and mask columns where rows are hardly members."""


@dataclass(frozen=True)
class WithBackground(NoBackground):
    """Some rows are not members, and follow a background."""

    background: Background

    latents = (
        Parameter("member", u.one, "p", "probability of membership", ("star",), bounds=(0.0, 1.0)),
    )
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

    def tally(self, log_odds):
        return Tally.of(log_odds)

    def log_factor(self, tally, theta):
        return tally.given(theta["outlier_fraction"])[0]

    def log_some(self, tally, theta):
        return tally.given(theta["outlier_fraction"])[1]

    def members(self, log_odds, log_some):
        return np.exp(log_expit(log_odds) - log_some[:, None])

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
        other = ~draw_members(log_odds, rng)
        member = self.background.given_some(log_odds, theta)[1]
        return redraw(drawn, other, theta, rng), {"member": member}

    def contaminated(self, true, theta, rng, some=True):
        member, other = self.background.draw(theta, true.shape[1], rng, some)
        return np.where(member, true, other)

    def contaminated_given(self, true, value, error, theta, rng):
        log_odds = self.background.mix(norm.logpdf(value, true, error), value, error, theta)[1]
        member = draw_members(log_odds, rng)
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
            table[name] = goodness.mask_others(table[name], member)


def as_background(given: Any, kind: type[Background]) -> NoBackground:
    """The background, of class ``kind``, that a model's argument ``outliers`` stands for."""
    if given is None or given is False:
        return NoBackground()
    background = _default(kind) if given is True else given  # type: ignore[arg-type]
    if not isinstance(background, Background) or background.unit != kind.unit:
        raise ValueError(
            f"outliers={given!r}; expected True, False, None or"
            f" astro_hier.outliers.{kind.__name__}()"
        )
    return WithBackground(background)


@cache  # models build it at every evaluation
def _default(kind: Any) -> Background:
    return kind()
