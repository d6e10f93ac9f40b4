"""Draws of cells, and of what gave mass to them, in proportion to mass; see `cells`."""

import numpy as np

from astro_hier.core.floats import TINY


def draw_points(row, log_density, shares, rng):
    """Draw a grid point and a layer for each theta, in proportion to weight times density.

    ``log_density`` is ln of the density at the row's points, shape (theta, point), ``shares`` are
    the population's shares in the layers, shape (theta, layer).
    """
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    layer = draw_columns(density @ row.weight.T * shares, rng)
    chosen = np.empty(len(layer), int)
    for number in np.unique(layer):
        of = layer == number
        chosen[of] = draw_columns(density[of] * row.weight[number], rng)
    return row.index[chosen], layer


def draw_cells(weight, shares, each, rng):
    """Draw cells of a plane, in proportion to weight times share.

    Parameters
    ----------
    weight : ndarray
        Of each cell, shape (cell of ln P, cell of e).
    shares : ndarray
        Those of populations, shape (theta, cell of ln P, cell of e). Where a population has none
        in the cells of any weight, these are drawn by weight.
    each : int
        How often to draw for each theta.
    rng : `numpy.random.Generator`

    Returns
    -------
    ndarray
        Numbers of the cells, counted through the product, shape (theta * each,).
    """
    by_period = np.einsum("tpe,pe->tp", shares, weight) + TINY * weight.sum(axis=1)
    of_period = draw_columns(np.repeat(by_period, each, axis=0), rng)
    theta = np.repeat(np.arange(len(shares)), each)
    of_e = draw_columns((shares[theta, of_period] + TINY) * weight[of_period], rng)
    return of_period * weight.shape[1] + of_e


def draw_masses(points_of, masses, points, rng):
    """Draw one of the masses for each of the given points, in proportion to what it gave to it.

    ``points_of`` and ``masses`` are the points to which each was dealt, and what they got, shape
    (corner, mass); each of ``points`` got something.
    """
    which = np.tile(np.arange(points_of.shape[1]), len(points_of))
    point, mass = points_of.ravel(), masses.ravel()
    order = np.argsort(point, kind="stable")
    which, point, cumulative = which[order], point[order], np.cumsum(mass[order])
    first = np.searchsorted(point, points, side="left")
    last = np.searchsorted(point, points, side="right") - 1
    below = np.where(first > 0, cumulative[first - 1], 0.0)
    chance = below + rng.random(len(points)) * (cumulative[last] - below)
    return which[np.clip(np.searchsorted(cumulative, chance), first, last)]


def draw_columns(mass, rng):
    """Draw a column for each row, in proportion to its mass."""
    cumulative = np.cumsum(mass, axis=1)
    chance = rng.random(len(mass)) * cumulative[:, -1]
    return np.minimum((cumulative < chance[:, None]).sum(axis=1), mass.shape[1] - 1)
