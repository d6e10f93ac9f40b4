"""Sums over many rows of normal densities whose variances are S^2 + e^2, from a few moments.

With e the error of a row of value y, and mean v,

    sum ln N(y | v, S^2 + e^2) = -sum [(y - v)^2 / (S^2 + e^2) + ln 2 pi (S^2 + e^2)] / 2

is a sum of 1, y and y^2 times smooth functions of ln e. Functions of ln e are interpolated between
Chebyshev nodes x_j, f(x) = sum_j l_j(x) f(x_j) with polynomials l_j, so that

    sum_n y_n^k f(ln e_n) = sum_j f(x_j) M_jk,    M_jk = sum_n l_j(ln e_n) y_n^k.

The M_jk are computed once, from the sums of y^k T_i(ln e) over all rows with Chebyshev polynomials
T_i. Whatever S, f has no singularity closer to the real axis than pi / 2, so the interpolation
converges geometrically (Trefethen 2013, *Approximation Theory and Approximation Practice*, theorem
8.2): 24 nodes are enough where errors differ by a factor of ten, and several panels share a wider
range. A factor common to all errors amounts to another S. The relative error of 1 / (S^2 + e^2) and
the error of ln(S^2 + e^2) at the worst S and e are found by trial, and nodes are added until both
together, times half the number of rows, are less than `TOLERANCE`. Where only a few errors occur
they are the nodes, and nothing is interpolated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from astro_hier.core.threads import blocks

TOLERANCE = 1e-4  # of ln p in all, where chi2 equals the number of rows
WIDEST = 3.5  # panel of ln e, a factor of 33: wider ones take more nodes than two
NUMBERS = range(8, 72, 8)  # of nodes of a panel to try
TRIED = 10_000  # rows among which errors are counted before those of all are
BEYOND = 4.0  # how far trial values of ln S reach beyond the errors, for f is simple there
TRIALS = 60  # values of ln S, and four times as many of ln e


@dataclass(frozen=True)
class ErrorMoments:
    """Moments of all rows at some errors.

    Attributes
    ----------
    error : ndarray
        Errors at the nodes, shape (node,).
    centre : float
        What is subtracted from the values.
    moments : ndarray
        Sums of 1, y - centre and (y - centre)^2, each row dealt to the nodes, shape (3, node).
    tolerance : float
        A bound on the error of `log_density` where chi2 is the number of rows; where it is larger,
        the bound grows no faster.
    """

    error: np.ndarray
    centre: float
    moments: np.ndarray
    tolerance: float

    def log_density(self, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """The sum over all rows of ln of their densities, shape (theta,).

        ``mean`` has shape (theta,), and ``variance``, S^2 + e^2 at the nodes, (theta, node).
        """
        zeroth, first, second = self.moments
        shift = (mean - self.centre)[:, None]
        chi2 = (second - 2 * shift * first + shift**2 * zeroth) / variance
        return -0.5 * np.sum(chi2 + zeroth * np.log(2 * np.pi * variance), axis=1)


def of_rows(value: np.ndarray, error: np.ndarray) -> ErrorMoments | None:
    """The moments of rows with these values and errors; None if too many nodes are needed."""
    few = _few_errors(error)
    if few is not None:
        return _at_errors(value, *few)
    low, high = np.log(error.min()), np.log(error.max())
    ends = np.linspace(low, high, int(np.ceil((high - low) / WIDEST)) + 1)
    half = 0.5 * (ends[1] - ends[0])
    number, tolerance = _number(half, len(error))
    if number is None:
        return None
    centre, sums = float(np.median(value)), np.zeros((len(ends) - 1, 3, number))
    for rows in blocks(len(value)):
        x, away = (np.log(error[rows]) - low) / half, value[rows] - centre
        which = np.minimum(x / 2, len(ends) - 2).astype(int)
        for panel in range(len(ends) - 1):
            there = which == panel
            sums[panel] += _sums(x[there] - (2 * panel + 1), away[there], number)
    x = chebyshev.chebpts1(number)
    nodes = np.exp(ends[:-1, None] + half * (1 + x))
    moments = np.swapaxes(sums @ _dealt(x).T, 0, 1)
    return ErrorMoments(nodes.ravel(), centre, moments.reshape(3, -1), tolerance)


def _sums(x, away, number):
    """Sums of 1, y and y^2 times Chebyshev polynomials of x, shape (3, number)."""
    weights = np.array([np.ones(len(x)), away, away * away])
    return weights @ chebyshev.chebvander(x, number - 1)


def _few_errors(error):
    """The errors that occur, and which of them each row has, if they are few; or None."""
    if len(np.unique(error[:TRIED])) > NUMBERS[-1]:
        return None
    found, which = np.unique(error, return_inverse=True)
    return (found, which) if len(found) <= NUMBERS[-1] else None


def _at_errors(value, found, which):
    """Moments at the very errors of the rows."""
    centre = float(np.median(value))
    away = value - centre
    weights = None, away, away * away
    sums = [np.bincount(which, of, minlength=len(found)) for of in weights]
    return ErrorMoments(found, centre, np.array(sums, float), 0.0)


def _dealt(x):
    """What a Chebyshev polynomial of each degree gives to each node, shape (node, degree)."""
    polynomials = chebyshev.chebvander(x, len(x) - 1) * (2 / len(x))
    polynomials[:, 0] /= 2
    return polynomials


def _number(half, rows):
    """The number of nodes that is enough for a panel of this half width, and a bound on ln p."""
    for number in NUMBERS:
        bound = 0.5 * rows * _worst(half, number)
        if bound < TOLERANCE:
            return number, bound
    return None, np.inf


def _worst(half, number):
    """The largest error of interpolation at any S and e: of 1 / (S^2 + e^2) and the logarithm."""
    at, x = np.linspace(-1, 1, 4 * TRIALS), chebyshev.chebpts1(number)
    to_at = chebyshev.chebvander(at, number - 1) @ _dealt(x).T
    ln_S = np.linspace(-half - BEYOND, half + BEYOND, TRIALS)[:, None]
    # ln(S^2 + e^2), in units of the error in the middle of the panel
    exact, known = (np.logaddexp(2 * ln_S, 2 * half * points) for points in (at, x))
    of_log = np.abs(known @ to_at.T - exact).max()
    of_inverse = np.abs(np.exp(-known) @ to_at.T * np.exp(exact) - 1).max()
    return of_log + of_inverse
