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
has its variance, and what is left out is the correlation of the rest. That matters in two ways. It
makes a mean parallax look better known than it is: the share of its variance that is missing
(negative: in excess), for the mean with the weights that are best in the approximation and for the
plain mean, whichever is larger. And it makes the scatter, and with it a cluster's depth, another:
with S the covariance of the parallaxes and noise in all, and T that of the approximation, the
variance of the stars is estimated by y^T S^-2 y / tr(S^-2), up to a constant, with the variance 2 /
tr(S^-2). With T in place of S the estimate has another weight matrix, and the difference of the
two has the mean tr(T^-2 (S - T)) / tr(T^-2) and the variance 2 tr(D S D S), where D = T^-2 /
tr(T^-2) - S^-2 / tr(S^-2).

Angles are in degrees, covariances in mas^2.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

MOST = 1000  # stars whose covariances are decomposed as they are
INFORMED = 0.3  # eigenvalue, in units of the errors' variance, of a mode that is worth keeping
BLOCK = 2000  # stars whose covariance with those is computed at a time


def modes(ra, dec, error, spread, covariance, few, most, enough, enough_depth):
    """The modes of the stars' offsets.

    Parameters
    ----------
    ra, dec, error : ndarray
        Coordinates and errors, shape (star,).
    spread : float
        Standard deviation of the true parallaxes, roughly, and rather too small.
    covariance : callable
        ``covariance(ra, dec, ra2, dec2)`` of all stars of one set with all of another.
    few, most : int
        Modes up to which one more is looked at, and to keep at most.
    enough : float
        Share of a mean's variance left out below which fewer than ``few`` will do, if the next
        eigenvalue is below `INFORMED`: the stars tell little of that mode then.
    enough_depth : float
        The same for the depth, in its standard deviations.

    Returns
    -------
    modes, variance : ndarray
        The modes, shape (mode, star), and the variance of each star that is not in them.
    left_out, depth_off : float
        By what share the variance of a mean parallax is too small, and by how many standard
        deviations (root mean square) the scatter about it comes out different.
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
    # the sign, which is arbitrary, by that of the mean
    kept = kept * np.where(kept @ error**-2 < 0, -1, 1)[:, None]
    return kept, np.maximum(zero - np.sum(kept**2, axis=0), 0), left_out, depth_off


def _counts(few, most):
    """Numbers of modes to try: each up to ``few``, then a quarter more."""
    count = 1
    while count < most:
        yield count
        count += 1 if count < few else max(count // 4, 1)
    yield most


def _representatives(ra, dec):
    """Rows of at most `MOST` stars spread as the stars are, in an order of their own."""
    if len(ra) <= MOST:
        return np.arange(len(ra))
    places = np.linspace(0, len(ra) - 1, MOST).astype(int)
    return np.lexsort((dec, ra))[places]


def _covariances(parts, zero, noise, count):
    """The covariance of stars and noise, and what `count` of the ``parts`` make of it."""
    kept = parts[:, :count]
    C, approximate = parts @ parts.T, kept @ kept.T
    np.fill_diagonal(approximate, np.maximum(zero, np.diag(approximate)))
    return C + np.diag(noise**2), approximate + np.diag(noise**2)


def _left_out(parts, zero, noise, count):
    """The share of the variance of a mean that `count` of the ``parts`` of C leave out."""
    S, T = _covariances(parts, zero, noise, count)
    one = np.ones(len(noise))
    best = cho_solve(cho_factor(T), one)
    return float(max((1 - (a @ T @ a) / (a @ S @ a) for a in (best, one)), key=abs))


def _depth_off(parts, zero, noise, count):
    """By how many sds the scatter of the stars comes out different with `count` of the parts."""
    S, T = _covariances(parts, zero, noise, count)
    squares = []
    for matrix in (S, T):
        inverse = cho_solve(cho_factor(matrix), np.eye(len(noise)))
        squares.append(inverse @ inverse)
    of_S, of_T = (np.trace(square) for square in squares)
    D = (squares[1] / of_T - squares[0] / of_S) @ S
    mean = np.sum(squares[1] * (S - T)) / of_T
    return float(np.sqrt((2 * np.sum(D * D.T) + mean**2) * of_S / 2))
