"""What compiled loops need of a star's visits: all that does not depend on the frequency.

As `rows_compiled`, this is imported where it is needed.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from astro_hier.core.rows_compiled import FAST


class Star(NamedTuple):
    """What the loops need of a star's visits, for each value of a scatter.

    Attributes
    ----------
    time : ndarray
        Shape (visit,).
    inverse : ndarray
        1 / error, shape (node, visit).
    unit : ndarray
        The constant columns, orthonormal, then their priors' rows, shape
        (node, column, visit + column).
    rest : ndarray
        Velocities over errors, less their share along these, shape (node, visit + column).
    start : ndarray
        The same before that, if the prior means of a and b are not zero.
    height : ndarray
        What ln p has beside chi2 and the determinant of a and b, shape (node,).
    mean, sd : ndarray
        Of the prior of a and b, shape (2,): sd times frequency to the ``power``.
    power : float
    sums : ndarray of bool
        Whether sums over visits are exact enough, shape (node,).
    """

    time: np.ndarray
    inverse: np.ndarray
    unit: np.ndarray
    rest: np.ndarray
    start: np.ndarray
    height: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    power: float
    sums: np.ndarray


@njit(**FAST)
def _constants(columns, inverse, unit, rest):
    """Make the constant columns orthonormal, and take their share from ``rest``.

    Returns ln of the determinant.
    """
    count, visits = columns.shape
    determinant = 0.0
    for k in range(count):
        for j in range(visits):
            unit[k, j] = columns[k, j] * inverse[j]
        for j in range(count):
            unit[k, visits + j] = 1.0 if j == k else 0.0
    for k in range(count):
        square = _product(unit[k], unit[k])
        determinant += np.log(square)
        for j in range(visits + count):
            unit[k, j] /= np.sqrt(square)
        for other in range(k + 1, count):
            _subtract(_product(unit[k], unit[other]), unit[k], unit[other])
        _subtract(_product(unit[k], rest), unit[k], rest)
    return determinant


@njit(**FAST)
def _product(first, second):
    total = 0.0
    for j in range(len(first)):
        total += first[j] * second[j]
    return total


@njit(**FAST)
def _subtract(factor, of, out):
    for j in range(len(out)):
        out[j] -= factor * of[j]


@njit(**FAST)
def make_orthonormal(columns, inverse, unit, rest, height):
    """Fill ``unit``, and change ``rest`` and ``height`` from what they are before: see `Star`."""
    for node in range(len(inverse)):
        height[node] -= 0.5 * _constants(columns, inverse[node], unit[node], rest[node])


def prepare(time, rv, error, columns, pull, height, mean, sd, power, sums):
    """The `Star` of visits whose velocities and errors have shape (node, visit).

    ``columns`` are the constant ones times the standard deviations of their priors, and ``pull`` is
    the prior's mean of the first, from the centre in standard deviations, shape (node,);
    ``height`` does not yet have their determinant.
    """
    (nodes, visits), count = error.shape, len(columns)
    inverse, height = 1 / error, height.copy()
    start = np.zeros((nodes, visits + count))
    start[:, :visits], start[:, visits] = rv * inverse, pull
    unit, rest = np.empty((nodes, count, visits + count)), start.copy()
    make_orthonormal(columns, inverse, unit, rest, height)
    return Star(time, inverse, unit, rest, start, height, mean, sd, power, sums)
