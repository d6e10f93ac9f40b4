"""A sample of objects with densities of their own, and the likelihood of a population of them.

With the nodes i of each object n (`astro_hier.core.object_nodes`), for N objects of which each got
into the table with the probability alpha,

    ln L(theta) = sum_n ln sum_i W_ni g(x_i | theta) - N ln alpha(theta),
    alpha = (1 / J) sum_j g(x_j | theta) / p(x_j),

where x_j are those of J injected objects, drawn from p, that were found (Hogg, Myers & Bovy 2010,
ApJ 725, 2166; Mandel, Farr & Gair 2019, MNRAS 486, 1086).

The sums have a Monte Carlo variance (`astro_hier.core.cells`). Where the effective number of
injections is below 4 N, alpha cannot be trusted, and the likelihood is zero (Farr 2019, Research
Notes of the AAS 3, 66; Essick & Farr 2022, arXiv:2204.00461).

A sample has one of two forms with the same methods: ``OnGrid`` for one quantity, whose nodes are
dealt to the points of a grid, and ``AtDraws`` for two, whose points are the draws themselves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from astro_hier.core import cells
from astro_hier.core.floats import Theta
from astro_hier.core.thinning import evenly
from astro_hier.core.threads import a_few_at_a_time

FEWEST = 4  # effective injections for each object
TABLE_DRAWS = 1000  # of the hyperparameters, over which tables average


@dataclass(frozen=True, eq=False)
class Points:
    """The matrix of a sample on some points, and the injections on the same points.

    Attributes
    ----------
    matrix : cells.Matrix
        Of the objects and, with a selection, of the injections, whose row is the last.
    found : cells.Matrix or None
        Of the injections alone.
    """

    matrix: cells.Matrix
    found: cells.Matrix | None

    @classmethod
    def of(cls, rows: Sequence[cells.Row], found: cells.Row | None) -> "Points":
        if found is None:
            return cls(cells.Matrix.of(rows), None)
        return cls(cells.Matrix.of([*rows, found]), cells.Matrix.of([found]))

    @property
    def number(self) -> int:
        """The number of objects."""
        return len(self.matrix.power) - (self.found is not None)

    @cached_property
    def _of_found(self):
        """Where the points of the injections are among all points."""
        return np.searchsorted(self.matrix.points, self.found.points)

    def log_likelihood(self, log_density: np.ndarray) -> np.ndarray:
        """ln of the likelihood of each object, without the selection, shape (theta, object)."""
        return _where_possible(
            log_density,
            lambda some: self.matrix.log_likelihood(some)[:, : self.number],
            self.number,
        )

    def log_kept(self, log_density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """ln alpha, and its relative Monte Carlo variance, shape (theta,)."""
        of = log_density[:, self._of_found]

        def both(some):
            log_share = self.found.log_likelihood(some)
            return np.hstack([log_share, self.found.relative_variance(some)])

        log_share, variance = _where_possible(of, both, 2).T
        return log_share, np.where(np.isneginf(log_share), np.inf, variance)

    def log_marginal(self, log_density: np.ndarray) -> np.ndarray:
        """ln of the likelihood of the sample, shape (theta,)."""
        total = self.log_likelihood(log_density).sum(axis=1)
        if self.found is None:
            return total
        log_share, variance = self.log_kept(log_density)
        enough = self.enough(variance)
        return np.where(enough, total - self.number * np.where(enough, log_share, 0.0), -np.inf)

    def enough(self, variance: np.ndarray) -> np.ndarray:
        """Whether the injections are enough, by the relative variance of alpha."""
        return variance * FEWEST * self.number <= 1

    def relative_variance(self, log_density: np.ndarray) -> np.ndarray:
        """Monte Carlo variance of ln of the likelihood of each object, shape (theta, object)."""
        return _where_possible(
            log_density,
            lambda some: self.matrix.relative_variance(some)[:, : self.number],
            self.number,
        )

    def variance(self, log_density: np.ndarray) -> np.ndarray:
        """Monte Carlo variance of `log_marginal`, shape (theta,)."""
        total = self.relative_variance(log_density).sum(axis=1)
        if self.found is None:
            return total
        return total + self.number**2 * self.log_kept(log_density)[1]


def _where_possible(log_density, function, columns):
    """The function of the densities that are not zero everywhere, -inf for the others."""
    possible = log_density.max(axis=1) > -np.inf
    if possible.all():
        return function(log_density)
    result = np.full((len(possible), columns), -np.inf)
    if possible.any():
        result[possible] = function(log_density[possible])
    return result


@dataclass(frozen=True, eq=False)
class Objects:
    """A sample: what its two forms have in common.

    Attributes
    ----------
    labels : ndarray
        Identifiers, shape (object,).
    own : list of Nodes
        What is known of each object, under its interim prior.
    nodes : list of Nodes
        Those at which the population may have objects, without the interim prior.
    error : ndarray or None
        Errors of measured values, shape (object,).
    population : OfQuantity or OfPair
        Distribution of the quantity, or of both.
    kind : str
        What the objects were given as: "draws", "density" or "value".
    """

    labels: np.ndarray
    own: list
    nodes: list
    error: np.ndarray | None
    population: Any
    kind: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the quantities."""
        return self.population.names

    def each(self, theta: Theta, function: Callable, *trailing: int) -> np.ndarray:
        """``function(points, log_density)`` for all theta, in parts that fit in memory.

        ``trailing`` is the shape of what it returns, without the first axis, that of theta.
        """
        raise NotImplementedError

    def draw(self, theta: Theta, rng: np.random.Generator) -> list[np.ndarray]:
        """A value of each object for each theta, arrays (theta, object) for each quantity."""
        raise NotImplementedError

    def log_weights(self, theta: Theta) -> list[np.ndarray]:
        """ln of the weight of each object's nodes given the population, averaged over theta."""
        raise NotImplementedError

    def log_marginal(self, theta: Theta) -> np.ndarray:
        """ln of the likelihood of the sample, shape (theta,)."""
        return a_few_at_a_time(
            lambda some: self.each(some, lambda points, density: points.log_marginal(density)),
            theta,
        )

    def log_likelihood(self, theta: Theta) -> np.ndarray:
        """ln of the likelihood of each object, shape (theta, object).

        With a selection, each has an equal part of the selection's.
        """

        def of(points, density):
            found = points.log_likelihood(density)
            if points.found is None:
                return found
            return found - points.log_kept(density)[0][:, None]

        return self.each(theta, of, len(self.labels))

    def variance(self, theta: Theta) -> np.ndarray:
        """Monte Carlo variance of `log_marginal`, shape (theta,)."""
        return a_few_at_a_time(
            lambda some: self.each(some, lambda points, density: points.variance(density)), theta
        )

    def kept(self, theta: Theta) -> tuple[np.ndarray, np.ndarray]:
        """The share of objects that the selection keeps, and its relative variance, (theta,)."""
        both = self.each(
            theta, lambda points, density: np.stack(points.log_kept(density), axis=1), 2
        )
        return np.exp(both[:, 0]), both[:, 1]

    def effective(self, theta: Theta) -> np.ndarray:
        """Effective number of each object's draws, the mean over the populations, (object,).

        It is infinite for objects that are described by densities.
        """
        variance = self.each(
            theta, lambda points, density: points.relative_variance(density), len(self.labels)
        )
        draws = np.array([of.draws for of in self.nodes])
        with np.errstate(divide="ignore"):
            return (1 / (np.maximum(variance, 0) + 1 / draws)).mean(axis=0)

    @cached_property
    def means(self) -> np.ndarray:
        """Each object's own mean, shape (object,) or (object, quantity)."""
        return np.array([of.moments(of.log_own)[0] for of in self.own])


def thinned(theta: Theta) -> Theta:
    """At most `TABLE_DRAWS` of the draws, equally spaced."""
    chosen = evenly(len(next(iter(theta.values()))), TABLE_DRAWS)
    return {name: of[chosen] for name, of in theta.items()}
