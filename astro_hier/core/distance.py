"""One star's distance r, integrated out, described or drawn, given its cluster.

A pair of hyperparameters and star is left to `distance_series` where its series is right, which it
is where the parallax is good, and to `distance_lattice` elsewhere.

Distances are in kpc, parallaxes in mas. The hyperparameters have shape (theta,), results (theta,
star). Parallaxes and their errors have shape (star,), or (theta, star) where hyperparameters shift
or scale them.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr
from scipy.stats import truncnorm

from astro_hier.core import distance_lattice, distance_series

MANY = 10_000  # stars in a call from which compiled loops pay, which take a second to load


def log_marginal(parallax, parallax_error, mu_r, std_r):
    """ln p(parallax | mu_r, std_r) with the distances integrated out, shape (theta, star)."""
    pairs = _pairs(parallax, parallax_error, mu_r, std_r)
    compiled = _compiled(parallax)
    series = partial(distance_series.integrate, compiled=compiled)
    log_density = _either(pairs, series, distance_lattice.integrate, compiled)
    log_norm = np.log(2 * np.pi * parallax_error) + log_ndtr(mu_r / std_r)[:, None]
    return log_density.reshape(len(mu_r), -1) - log_norm


def moments(parallax, parallax_error, mu_r, std_r):
    """Mean and variance of r given parallax, mu_r and std_r, each of shape (theta, star)."""
    pairs = _pairs(parallax, parallax_error, mu_r, std_r)
    compiled = _compiled(parallax)
    series = partial(distance_series.describe, compiled=compiled)
    mean, variance = _either(pairs, series, distance_lattice.describe, compiled)
    shape, unit = (len(mu_r), -1), std_r[:, None]
    return mean.reshape(shape) * unit, variance.reshape(shape) * unit**2


def draw(parallax, parallax_error, mu_r, std_r, rng):
    """One exact draw of r per pair of hyperparameters and star, shape (theta, star)."""
    pairs = _pairs(parallax, parallax_error, mu_r, std_r)
    series = partial(distance_series.draw, rng=rng)
    drawn = _either(pairs, series, partial(distance_lattice.draw, rng=rng))
    return drawn.reshape(len(mu_r), -1) * std_r[:, None]


def draw_population(mu_r, std_r, size, rng):
    """Distances from the population, a normal distribution truncated at zero, of shape ``size``."""
    return truncnorm.rvs(-mu_r / std_r, np.inf, mu_r, std_r, size=size, random_state=rng)


def _compiled(parallax):
    return distance_series.HAS_NUMBA and np.shape(parallax)[-1] >= MANY


def _pairs(parallax, parallax_error, mu_r, std_r):
    """q, Cx and Cy of all pairs of hyperparameters and star, in one row."""
    q = 1 / (std_r[:, None] * parallax_error)
    Cx, Cy = (mu_r / std_r)[:, None], parallax / parallax_error
    return tuple(np.broadcast_to(of, q.shape).ravel() for of in (q, Cx, Cy))


def _either(
    pairs, series: Callable, lattice: Callable, everywhere: bool = False
) -> NDArray[np.floating]:
    """What ``series`` returns where it is good, and ``lattice`` elsewhere, shape (..., pair).

    ``everywhere`` is whether to try the series at all pairs, for it costs no more than looking.
    """
    size = len(pairs[0])
    tried = np.arange(size)
    if not everywhere:
        tried = np.flatnonzero(distance_series.likely(*pairs))
    if not len(tried):
        return lattice(*pairs)
    some = pairs if len(tried) == size else tuple(of[tried] for of in pairs)
    with np.errstate(all="ignore"):  # where the series is not good, anything may come out
        found, good = series(*some)
    if len(good) == size and good.all():
        return found
    result, left = np.empty((*found.shape[:-1], size)), np.ones(size, bool)
    result[..., tried], left[tried] = found, ~good
    if left.any():
        result[..., left] = lattice(*(of[left] for of in pairs))
    return result
