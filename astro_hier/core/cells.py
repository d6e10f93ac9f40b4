"""Objects x cells: the likelihood of the distribution of any quantity, from that of each object.

For a population with density g(x | theta), and cells k of the likelihood of each object n,

    ln L(theta) = sum_n c_n ln sum_k W_nk g(x_k | theta).

W_nk is the likelihood of x_k times the width of its cell or, for K draws from an object's own
posterior under an interim prior pi, 1 / (K pi(x_k)) (Hogg, Myers & Bovy 2010, ApJ 725, 2166). The
power c_n is one for an object. A selection function is an additional row with power -N: it holds
1 / (J p(x_j)) for those of J injections drawn from p that were found (Mandel, Farr & Gair 2019,
MNRAS 486, 1086).

There may be many thousands of cells, but g varies only on the scale of its narrowest feature. So
each mass is shared between the nearest points of a common grid, two on each axis
(`astro_hier.core.grid`). This keeps the mass and its mean, so the sum is that of g interpolated by
straight lines: its relative error is (step / width)^2 / 8 where g is curved like a normal density.
An edge of g should be put on a point.

The Monte Carlo variance of ln L is sum_n c_n^2 [sum_k V_nk g(x_k)^2 / (sum_k W_nk g(x_k))^2 -
1 / K_n], where V holds the squares of the masses, distributed in the same way (Essick & Farr 2022,
arXiv:2204.00461).

An object may have several rows, or layers, one for each value of another quantity: they are summed,
weighted by the population's shares of these values. And it may have tails: weights of the shares of
the population that lie beyond the grid.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from astro_hier.core.floats import TINY


@dataclass(frozen=True)
class Row:
    """One object's rows of W, scaled to order one, and the scale.

    Attributes
    ----------
    index : ndarray
        Grid points in use, shape (point,).
    weight : ndarray
        Their weights, shape (layer, point).
    tails : ndarray
        Weights of the shares of the population beyond either end, shape (layer, tail): none, or
        two, below and above.
    log_scale : float
        ln of the factor that the weights have been divided by.
    squares : ndarray, optional
        For draws, the distributed squares of their masses, shape (point,).
    draws : float
        Number of draws, including those of zero weight; infinite for a likelihood.
    power : float
        The power of the object's likelihood in that of all.
    """

    index: np.ndarray
    weight: np.ndarray
    tails: np.ndarray
    log_scale: float
    squares: np.ndarray | None = None
    draws: float = np.inf
    power: float = 1.0

    def coarser(self):
        """The row on every second point of a one-dimensional grid, as if made for that."""
        size = self.index[-1] // 2 + 2
        points = self.index // 2, (self.index + 1) // 2  # one point twice, or two, of half each

        def dealt(weight):
            return _dealt(points, (0.5 * weight, 0.5 * weight), size)

        weight = np.array([dealt(of) for of in self.weight])
        index = np.flatnonzero(weight.any(axis=0))
        squares = None if self.squares is None else dealt(self.squares)[index]
        return replace(self, index=index, weight=weight[:, index], squares=squares)


def row_of_cells(grid, coordinates, masses, log_scale=0.0, tails=None, power=1.0):
    """The row of an object from the cells of its likelihood.

    Parameters
    ----------
    grid : `~astro_hier.core.grid.Grid`
    coordinates : tuple of ndarray
        The middles of the cells on each axis, shape (cell,).
    masses : ndarray
        Likelihood times width of each cell in each layer, shape (layer, cell), divided by the
        scale.
    log_scale : float, optional
        ln of the scale.
    tails, power : optional
        As in `Row`.
    """
    points, shares = grid.deal(*coordinates)
    weight = np.array([_dealt(points, mass * shares, grid.size) for mass in masses])
    index = np.flatnonzero(weight.any(axis=0))
    tails = np.empty((len(weight), 0)) if tails is None else tails
    return Row(index, weight[:, index], tails, float(log_scale), power=power)


def row_of_draws(grid, coordinates, log_weight, draws, power=1.0):
    """The row of an object from draws, or of a selection function from injections found.

    Parameters
    ----------
    grid : `~astro_hier.core.grid.Grid`
    coordinates : tuple of ndarray
        The draws on each axis, shape (draw,).
    log_weight : ndarray
        -ln of the density, per unit of the coordinates, of what they were drawn from without the
        likelihood, such as the interim prior, shape (draw,).
    draws : int
        How many were drawn, including those left out because their weight is zero.
    power : float, optional
        One for an object, and -N for the selection of N objects.
    """
    points, shares = grid.deal(*coordinates)
    highest = log_weight.max()
    mass = np.exp(log_weight - highest) / draws
    weight = _dealt(points, mass * shares, grid.size)
    squares = _dealt(points, mass**2 * shares, grid.size)
    index = np.flatnonzero(weight)
    return Row(
        index, weight[None, index], np.empty((1, 0)), float(highest), squares[index], draws, power
    )


def _dealt(points, masses, size):
    """The sum of the masses that each point gets."""
    return sum(np.bincount(of, mass, size) for of, mass in zip(points, masses, strict=True))


@dataclass(frozen=True)
class Matrix:
    """W of all objects, and the meaning of its rows and columns.

    Attributes
    ----------
    W : sparse array
        Shape (row, point + tail), the tails for the population beyond either end. An object has
        one row for each of its layers.
    points : ndarray
        Indices of the grid points in use.
    first : ndarray
        The first row of each object.
    log_scale, power, draws : ndarray
        As in `Row`, shape (object,).
    V : sparse array
        Distributed squares of the masses of draws, shape (object, point).
    """

    W: sparse.csr_array
    points: np.ndarray
    first: np.ndarray
    log_scale: np.ndarray
    power: np.ndarray
    draws: np.ndarray
    V: sparse.csr_array

    @classmethod
    def of(cls, rows):
        """The matrix of all objects from their `Row`."""
        layers = np.array([len(row.weight) for row in rows])
        used = np.unique(np.concatenate([row.index for row in rows]))
        W = _stacked(rows, used, [row.weight for row in rows])
        W = sparse.hstack([W, np.concatenate([row.tails for row in rows])], format="csr")
        W.eliminate_zeros()
        squares = [np.zeros(len(row.index)) if row.squares is None else row.squares for row in rows]
        V = _stacked(rows, used, [of[None] for of in squares])
        V.eliminate_zeros()
        of_rows = np.array([(row.log_scale, row.power, row.draws) for row in rows]).T
        return cls(W, used, np.cumsum(layers) - layers, *of_rows, V)

    def log_likelihood(self, log_density, outside=None, shares=None):
        """ln of the likelihood of each object, to the power one, shape (theta, object).

        The arguments are those of `log_marginal`.
        """
        by_object, highest = self._scaled(log_density, outside, shares)
        return (by_object + highest + self.log_scale[:, None]).T

    def log_marginal(self, log_density, outside=None, shares=None):
        """ln of the likelihood of all objects together.

        Parameters
        ----------
        log_density : ndarray
            ln g at ``points``, shape (theta, point).
        outside : ndarray, optional
            Shares of the population beyond either end, shape (2, theta), if rows have tails.
        shares : ndarray, optional
            Share of the population in the layer of each row, shape (row, theta).

        Returns
        -------
        ndarray
            Shape (theta,); -inf where an object, or the selection, has zero likelihood.
        """
        by_object, highest = self._scaled(log_density, outside, shares)
        total = (self.power[:, None] * by_object).sum(axis=0)
        total = total + self.power.sum() * highest + (self.power * self.log_scale).sum()
        if (self.power < 0).any():  # a selection of nothing is impossible, not infinitely likely
            total[np.isneginf(by_object).any(axis=0)] = -np.inf
        return total

    def relative_variance(self, log_density, outside=None):
        """Monte Carlo variance of ln of the likelihood of each object, shape (theta, object).

        Its inverse is the effective number of draws.
        """
        if not self.V.nnz:  # there are no draws
            return np.zeros((len(log_density), len(self.draws)))
        by_object, highest = self._scaled(log_density, outside, None)
        squares = self.V @ np.exp(2 * (log_density - highest[:, None])).T
        found = squares * np.exp(-2 * by_object) - 1 / self.draws[:, None]
        return np.maximum(found, 0).T  # most of an object's likelihood may be that of tails

    def variance(self, log_density):
        """Monte Carlo variance of `log_marginal`, shape (theta,)."""
        return self.relative_variance(log_density) @ self.power**2

    def _scaled(self, log_density, outside, shares):
        """ln of each object's sum, shape (object, theta), and ln of the factor divided out of g."""
        highest = log_density.max(axis=1)
        if outside is not None:
            highest = np.maximum(highest, np.log(np.maximum(outside.max(axis=0), TINY)))
        density = np.exp(log_density - highest[:, None]).T
        if outside is not None:
            density = np.vstack([density, outside * np.exp(-highest)])
        by_object = self.W @ density
        if shares is not None:
            by_object = np.add.reduceat(by_object * shares, self.first, axis=0)
        with np.errstate(divide="ignore"):
            return np.log(by_object), highest


def _stacked(rows, used, values):
    """A sparse array of the rows' values, in one or more layers, at the points ``used``."""
    layers = [len(value) for value in values]
    lengths = np.repeat([len(row.index) for row in rows], layers)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    indices = np.concatenate(
        [np.tile(row.index, number) for row, number in zip(rows, layers, strict=True)]
    )
    values = np.concatenate([value.ravel() for value in values])
    columns = np.searchsorted(used, indices)
    return sparse.csr_array((values, columns, indptr), shape=(len(lengths), len(used)))


def information(row, volume, density, outside, shares):
    """An object's ln evidence given the population, and how much its data say about its value.

    Parameters
    ----------
    row : Row
        With tails.
    volume : float
        Of a cell of the grid.
    density : ndarray
        The population's density on the whole grid.
    outside : ndarray
        The population's shares beyond either end, shape (2,).
    shares : ndarray
        The population's shares in the layers, shape (layer,).

    Returns
    -------
    tuple of float
        ln of the evidence, and the Kullback-Leibler divergence of the object's posterior from the
        population, in nats; needles narrower than a cell of the grid count as wide as the cell.
    """
    weight = np.append(shares @ row.weight / volume, shares @ row.tails)
    mass = np.append(density[row.index] * volume, outside)
    evidence = weight @ mass
    if not evidence > 0:
        return -np.inf, 0.0
    used = (weight > 0) & (mass > 0)
    ratio = weight[used] / evidence
    nats = max(float((ratio * mass[used]) @ np.log(ratio)), 0.0)
    return np.log(evidence) + row.log_scale, nats
