"""Draws of cells, and of what gave mass to them, in proportion to mass; see `cells`."""

import numpy as np


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
