"""A sample of two quantities: populations are evaluated at the draws of the objects themselves."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from astro_hier.core.cell_draws import draw_columns
from astro_hier.core.floats import Theta
from astro_hier.models.sample_population.data import Objects, Points

MAX_VALUES = 4_000_000  # of a density, computed at a time


@dataclass(frozen=True, eq=False)
class AtDraws(Objects):
    """A sample of two quantities.

    Attributes
    ----------
    x : ndarray
        All draws and the injections that were found, shape (draw, quantity).
    points : Points
        Whose points are the rows of ``x``.
    """

    x: np.ndarray
    points: Points

    def each(self, theta: Theta, function: Callable, *trailing: int) -> np.ndarray:
        size = len(next(iter(theta.values())))
        parts = np.array_split(np.arange(size), max(-(-size * len(self.x) // MAX_VALUES), 1))
        found = [
            function(self.points, self.log_density({name: of[part] for name, of in theta.items()}))
            for part in parts
        ]
        return np.concatenate(found)

    def log_density(self, theta: Theta) -> np.ndarray:
        """ln of the density at all draws, shape (theta, draw)."""
        return self.population.log_density_of(self.x, theta)

    def _of_objects(self):
        """The objects' nodes and the places of their draws among all."""
        first = 0
        for nodes in self.nodes:
            yield nodes, slice(first, first + len(nodes.log_mass))
            first += len(nodes.log_mass)

    def draw(self, theta: Theta, rng: np.random.Generator) -> list[np.ndarray]:
        def of(points, log_density):
            drawn = []
            for nodes, places in self._of_objects():
                log_mass = log_density[:, places] + nodes.log_mass
                mass = np.exp(log_mass - log_mass.max(axis=1, keepdims=True))
                drawn.append(nodes.x[draw_columns(mass, rng)])
            return np.transpose(drawn, (1, 0, 2))

        return list(np.moveaxis(self.each(theta, of), 2, 0))

    def log_weights(self, theta: Theta) -> list[np.ndarray]:
        log_density = self.log_density(theta)
        log_likelihood = self.points.log_likelihood(log_density)
        weights = []
        for (nodes, places), of_object in zip(self._of_objects(), log_likelihood.T, strict=True):
            scale = nodes.log_mass.max() - of_object[:, None]
            ratio = np.exp(log_density[:, places] + scale).mean(axis=0)
            with np.errstate(divide="ignore"):
                weights.append(nodes.log_mass + np.log(ratio))
        return weights
