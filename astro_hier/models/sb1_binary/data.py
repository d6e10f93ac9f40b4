"""The velocities of one star, and what its forms, circular and eccentric orbits, can do."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import QTable

from astro_hier import priors
from astro_hier.checks import Finding
from astro_hier.core import orbit_evidence, period_nodes
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.orbit import Visits
from astro_hier.models.orbits import terms
from astro_hier.models.orbits.data import Velocities
from astro_hier.priors.base import FrozenPrior


@dataclass(frozen=True, eq=False)
class OneStar(Velocities):
    """The velocities of one star, and integrals over its orbits.

    Attributes
    ----------
    period : FrozenPrior
        Prior of the period in d.
    period_is_known : bool
        Whether the period was given as a value.
    n_shape : int
        Number of inferred parameters that shape the orbit.
    known : JitterPrior or None
        What is known about the scatter; None if there is none.
    visits : Visits
        The visits as the core takes them; where priors of linear parameters are not normal, with
        normal ones of the same means and standard deviations.
    is_closed : bool
        Whether the linear parameters can be integrated out in closed form, so that the posterior
        can be drawn from without NUTS.
    """

    period: FrozenPrior
    period_is_known: bool
    n_shape: int
    known: JitterPrior | None
    visits: Visits
    is_closed: bool

    @property
    def searched(self) -> tuple[float, float]:
        """Shortest and longest period searched [d]."""
        return period_nodes.searched_range(self.period)

    @property
    def degrees_of_freedom(self) -> int:
        """Number of visits minus that of the parameters fitted to them."""
        return len(self.rv) - self.n_shape - self.n_adjusted(0)

    @property
    def why_not_beyond(self) -> str:
        """Why periods beyond those searched are not tried; empty if they are."""
        if not np.all(np.isfinite(self.period.support())):
            return "not searched: the prior has an open end"
        if self.degrees_of_freedom <= 0:
            return "not searched: with as few visits as parameters, any period fits"
        return ""

    def check_closed(self) -> None:
        """Raise a `~astro_hier.priors.PriorError` unless ``is_closed``."""
        if not self.is_closed:
            raise terms.cannot_integrate(terms.not_normal(self.terms, self.instruments)[0])

    @property
    def log_evidence_without_orbit(self) -> float:
        """ln p(v) of the same model without amplitude."""
        return orbit_evidence.log_evidence_without_orbit(self.visits, self.known)

    def beyond(self) -> tuple[float, ...]:
        """ln of the average likelihood beyond the periods searched over that within.

        And the best period there, and the shortest and longest looked at: `orbit_evidence.beyond`.
        """
        within = self.log_evidence
        log_mean, *periods = orbit_evidence.beyond(self.visits, self.searched, within, self.known)
        return log_mean - within, *periods

    # ---- what circles and ellipses do each in their way

    @property
    def log_evidence(self) -> float:
        """ln p(v)."""
        raise NotImplementedError

    @property
    def information(self) -> float:
        """Kullback-Leibler divergence of the period's posterior from its prior, in nats."""
        raise NotImplementedError

    @property
    def mode_probabilities(self) -> np.ndarray:
        """Probability of each mode of the posterior."""
        raise NotImplementedError

    def mode_table(self) -> QTable:
        """All modes, with their columns but without formats, in any order."""
        raise NotImplementedError

    def mode_of(self, values: dict[str, np.ndarray]) -> np.ndarray:
        """The number of each draw's mode, shape (draw,), by the order of ``mode_table``."""
        raise NotImplementedError

    def draw(self, size: int, rng: np.random.Generator) -> tuple[dict, dict, dict[str, Any]]:
        """Draws of all parameters, statistics of each, and attributes of the posterior."""
        raise NotImplementedError

    def settled(self, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Draws with all angles and times of passage where the posterior says they are."""
        return values

    def best_p_chi2(self) -> float:
        """Tail probability of chi2 at the best orbit; NaN if a jitter is inferred."""
        raise NotImplementedError

    def periodogram(self) -> tuple[np.ndarray, np.ndarray]:
        """Periods in order [d], and ln of the marginal likelihood there, up to a constant."""
        raise NotImplementedError

    def findings(self) -> list[Finding]:
        """Checks of the integrals themselves."""
        raise NotImplementedError


def prior_of_period(model) -> FrozenPrior:
    """The frozen prior of the period in d.

    Raises
    ------
    astro_hier.priors.PriorError
        If it allows periods below zero, or none above.
    """
    prior = model.frozen_priors()["P"]
    low, high = prior.support()
    if high <= 0 <= low:
        raise priors.PriorError(f"P={model.P!r}; expected a period above zero, such as 3 * u.day")
    if low < 0:
        raise priors.PriorError(
            f"P={model.P!r} allows periods below zero; expected a prior on positive values, such"
            " as priors.TruncatedNormal(..., lower=0.1 * u.day)"
        )
    return prior
