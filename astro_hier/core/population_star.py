"""The work on one star of a population: its likelihood and its draws.

Everything is a function of the star's `~astro_hier.core.orbit.Visits`, of what is known about their
scatter (a `~astro_hier.core.jitter.JitterPrior`, or None), and of the common grid in ln P, so stars
can be processed anywhere and in any order.
"""

from dataclasses import dataclass, replace

import numpy as np

from astro_hier.core import (
    cells,
    orbit,
    orbit_evidence,
    period_cells,
    period_nodes,
    population,
)
from astro_hier.core import jitter as scatter
from astro_hier.core.floats import TINY
from astro_hier.core.period_kept import KeptCells

LEAST_SHARE = 0.01  # share of the posterior of a scatter below ``least_scatter``


@dataclass(frozen=True)
class Constant:
    """The star in a model without an orbit.

    Attributes
    ----------
    log_p : ndarray
        ln p(v), at each value of the scatter if this has a population, shape (node,).
    jitter : orbit.Jitter or None
        These values and their cells.
    """

    log_p: np.ndarray
    jitter: orbit.Jitter | None


@dataclass(frozen=True)
class StarSummary:
    """What the first pass keeps of each star: little, since there may be many.

    Attributes
    ----------
    rows : tuple of cells.Row
        On each of the grids.
    best_period : float
        The period of highest likelihood.
    linear, scatter, least_scatter : ndarray
        At this period: the best-fitting linear parameters for the mean scatter, that scatter, and
        the scatter that 99 percent of the posterior exceeds, for each instrument.
    chi2 : float
        Of this orbit, with the mean scatter.
    error : float
        Of the integral over periods.
    cells : KeptCells or None
        The star's cells, if they are few enough to keep.
    jitter : orbit.Jitter or None
        The nodes of the scatter.
    constant : Constant
        The star without an orbit.
    """

    rows: tuple[cells.Row, ...]
    best_period: float
    linear: np.ndarray
    scatter: np.ndarray
    least_scatter: np.ndarray
    chi2: float
    error: float
    cells: KeptCells | None
    jitter: orbit.Jitter | None
    constant: Constant


def nodes_again(visits, grid, star):
    """The star's cells, uniform in ln P, none wider than the grid's step.

    From what the first pass kept of them, or else from a second search.

    The ``visits`` may have other weights of the nodes of their scatter than in the first pass.
    """
    if star.cells is None:
        return period_cells.split(_searched(visits, grid).nodes(grid), grid.step)
    nodes = star.cells.nodes(grid)
    if visits.jitter is not star.jitter:
        likelihood = orbit.likelihood(visits)
        log_low, log_high = likelihood.at(nodes.low), likelihood.at(nodes.high)
        nodes = replace(nodes, log_low=log_low, log_high=log_high)
    return period_cells.split(nodes, grid.step)


def _searched(visits, grid):
    return KeptCells.of(period_nodes.period_nodes(orbit.likelihood(visits), grid))


def _split(visits, nodes, grids, layered):
    """The cells and their layers, none wider than a step of the finest grid."""
    layers = _layers(visits, nodes) if layered else (nodes,)
    nodes, *layers = (period_cells.split(of, grids[-1].step) for of in (nodes, *layers))
    return nodes, layers


def _rows(nodes, layers, grids):
    """The star's row on each grid: made for the finest, from which the others follow."""
    rows = [population.star_row(nodes, grids[-1], layers)]
    for _ in grids[1:]:
        rows.append(rows[-1].coarser())
    return tuple(rows[::-1])


def _layers(visits, nodes):
    """The same cells at each value of the scatter, without its weight."""
    ends = [
        orbit.by_node(visits, frequency) - visits.jitter.log_weight[:, None]
        for frequency in (nodes.low, nodes.high)
    ]
    return [replace(nodes, log_low=low, log_high=high) for low, high in zip(*ends, strict=True)]


def summarise(visits, jitter, layered, grids, cells_kept):
    """The first pass over one star; its cells are kept if there are at most ``cells_kept``.

    Each of the ``grids`` has half the step of the one before; ``layered`` says whether the
    likelihood is needed at each value of the scatter.
    """
    constant = orbit_evidence.without_orbit(visits, jitter)
    visits, nodes = search(visits, jitter, grids[0])
    keep = KeptCells.of(nodes) if len(nodes.low) <= cells_kept else None
    return summary_of(visits, nodes, layered, grids, keep, _constant(constant, layered))


def search(visits, jitter, grid):
    """The visits with the nodes of their scatter, if there is one, and the star's cells."""
    if jitter is not None:
        visits = jitter.with_nodes(visits, grid)
    return visits, period_nodes.period_nodes(orbit.likelihood(visits), grid)


def summary_of(visits, nodes, layered, grids, keep, constant):
    """The summary of a star whose cells have been found, see `summarise`."""
    nodes, at = period_cells.split(nodes, grids[0].step), nodes.best_frequency
    rows = _rows(*_split(visits, nodes, grids, layered), grids)
    likely, least = scatter_at(visits, at)
    linear, chi2 = fitted(visits.scattered(likely) if likely.size else visits, at)
    return StarSummary(
        rows, float(1 / at), linear, likely, least, chi2, nodes.error, keep, visits.jitter, constant
    )


def scatter_at(visits, frequency):
    """Each instrument's mean scatter, and the one that almost all of its posterior exceeds."""
    values, mass = orbit.likelihood(visits).scatter(np.array([frequency]))
    mass = mass[:, 0]
    least = [orbit_evidence.quantile(of, mass, LEAST_SHARE) for of in values.T]
    return mass @ values, np.array(least)


def _constant(visits, layered):
    """What is kept of the ``visits`` in a model without an orbit."""
    still = np.ones(1)
    if not layered:
        return Constant(orbit.log_marginal(visits, still), None)
    log_p = orbit.by_node(visits, still)[:, 0] - visits.jitter.log_weight
    return Constant(log_p, visits.jitter)


def fitted(visits, frequency):
    """The best-fitting linear parameters at a frequency, and their chi2."""
    linear = orbit.Solution(visits, np.array([frequency])).linear()[:, 0]
    residual = visits.rv - orbit.velocity(visits, frequency, linear)
    return linear, float(np.sum((residual / visits.rv_error) ** 2))


def draw(visits, jitter, level, grids, star, densities, shares, within, rng):
    """Draw period, scatter and linear parameters for each theta.

    Parameters
    ----------
    visits, jitter
        The star's visits, and what is known about their scatter.
    level : int
        Number of the grid to draw on.
    grids : tuple of `~astro_hier.core.population.LnPeriodGrid`
        The grids of the first pass.
    star : StarSummary
        The star's summary.
    densities : `~astro_hier.core.cell_draws.Densities`
        The population's densities at the points of the star's row, and maybe at others.
    shares : ndarray or None
        The population's shares of scatters in the cells of the layers, shape (layer, theta), if
        the scatter has a population.
    within : callable or None
        How scatters are distributed within a cell, see `astro_hier.core.jitter.draw`.
    rng : `numpy.random.Generator`

    Returns
    -------
    tuple of ndarray
        Shapes (theta,), (instrument, theta) or None, and (parameter, theta).
    """
    visits = replace(visits, jitter=star.jitter)
    nodes = nodes_again(visits, grids[0], star)
    _, layers = _split(visits, nodes, grids, shares is not None)
    of_theta = np.ones((len(densities.log), 1)) if shares is None else shares.T
    points, layer = densities.draw_points(star.rows[level], of_theta, rng)
    P = np.empty(len(points))
    for number in np.unique(layer):
        of = layer == number
        P[of] = population.draw_periods(layers[number], grids[level], points[of], rng)
    s = None
    if jitter is not None:
        if shares is None:
            s = jitter.draw(visits, 1 / P, rng)
        else:
            log_shares = np.log(np.maximum(shares, TINY))
            s = scatter.draw(visits, 1 / P, log_shares, within, rng)
        visits = visits.scattered(s)
    return P, s, orbit.draw_linear(visits, 1 / P, rng)
