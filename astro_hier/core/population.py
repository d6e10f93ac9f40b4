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

Where the scatter of the velocities is drawn from a population too, a star has a row of W for each
of the values at which its scatter is tried, its layers, and they are summed in proportion to the
shares of the scatters in their cells.

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
    """One star's rows of W, scaled to a sum of one, and what became of the scale.

    Attributes
    ----------
    index : ndarray
        Grid points in use, shape (point,).
    weight : ndarray
        Their weights, shape (layer, point).
    tails : ndarray
        Weights of the shares of the population at shorter and longer periods than searched,
        shape (layer, 2).
    log_scale : float
        ln of what the weights are to be multiplied by.
    """

    index: np.ndarray
    weight: np.ndarray
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
    weight = np.array(
        [
            np.bincount(left, mass * (1 - share), size) + np.bincount(left + 1, mass * share, size)
            for mass in layers
        ]
    )
    index = np.flatnonzero(weight.any(axis=0))
    log_scale = nodes.log_evidence + np.log(grid.high - grid.low)
    width = OUTERMOST * (grid.high - grid.low)
    ends = np.array([ln_period < grid.low + width, ln_period > grid.high - width])
    tails = np.array(layers) @ ends.T / width
    return StarRow(index, weight[:, index], tails, float(log_scale))


@dataclass(frozen=True)
class Matrix:
    """W of all stars, and what its rows and columns stand for.

    Attributes
    ----------
    W : sparse array
        Shape (row, point + 2), the last two for the population at shorter and longer periods than
        searched. A star has a row for each of its layers.
    points : ndarray
        Indices of the grid's points in use.
    first : ndarray
        Each star's first row.
    log_scale : ndarray
        Shape (star,).
    """

    W: sparse.csr_array
    points: np.ndarray
    first: np.ndarray
    log_scale: np.ndarray

    def log_likelihood(self, log_density, outside, shares=None):
        """ln p(data_n | theta) of each star, shape (theta, star); arguments as `log_marginal`."""
        by_star, highest = self._scaled(log_density, outside, shares)
        return (by_star + highest + self.log_scale[:, None]).T

    def log_marginal(self, log_density, outside, shares=None):
        """ln p(data | theta) of all stars together.

        Parameters
        ----------
        log_density : ndarray
            ln g at ``points``, shape (theta, point).
        outside : ndarray
            Shares of the population beyond either end, shape (2, theta).
        shares : ndarray, optional
            Shares of the scatters in the cell of each row, shape (row, theta).

        Returns
        -------
        ndarray
            Shape (theta,); -inf where a star has no likelihood at all.
        """
        by_star, highest = self._scaled(log_density, outside, shares)
        return by_star.sum(axis=0) + len(self.first) * highest + self.log_scale.sum()

    def _scaled(self, log_density, outside, shares):
        """ln of each star's sum, shape (star, theta), and of what the density was divided by."""
        beyond = np.log(np.maximum(outside.max(axis=0), 1e-300))
        highest = np.maximum(log_density.max(axis=1), beyond)
        density = np.vstack([np.exp(log_density - highest[:, None]).T, outside * np.exp(-highest)])
        by_star = self.W @ density
        if shares is not None:
            by_star = np.add.reduceat(by_star * shares, self.first, axis=0)
        with np.errstate(divide="ignore"):
            return np.log(by_star), highest


def matrix(rows):
    """The `Matrix` of all stars from their `StarRow`."""
    layers = [len(row.weight) for row in rows]
    lengths = np.repeat([len(row.index) for row in rows], layers)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    indices = np.concatenate([np.tile(row.index, len(row.weight)) for row in rows])
    values = np.concatenate([row.weight.ravel() for row in rows])
    used, indices = np.unique(indices, return_inverse=True)
    W = sparse.csr_array((values, indices, indptr), shape=(len(lengths), len(used)))
    W = sparse.hstack([W, np.concatenate([row.tails for row in rows])], format="csr")
    W.eliminate_zeros()
    first = np.cumsum(layers) - layers
    return Matrix(W, used, first, np.array([row.log_scale for row in rows]))


def information(row, grid, density, outside, shares):
    """A star's ln evidence given the population, and how much its visits say about its period.

    ``density`` is the population's on the whole grid, ``outside`` its shares beyond either end,
    shape (2,), and ``shares`` those of the scatters in the star's layers, shape (layer,). The
    second is the Kullback-Leibler divergence of the period's posterior from the population, in
    nats; needles narrower than a step of the grid count as wide as that.
    """
    weight = np.append(shares @ row.weight / grid.step, shares @ row.tails)
    mass = np.append(density[row.index] * grid.step, outside)
    evidence = weight @ mass
    if not evidence > 0:
        return -np.inf, 0.0
    used = (weight > 0) & (mass > 0)
    ratio = weight[used] / evidence
    return np.log(evidence) + row.log_scale, float((ratio * mass[used]) @ np.log(ratio))


def draw_points(row, log_density, shares, rng):
    """A grid point and a layer for each theta, in proportion to weight times density.

    ``log_density`` is that at the row's points, shape (theta, point), ``shares`` those of the
    scatters in the layers' cells, shape (theta, layer).
    """
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    layer = _draw(density @ row.weight.T * shares, rng)
    chosen = np.empty(len(layer), int)
    for number in np.unique(layer):
        of = layer == number
        chosen[of] = _draw(density[of] * row.weight[number], rng)
    return row.index[chosen], layer


def _draw(mass, rng):
    """A column for each row, in proportion to its mass."""
    cumulative = np.cumsum(mass, axis=1)
    chance = rng.random(len(mass)) * cumulative[:, -1]
    return np.minimum((cumulative < chance[:, None]).sum(axis=1), mass.shape[1] - 1)


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
