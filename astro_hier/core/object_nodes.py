r"""What is known of one object's value x, as weighted nodes, whatever form it was given in.

An object is described by a density o(x): that of draws from its own posterior, a density on a
grid, or a normal likelihood about a measured value. If o is a posterior, it was made with an
interim prior pi(x), by which it is divided; for a likelihood, pi = 1. For a population of density
g(x | theta),

    L(theta) = integral of o(x) g(x | theta) / pi(x) dx = sum_i o_i g(x_i | theta) / pi(x_i),

where o_i are the shares of o that the nodes stand for: w_k / sum_k w_k for draws of weight w_k.

Populations are densities g_y of a coordinate y, which is x or ln x: g = g_y |dy/dx|.
"""

from dataclasses import dataclass, replace

import numpy as np

from astro_hier.core import cells, normal
from astro_hier.core.cell_draws import draw_masses
from astro_hier.core.floats import TINY
from astro_hier.core.grid import Axis, Grid

REACH = 6.0  # standard deviations of a normal likelihood that its nodes cover
PER_SD = 8.0  # nodes in one: the sum is then exact to the digits of a float
DIGITS = 10  # steps between the floats at a value that its error must exceed
MOST = 20_000  # nodes of an object


@dataclass(frozen=True)
class Nodes:
    """One object's nodes.

    Attributes
    ----------
    x : ndarray
        Values, shape (node,).
    log_own : ndarray
        ln of the shares of o, which add up to one, shape (node,).
    log_mass : ndarray
        ln of o_i / pi(x_i), for a density of y, shape (node,).
    width : ndarray
        Widths of the cells in whose middle the nodes are; zero for draws, which are points.
    draws : float
        Effective number of draws; infinite for a density.
    """

    x: np.ndarray
    log_own: np.ndarray
    log_mass: np.ndarray
    width: np.ndarray
    draws: float = np.inf

    def chosen(self, kept: np.ndarray) -> "Nodes":
        """Some of the nodes, given as an array of bool; the others have no density."""
        if kept.all():
            return self
        x, log_own, log_mass, width = (
            of[kept] for of in (self.x, self.log_own, self.log_mass, self.width)
        )
        return Nodes(x, log_own, log_mass, width, self.draws)

    def divided(self, log_interim: np.ndarray | float) -> "Nodes":
        """With masses divided by the interim prior of x, or by the slope dx/dy of a coordinate."""
        return replace(self, log_mass=self.log_mass - log_interim)

    def row(self, axis: Axis, y: np.ndarray) -> cells.Row:
        """The row of the object on a grid of y that reaches to all nodes, which are at ``y``."""
        place = (y,)
        if np.isinf(self.draws):
            highest = self.log_mass.max()
            mass = np.exp(self.log_mass - highest)[None]
            return cells.row_of_cells(Grid((axis,)), place, mass, highest)
        row = cells.row_of_draws(Grid((axis,)), place, self.log_mass, 1)
        return replace(row, draws=self.draws)

    def row_of_points(self, first: int) -> cells.Row:
        """The row of the object if draws are the points, of which it has those from ``first``."""
        highest = self.log_mass.max()
        mass = np.exp(self.log_mass - highest)
        index = first + np.arange(len(mass))
        return cells.Row(index, mass[None], np.empty((1, 0)), float(highest), mass**2, self.draws)

    def draw(
        self, axis: Axis, y: np.ndarray, points: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """A value for each of the given points of a grid, from the nodes that gave it mass."""
        mass = np.exp(self.log_mass - self.log_mass.max())
        points_of, shares = Grid((axis,)).deal(y)
        node = draw_masses(points_of, mass * shares, points, rng)
        return self.x[node] + self.width[node] * (rng.random(len(node)) - 0.5)

    def of_quantity(self, number: int) -> "Nodes":
        """The nodes' values of one of two quantities."""
        return self if self.x.ndim == 1 else replace(self, x=self.x[:, number])

    def share(self, which: np.ndarray) -> float:
        """The share of the object's own density at some of the nodes, an array of bool."""
        own = np.exp(self.log_own)
        return float(own[which].sum() / own.sum())

    def moments(self, log_weight: np.ndarray) -> tuple:
        """Mean and standard deviation of each quantity; weights need not add up to one."""
        weight = np.exp(log_weight - log_weight.max())
        mean = np.average(self.x, axis=0, weights=weight)
        return mean, np.sqrt(np.average((self.x - mean) ** 2, axis=0, weights=weight))

    def quantiles(self, log_weight: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Quantiles; weights need not add up to one."""
        order = np.argsort(self.x)
        weight = np.exp(log_weight - log_weight.max())[order]
        below = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
        return np.interp(at, below, self.x[order])


def of_draws(x: np.ndarray, weight: np.ndarray | None = None) -> Nodes:
    """Draws from an object's own posterior, with weights if they have any."""
    weight = np.ones(len(x)) if weight is None else weight
    x, weight = x[weight > 0], weight[weight > 0]
    draws = weight.sum() ** 2 / (weight**2).sum()
    log_own = np.log(weight / weight.sum())
    return Nodes(x, log_own, log_own, np.zeros(len(x)), draws)


@dataclass(frozen=True)
class Mesh:
    """How far nodes of densities may be apart.

    Attributes
    ----------
    spacing : float
        The largest distance that resolves populations.
    middle : float
        Where the populations are: an object that would need more than `MOST` nodes has them there.
    """

    spacing: float = np.inf
    middle: float = 0.0

    def window(self, low: float, high: float) -> tuple[float, float]:
        """The part of a range that gets nodes."""
        if high - low <= MOST * self.spacing:
            return low, high
        reach = 0.5 * MOST * self.spacing
        inside = max(low, self.middle - reach), min(high, self.middle + reach)
        return inside if inside[0] < inside[1] else (low, high)


def of_normal(value: float, error: float, mesh: Mesh) -> Nodes:
    """A measured value and its error, which is no smaller than the last digit of the value."""
    error = max(error, DIGITS * np.spacing(abs(value)))
    low, high = mesh.window(value - REACH * error, value + REACH * error)
    count = int(np.ceil((high - low) * max(PER_SD / error, 1 / mesh.spacing)))
    x = np.linspace(low, high, min(count, MOST) + 1)
    step = x[1] - x[0]
    log_own = normal.log_density(x, value, error) + np.log(step)
    return Nodes(x, log_own, log_own, np.full(len(x), step))


def of_density(grid: np.ndarray, density: np.ndarray, mesh: Mesh) -> Nodes:
    """A density at points of a grid, with straight lines in between.

    Nodes are the middles of cells that are no wider than those of the mesh or of the grid.
    """
    spacing = max(mesh.spacing, (grid[-1] - grid[0]) / MOST)
    count = np.maximum(np.ceil(np.diff(grid) / spacing), 1).astype(int)
    width = np.repeat(np.diff(grid) / count, count)
    number = np.arange(len(width)) - np.repeat(np.cumsum(count) - count, count)
    x = np.repeat(grid[:-1], count) + (number + 0.5) * width
    mass = np.interp(x, grid, density) * width
    mass /= mass.sum()
    kept = mass > TINY
    log_own = np.log(mass[kept])
    return Nodes(x[kept], log_own, log_own, width[kept])
