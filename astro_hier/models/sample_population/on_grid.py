"""A sample of one quantity: the nodes of the objects are dealt to the points of grids."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from astro_hier.core import cells
from astro_hier.core.cell_draws import draw_columns
from astro_hier.core.floats import Theta
from astro_hier.core.grid import Axis, Grid
from astro_hier.models.grids import Levels
from astro_hier.models.sample_population.data import Objects, Points

MAX_DRAWN = 2000  # populations whose densities are kept at a time


@dataclass(frozen=True, eq=False)
class OnGrid(Objects):
    """A sample of one quantity.

    Attributes
    ----------
    levels : Levels
        Grids of the quantity, and which of them resolves a population.
    rows : list of list of Row
        Of the objects, on each of the grids that values are drawn on.
    points : list of Points
        On each of the grids.
    coarser : int
        How many times the grids are halved to draw values, for which ten points in the width of a
        population are enough: their density is then wrong by a thousandth of its height.
    """

    levels: Levels
    rows: list[list[cells.Row]]
    points: list[Points]
    coarser: int

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The grids that values are drawn on."""
        return tuple(
            replace(axis, count=(axis.count - 1) // 2**self.coarser + 1)
            for axis in self.levels.grids
        )

    def each(self, theta: Theta, function: Callable, *trailing: int) -> np.ndarray:
        return self.levels.each(
            theta, lambda n, some: function(self.points[n], self.log_density(n, some)), *trailing
        )

    def log_density(self, level: int, theta: Theta) -> np.ndarray:
        """ln of the density at the points in use of one of the grids, shape (theta, point)."""
        used = self.points[level].matrix.points
        return self.population.log_density(self.levels.grids[level], used, theta)

    def draw(self, theta: Theta, rng: np.random.Generator) -> list[np.ndarray]:
        drawn = np.empty((len(next(iter(theta.values()))), len(self.labels)))
        for level, chosen in self.levels.groups(theta):
            for part in np.array_split(chosen, max(len(chosen) // MAX_DRAWN, 1)):
                some = {name: of[part] for name, of in theta.items()}
                drawn[part] = self._draw(level, some, rng)
        return [drawn]

    def _draw(self, level, theta, rng):
        axis, drawn = self.axes[level], []
        density = self._density(level, theta)
        for nodes, row in zip(self.nodes, self.rows[level], strict=True):
            here = density[:, row.index[0] : row.index[-1] + 1]
            weight = np.zeros(here.shape[1], np.float32)
            weight[row.index - row.index[0]] = row.weight[0]
            points = row.index[0] + draw_columns(here * weight, rng)
            drawn.append(nodes.draw(axis, self.population.coordinate(nodes.x), points, rng))
        return np.transpose(drawn)

    def _density(self, level, theta):
        """The density on a grid to draw from, up to a factor for each theta, (theta, point)."""
        axis = self.axes[level]
        log_density = self.population.log_density(axis, np.arange(axis.count), theta)
        highest = log_density.max(axis=1, keepdims=True)
        return np.exp(log_density - highest).astype(np.float32)

    def log_weights(self, theta: Theta) -> list[np.ndarray]:
        level = self.levels.finest(theta)
        axis, points = self.levels.grids[level], self.points[level].matrix.points
        log_density = self.log_density(level, theta)
        log_likelihood = self.points[level].log_likelihood(log_density)
        highest, weights = log_density.max(axis=1, keepdims=True), []
        density = np.zeros((axis.count, len(log_density)))
        density[points] = np.exp(log_density - highest).T
        for nodes, of_object in zip(self.nodes, log_likelihood.T, strict=True):
            scale = np.exp(highest[:, 0] - of_object + nodes.log_mass.max()) / len(of_object)
            at, shares = Grid((axis,)).deal(self.population.coordinate(nodes.x))
            first, last = at.min(), at.max() + 1
            ratio = density[first:last] @ scale
            with np.errstate(divide="ignore"):
                weights.append(nodes.log_mass + np.log((ratio[at - first] * shares).sum(axis=0)))
        return weights
