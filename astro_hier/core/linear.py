"""Linear parameters of radial velocities, integrated out or drawn.

The velocities are v = M m + noise. The linear parameters m are a and b, with the columns cos theta
and sin theta of M at phase theta = 2 pi f t, and others whose columns do not depend on the
frequency: v0 (ones), offsets of instruments, powers of time. For normal priors on m with means m0
and variances Lambda, and noise with variances C, the integral over m has a closed form (Luger,
Foreman-Mackey & Hogg 2017, RNAAS 1, 7):

    ln p(v | f) = -1/2 (chi2 + ln |A| + ln |Lambda| + ln |2 pi C|),   A = M^T C^-1 M + Lambda^-1,

where chi2 is the minimum over m of (v - M m)^T C^-1 (v - M m) + (m - m0)^T Lambda^-1 (m - m0).
It is the density of a normal distribution with mean M m0 and covariance C + M Lambda M^T. With
m = m0 + Lambda^(1/2) x the product of |A| and |Lambda| is a single determinant,
|1 + Lambda^(1/2) M^T C^-1 M Lambda^(1/2)|, and a known parameter is one with variance zero.

At any frequency, `Solution` finds chi2 and A = R^T R by orthogonal triangularisation of the least
squares problem in x, with the priors as additional data: no digits are lost where the ratio of
amplitude to error is large, or where there are fewer visits than parameters.

Times are in d, frequencies in 1 / d, velocities in km / s. A visit's arrays have shape (visit,).
"""

import numpy as np


class Solution:
    """The best-fitting orbits at given frequencies, and what describes their uncertainty.

    Modified Gram-Schmidt on the columns of the least squares problem (Bjoerck 1967, BIT 7, 1),
    for all frequencies at once: columns have shape (visit + parameter, frequency).

    Attributes
    ----------
    chi2 : ndarray
        Minimum of the sum of squares, priors included, shape (frequency,).
    R : list of list
        ``R[i][j]`` for j >= i, elements of the triangle, each of shape (frequency,).
    z : list
        Right-hand side of R x = z, where x is the deviation from the centre in prior standard
        deviations.
    """

    def __init__(self, visits, frequency, waves=None):
        self.visits, self.sd = visits, visits.sd_at(frequency)
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
            column[:visit] *= self.sd[i] / error
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
        return -0.5 * (self.chi2 + log_determinant + log_norm(self.visits))

    def linear(self, noise=None):
        """The best-fitting a, b, v0, ... or, with standard normal ``noise``, a draw of them."""
        x = [None] * len(self.z)
        for i in reversed(range(len(x))):
            x[i] = self.z[i] if noise is None else self.z[i] + noise[i]
            for j in range(i + 1, len(x)):
                x[i] = x[i] - self.R[i][j] * x[j]
            x[i] = x[i] / self.R[i][i]
        return np.array(
            [c + s * value for c, s, value in zip(self.center, self.sd, x, strict=True)]
        )


def phases(time, frequency):
    """Cosine and sine of the phases, shape (visit, frequency)."""
    phase = 2 * np.pi * np.multiply.outer(time, frequency)
    return np.cos(phase), np.sin(phase)


def log_norm(visits):
    return np.sum(np.log(2 * np.pi * visits.rv_error**2), axis=0)


def _dot(x, y):
    return np.einsum("ij,ij->j", x, y)
