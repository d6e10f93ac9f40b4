"""Sums over lattices of different lengths, many at once, and exact draws from them.

An integrand that is analytic and falls off at both ends is integrated by the trapezoid rule with
an error that falls geometrically with the step (Trefethen & Weideman 2014, SIAM Review 56, 385).
The integral does not depend on where the lattice starts. So a point picked from a lattice with a
random offset, in proportion to the integrand there, is an exact draw.
"""

from collections.abc import Iterator

import numpy as np

from astro_hier.core.floats import TINY

MAX_POINTS = 32_000


class Lattices:
    """A lattice for each of many integrands, longest first.

    A subclass sets up its own arrays with `sorted` and defines `walk`.

    Parameters
    ----------
    low, high : ndarray
        Ends of each lattice, shape (integrand,).
    points : ndarray
        How many steps lie between them, at least; numbers that need not be whole.
    shape : tuple of int
        Shape of the results.
    """

    def __init__(
        self, low: np.ndarray, high: np.ndarray, points: np.ndarray, shape: tuple[int, ...]
    ):
        # 16-bit integers sort three times as fast, and no useful lattice is longer
        count = np.ceil(points).clip(1, MAX_POINTS).astype(np.int16) + 1
        step = (high - low) / count
        self.size, self.shape = low.size, shape
        self.order = np.argsort(-count, kind="stable")
        count, self.step, self.low = count[self.order], step[self.order], low[self.order]
        self.active = np.searchsorted(-count, -np.arange(count[0]), side="left")

    def sorted(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Arrays of shape (integrand,) in the order of the lattices."""
        return [array[self.order] for array in arrays]

    def unsorted(self, values: np.ndarray) -> np.ndarray:
        """Values of the lattices in the order and shape of the integrands."""
        result = np.empty_like(values)
        result[self.order] = values
        return result.reshape(self.shape)

    def walk(self, offset: np.ndarray) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield (slice of the lattices, place, weight) point by point; ``offset`` is in steps."""
        raise NotImplementedError

    def integral(self) -> np.ndarray:
        """The sum of the weights times the step, in the order of the lattices."""
        total = np.zeros(self.size)
        for points, _, weight in self.walk(np.full(self.size, 0.5)):
            total[points] += weight
        return total * self.step

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One exact draw of each place, in the order of the lattices."""
        offset, chance = rng.random((2, self.size))
        total = np.full(self.size, TINY)
        chosen = np.empty(self.size)
        for points, place, weight in self.walk(offset):
            # Take this point with probability weight / total, then stretch the remaining chance
            # back to (0, 1): one uniform number then picks among all points.
            left = chance[points]
            total[points] += weight
            share = weight / total[points]
            taken = left < share
            np.copyto(chosen[points], place, where=taken)
            rest = (left - share) / np.maximum(1 - share, TINY)
            np.divide(left, share, out=rest, where=taken)
            chance[points] = rest
        return chosen
