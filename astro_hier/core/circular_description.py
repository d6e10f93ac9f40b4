"""A star of a population of circular orbits, given its velocities and the population."""

from dataclasses import replace

import numpy as np

from astro_hier.core import (
    cells,
    orbit,
    orbit_evidence,
    population,
    population_star,
)
from astro_hier.core.circular_star import Modes
from astro_hier.core.floats import TINY, log_sum_exp

CURVES = 20  # draws of the orbit that figures show
SEED = 20161


def significance(star, level, grid, density, outside, shares):
    """Whether a star has an orbit, and whether its visits say what its period is.

    Parameters
    ----------
    star : StarSummary
    level : int
        Number of the grid among those of the first pass.
    grid : `~astro_hier.core.population.LnPeriodGrid`
        That grid.
    density : ndarray
        The population's density on the grid, averaged over its draws, shape (point,).
    outside : ndarray
        The population's shares below and above the range, shape (2,).
    shares : callable or None
        The share of scatters in cells, given their ends, if the scatter has a population.

    Returns
    -------
    tuple of float
        ln of the Bayes factor of an orbit over a constant velocity, and the Kullback-Leibler
        divergence of the period's posterior from the population, in nats.
    """
    layers, constant = np.ones(1), star.constant.log_p
    if shares is not None:
        layers = shares(star.jitter.low, star.jitter.high)
        of_cells = shares(star.constant.jitter.low, star.constant.jitter.high)
        constant = constant + np.log(np.maximum(of_cells, TINY))
    log_evidence, information = cells.information(
        star.rows[level], grid.step, density, outside, layers
    )
    return float(log_evidence - log_sum_exp(constant)), information


def describe(visits, star, level, grid, log_density, density, outside, shares, n_fitted):
    """The star given its velocities and the population, as a dict of numbers for a table.

    ``star`` is its `StarSummary`, and ``level`` the number of the ``grid``. ``log_density`` is ln
    of the population's density on the grid for some draws, shape (theta, point); ``density``, shape
    (point,), and ``outside`` are averages over these draws of the density and of the shares beyond
    the grid. ``shares`` gives the share of scatters in cells from their ends, averaged over these
    draws, or is None. ``n_fitted`` is the number of parameters fitted to the star's velocities.
    Also returns the errors of the visits with the likely scatter, the best orbit and a few draws in
    the same mode, each as a dict of ``P``, shape (draw,), and ``linear``, shape (column, draw).
    """
    log_bayes, information = significance(star, level, grid, density, outside, shares)
    visits, nodes, gain, probability = _posterior(visits, star, grid, log_density, shares)
    modes = Modes.of(nodes, probability, visits.compiled)
    log_gain = np.log(np.maximum(gain, TINY))
    found, inside, best, scattered = modes.best_mode(visits, log_gain, n_fitted)
    draws = _draws(visits, modes.frequency[inside], probability[inside])
    found |= {"ln_bayes_factor": log_bayes, "period_information": information}
    return found, (scattered.rv_error, best, draws)


def _posterior(visits, star, grid, log_density, shares):
    """The star's cells in period, the population's density in them and their probability.

    That density is the ratio of the star's posterior to that under a flat population, averaged over
    the draws of the population. Returns the visits with the nodes of their scatter, too.
    """
    visits = replace(visits, jitter=star.jitter)
    if shares is not None:
        share = shares(visits.jitter.low, visits.jitter.high)
        log_weight = np.log(np.maximum(share, TINY))
        visits = replace(visits, jitter=replace(visits.jitter, log_weight=log_weight))
    nodes = population_star.nodes_again(visits, grid, star)
    row = population.star_row(nodes, grid)
    log_mass = np.log(row.weight[0]) + log_density[:, row.index]
    mass = np.exp(log_mass - log_mass.max(axis=1, keepdims=True))
    mass = (mass / mass.sum(axis=1, keepdims=True)).mean(axis=0) / row.weight[0]
    ln_period = -np.log(0.5 * (nodes.low + nodes.high))
    gain = np.interp(ln_period, grid.points[row.index], mass)
    probability = nodes.probability * gain
    return visits, nodes, gain, probability / probability.sum()


def _draws(visits, frequency, probability):
    """A few orbits of the star, from the posterior of the frequency in a mode."""
    visits, frequency = orbit_evidence.sample(visits, frequency, probability, CURVES)
    linear = orbit.draw_linear(visits, frequency, np.random.default_rng(SEED))
    return {"P": 1 / frequency, "linear": linear}
