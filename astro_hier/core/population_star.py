"""The work on one star of a population: its likelihood, its draws, its line in a table.

Everything is a function of the star's `~astro_hier.core.orbit.Visits`, of what is known of their
scatter (a `~astro_hier.core.jitter.JitterPrior`, or None), and the common grid in ln P, so that
stars can be worked on anywhere and in any order.
"""

from dataclasses import dataclass, replace

import numpy as np

from astro_hier.core import jitter as scatter
from astro_hier.core import orbit, period_nodes, population


@dataclass(frozen=True)
class StarSummary:
    """What the first pass over the stars keeps of each: little, for there may be many."""

    row: population.StarRow
    best_period: float
    chi2: float  # of the best orbit there, without jitter
    error: float
    nodes: period_nodes.PeriodNodes | None
    jitter: orbit.Jitter | None


def _nodes(visits, grid):
    """The star's cells, in the measure of ln P, none wider than the grid's step."""
    return period_nodes.split(period_nodes.period_nodes(visits, grid), grid.step)


def _layers(visits, nodes):
    """The same cells at each value of the scatter, its weight left out."""
    ends = [
        orbit.by_node(visits, frequency) - visits.jitter.log_weight[:, None]
        for frequency in (nodes.low, nodes.high)
    ]
    return [replace(nodes, log_low=low, log_high=high) for low, high in zip(*ends, strict=True)]


def summarise(visits, jitter, layered, grid, cells_kept):
    """The first pass over one star; its cells are kept if they are no more than ``cells_kept``.

    ``layered`` says whether the likelihood is wanted at each value of the scatter.
    """
    if jitter is not None:
        visits = jitter.laid(visits, grid)
    nodes = _nodes(visits, grid)
    best = np.argmax(np.maximum(nodes.log_low, nodes.log_high))
    at = nodes.low if nodes.log_low[best] > nodes.log_high[best] else nodes.high
    keep = nodes if len(nodes.low) <= cells_kept else None
    row = population.star_row(nodes, grid, _layers(visits, nodes) if layered else None)
    linear = orbit.Solution(visits, at[[best]]).linear()[:, 0]
    chi2 = np.sum((_residual(visits, at[best], linear) / visits.rv_error) ** 2)
    return StarSummary(row, float(1 / at[best]), float(chi2), nodes.error, keep, visits.jitter)


def _residual(visits, frequency, linear):
    return visits.rv - orbit.velocity(visits, frequency, linear)


def draw(visits, jitter, grid, star, log_density, shares, within, rng):
    """Period, scatter and linear parameters for each theta.

    Parameters
    ----------
    star : StarSummary
        The star's.
    log_density : ndarray
        ln of the population's density at the points of its row, shape (theta, point).
    shares : ndarray or None
        Shares of the scatters in the cells of its layers, shape (layer, theta), and
    within : callable or None
        how they are distributed within, see `astro_hier.core.jitter.draw`: where scatters are drawn
        from a population.

    Returns
    -------
    tuple of ndarray
        Shapes (theta,), (instrument, theta) or None, and (parameter, theta).
    """
    visits = replace(visits, jitter=star.jitter)
    nodes = star.nodes or _nodes(visits, grid)
    layers = (nodes,) if shares is None else _layers(visits, nodes)
    of_theta = np.ones((len(log_density), 1)) if shares is None else shares.T
    points, layer = population.draw_points(star.row, log_density, of_theta, rng)
    P = np.empty(len(points))
    for number in np.unique(layer):
        of = layer == number
        P[of] = population.draw_periods(layers[number], grid, points[of], rng)
    s = None
    if jitter is not None:
        if shares is None:
            s = jitter.draw(visits, 1 / P, rng)
        else:
            log_shares = np.log(np.maximum(shares, 1e-300))
            s = scatter.draw(visits, 1 / P, log_shares, within, rng)
        visits = visits.scattered(s)
    return P, s, orbit.draw_linear(visits, 1 / P, rng)


def describe(visits, star, grid, log_density, shares, n_fitted):
    """The star given its velocities and the population, for a table: a dict of numbers.

    ``star`` is its `StarSummary`, ``log_density`` ln of the population's density on the grid, for
    some draws of it, shape (theta, point); ``shares`` a function from the ends of cells to the
    share of scatters in them, averaged over these draws, or None; ``n_fitted`` the number of
    parameters adjusted to the star's velocities. Also the visits with the scatter that is likely,
    and the best orbit.
    """
    visits, nodes = replace(visits, jitter=star.jitter), star.nodes
    if shares is not None:
        share = shares(visits.jitter.low, visits.jitter.high)
        log_weight = np.log(np.maximum(share, 1e-300))
        visits, nodes = replace(visits, jitter=replace(visits.jitter, log_weight=log_weight)), None
    nodes = nodes or _nodes(visits, grid)
    row = population.star_row(nodes, grid)
    # the star's posterior over that under a flat population, averaged over the population's draws
    log_mass = np.log(row.weight[0]) + log_density[:, row.index]
    mass = np.exp(log_mass - log_mass.max(axis=1, keepdims=True))
    mass = (mass / mass.sum(axis=1, keepdims=True)).mean(axis=0) / row.weight[0]
    frequency = 0.5 * (nodes.low + nodes.high)
    gain = np.interp(-np.log(frequency), grid.points[row.index], mass)
    probability = nodes.probability * gain
    probability /= probability.sum()
    P = probability @ (1 / frequency)
    spread = np.sqrt(probability @ (1 / frequency - P) ** 2)
    density = 0.5 * (nodes.log_low + nodes.log_high) + np.log(np.maximum(gain, 1e-300))
    best = np.array([frequency[np.argmax(density)]])
    likely = {} if star.jitter is None else {"jitter": scatter.likely(visits, best)[:, 0]}
    if likely:
        visits = visits.scattered(likely["jitter"])
    linear = orbit.Solution(visits, best).linear()[:, 0]
    chi2 = np.sum((_residual(visits, best[0], linear) / visits.rv_error) ** 2)
    dof = len(visits.rv) - n_fitted
    shares = np.bincount(period_nodes.mode_of_cells(nodes), probability)
    return {
        "n_visits": len(visits.rv),
        "baseline": np.ptp(visits.time),
        "P": P,
        "P_sd": spread,
        "P_map": 1 / best[0],
        "K": np.hypot(*linear[:2]),
        "v0": linear[2],
        "n_modes": int(np.sum(shares > 0.01)),
        "probability": min(float(shares.max()), 1.0),
        **likely,
        "chi2_per_dof": chi2 / dof if dof > 0 else np.nan,
    }, (visits, linear)
