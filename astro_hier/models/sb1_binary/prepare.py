"""From rows to the velocities of a star on a circular or an eccentric orbit."""

from dataclasses import replace
from functools import partial

import numpy as np
from astropy.table import Table

from astro_hier import progress
from astro_hier.core import period_nodes
from astro_hier.core.eccentric_prior import EccentricityTable, OrbitPrior
from astro_hier.models.orbits import loops, terms
from astro_hier.models.orbits.data import Velocities
from astro_hier.models.orbits.ellipse import Ellipse
from astro_hier.models.sb1_binary.circular import CircularStar
from astro_hier.models.sb1_binary.data import OneStar, prior_of_period
from astro_hier.models.sb1_binary.eccentric import EccentricStar
from astro_hier.table import Rows, TableError
from astro_hier.table.cures import select_first
from astro_hier.table.places import find_places


def check_rows(model, rows: Rows, table: Table) -> None:
    """Raise a `~astro_hier.TableError` if the visits are those of several stars."""
    stars = np.unique(rows.get("star", np.array([])))
    if len(stars) > 1:
        message = (
            f"the table holds {len(stars)} stars ({', '.join(map(str, stars[:3]))}, ...);"
            " expected one: "
        )
        name = find_places(table, model.roles, model.columns_in_use())[0]["star"][0]
        raise TableError(
            f"{message}select its rows, such as {select_first(table, name)}",
            shell=f"{message}use a file of its rows alone, or astro-hier binaries for all",
        )


def prepare(model, rows: Rows, progressbar: bool) -> OneStar:
    """The visits as the core takes them; for circles, on a lattice of the scatter if there is one.

    Raises
    ------
    astro_hier.priors.PriorError
        If a prior of a linear parameter has the wrong unit, or the period may be negative.
    """
    measured = Velocities.of(rows, model.orbit, model.terms, model.scatter)
    period, scatter = prior_of_period(model), measured.scatter
    given = measured.terms, measured.instruments
    closed = not terms.not_normal(*given)
    moments = terms.moments(*given) if closed else terms.approximate_moments(measured.linear)
    visits = measured.visits_of(0, *moments)
    visits = replace(visits, amplitude=model.amplitudes.of_frequency)
    known = scatter.known(len(measured.instruments))
    free = [p.name for p in measured.orbit.parameters if p.name in model.free_names()]
    common = {
        "period": period, "period_is_known": "P" not in free, "n_shape": len(free),
        "known": known, "is_closed": closed,
    }  # fmt: skip
    if isinstance(measured.orbit, Ellipse):
        prior = OrbitPrior(
            period,
            EccentricityTable.of(model.frozen_priors()["e"]),
            model.amplitudes.scale,
            0.0 if known is None or scatter.is_known else known.prior,
        )
        return measured.extended(EccentricStar, visits=visits, prior=prior, **common)
    if closed:
        searched = period_nodes.searched_range(period)
        loops.check_scatters(measured, searched)
        compiled = loops.are_worth_it(measured, searched, progressbar)
        visits = replace(visits, compiled=compiled)
        visits = scatter.with_nodes(visits, known, period, partial(_shown, progressbar))
    return measured.extended(CircularStar, visits=visits, **common)


def _shown(progressbar, nodes):
    return progress.over(nodes, "jitters", len(nodes), "node", progressbar)
