"""A covariance that falls with the angle between stars, reduced to a few common offsets.

Of the covariance C of N stars a few modes are kept, vectors m_k such that the offset of star n is
sum_k m_kn z_k with z_k ~ Normal(0, 1). They are the principal components of C relative to the
noise: with F the diagonal matrix of the stars' errors (plus their median, in quadrature, so that
no star of a tiny error has a mode to itself), F^-1 C F^-1 = V diag(lambda) V^T and

    m_k = sqrt(lambda_k) F v_k.

Negative eigenvalues, which a function that is not positive definite leads to, are set to zero. More
than `MOST` stars are represented by `MOST` of them; with X = F^-1 V of these and C_* the covariance
of all stars with them, the modes of all stars are the columns of C_* X diag(lambda)^(-1/2)
(Williams & Seeger 2001, NIPS 13, 682), which is the same where all stars represent themselves.

What is left of the variance of each star, C_nn - sum_k m_kn^2, is noise of its own. So each star
has its variance, and what is left out is the correlation of the rest. That matters in so far as it
makes a mean parallax look better known than it is: `left_out` is the share of its variance that is
missing (negative: in excess), for the mean with the weights that are best in the approximation and
for the plain mean, whichever is larger.

Angles are in degrees, covariances in mas^2.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

MOST = 1000  # stars whose covariances are decomposed as they are
INFORMED = 0.3  # eigenvalue, in units of the errors' variance, of a mode that is worth keeping
BLOCK = 2000  # stars whose covariance with those is computed at a time


def modes(ra, dec, error, covariance, most, enough):
    """The modes of the stars' offsets.

    Parameters
    ----------
    ra, dec, error : ndarray
        Coordinates and errors, shape (star,).
    covariance : callable
        ``covariance(ra, dec, ra2, dec2)`` of all stars of one set with all of another.
    most : int
        Modes to keep at most.
    enough : float
        Share left out below which fewer will do, if the next eigenvalue is below `INFORMED`: the
        stars tell little of that mode then.

    Returns
    -------
    modes, variance : ndarray
        The modes, shape (mode, star), and the variance of each star that is not in them.
    left_out : float
        By what share the variance of a mean parallax is too small.
    """
    chosen = _representatives(ra, dec)
    error_of_all = error[chosen] * np.sqrt(len(chosen) / len(error))
    floor = np.hypot(error_of_all, np.median(error_of_all))
    C = covariance(*(ra[chosen], dec[chosen]) * 2)
    values, vectors = eigh(C / np.multiply.outer(floor, floor))
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    parts = floor[:, None] * vectors * np.sqrt(values)
    most = min(most, int(np.sum(values > 1e-12 * values[0])))
    zero = float(C[0, 0])
    for count in range(1, most + 1):
        left_out = _left_out(parts, zero, error_of_all, count)
        informed = count < len(values) and values[count] > INFORMED
        if abs(left_out) < enough and not informed:
            break
    kept = parts[:, :count].T
    if len(chosen) < len(ra):
        X = vectors[:, :count] / floor[:, None] / np.sqrt(values[:count])
        blocks = np.array_split(np.arange(len(ra)), -(-len(ra) // BLOCK))
        to_chosen = (covariance(ra[i], dec[i], ra[chosen], dec[chosen]) for i in blocks)
        kept = np.concatenate([block @ X for block in to_chosen]).T
    # the sign, which is arbitrary, by that of the mean
    kept = kept * np.where(kept @ error**-2 < 0, -1, 1)[:, None]
    return kept, np.maximum(zero - np.sum(kept**2, axis=0), 0), left_out


def _representatives(ra, dec):
    """Rows of at most `MOST` stars spread as the stars are, in an order of their own."""
    if len(ra) <= MOST:
        return np.arange(len(ra))
    places = np.linspace(0, len(ra) - 1, MOST).astype(int)
    return np.lexsort((dec, ra))[places]


def _left_out(parts, zero, error, count):
    """The share of the variance of a mean that `count` of the ``parts`` of C leave out."""
    kept = parts[:, :count]
    C, approximate = parts @ parts.T, kept @ kept.T
    np.fill_diagonal(approximate, np.maximum(zero, np.diag(approximate)))
    noise = np.diag(error**2)
    best = cho_solve(cho_factor(approximate + noise), np.ones(len(error)))
    missing = [
        1 - (a @ (approximate + noise) @ a) / (a @ (C + noise) @ a)
        for a in (best, np.ones(len(error)))
    ]
    return float(max(missing, key=abs))
