"""Objects x cells: the likelihood of a distribution, from that of each object.

For a density g(x | theta) of the population, and cells or draws k of each object n with weights W
from its likelihood,

    ln L(theta) = sum_n ln sum_k W_nk g(x_k | theta),

so that a sparse matrix, made once, gives the likelihood of any theta.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Row:
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
    """The `Matrix` of all stars from their `Row`."""
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
