"""Radial velocities of a circular orbit, its three linear parameters integrated out or drawn.

The velocities are v = M m + noise with m = (a, b, v0) and, at phase theta = 2 pi f t, rows
(cos theta, sin theta, 1) of M. For normal priors on m, of means m0 and variances Lambda, and
noise of variances C, the integral over m is closed (Luger, Foreman-Mackey & Hogg 2017, RNAAS 1, 7):

    ln p(v | f) = -1/2 (chi2 + ln |A| + ln |Lambda| + ln |2 pi C|),   A = M^T C^-1 M + Lambda^-1,

where chi2 is the least value over m of (v - M m)^T C^-1 (v - M m) + (m - m0)^T Lambda^-1 (m - m0).
It is the density of a normal distribution of mean M m0 and covariance C + M Lambda M^T.

At any frequency, `Solution` finds chi2 and A = R^T R by orthogonal triangularisation of the least
squares problem, with the priors as three more data: no digits are lost to large ratios of
amplitude to error, or to fewer visits than parameters.

On equally spaced frequencies, `log_marginal_grid` takes chi2 from the sums over visits of
w exp(i theta), w v exp(i theta) and w exp(2 i theta), w = 1 / C, in the manner of Lomb and Scargle.
The phase factors split, exp(2 pi i (f0 + (i n + j) df) t) = A_it B_tj, so that each sum is one
product of two matrices and no trigonometric function is needed for each frequency.

Times are in d, frequencies in 1 / d, velocities in km / s. A visit's arrays have shape (visit,).
"""

from dataclasses import dataclass

import numpy as np

# The sums lose chi2 to rounding by 1e-16 of the squared velocities in units of their errors.
LARGEST_SUM = 1e10
BLOCK = 100_000
LARGEST_GRID = 1_000_000


@dataclass(frozen=True)
class Visits:
    """The visits of one star, and the normal priors on its linear parameters a, b, v0."""

    time: np.ndarray
    rv: np.ndarray
    rv_error: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    @property
    def reference(self):
        """A velocity amid the data: what is left above it loses fewer digits in the sums."""
        return np.average(self.rv, weights=self.rv_error**-2)


class Solution:
    """The orbits that fit best at given frequencies, and what is needed of their uncertainty.

    Modified Gram-Schmidt on the columns of the least squares problem (Bjoerck 1967, BIT 7, 1),
    for all frequencies at once: columns have shape (visit + 3, frequency).

    Attributes
    ----------
    chi2 : ndarray
        Least value of the sum of squares, priors included, shape (frequency,).
    R : list of list
        ``R[i][j]`` for j >= i, elements of the triangle, each of shape (frequency,).
    z : list
        Right-hand side of R m = z.
    """

    def __init__(self, visits, frequency):
        self.visits = visits
        phase = 2 * np.pi * np.multiply.outer(visits.time, frequency)
        scale = 1 / np.concatenate([visits.rv_error, visits.sd])[:, None]
        columns = np.zeros((3, len(scale), len(frequency)))
        np.cos(phase, out=columns[0, :-3])
        np.sin(phase, out=columns[1, :-3])
        columns[2, :-3] = 1
        for i in range(3):
            columns[i, i - 3] = 1
        columns *= scale
        mean = visits.mean - np.array([0, 0, visits.reference])
        rest = np.concatenate([visits.rv - visits.reference, mean])[:, None] * scale
        rest = np.repeat(rest, len(frequency), axis=1)
        self.R = [[None] * 3 for _ in range(3)]
        self.z = []
        for i in range(3):
            length = np.sqrt(_dot(columns[i], columns[i]))
            unit = columns[i] / length
            self.R[i][i] = length
            for j in range(i + 1, 3):
                self.R[i][j] = _dot(unit, columns[j])
                columns[j] -= self.R[i][j] * unit
            self.z.append(_dot(unit, rest))
            rest -= self.z[i] * unit
        self.chi2 = _dot(rest, rest)

    def log_marginal(self):
        """ln p(rv | frequency), shape (frequency,)."""
        log_determinant = 2 * sum(np.log(self.R[i][i]) for i in range(3))
        return -0.5 * (self.chi2 + log_determinant + _log_norm(self.visits))

    def linear(self, noise=(0, 0, 0)):
        """a, b, v0 that fit best or, with standard normal ``noise``, drawn about them."""
        R, z = self.R, self.z
        v0 = (z[2] + noise[2]) / R[2][2]
        b = (z[1] + noise[1] - R[1][2] * v0) / R[1][1]
        a = (z[0] + noise[0] - R[0][1] * b - R[0][2] * v0) / R[0][0]
        return a, b, v0 + self.visits.reference


def log_marginal(visits, frequency):
    """ln p(rv | frequency), a, b and v0 integrated out, shape (frequency,)."""
    return Solution(visits, frequency).log_marginal()


def draw_linear(visits, frequency, rng):
    """One draw of a, b, v0 for each frequency from their exact distribution, three arrays."""
    return Solution(visits, frequency).linear(rng.standard_normal((3, len(frequency))))


def log_marginal_grid(visits, start, step, count):
    """ln p(rv | frequency) at ``count`` equally spaced frequencies from ``start``."""
    weight, rv = visits.rv_error**-2, visits.rv - visits.reference
    if len(rv) <= 3 or weight @ rv**2 > LARGEST_SUM:
        frequency = start + step * np.arange(count)
        blocks = np.array_split(frequency, -(-count * len(rv) // BLOCK))
        return np.concatenate([log_marginal(visits, block) for block in blocks])
    if count > LARGEST_GRID:
        starts = range(0, count, LARGEST_GRID)
        return np.concatenate(
            [
                log_marginal_grid(visits, start + i * step, step, min(LARGEST_GRID, count - i))
                for i in starts
            ]
        )
    inner = int(np.ceil(np.sqrt(count)))
    outer = -(-count // inner)
    coarse = start + np.arange(outer) * (inner * step)
    coarse = np.exp(2j * np.pi * np.multiply.outer(coarse, visits.time))
    fine = np.exp(2j * np.pi * np.multiply.outer(visits.time, np.arange(inner) * step))
    single = np.concatenate([coarse * weight, coarse * (weight * rv)]) @ fine
    w2 = (coarse**2 * weight) @ fine**2
    w1, y1, w2 = (sums.ravel()[:count] for sums in (single[:outer], single[outer:], w2))
    return _log_marginal_of_sums(visits, weight, rv, w1, y1, w2)


def _log_marginal_of_sums(visits, weight, rv, w1, y1, w2):
    """ln p from the sums of w exp(i theta), w v exp(i theta), w exp(2 i theta), v0 eliminated."""
    pa, pb, p0 = precision = visits.sd**-2
    ma, mb, m0 = mean = visits.mean - np.array([0, 0, visits.reference])
    total = np.sum(weight)
    A_v0, d_v0 = total + p0, weight @ rv + p0 * m0
    c, s = w1.real, w1.imag
    aa = 0.5 * (total + w2.real) + pa - c * c / A_v0
    bb = 0.5 * (total - w2.real) + pb - s * s / A_v0
    ab = 0.5 * w2.imag - c * s / A_v0
    da = y1.real + pa * ma - c * d_v0 / A_v0
    db = y1.imag + pb * mb - s * d_v0 / A_v0
    determinant = aa * bb - ab * ab
    explained = d_v0**2 / A_v0 + (bb * da * da - 2 * ab * da * db + aa * db * db) / determinant
    chi2 = weight @ rv**2 + precision @ mean**2 - explained
    return -0.5 * (chi2 + np.log(determinant * A_v0) + _log_norm(visits))


def _log_norm(visits):
    return np.sum(np.log(2 * np.pi * visits.rv_error**2)) + 2 * np.sum(np.log(visits.sd))


def _dot(x, y):
    return np.einsum("ij,ij->j", x, y)


def radial_velocity(time, period, a, b, v0):
    """v = a cos(2 pi t / P) + b sin(2 pi t / P) + v0, broadcasting."""
    phase = 2 * np.pi * time / period
    return a * np.cos(phase) + b * np.sin(phase) + v0
