"""Draws of cells, and of what gave mass to them, in proportion to mass; see `cells`."""

from dataclasses import dataclass

import numpy as np

from astro_hier.core.floats import TINY

LEAST = 1e-250  # mass of a row that may have lost some to underflow


@dataclass(frozen=True)
class Densities:
    """Densities of populations at points of a grid, shared by all objects that use some of these.

    Attributes
    ----------
    used : ndarray
        The points, in order, shape (point,).
    log : ndarray
        ln of the densities, shape (theta, point).
    relative : ndarray or None
        The densities over the highest of each theta, for compiled loops.
    """

    used: np.ndarray
    log: np.ndarray
    relative: np.ndarray | None = None

    @classmethod
    def of(cls, used, log, compiled):
        relative = np.exp(log - log.max(axis=1, keepdims=True)) if compiled else None
        return cls(used, log, relative)

    def draw_points(self, row, shares, rng):
        """Draw a grid point and a layer for each theta; ``shares`` are those in the layers."""
        columns = np.searchsorted(self.used, row.index)
        if self.relative is not None and len(row.weight) == 1:
            from astro_hier.core import draws_compiled

            chance = rng.random(len(self.log))
            chosen, least = draws_compiled.pick(self.relative, columns, row.weight[0], chance)
            if least > LEAST:
                return row.index[chosen], np.zeros(len(chosen), int)
        return draw_points(row, self.log[:, columns], shares, rng)


def draw_points(row, log_density, shares, rng):
    """Draw a grid point and a layer for each theta, in proportion to weight times density.

    ``log_density`` is ln of the density at the row's points, shape (theta, point), ``shares`` are
    the population's shares in the layers, shape (theta, layer).
    """
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    if len(row.weight) == 1:
        density *= row.weight[0]
        return row.index[draw_columns(density, rng)], np.zeros(len(density), int)
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
    return np.minimum(np.count_nonzero(cumulative < chance[:, None], axis=1), mass.shape[1] - 1)
