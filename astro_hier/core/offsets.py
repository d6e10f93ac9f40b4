"""Many common offsets of the stars' parallaxes, integrated out or drawn together.

The offset of star n is sum_k m_kn z_k with z_k ~ Normal(0, 1) and the modes m_k of `sky`. If 1/r
were linear in r, the parallax of a member would be normally distributed about its offset, and z
would be normal too: given precisions w_n and residuals y_n, its precision matrix would be
A = 1 + M W M^T and its mean A^-1 M W y. A star that may belong to one of several components, or to
none, counts with the precision of each, weighted by the probabilities that it belongs to them.
These are iterated together with the mean (expectation-maximisation); the matrix is then the
observed information, complete minus missing (Louis 1982, JRSS B 44, 226).

Points are drawn from this normal distribution q, and each is weighted by the exact density, with
the distances integrated out. So the integral is

    p(data | theta) = 1/P sum_p p(data | theta, z_p) Normal(z_p; 0, 1) / q(z_p | theta),

with the same standard normal numbers, in pairs of opposite sign, for every theta. One of the
points, picked in proportion to its weight, is a draw of z.
"""

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.special import logsumexp
from scipy.stats import norm

PAIRS = 2  # of points
ROUNDS = 8  # of expectation-maximisation
MIN_INFORMATION = 0.1  # of a star, as a share of its complete information


def points(modes, shares_of, residual, variance, normals):
    """Points drawn from the normal distribution of z given each theta, and ln of their densities.

    Parameters
    ----------
    modes : ndarray
        Shape (mode, star).
    shares_of : callable
        ``shares_of(log_density)`` returns the probabilities that a star belongs to each component,
        given ln of the normal densities of its parallax; both have shape (component, theta, star).
    residual, variance : ndarray
        Parallaxes minus their mean in each component, and their variances, of the same shape.
    normals : ndarray
        Standard normal numbers, shape (point, theta or 1, mode).

    Returns
    -------
    z, log_density : ndarray
        Shape (point, theta, mode) and (point, theta).
    """
    count, size = len(modes), residual.shape[1]
    single = len(residual) == 1 and np.all(shares_of(np.zeros_like(residual)) == 1)
    z, factors = np.zeros((size, count)), [None] * size
    for _ in range(1 if single else ROUNDS):
        share = shares_of(norm.logpdf(residual - z @ modes, scale=np.sqrt(variance)))
        complete = np.sum(share / variance, axis=0)
        pull = np.sum(share * residual / variance, axis=0) @ modes.T
        for i in range(size):
            factors[i] = _factor(modes, complete[i])
            z[i] = cho_solve((factors[i], True), pull[i], check_finite=False)
    if not single:
        score = (residual - z @ modes) / variance
        missing = np.sum(share * score**2, axis=0) - np.sum(share * score, axis=0) ** 2
        information = np.maximum(complete - missing, MIN_INFORMATION * complete)
        factors = [_factor(modes, w) for w in information]
    normals = np.broadcast_to(normals, (len(normals), size, count))
    away = [
        solve_triangular(f, normals[:, i].T, trans=1, lower=True, check_finite=False).T
        for i, f in enumerate(factors)
    ]
    log_determinant = np.array([np.sum(np.log(np.diag(f))) for f in factors])
    return z + np.stack(away, axis=1), norm.logpdf(normals).sum(axis=2) + log_determinant


def _factor(modes, precision):
    """The Cholesky factor of 1 + M W M^T."""
    matrix = (modes * precision) @ modes.T
    matrix.flat[:: len(modes) + 1] += 1
    return cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)


def pairs(count, size, rng):
    """Standard normal numbers in pairs of opposite sign, shape (point, size, count)."""
    half = rng.standard_normal((PAIRS, size, count))
    return np.concatenate([half, -half])


def integral(log_weight):
    """ln of the integral, shape (theta,), from ln of the weights of the points."""
    return logsumexp(log_weight, axis=0) - np.log(len(log_weight))


def pick(z, log_weight, rng):
    """One of the points for each theta, picked in proportion to their weights."""
    share = np.cumsum(np.exp(log_weight - logsumexp(log_weight, axis=0)), axis=0)
    chosen = np.sum(rng.random(z.shape[1]) > share[:-1], axis=0)
    return z[chosen, np.arange(z.shape[1])]
