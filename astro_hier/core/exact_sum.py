"""Sums over many stars that do not depend on their order, nor on how they are divided.

Each value is rounded to a multiple of 2^-40, whole number and fraction are summed apart, and both
sums are exact: whole numbers as floats below 2^53, fractions as 64-bit integers for up to ten
million values. The rounding is 5e-13 of a value.
"""

import numpy as np

SCALE = 2.0**40


class ExactSum:
    """The sum of values that come in parts, shape (theta,).

    Values below all numbers make the sum -inf.
    """

    def __init__(self, size: int):
        self._whole, self._fraction = np.zeros(size), np.zeros(size, np.int64)
        self._impossible = np.zeros(size, bool)

    def add(self, values: np.ndarray, at: slice = slice(None)) -> None:
        """Add values of shape (theta, star) over their stars, for all theta or some."""
        impossible = np.isneginf(values)
        values = np.where(impossible, 0.0, values)
        whole = np.rint(values)
        self._impossible[at] |= impossible.any(axis=1)
        self._whole[at] += whole.sum(axis=1)
        self._fraction[at] += np.rint((values - whole) * SCALE).astype(np.int64).sum(axis=1)

    @property
    def total(self) -> np.ndarray:
        return np.where(self._impossible, -np.inf, self._whole + self._fraction / SCALE)
