"""Equally spaced points in one or two coordinates, and how masses are distributed over them.

The coordinate is a quantity, its ln or its logit; densities are per unit of it. A mass is shared
between the two nearest points of each axis so that its sum and its mean are kept.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
from scipy.special import expit, logit

ROUNDING = 1e-6  # in steps: how far beyond the ends a mass may lie

# the coordinate of an axis from the quantity, and back
SCALES = {
    "linear": (np.asarray, np.asarray),
    "ln": (np.log, np.exp),
    "logit": (logit, expit),
}


@dataclass(frozen=True)
class Axis:
    """Equally spaced points of a quantity, of its ln or of its logit.

    Densities are per unit of this coordinate, in which masses are also distributed.

    Attributes
    ----------
    low, high : float
        The ends of the coordinate.
    count : int
        Number of points, two or more.
    scale : {"linear", "ln", "logit"}
        What the coordinate is.
    """

    low: float
    high: float
    count: int
    scale: str = "linear"

    @classmethod
    def between(cls, low, high, count, scale="linear"):
        """The axis between two values of the quantity itself."""
        coordinate = SCALES[scale][0]
        return cls(float(coordinate(low)), float(coordinate(high)), count, scale)

    @cached_property
    def points(self):
        """The coordinate at the points, shape (count,)."""
        return np.linspace(self.low, self.high, self.count)

    @property
    def step(self):
        return (self.high - self.low) / (self.count - 1)

    def finer(self, times):
        """The axis with ``times`` as many steps, which keeps all its points."""
        return replace(self, count=(self.count - 1) * times + 1)

    def coordinate(self, value):
        return SCALES[self.scale][0](value)

    def value(self, coordinate):
        return SCALES[self.scale][1](coordinate)


@dataclass(frozen=True)
class Grid:
    """The points of one axis, or of the product of two, with the last changing fastest."""

    axes: tuple[Axis, ...]

    @property
    def shape(self):
        return tuple(axis.count for axis in self.axes)

    @property
    def size(self):
        return int(np.prod(self.shape))

    @property
    def volume(self):
        """The volume of the cell about each point: the product of the steps."""
        return float(np.prod([axis.step for axis in self.axes]))

    @property
    def points(self):
        """Coordinates of all points, one array of shape (size,) for each axis."""
        mesh = np.meshgrid(*(axis.points for axis in self.axes), indexing="ij")
        return tuple(axis.ravel() for axis in mesh)

    def deal(self, *coordinates):
        """The points nearest to each mass, and the shares of it that they get.

        Parameters
        ----------
        *coordinates : ndarray
            Where the masses lie on each axis, shape (cell,).

        Returns
        -------
        tuple of ndarray
            Indices of the points, and the shares, shape (corner, cell): two corners for one axis,
            the lower first, or four for two.

        Raises
        ------
        ValueError
            If a mass lies beyond the ends.
        """
        lower, shares = zip(*map(_beside, self.axes, coordinates), strict=True)
        corners = list(product((0, 1), repeat=len(self.axes)))
        points = [
            np.ravel_multi_index(np.add(lower, np.array(corner)[:, None]), self.shape)
            for corner in corners
        ]
        parts = [
            np.prod([of[side] for of, side in zip(shares, corner, strict=True)], axis=0)
            for corner in corners
        ]
        return np.array(points), np.array(parts)


def _beside(axis, coordinate):
    """The point below, and the shares of it and of the point above."""
    place = (coordinate - axis.low) / axis.step
    if np.size(place) and not (
        place.min() >= -ROUNDING and place.max() <= axis.count - 1 + ROUNDING
    ):
        raise ValueError(
            f"there are masses from {coordinate.min():.6g} to {coordinate.max():.6g}, beyond the"
            f" ends of the grid, {axis.low:.6g} to {axis.high:.6g}"
        )
    lower = np.clip(place.astype(int), 0, axis.count - 2)
    share = np.clip(place - lower, 0, 1)
    return lower, (1 - share, share)
