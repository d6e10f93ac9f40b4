"""Radial velocities of a circular orbit, all but its period integrated out or drawn.

The velocities are v = M m + noise. The linear parameters m are a and b, with the columns cos theta
and sin theta of M at phase theta = 2 pi f t, and others whose columns do not depend on the
frequency: v0 (ones), offsets of instruments, powers of time. For normal priors on m, of means m0
and variances Lambda, and noise of variances C, the integral over m is closed (Luger, Foreman-Mackey
& Hogg 2017, RNAAS 1, 7):

    ln p(v | f) = -1/2 (chi2 + ln |A| + ln |Lambda| + ln |2 pi C|),   A = M^T C^-1 M + Lambda^-1,

where chi2 is the least value over m of (v - M m)^T C^-1 (v - M m) + (m - m0)^T Lambda^-1 (m - m0).
It is the density of a normal distribution of mean M m0 and covariance C + M Lambda M^T. With
m = m0 + Lambda^(1/2) x the determinants are one, |1 + Lambda^(1/2) M^T C^-1 M Lambda^(1/2)|, and a
parameter that is known is one of variance zero.

At any frequency, `Solution` finds chi2 and A = R^T R by orthogonal triangularisation of the least
squares problem in x, with the priors as more data: no digits are lost to large ratios of amplitude
to error, or to fewer visits than parameters.

On equally spaced frequencies, `log_marginal_grid` takes chi2 from the sums over visits of
w exp(i theta), w v exp(i theta) and w exp(2 i theta), w = 1 / C, in the manner of Lomb and Scargle.
The phase factors split, exp(2 pi i (f0 + (i n + j) df) t) = A_it B_tj, so that each sum is one
product of two matrices and no trigonometric function is needed for each frequency.

Times are in d, frequencies in 1 / d, velocities in km / s. A visit's arrays have shape (visit,).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg import solve_triangular

# The sums lose chi2 to rounding by 1e-16 of the squared velocities in units of their errors.
LARGEST_SUM = 1e10
BLOCK = 100_000
LARGEST_GRID = 1_000_000


class Solution:
    """The orbits that fit best at given frequencies, and what is needed of their uncertainty.

    Modified Gram-Schmidt on the columns of the least squares problem (Bjoerck 1967, BIT 7, 1),
    for all frequencies at once: columns have shape (visit + parameter, frequency).

    Attributes
    ----------
    chi2 : ndarray
        Least value of the sum of squares, priors included, shape (frequency,).
    R : list of list
        ``R[i][j]`` for j >= i, elements of the triangle, each of shape (frequency,).
    z : list
        Right-hand side of R x = z, x the deviations from the centre in prior standard deviations.
    """

    def __init__(self, visits, frequency, waves=None):
        self.visits = visits
        cosine, sine = phases(visits.time, frequency) if waves is None else waves
        error = visits.rv_error if visits.rv_error.ndim == 2 else visits.rv_error[:, None]
        size, visit = len(visits.sd), len(visits.time)
        columns = np.zeros((size, visit + size, len(frequency)))
        columns[0, :visit], columns[1, :visit] = cosine, sine
        columns[2:, :visit] = visits.constant.T[:, :, None]
        self.center, target = visits.center, visits.from_center
        rest = np.zeros((visit + size, len(frequency)))
        rest[:visit] = target[:, None]
        for amplitude, column in zip(self.center[:2], columns, strict=False):
            if amplitude:
                rest[:visit] -= amplitude * column[:visit]
        rest[:visit] /= error
        if visits.sd[2] > 0:
            rest[visit + 2] = (visits.mean[2] - self.center[2]) / visits.sd[2]
        for i, column in enumerate(columns):
            column[:visit] *= visits.sd[i] / error
            column[visit + i] = 1
        self.R = [[None] * size for _ in range(size)]
        self.z = []
        for i in range(size):
            length = np.sqrt(_dot(columns[i], columns[i]))
            unit = columns[i] / length
            self.R[i][i] = length
            for j in range(i + 1, size):
                self.R[i][j] = _dot(unit, columns[j])
                columns[j] -= self.R[i][j] * unit
            self.z.append(_dot(unit, rest))
            rest -= self.z[i] * unit
        self.chi2 = _dot(rest, rest)

    def log_marginal(self):
        """ln p(rv | frequency), shape (frequency,)."""
        log_determinant = 2 * sum(np.log(row[i]) for i, row in enumerate(self.R))
        return -0.5 * (self.chi2 + log_determinant + _log_norm(self.visits))

    def linear(self, noise=None):
        """a, b, v0, ... that fit best or, with standard normal ``noise``, drawn about them."""
        x = [None] * len(self.z)
        for i in reversed(range(len(x))):
            x[i] = self.z[i] if noise is None else self.z[i] + noise[i]
            for j in range(i + 1, len(x)):
                x[i] = x[i] - self.R[i][j] * x[j]
            x[i] = x[i] / self.R[i][i]
        return np.array(
            [c + s * value for c, s, value in zip(self.center, self.visits.sd, x, strict=True)]
        )


def phases(time, frequency):
    """Cosine and sine of the phases, shape (visit, frequency)."""
    phase = 2 * np.pi * np.multiply.outer(time, frequency)
    return np.cos(phase), np.sin(phase)


def log_marginal_grid(visits, start, step, count):
    """ln p(rv | frequency) at ``count`` equally spaced frequencies from ``start``."""
    weight, rv = visits.rv_error**-2, visits.from_center
    if len(rv) <= 3 or weight @ rv**2 > LARGEST_SUM:
        frequency = start + step * np.arange(count)
        blocks = np.array_split(frequency, -(-count * len(rv) // BLOCK))
        return np.concatenate([Solution(visits, block).log_marginal() for block in blocks])
    if count > LARGEST_GRID:
        starts = range(0, count, LARGEST_GRID)
        return np.concatenate(
            [
                log_marginal_grid(visits, start + i * step, step, min(LARGEST_GRID, count - i))
                for i in starts
            ]
        )
    # the constant columns, made orthogonal to each other: they drop out one by one
    columns = visits.constant * visits.sd[2:]
    triangle = np.linalg.cholesky(np.eye(columns.shape[1]) + (columns.T * weight) @ columns)
    columns = solve_triangular(triangle, columns.T, lower=True)
    coarse, fine = _phase_factors(visits.time.tobytes(), start, step, count)
    single = np.concatenate([coarse * (weight * row) for row in (rv, *columns)]) @ fine
    w2 = (coarse**2 * weight) @ fine**2
    y1, *w1 = (sums.ravel()[:count] for sums in np.split(single, len(columns) + 1))
    sums = _Sums(w1, y1, w2.ravel()[:count])
    return sums.log_marginal(visits, weight, rv, columns, triangle)


@lru_cache(maxsize=2)  # a jitter is tried many times at the same phases
def _phase_factors(time, start, step, count):
    """The two factors of exp(2 pi i f t) at equally spaced frequencies, ``time`` as bytes."""
    time = np.frombuffer(time)
    inner = int(np.ceil(np.sqrt(count)))
    outer = -(-count // inner)
    coarse = start + np.arange(outer) * (inner * step)
    coarse = np.exp(2j * np.pi * np.multiply.outer(coarse, time))
    return coarse, np.exp(2j * np.pi * np.multiply.outer(time, np.arange(inner) * step))


@dataclass
class _Sums:
    """Sums over visits of w c_k exp(i theta), w v exp(i theta), w exp(2 i theta)."""

    w1: list
    y1: np.ndarray
    w2: np.ndarray

    def log_marginal(self, visits, weight, rv, columns, triangle):
        """ln p, the orthogonal constant columns c_k eliminated, then a and b."""
        sd_a, sd_b = visits.sd[:2]
        a0, b0 = visits.mean[:2]
        total = np.sum(weight)
        cos2, sin2 = 0.5 * (total + self.w2.real), 0.5 * (total - self.w2.real)
        cos_sin, yc, ys = 0.5 * self.w2.imag, self.y1.real, self.y1.imag
        y2, prior = weight @ rv**2, np.zeros(len(columns))
        if visits.sd[2] > 0:
            prior[0] = (visits.mean[2] - visits.center[2]) / visits.sd[2]
        d = columns @ (weight * rv) + solve_triangular(triangle, prior, lower=True)
        if a0 or b0:
            y2 = y2 - 2 * (a0 * yc + b0 * ys)
            y2 = y2 + a0 * a0 * cos2 + 2 * a0 * b0 * cos_sin + b0 * b0 * sin2
            yc, ys = yc - a0 * cos2 - b0 * cos_sin, ys - a0 * cos_sin - b0 * sin2
            d = [dk - a0 * wk.real - b0 * wk.imag for dk, wk in zip(d, self.w1, strict=True)]
        for wk, dk in zip(self.w1, d, strict=True):
            cos2, sin2 = cos2 - wk.real**2, sin2 - wk.imag**2
            cos_sin = cos_sin - wk.real * wk.imag
            yc, ys = yc - wk.real * dk, ys - wk.imag * dk
            y2 = y2 - dk * dk
        aa, bb, ab = 1 + sd_a**2 * cos2, 1 + sd_b**2 * sin2, sd_a * sd_b * cos_sin
        da, db = sd_a * yc, sd_b * ys
        determinant = aa * bb - ab * ab
        explained = (bb * da * da - 2 * ab * da * db + aa * db * db) / determinant
        chi2 = y2 + prior @ prior - explained
        log_determinant = np.log(determinant) + 2 * np.sum(np.log(np.diag(triangle)))
        return -0.5 * (chi2 + log_determinant + _log_norm(visits))


def _log_norm(visits):
    return np.sum(np.log(2 * np.pi * visits.rv_error**2), axis=0)


def _dot(x, y):
    return np.einsum("ij,ij->j", x, y)
