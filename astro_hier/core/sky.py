"""A covariance that falls with the angle between stars, reduced to a few common offsets.

The covariance C of N stars is represented by a few modes: vectors m_k such that the offset of star
n is sum_k m_kn z_k with z_k ~ Normal(0, 1). They are the principal components of C relative to the
noise: with F the diagonal matrix of the stars' errors (plus their median, in quadrature, so that
no star with a tiny error has a mode to itself), F^-1 C F^-1 = V diag(lambda) V^T and

    m_k = sqrt(lambda_k) F v_k.

Negative eigenvalues, which arise if the function is not positive definite, are set to zero. More
than `MAX_DECOMPOSED` stars are represented by that many of them; with X = F^-1 V for these and C_*
the covariance of all stars with them, the modes of all stars are the columns of
C_* X diag(lambda)^(-1/2) (Williams & Seeger 2001, NIPS 13, 682). Where every star represents
itself, these are the modes above.

The rest of each star's variance, C_nn - sum_k m_kn^2, is treated as independent noise. So each star
keeps its full variance, and only some of the correlation is lost. That matters in two ways. First,
a mean parallax looks better known than it is. The measure is the share of its variance that is
missing (negative if there is too much), for the mean with the weights that are optimal in the
approximation or for the plain mean, whichever share is larger. Second, the scatter changes, and
with it the depth of a cluster. With S the covariance of parallaxes and noise, and T its
approximation, the variance of the stars is estimated by y^T S^-2 y / tr(S^-2), up to a constant,
with variance 2 / tr(S^-2). With T in place of S the weight matrix is a different one, and the two
estimates differ by an amount with mean tr(T^-2 (S - T)) / tr(T^-2) and variance 2 tr(D S D S),
where D = T^-2 / tr(T^-2) - S^-2 / tr(S^-2).

Angles are in degrees, covariances in mas^2.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

from astro_hier.core.thinning import evenly

MAX_DECOMPOSED = 1000  # stars; larger samples are represented by as many
INFORMED = 0.3  # eigenvalue above which a mode is worth keeping, in units of the errors' variance
BLOCK = 2000  # stars whose covariance with the representatives is computed at a time


def modes(ra, dec, error, spread, covariance, few, most, enough, enough_depth):
    """Find the modes of the stars' offsets.

    Parameters
    ----------
    ra, dec, error : ndarray
        Coordinates and errors, shape (star,).
    spread : float
        Rough standard deviation of the true parallaxes, better too small than too large.
    covariance : callable
        ``covariance(ra, dec, ra2, dec2)`` between all stars of one set and all of another.
    few, most : int
        Number of modes up to which they are added one at a time, and the largest number to keep.
    enough : float
        Largest acceptable share of a mean's variance left out. Fewer than ``few`` modes are
        then enough if the next eigenvalue is below `INFORMED`, so that the stars say little
        about that mode.
    enough_depth : float
        Largest acceptable change of the depth, in its standard deviations.

    Returns
    -------
    modes, variance : ndarray
        The modes, shape (mode, star), and the variance of each star that they leave out.
    left_out, depth_off : float
        The share by which the variance of a mean parallax is too small, and the change of the
        scatter about it, in standard deviations (root mean square).
    """
    chosen = _representatives(ra, dec)
    larger = np.sqrt(len(chosen) / len(error))
    error_of_all = error[chosen] * larger
    noise = np.hypot(error_of_all, spread * larger)
    floor = np.hypot(error_of_all, np.median(error_of_all))
    C = covariance(*(ra[chosen], dec[chosen]) * 2)
    values, vectors = eigh(C / np.multiply.outer(floor, floor))
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    parts = floor[:, None] * vectors * np.sqrt(values)
    most = min(most, int(np.sum(values > 1e-12 * values[0])))
    zero = float(C[0, 0])
    for count in _counts(few, most):
        own = error_of_all if count <= few else noise
        left_out, depth_off = _left_out(parts, zero, own, count), np.inf
        informed = count < min(few, len(values)) and values[count] > INFORMED
        if count == most or count >= few or (abs(left_out) < enough and not informed):
            depth_off = _depth_off(parts, zero, noise, count)
        if abs(left_out) < enough and depth_off < enough_depth:
            break
    kept = parts[:, :count].T
    if len(chosen) < len(ra):
        X = vectors[:, :count] / floor[:, None] / np.sqrt(values[:count])
        blocks = np.array_split(np.arange(len(ra)), -(-len(ra) // BLOCK))
        to_chosen = (covariance(ra[i], dec[i], ra[chosen], dec[chosen]) for i in blocks)
        kept = np.concatenate([block @ X for block in to_chosen]).T
    # the sign is arbitrary: make each mode raise the mean parallax
    kept = kept * np.where(kept @ error**-2 < 0, -1, 1)[:, None]
    return kept, np.maximum(zero - np.sum(kept**2, axis=0), 0), left_out, depth_off


def _counts(few, most):
    """Numbers of modes to try: every one up to ``few``, then a quarter more each time."""
    count = 1
    while count < most:
        yield count
        count += 1 if count < few else max(count // 4, 1)
    yield most


def _representatives(ra, dec):
    """Rows of at most `MAX_DECOMPOSED` stars, distributed like all stars whatever their order."""
    if len(ra) <= MAX_DECOMPOSED:
        return np.arange(len(ra))
    return np.lexsort((dec, ra))[evenly(len(ra), MAX_DECOMPOSED)]


def _covariances(parts, zero, noise, count):
    """The covariance of stars plus noise, and its approximation by ``count`` of the ``parts``."""
    kept = parts[:, :count]
    C, approximate = parts @ parts.T, kept @ kept.T
    np.fill_diagonal(approximate, np.maximum(zero, np.diag(approximate)))
    return C + np.diag(noise**2), approximate + np.diag(noise**2)


def _left_out(parts, zero, noise, count):
    """The share of a mean's variance that is missing with ``count`` of the ``parts`` of C."""
    S, T = _covariances(parts, zero, noise, count)
    one = np.ones(len(noise))
    best = cho_solve(cho_factor(T), one)
    return float(max((1 - (a @ T @ a) / (a @ S @ a) for a in (best, one)), key=abs))


def _depth_off(parts, zero, noise, count):
    """The change of the stars' scatter with ``count`` of the parts, in standard deviations."""
    S, T = _covariances(parts, zero, noise, count)
    squares = []
    for matrix in (S, T):
        inverse = cho_solve(cho_factor(matrix), np.eye(len(noise)))
        squares.append(inverse @ inverse)
    of_S, of_T = (np.trace(square) for square in squares)
    D = (squares[1] / of_T - squares[0] / of_S) @ S
    mean = np.sum(squares[1] * (S - T)) / of_T
    return float(np.sqrt((2 * np.sum(D * D.T) + mean**2) * of_S / 2))
