"""From rows to the velocities of a sample, and the integrals over each star's orbits."""

import hashlib
from functools import partial
from typing import Any

import astropy.units as u
import numpy as np
from joblib import delayed

from astro_hier.core import cells, eccentric_population, plane, population_star
from astro_hier.core.eccentric_population import Reference
from astro_hier.core.eccentric_prior import EccentricityTable, OrbitPrior
from astro_hier.core.population import LnPeriodGrid
from astro_hier.models import grids
from astro_hier.models.binary_population.circular import CircularStars
from astro_hier.models.binary_population.data import Sample, in_parallel, of_star
from astro_hier.models.binary_population.eccentric import EccentricStars
from astro_hier.models.binary_population.kept import Kept
from astro_hier.models.binary_population.selection import Selection
from astro_hier.models.orbits import loops, shape, terms
from astro_hier.models.orbits.data import Velocities
from astro_hier.models.orbits.ellipse import Ellipse
from astro_hier.models.orbits.scatter import JitterPopulation
from astro_hier.populations import Circular
from astro_hier.table import Rows

SHORTEST = 0.5 * u.day  # period searched by default
BASELINES = 3.0  # longest period searched by default, in units of the longest baseline
LAYERS = 20  # rows of a star whose scatter has a population, roughly
CELLS_KEPT = 11_000_000  # for all stars, 80 MB; those of other stars are searched when needed
NODES_KEPT, MOST_NODES, LEAST_NODES = 4_000_000, 4000, 500  # for all stars, and for each


def prepare(model, rows: Rows, progressbar: bool) -> Sample:
    """The likelihood of every star's orbit, on cells that all stars share."""
    measured = Velocities.of(rows, model.orbit, model.terms, model.scatter)
    ends, is_circle = ends_of(model, measured), not isinstance(measured.orbit, Ellipse)
    if is_circle:
        loops.check_scatters(measured, ends)
    compiled = is_circle and loops.are_worth_it(measured, ends, progressbar)
    common = common_to_all(model, measured, ends, compiled)
    form = _circles if is_circle else _ellipses
    return form(
        model, measured.extended(Sample, summaries=[], kept=None, **common), common, progressbar
    )


def common_to_all(model, measured: Velocities, ends: tuple[float, float], compiled: bool) -> dict:
    """The fields of a sample that do not depend on its stars, by name."""
    return {
        "population": model.distribution,
        "ends": ends,
        "moments": terms.moments(measured.terms, measured.instruments),
        "known": measured.scatter.known(len(measured.instruments)),
        "compiled": compiled,
    }


def levels_for(model, sample: Sample, n_rows: int) -> grids.Levels:
    """The grids of ln P for circles, given the number of rows of all stars."""
    following = partial(LnPeriodGrid.following, *sample.ends)
    return grids.plan(sample.population, model.frozen_priors(), following, n_rows)


def _circles(model, sample, common, progressbar):
    n_stars, layered = len(sample.stars), sample.scatter.layered
    levels = levels_for(model, sample, n_stars * (LAYERS if layered else 1))
    given = sample.known, layered, levels.grids, CELLS_KEPT // n_stars
    work = (
        delayed(of_star)(sample.stars[n], population_star.summarise, sample.visits(n), *given)
        for n in range(n_stars)
    )
    summaries = in_parallel(work, model.n_jobs, n_stars, "periods", progressbar)
    matrices = [
        cells.Matrix.of(rows) for rows in zip(*(star.rows for star in summaries), strict=True)
    ]
    kept = kept_by(model, sample, levels.grids[-1])
    return sample.extended(
        CircularStars, **common, summaries=summaries, kept=kept, levels=levels, matrices=matrices
    )


def _ellipses(model, sample, common, progressbar):
    n_stars = len(sample.stars)
    reference = reference_of(model, sample, n_stars)
    work = (
        delayed(of_star)(
            star, eccentric_population.summarise, sample.visits(n), reference, seed_of(star)
        )
        for n, star in enumerate(sample.stars)
    )
    summaries = in_parallel(work, model.n_jobs, n_stars, "orbits", progressbar)
    matrix = cells.Matrix.of([star.row for star in summaries])
    kept = kept_by(model, sample, reference.plane)
    return sample.extended(
        EccentricStars, **common, summaries=summaries, kept=kept, reference=reference, matrix=matrix
    )


def seed_of(star: Any) -> int:
    """A seed for the search of a star, which depends on its label alone."""
    digest = hashlib.blake2b(str(star).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def kept_by(model, sample: Sample, where: Any) -> Kept | None:
    """The share of stars that a selection keeps, on a grid of ln P or on cells."""
    if model.selection is None:
        return None
    selection = Selection.of(model.selection, sample.ends, model.is_eccentric)
    if model.companion_fraction is not None and selection.kept_without_companion is None:
        raise ValueError(
            'selection: meta["kept_without_companion"] is missing; expected the share of stars of'
            " constant velocity that are kept, which companion_fraction= needs"
        )
    _check_amplitudes(model, selection.amplitude)
    return Kept.on(selection, where)


def _check_amplitudes(model, injected):
    """Injections have the amplitudes of the model's prior, for these have no population."""
    own = model.a if model.amplitude is None else model.amplitude
    if injected is not None and injected != repr(own):
        raise ValueError(
            f"selection: orbits were injected with amplitude={injected}, and the model has {own!r};"
            " expected the same prior of amplitudes"
        )


def reference_of(model, sample: Sample, n_stars: int, n_periods: int | None = None) -> Reference:
    """The cells, and the priors of the searches.

    ``n_periods`` is the number of cells of ln P, by default what the population needs.

    Raises
    ------
    ValueError
        If scatters are not those of single stars with one prior.
    """
    if isinstance(sample.scatter, JitterPopulation):
        raise ValueError(
            f"jitter={model.jitter!r}: jitters have no population together with eccentric orbits;"
            " expected a prior, which all stars share, or eccentricity=None"
        )
    if not sample.scatter.is_common and len(sample.instruments) > 1:
        raise ValueError(
            f"instrument={model.instrument!r} and jitter={model.jitter!r}: with eccentric orbits"
            " all instruments share a star's jitter; expected shared_jitter=True"
        )
    population, period = sample.population, LnPeriodGrid(*sample.log_ends, 2, "ln")
    scatter = 0.0 if sample.known is None else sample.known.prior
    shapes = [] if isinstance(population, Circular) else [eccentric_population.ECCENTRICITY]
    if population.has_circles:
        shapes.append(0.0)
    priors = tuple(
        OrbitPrior(period, EccentricityTable.of(of_e), model.amplitudes.scale, scatter)
        for of_e in shapes
    )
    width = population.smallest_width(model.frozen_priors())
    of_P, of_e = plane.edges(sample.log_ends, width, n_periods)
    shares = np.sum([plane.reference_shares(of_P, of_e, prior) for prior in priors], axis=0)
    kept = int(np.clip(NODES_KEPT // max(n_stars, 1), LEAST_NODES, MOST_NODES))
    return Reference(plane.Plane(of_P, of_e, shares), priors, sample.known, kept)


def ends_of(model, measured: Velocities) -> tuple[float, float]:
    """Shortest and longest period searched [d]."""
    if model.period_range is None:
        shortest, longest = SHORTEST.to_value(u.day), np.zeros(len(measured.stars))
        np.maximum.at(longest, measured.star, measured.time)
        return shortest, max(BASELINES * longest.max(), 100 * shortest)
    return shape.period_range(model.period_range)
