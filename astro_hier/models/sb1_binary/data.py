"""The prepared visits of one star, and the integral over its period."""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from tqdm import tqdm

from astro_hier import priors
from astro_hier.core import orbit, period_cells, period_nodes
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.orbit import Visits
from astro_hier.core.period_cells import PeriodNodes
from astro_hier.models.orbits import terms
from astro_hier.models.orbits.data import Velocities
from astro_hier.priors.base import FrozenPrior
from astro_hier.table import Rows


@dataclass(frozen=True, eq=False)
class OneStar(Velocities):
    """The velocities of one star.

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
    closed : Visits or None
        The visits as the core takes them, with the nodes of the scatter; None if the prior of a
        linear parameter is not normal, so that only NUTS can sample the posterior.
    """

    period: FrozenPrior
    period_is_known: bool
    n_shape: int
    known: JitterPrior | None
    closed: Visits | None

    @property
    def is_closed(self) -> bool:
        """Whether the linear parameters are integrated out in closed form."""
        return self.closed is not None

    @property
    def visits(self) -> Visits:
        """The visits as the core takes them.

        Raises
        ------
        astro_hier.priors.PriorError
            If a linear parameter cannot be integrated out.
        """
        if self.closed is None:
            raise terms.cannot_integrate(terms.not_normal(self.terms, self.instruments)[0])
        return self.closed

    @cached_property
    def nodes(self) -> PeriodNodes:
        """Cells for integrals over the period's posterior; raises what ``visits`` raises."""
        return period_nodes.period_nodes(orbit.likelihood(self.visits), self.period)

    @cached_property
    def modes(self) -> tuple[np.ndarray, np.ndarray]:
        """Number of each cell's mode, and the probability of each mode."""
        mode = period_cells.mode_of_cells(self.nodes)
        return mode, np.bincount(mode, self.nodes.probability)

    @property
    def searched(self) -> tuple[float, float]:
        """Shortest and longest period searched [d]."""
        return period_nodes.searched_range(self.period)

    @property
    def degrees_of_freedom(self) -> int:
        """Number of visits minus that of the parameters fitted to them."""
        return len(self.rv) - self.n_shape - self.n_adjusted(0)


def prepare(model, rows: Rows, progressbar: bool) -> OneStar:
    """The visits as the core takes them, on a lattice of the scatter if there is one."""
    measured = Velocities.of(rows, model.orbit, model.terms, model.scatter)
    period, closed = prior_of_period(model), None
    known = measured.scatter.known(len(measured.instruments))
    if not terms.not_normal(measured.terms, measured.instruments):
        visits = measured.visits_of(0, *terms.moments(measured.terms, measured.instruments))
        progress = partial(tqdm, desc="jitters", disable=not progressbar)
        closed = measured.scatter.with_nodes(visits, known, period, progress)
    free = [p.name for p in measured.orbit.parameters if p.name in model.free_names()]
    return measured.extended(
        OneStar, period=period, period_is_known="P" not in free, n_shape=len(free), known=known,
        closed=closed,
    )  # fmt: skip


def prior_of_period(model) -> FrozenPrior:
    """The frozen prior of the period in d.

    Raises
    ------
    astro_hier.priors.PriorError
        If it allows periods below zero.
    """
    prior = model.frozen_priors()["P"]
    if prior.support()[0] < 0:
        raise priors.PriorError(
            f"P={model.P!r} allows periods below zero; expected a prior on positive values, such"
            " as priors.TruncatedNormal(..., lower=0.1 * u.day)"
        )
    return prior
