"""One star's distance r, integrated out or drawn, given its cluster.

Distances are in kpc, parallaxes in mas. The hyperparameters have shape (theta,), results (theta,
star). Parallaxes and their errors have shape (star,), or (theta, star) where hyperparameters shift
or scale them.
"""

import numpy as np
from scipy.special import log_ndtr
from scipy.stats import truncnorm

from astro_hier.core.distance_lattice import Lattice
from astro_hier.core.floats import TINY


def log_marginal(parallax, parallax_error, mu_r, std_r):
    """ln p(parallax | mu_r, std_r) with the distances integrated out, shape (theta, star)."""
    lattice = Lattice(parallax, parallax_error, mu_r, std_r)
    total = np.zeros(lattice.size)
    for points, _, weight in lattice.walk(np.full(lattice.size, 0.5)):
        total[points] += weight
    log_density = np.log(total * lattice.step) - 0.5 * lattice.foot_distance2
    log_norm = np.log(2 * np.pi * parallax_error) + log_ndtr(mu_r / std_r)[:, None]
    return lattice.unsort(log_density) - log_norm


def draw(parallax, parallax_error, mu_r, std_r, rng):
    """One exact draw of r per pair of hyperparameters and star, shape (theta, star)."""
    lattice = Lattice(parallax, parallax_error, mu_r, std_r)
    offset, chance = rng.random((2, lattice.size))
    total = np.full(lattice.size, TINY)
    chosen = np.empty(lattice.size)
    for points, X, weight in lattice.walk(offset):
        # Take this point with probability weight / total, then stretch the remaining chance
        # back to (0, 1): one uniform number then picks among all points.
        left = chance[points]
        total[points] += weight
        share = weight / total[points]
        taken = left < share
        np.copyto(chosen[points], X, where=taken)
        rest = (left - share) / np.maximum(1 - share, TINY)
        np.divide(left, share, out=rest, where=taken)
        chance[points] = rest
    return lattice.unsort(chosen) * std_r[:, None]


def draw_population(mu_r, std_r, size, rng):
    """Distances from the population, a normal distribution truncated at zero, of shape ``size``."""
    return truncnorm.rvs(-mu_r / std_r, np.inf, mu_r, std_r, size=size, random_state=rng)
