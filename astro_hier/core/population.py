"""The likelihood of a distribution of periods, from each star's likelihood of its own period.

For a density g(ln P | theta) of the population,

    p(data_n | theta) = integral of p(v_n | P) g(ln P | theta) d ln P.

The likelihood of star n is known on its cells (`astro_hier.core.period_nodes`), of which there may
be many thousands; g varies on the scale of its smallest width alone. So the mass of each cell is
dealt out to the two nearest of `LnPeriodGrid`'s points, in proportion to its nearness: then
p(data_n | theta) is the product of row n of a sparse matrix W with the values of g on the grid.
Dealing to two points keeps the mass and mean of each cell, so the product is that of g interpolated
by straight lines, and is off by (step / width)^2 / 8 of g where g bends as a normal density does.

Beyond the range searched, p(v_n | P) is taken to be what it is on average over the outermost
twentieth of it: the same for all long periods, which are trends, and the mean over the forest of
needles for short ones. So a star whose likelihood is flat says nothing about the population,
wherever that lies.

Where the scatter of the velocities is drawn from a population too, the likelihood is kept for each
of the values at which a star's scatter is tried, as so many layers of its row: columns of W then
stand for a point in ln P and a cell of the scatter, and g for the product of the two densities.

Periods are in d; ln P is ln(P / d).
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from astro_hier.core.period_nodes import place_in_cell

OUTERMOST = 0.05
STEPS_PER_WIDTH = 40  # grid points per smallest width of g: an error of 8e-5


class LnPeriodGrid:
    """Equally spaced ln P over the searched range, fine against the narrowest population."""

    def __init__(self, shortest, longest, smallest_width):
        self.low, self.high = np.log(shortest), np.log(longest)
        count = self.size(shortest, longest, smallest_width)
        self.points = np.linspace(self.low, self.high, max(int(count), 2))
        self.step = self.points[1] - self.points[0]

    @staticmethod
    def size(shortest, longest, smallest_width):
        """Number of points that the grid takes."""
        return np.ceil(np.log(longest / shortest) / smallest_width * STEPS_PER_WIDTH) + 1

    def support(self):
        return np.exp(self.low), np.exp(self.high)

    def cdf(self, period):
        """Share of the range in ln P below ``period``: the measure that cells are integrated in."""
        return np.clip((np.log(period) - self.low) / (self.high - self.low), 0, 1)

    def ppf(self, share):
        return np.exp(self.low + share * (self.high - self.low))


@dataclass(frozen=True)
class StarRow:
    """One star's row of W, scaled to a sum of one, and what became of the scale.

    Attributes
    ----------
    index, weight : ndarray
        Grid points and their weights.
    layer : ndarray
        Which value of the scatter each weight is of.
    tails : ndarray
        Weights of the shares of the population at shorter and longer periods than searched,
        shape (layer, 2).
    log_scale : float
        ln of what the weights are to be multiplied by.
    """

    index: np.ndarray
    weight: np.ndarray
    layer: np.ndarray
    tails: np.ndarray
    log_scale: float


def _deal(nodes, grid):
    """The middle of each cell, the grid point below it, and the share for the point above."""
    ln_period = -0.5 * (np.log(nodes.low) + np.log(nodes.high))
    place = (ln_period - grid.low) / grid.step
    left = np.clip(place.astype(int), 0, len(grid.points) - 2)
    return ln_period, left, np.clip(place - left, 0, 1)


def star_row(nodes, grid, layers=None):
    """Deal the cells of one star, none wider than a step, out to the grid.

    ``layers`` are the same cells at each value of the scatter; ``nodes`` alone by default.
    """
    ln_period, left, share = _deal(nodes, grid)
    layers = [np.exp(layer.log_mass - nodes.log_evidence) for layer in layers or (nodes,)]
    size = len(grid.points)
    weight = [
        np.bincount(left, mass * (1 - share), size) + np.bincount(left + 1, mass * share, size)
        for mass in layers
    ]
    layer, index = np.nonzero(weight)
    log_scale = nodes.log_evidence + np.log(grid.high - grid.low)
    width = OUTERMOST * (grid.high - grid.low)
    ends = np.array([ln_period < grid.low + width, ln_period > grid.high - width])
    tails = np.array(layers) @ ends.T / width
    return StarRow(index, np.array(weight)[layer, index], layer, tails, float(log_scale))


@dataclass(frozen=True)
class Matrix:
    """W of all stars, and what its columns stand for.

    Attributes
    ----------
    W : sparse array
        Shape (star, column).
    points : ndarray
        The points of the grid in use.
    log_scale : ndarray
        Shape (star,).
    point : ndarray
        Of each column: a number of ``points``, or one of the two that follow, which stand for the
        population at shorter and longer periods than searched.
    cell : ndarray or None
        Of each column: a number of ``low`` and ``high``; None if there are no layers.
    low, high : ndarray or None
        Ends of the cells of the scatter, shape (cell, instrument).
    """

    W: sparse.csr_array
    points: np.ndarray
    log_scale: np.ndarray
    point: np.ndarray
    cell: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None

    def log_marginal(self, log_density, log_outside, log_cells=None):
        """ln p(data | theta) of all stars together.

        Parameters
        ----------
        log_density : ndarray
            ln g at ``points``, shape (theta, point).
        log_outside : ndarray
            ln of the shares of the population beyond either end, shape (theta, 2).
        log_cells : ndarray, optional
            ln of the share of the scatters in each cell, shape (theta, cell).

        Returns
        -------
        ndarray
            Shape (theta,); -inf where a star has no likelihood at all.
        """
        density = np.hstack([log_density, log_outside])
        if self.cell is not None:
            density = density[:, self.point] + log_cells[:, self.cell]
        highest = density.max(axis=1)
        density -= highest[:, None]
        with np.errstate(divide="ignore"):
            by_star = np.log(self.W @ np.exp(density, out=density).T)
        return by_star.sum(axis=0) + self.W.shape[0] * highest + self.log_scale.sum()


def matrix(rows, size, cells=None):
    """The `Matrix` of all stars.

    Parameters
    ----------
    rows : list of `StarRow`
        Every star's.
    size : int
        Number of points of the grid.
    cells : list of tuple, optional
        Lower and upper ends of the cells of each star's layers, shape (layer, instrument).
    """
    parts, low, high = [np.zeros(1, int) for _ in rows], None, None
    if cells is not None:
        ends = np.concatenate([np.hstack(pair) for pair in cells])
        ends, number = np.unique(ends, axis=0, return_inverse=True)
        parts = np.split(number, np.cumsum([len(pair[0]) for pair in cells])[:-1])
        low, high = np.split(ends, 2, axis=1)
    columns, values = [], []
    for row, of_layer in zip(rows, parts, strict=True):
        first = of_layer * (size + 2)
        tails = first[:, None] + size + np.arange(2)
        columns.append(np.concatenate([first[row.layer] + row.index, tails.ravel()]))
        values.append(np.concatenate([row.weight, row.tails.ravel()]))
    indptr = np.concatenate([[0], np.cumsum([len(column) for column in columns])])
    used, column = np.unique(np.concatenate(columns), return_inverse=True)
    shape = len(rows), len(used)
    W = sparse.csr_array((np.concatenate(values), column, indptr), shape=shape)
    cell, point = np.divmod(used, size + 2)
    points, point = np.unique(np.append(point, [size, size + 1]), return_inverse=True)
    log_scale = np.array([row.log_scale for row in rows])
    if cells is None:
        return Matrix(W, points[:-2], log_scale, point[:-2])
    return Matrix(W, points[:-2], log_scale, point[:-2], cell, low, high)


def draw_points(row, log_density, rng):
    """A grid point and a layer for each theta, in proportion to weight times density.

    ``log_density`` is that at the row's points and layers alone, shape (theta, len(row.index)).
    """
    log_mass = np.log(row.weight) + log_density
    mass = np.exp(log_mass - log_mass.max(axis=1, keepdims=True))
    cumulative = np.cumsum(mass, axis=1)
    chance = rng.random(len(mass)) * cumulative[:, -1]
    chosen = (cumulative < chance[:, None]).sum(axis=1)
    chosen = np.minimum(chosen, len(row.index) - 1)
    return row.index[chosen], row.layer[chosen]


def draw_periods(nodes, grid, points, rng):
    """A period within each of the grid points given, from the star's own cells.

    A cell deals mass to the points on either side of it, so it is drawn among the cells within one
    step of the point, in proportion to what it dealt there.
    """
    _, left, share = _deal(nodes, grid)
    # every cell twice, with the point and the mass that it dealt there
    cell = np.tile(np.arange(len(left)), 2)
    point = np.concatenate([left, left + 1])
    mass = np.concatenate([nodes.probability * (1 - share), nodes.probability * share])
    order = np.argsort(point, kind="stable")
    cell, point, cumulative = cell[order], point[order], np.cumsum(mass[order])
    first = np.searchsorted(point, points, side="left")
    last = np.searchsorted(point, points, side="right") - 1
    below = np.where(first > 0, cumulative[first - 1], 0.0)
    chance = below + rng.random(len(points)) * (cumulative[last] - below)
    chosen = cell[np.clip(np.searchsorted(cumulative, chance), first, last)]
    ends = nodes.log_low[chosen], nodes.log_high[chosen]
    _, within = place_in_cell(*ends, rng.random(len(points)))
    low, high = np.log(nodes.low[chosen]), np.log(nodes.high[chosen])
    return np.exp(-(low + within * (high - low)))
