"""From rows to the velocities of a sample, and the integrals over each star's orbits."""

import astropy.units as u
import numpy as np
from joblib import delayed

from astro_hier.core import cells, population_star
from astro_hier.models.binary_population import grid
from astro_hier.models.binary_population.circular import CircularStars
from astro_hier.models.binary_population.data import Sample, in_parallel
from astro_hier.models.orbits import terms
from astro_hier.models.orbits.data import Velocities
from astro_hier.table import Rows

SHORTEST = 0.5 * u.day  # period searched by default
BASELINES = 3.0  # longest period searched by default, in units of the longest baseline
CELLS_KEPT = 2_000_000  # for all stars, 80 MB; those of other stars are recomputed when needed


def prepare(model, rows: Rows, progressbar: bool) -> Sample:
    """The likelihood of every star's period, on common grids."""
    measured = Velocities.of(rows, model.orbit, model.terms, model.scatter)
    moments = terms.moments(measured.terms, measured.instruments)
    ends, known = _ends(model, measured), measured.scatter.known(len(measured.instruments))
    n_stars, layered = len(measured.stars), measured.scatter.layered
    levels = grid.plan(model.population, model.frozen_priors(), ends, n_stars, layered)
    common = known, layered, levels.grids, CELLS_KEPT // n_stars
    work = (
        delayed(population_star.summarise)(measured.visits_of(n, *moments), *common)
        for n in range(n_stars)
    )
    summaries = in_parallel(work, model.n_jobs, n_stars, "periods", progressbar)
    matrices = [
        cells.Matrix.of(rows) for rows in zip(*(star.rows for star in summaries), strict=True)
    ]
    return measured.extended(
        CircularStars, population=model.population, ends=ends, moments=moments, known=known,
        levels=levels, summaries=summaries, matrices=matrices,
    )  # fmt: skip


def _ends(model, measured):
    """Shortest and longest period searched [d]."""
    if model.period_range is None:
        shortest, longest = SHORTEST.to_value(u.day), np.zeros(len(measured.stars))
        np.maximum.at(longest, measured.star, measured.time)
        return shortest, max(BASELINES * longest.max(), 100 * shortest)
    try:
        shortest, longest = (u.Quantity(p).to_value(u.day) for p in model.period_range)
    except (TypeError, ValueError, u.UnitConversionError):
        shortest, longest = np.nan, np.nan
    if not 0 < shortest < longest < np.inf:
        raise ValueError(
            f"period_range={model.period_range!r}; expected two times, the shorter first, such as"
            " (1 * u.day, 1000 * u.day)"
        )
    return float(shortest), float(longest)
