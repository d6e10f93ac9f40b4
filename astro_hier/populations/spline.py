"""A spline through ln of the density at knots.

Between the first and the last knot, ln of the density is a natural cubic spline through its values
h_k at the knots, a `random_walk`, up to a constant by which the density is normalised:

    ln p(x) = sum_k B_k(x) h_k - ln integral exp(sum_k B_k(x) h_k) dx,

where B_k is the spline that is one at knot k and zero at the others. There are no objects beyond.
Integrals are sums over Gauss-Legendre points: `PANELS` intervals of equal width between
neighbouring knots, of `POINTS` points each. A value that has a given share below it is found by
Newton's method from the panel in which it lies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import astropy.units as u
import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import logsumexp

from astro_hier import priors
from astro_hier.core.floats import TINY, Theta
from astro_hier.core.normal import Floats
from astro_hier.populations import random_walk
from astro_hier.populations.binned import check_rising, values_in
from astro_hier.populations.family import EVERYWHERE, Ends, Population
from astro_hier.posterior import register

PANELS, POINTS = 8, 8
NODES, WEIGHTS = (of / 2 for of in np.polynomial.legendre.leggauss(POINTS))
NEWTON = 5  # steps; the first guess is right to a hundredth of a panel, and digits double


@lru_cache(maxsize=16)
def _spline(knots: tuple[float, ...]) -> CubicSpline:
    """The splines B_k, each of which is one at its knot."""
    return CubicSpline(knots, np.eye(len(knots)), bc_type="natural")


@lru_cache(maxsize=16)
def _panels(knots: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of the panels, and at their points the splines (point, knot) and ln of the weights."""
    edges = np.interp(np.arange((len(knots) - 1) * PANELS + 1) / PANELS, range(len(knots)), knots)
    width = np.diff(edges)[:, None]
    points = edges[:-1, None] + width * (NODES + 0.5)
    return edges, _spline(knots)(points.ravel()), np.log(width * WEIGHTS).ravel()


@dataclass(frozen=True)
class Spline(Population):
    """ln of the density of any quantity is a cubic spline, with neighbouring values alike.

    Parameters
    ----------
    knots : `~astropy.units.Quantity` or tuple of float
        Three or more values that rise; there are no objects beyond the first and the last. Numbers
        are in the unit that the model has for the quantity.
    smoothness : `~astro_hier.priors.Prior` or float, optional
        Prior on the standard deviation of ln of the ratio of the densities at neighbouring knots,
        for those at the average distance.

    Examples
    --------
    >>> from astro_hier import SamplePopulation, populations
    >>> family = populations.Spline(knots=(0, 1, 2, 3, 4))
    >>> model = SamplePopulation(quantity="mass", population=family)
    >>> [p.name for p in family.parameters]
    ['smoothness', 'step']
    """

    knots: tuple[float, ...]
    smoothness: priors.Prior | float = priors.HalfNormal(1)

    quantity = "any"
    parameters = random_walk.parameters(
        "", "", "the densities of the quantity at neighbouring knots"
    )
    sampled = ("smoothness",)

    def __post_init__(self):
        check_rising(self, "knots")

    def in_unit_of(self, unit: u.UnitBase) -> "Spline":
        if not isinstance(self.knots[0], u.Quantity):
            return self
        return replace(self, knots=tuple(values_in(unit, self.knots, "knots")))

    @property
    def standard_normals(self) -> dict[str, int]:
        return {"step": len(self.knots) - 1}

    def _changes(self, theta):
        average = (self.knots[-1] - self.knots[0]) / (len(self.knots) - 1)
        deviation = random_walk.deviations(np.array(self.knots), average)
        return random_walk.changes(theta["smoothness"], theta["step"], deviation)

    def _log_heights(self, theta):
        """ln of the density at the knots, shape (theta, knot)."""
        heights = random_walk.log_heights(self._changes(theta))
        _, at_points, log_weight = _panels(self.knots)
        return heights - logsumexp(heights @ at_points.T + log_weight, axis=-1, keepdims=True)

    def log_density(self, x: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        inside = (x >= self.knots[0]) & (x <= self.knots[-1])
        at_x = _spline(self.knots)(np.clip(x, self.knots[0], self.knots[-1]))
        return np.where(inside, self._log_heights(theta) @ at_x.T, -np.inf)

    def pymc_log_density(self, x: np.ndarray, theta: Mapping, ends: Ends) -> Any:
        import pytensor.tensor as pt

        heights = random_walk.pymc_log_heights(self._changes(theta))
        _, at_points, log_weight = _panels(self.knots)
        whole = pt.logsumexp(pt.dot(at_points, heights) + log_weight)
        inside = (x >= self.knots[0]) & (x <= self.knots[-1])
        at_x = _spline(self.knots)(np.clip(x, self.knots[0], self.knots[-1]))
        return pt.switch(inside, pt.dot(at_x, heights) - whole, -np.inf)

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        shape = np.shape(low)
        ends_of = np.concatenate([np.ravel(low), np.ravel(high)]).astype(float)
        below = _Cumulative(self.knots, self._log_heights(theta)).below(ends_of[None])
        bottom, top = np.split(below.T, 2)
        return (top - bottom).reshape(*shape, len(theta["smoothness"]))

    def shares(self, edges: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        cumulative = _Cumulative(self.knots, self._log_heights(theta))
        return np.diff(cumulative.below(np.asarray(edges, float)[None]))

    def share_of_each(
        self, low: np.ndarray, high: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        cumulative, shape = _Cumulative(self.knots, self._log_heights(theta)), np.shape(low)
        bottom, top = (cumulative.below(np.reshape(end, (shape[0], -1))) for end in (low, high))
        return (top - bottom).reshape(shape)

    def within(
        self, low: Floats, high: Floats, chance: Floats, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        cumulative, shape = _Cumulative(self.knots, self._log_heights(theta)), np.shape(chance)
        bottom, top, of = (
            np.reshape(x, (shape[0], -1)) for x in np.broadcast_arrays(low, high, chance)
        )
        below = cumulative.below(bottom)
        found = cumulative.inverse(below + of * (cumulative.below(top) - below))
        return np.clip(found.reshape(shape), low, high)

    def draw(self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator) -> np.ndarray:
        chance = rng.random((len(theta["smoothness"]), size))
        return self.within(self.knots[0], self.knots[-1], chance, theta)

    def width(self, theta: Theta) -> np.ndarray:
        """The least distance of neighbouring knots."""
        return np.full(len(theta["smoothness"]), np.diff(self.knots).min())

    def smallest_width(self, frozen: Mapping) -> float:
        return float(np.diff(self.knots).min())

    def extent(self, frozen: Mapping) -> Ends:
        return self.knots[0], self.knots[-1]

    def initial(self, x: np.ndarray) -> dict:
        """Steps between densities near the knots, of a histogram whose bins these are in."""
        knots = np.array(self.knots)
        edges = np.concatenate([knots[:1], 0.5 * (knots[1:] + knots[:-1]), knots[-1:]])
        width = np.diff(edges)
        number = np.histogram(np.clip(x, knots[0], knots[-1]), edges)[0] + width / width.sum()
        average = (knots[-1] - knots[0]) / (len(knots) - 1)
        changes = np.diff(np.log(number / width))
        start = random_walk.initial(changes, random_walk.deviations(knots, average))
        return dict(zip(("smoothness", "step"), start, strict=True))


class _Cumulative:
    """The share below a value, and its inverse, for each row of ln of the densities at knots."""

    def __init__(self, knots: tuple[float, ...], log_heights: np.ndarray):
        self.knots, self.spline = knots, np.tensordot(log_heights, _spline(knots).c, (1, 2))
        self.edges, at_points, log_weight = _panels(knots)
        mass = np.exp(log_heights @ at_points.T + log_weight)
        self.row = np.arange(len(log_heights))[:, None]
        each = mass.reshape(len(log_heights), -1, POINTS).sum(axis=-1)
        self.at_edges = np.pad(np.cumsum(each, axis=-1), ((0, 0), (1, 0)))
        self.at_edges /= self.at_edges[:, -1:]

    def density(self, x: np.ndarray) -> np.ndarray:
        """The density at values of each row, shape (row, value)."""
        piece = np.clip(np.searchsorted(self.knots, x, side="right") - 1, 0, len(self.knots) - 2)
        beyond = x - np.array(self.knots)[piece]
        of = self.spline[self.row, :, piece]
        return np.exp(
            ((of[..., 0] * beyond + of[..., 1]) * beyond + of[..., 2]) * beyond + of[..., 3]
        )

    def below(self, x: np.ndarray) -> np.ndarray:
        """The share below values of each row, shape (row, value); one row of values serves all."""
        x = np.clip(x, self.edges[0], self.edges[-1])
        panel = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, len(self.edges) - 2)
        return self.at_edges[self.row, panel] + self._from(self.edges[panel], x)

    def _from(self, edge, x):
        """The integral of the density from the edge of a panel to a value in it."""
        width = x - edge
        found = np.zeros(np.broadcast_shapes(self.row.shape, x.shape))
        for node, weight in zip(NODES + 0.5, WEIGHTS, strict=True):
            found += weight * self.density(edge + width * node)
        return width * found

    def inverse(self, share: np.ndarray) -> np.ndarray:
        """Values with these shares below them, shape (row, value)."""
        panel = np.sum(share[..., None] >= self.at_edges[:, None, 1:-1], axis=-1)
        low, high = self.edges[panel], self.edges[panel + 1]
        below, above = self.at_edges[self.row, panel], self.at_edges[self.row, panel + 1]
        x = low + (high - low) * (share - below) / np.maximum(above - below, TINY)
        for _ in range(NEWTON):
            step = (share - below - self._from(low, x)) / np.maximum(self.density(x), TINY)
            x = np.clip(x + step, low, high)
        return x


# users' files hold this name: it stays the same, wherever the class moves
register(Spline, "astro_hier.populations.Spline")
