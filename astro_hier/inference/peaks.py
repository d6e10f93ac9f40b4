"""The peaks of a density, found by climbing, and their shapes."""

import numpy as np
from scipy.optimize import minimize

from astro_hier.inference.proposals import Mixture, StudentT

STEPS = 10.0 ** -np.arange(9)  # tried for measuring the curvature at a point
LARGEST_FALL = 5.0  # of ln of the density over such a step
SMALL_DIFFERENCE = 0.01  # for slopes, in units of the widths along the axes
DIFFERENCE = 0.1  # the same for curvatures
CLIMBS = 6  # from one start, at most
MAX_STEPS = 100  # of each climb, in units of the widths where it starts
LOWEST = -1e100  # in place of -inf
GAIN = 0.1  # in ln of the density; a climb that gains less is the last
MIN_CURVATURE = 0.3  # in units of that of the standard normal prior
SAME_PEAK = 1.5  # sds, root mean square over the axes, within which two peaks are the same
MIN_LOG_MASS = -12.0  # of a peak, relative to the largest, below which it does not matter


def peaks(log_density, starts, goes_on=lambda: True):
    """A mixture of the peaks of a density that can be reached from some points.

    The mass of a peak is that of a normal density of the same height and curvature. Because a peak
    is often wider than its curvature says, the shares are proportional to the square roots of the
    masses. Peaks of negligible mass are left out.

    Parameters
    ----------
    log_density : callable
        Takes points of shape (n, dimension), returns shape (n,); may be -inf.
    starts : sequence of ndarray
        Where to climb from. A start at a peak that was already found is skipped.
    goes_on : callable, optional
        Whether to climb once more; the first climb is always made.

    Returns
    -------
    Mixture
    """
    found, log_mass = [], []

    def is_known(point):
        return any(peak.distance(point) < SAME_PEAK for peak in found)

    for start in starts:
        if is_known(start):
            continue
        if found and not goes_on():
            break
        climbed = _peak(lambda z: log_density(z).clip(LOWEST), start, is_known)
        if climbed is not None:
            peak, height = climbed
            found.append(peak)
            log_mass.append(height + peak.log_volume)
    log_mass = np.array(log_mass) - np.max(log_mass)
    kept = np.flatnonzero(log_mass > MIN_LOG_MASS)
    return Mixture([found[k] for k in kept], np.exp(0.5 * log_mass[kept]))


def _peak(log_density, start, is_known):
    """A Student t about a maximum of a density, with its curvature there, and the height.

    None if the climb arrives at a known peak.
    """
    eye, centre, height = np.eye(len(start)), start, -np.inf

    def falls_and_slopes(x):
        away = SMALL_DIFFERENCE * np.vstack([0 * x[None], eye, -eye])
        heights = log_density(centre + widths * (x + away))
        plus, minus = np.split(heights[1:], 2)
        return height - heights[0], (minus - plus) / (2 * SMALL_DIFFERENCE)

    def stop_at_known(x):
        if is_known(centre + widths * x):
            raise StopIteration

    for _ in range(CLIMBS):
        widths, before = _widths(log_density, centre), height
        height = log_density(centre[None])[0]
        if height - before < GAIN:
            break
        climbed = minimize(
            falls_and_slopes,
            0 * centre,
            jac=True,
            method="L-BFGS-B",
            callback=stop_at_known,
            options={"maxiter": MAX_STEPS},
        )
        centre = centre + widths * climbed.x
        if is_known(centre):
            return None
    covariance = widths[:, None] * _covariance(log_density, centre, widths) * widths
    return StudentT(centre, covariance), height


def _widths(log_density, centre):
    """Standard deviation of a density along each axis through a point, at most one.

    The curvature is measured over the largest of `STEPS` over which, as over all smaller ones, the
    density does not fall far: a larger step may reach beyond the peak, where it is flat again.
    """
    axes = np.eye(len(centre))
    away = np.multiply.outer(STEPS, np.stack([axes, -axes], axis=1)).reshape(-1, len(centre))
    heights = log_density(np.vstack([centre, centre + away]))
    falls = 2 * heights[0] - heights[1:].reshape(len(STEPS), len(centre), 2).sum(axis=2)
    near = np.logical_and.accumulate((falls < 2 * LARGEST_FALL)[::-1])[::-1]
    near[-1] = True
    chosen = np.argmax(near, axis=0)
    falls = falls[chosen, np.arange(len(centre))]
    return (STEPS[chosen] / np.sqrt(np.where(falls > 0, falls, 1.0))).clip(STEPS[-1], 1.0)


def _covariance(log_density, centre, widths):
    """The inverse of the curvature at a point, in units of the widths along the axes."""
    size = len(centre)
    i, j = np.triu_indices(size, 1)
    eye = np.eye(size)
    away = [0 * eye[:1], eye, -eye, *(s * eye[i] + t * eye[j] for s in (1, -1) for t in (1, -1))]
    heights = log_density(centre + DIFFERENCE * np.vstack(away) * widths)
    both, pairs = heights[1 : 2 * size + 1].reshape(2, -1), heights[2 * size + 1 :].reshape(4, -1)
    curvature = np.diag(2 * heights[0] - both.sum(axis=0))
    curvature[i, j] = curvature[j, i] = (pairs[1] + pairs[2] - pairs[0] - pairs[3]) / 4
    values, vectors = np.linalg.eigh(curvature / DIFFERENCE**2)
    # nowhere wider than the prior
    least = MIN_CURVATURE * np.sum((vectors * widths[:, None]) ** 2, axis=0)
    return vectors / np.maximum(values, least) @ vectors.T
