"""The work on one star of a population: its likelihood, its draws, its line in a table.

Everything is a function of the star's `~astro_hier.core.orbit.Visits` and the common grid in ln P,
so that stars can be worked on anywhere and in any order.
"""

from dataclasses import dataclass

import numpy as np

from astro_hier.core import orbit, period_nodes, population


@dataclass(frozen=True)
class StarSummary:
    """What the first pass over the stars keeps of each: little, for there may be many."""

    row: population.StarRow
    best_period: float
    error: float
    nodes: period_nodes.PeriodNodes | None


def _nodes(visits, grid):
    """The star's cells, in the measure of ln P, none wider than the grid's step."""
    return period_nodes.split(period_nodes.period_nodes(visits, grid), grid.step)


def summarise(visits, grid, cells_kept):
    """The first pass over one star; its cells are kept if they are no more than ``cells_kept``."""
    nodes = _nodes(visits, grid)
    best = np.argmax(np.maximum(nodes.log_low, nodes.log_high))
    at = nodes.low if nodes.log_low[best] > nodes.log_high[best] else nodes.high
    keep = nodes if len(nodes.low) <= cells_kept else None
    return StarSummary(population.star_row(nodes, grid), float(1 / at[best]), nodes.error, keep)


def draw(visits, grid, star, log_density, rng):
    """Period, a, b, v0 for each theta, shape (4, theta).

    ``star`` is its `StarSummary`, ``log_density`` ln of the population's density at the points of
    its row, shape (theta, point).
    """
    points = population.draw_points(star.row, log_density, rng)
    nodes = star.nodes or _nodes(visits, grid)
    P = population.draw_periods(nodes, grid, points, rng)
    return np.array([P, *orbit.draw_linear(visits, 1 / P, rng)])


def describe(visits, grid, log_density):
    """The star given its velocities and the population, for a table: a dict of numbers.

    ``log_density`` is ln of the population's density on the grid, for some draws of it, shape
    (theta, point).
    """
    nodes = _nodes(visits, grid)
    row = population.star_row(nodes, grid)
    # the star's posterior over that under a flat population, averaged over the population's draws
    log_mass = np.log(row.weight) + log_density[:, row.index]
    mass = np.exp(log_mass - log_mass.max(axis=1, keepdims=True))
    mass = (mass / mass.sum(axis=1, keepdims=True)).mean(axis=0) / row.weight
    frequency = 0.5 * (nodes.low + nodes.high)
    gain = np.interp(-np.log(frequency), grid.points[row.index], mass)
    probability = nodes.probability * gain
    probability /= probability.sum()
    P = probability @ (1 / frequency)
    spread = np.sqrt(probability @ (1 / frequency - P) ** 2)
    density = 0.5 * (nodes.log_low + nodes.log_high) + np.log(np.maximum(gain, 1e-300))
    best = np.array([frequency[np.argmax(density)]])
    a, b, v0 = (x[0] for x in orbit.Solution(visits, best).linear())
    residual = visits.rv - orbit.radial_velocity(visits.time, 1 / best[0], a, b, v0)
    dof = len(visits.rv) - 4
    shares = np.bincount(period_nodes.mode_of_cells(nodes), probability)
    return {
        "n_visits": len(visits.rv),
        "baseline": np.ptp(visits.time),
        "P": P,
        "P_sd": spread,
        "P_map": 1 / best[0],
        "K": np.hypot(a, b),
        "v0": v0,
        "n_modes": int(np.sum(shares > 0.01)),
        "probability": min(float(shares.max()), 1.0),
        "chi2_per_dof": np.sum((residual / visits.rv_error) ** 2) / dof if dof > 0 else np.nan,
    }
