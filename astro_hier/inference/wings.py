"""Proposals along the wings of a peak, which no ellipse about it covers.

Each axis is followed away from the peak, out to the edge of the prior: the coordinate is held at a
value while the density is maximised over all others, which traces the profile of the density. Each
such point gets a Student t, as wide across as the density is there, and as long as a step.
"""

import numpy as np
from scipy.optimize import minimize

from astro_hier.inference.proposals import StudentT

NARROW = 0.1  # sd along an axis, in prior sds, below which the density is a needle without wings
STEP = 2.0  # in sds of the axis
MAX_STEPS = 4  # to either side
EDGE = 2.6  # of the prior, in its sds
DEPTH = 8.0  # in ln of the density below the peak, where a wing ends
AS_NORMAL = (0.3, 1.5)  # allowed deviation in ln from a normal density, at one step and at two
ALONG = 0.7  # sd along a wing, in steps
WIDER = 1.5  # variance of a proposal relative to that of the density
DIFFERENCE = 0.01  # for slopes, in sds across
MAX_ITERATIONS = 20
FALL = 0.5  # of ln of a normal density over one sd
LARGEST_CHANGE = 10.0  # factor of a variance across, relative to that of the peak


def wings(log_density, peak):
    """Student t distributions along the wings of a peak.

    Parameters
    ----------
    log_density : callable
        Takes points of shape (n, dimension), returns finite values of shape (n,).
    peak : `~astro_hier.inference.proposals.StudentT`
        About a maximum of the density, with its curvature.
    """
    if len(peak.mean) < 2:
        return []
    height = log_density(peak.mean[None])[0]
    axes = np.flatnonzero(peak.sd > NARROW)
    return [
        part
        for axis in axes
        for side in (-1, 1)
        for part in _follow(log_density, peak, height, axis, side)
    ]


def _follow(log_density, peak, height, axis, side):
    """The parts along one axis to one side."""
    covariance = peak.covariance
    step = side * STEP * covariance[:, axis] / peak.sd[axis]
    if _is_normal(log_density, peak.mean, step, height):
        return []
    others = np.arange(len(peak.mean)) != axis
    along = covariance[others, axis]
    across = covariance[np.ix_(others, others)] - np.outer(along, along) / covariance[axis, axis]
    root = np.linalg.cholesky(across + 1e-12 * np.diag(np.diag(across)))
    parts, before = [], peak.mean
    for _ in range(MAX_STEPS):
        guess = before + step
        guess[axis] = np.clip(guess[axis], -EDGE, EDGE)
        if abs(guess[axis] - before[axis]) < 0.1 * peak.sd[axis]:
            break
        point, at, scale = _climb(log_density, guess, others, root)
        if at < height - DEPTH:
            break
        step = point - before
        shape = ALONG**2 * np.outer(step, step)
        shape[np.ix_(others, others)] += (root * scale) @ root.T
        parts.append(StudentT(point, WIDER * shape))
        before = point
    return parts


def _is_normal(log_density, mean, step, height):
    """Whether the density falls along a step, and along two, as a normal one does."""
    falls = height - log_density(mean + np.outer([1, 2], step))
    expected = 0.5 * STEP**2 * np.array([1, 4])
    return bool(np.all(np.abs(falls - expected) < AS_NORMAL))


def _climb(log_density, guess, others, root):
    """The maximum near a guess with one coordinate held: point, height, and variances across.

    The variances are in units of those of the peak, along the columns of its ``root``.
    """
    eye = np.eye(len(root))

    def at(x):
        points = np.tile(guess, (len(x), 1))
        points[:, others] += x @ root.T
        return log_density(points)

    def falls_and_slopes(x):
        heights = at(x + DIFFERENCE * np.vstack([0 * x[None], eye, -eye]))
        plus, minus = np.split(heights[1:], 2)
        return -heights[0], (minus - plus) / (2 * DIFFERENCE)

    options = {"maxiter": MAX_ITERATIONS, "ftol": 1e-5}
    found = minimize(falls_and_slopes, 0 * eye[0], jac=True, method="L-BFGS-B", options=options).x
    heights = at(found + np.vstack([0 * eye[:1], eye, -eye]))
    fall = heights[0] - 0.5 * (heights[1 : 1 + len(eye)] + heights[1 + len(eye) :])
    scale = np.clip(FALL / np.maximum(fall, 1e-3), 1 / LARGEST_CHANGE, LARGEST_CHANGE)
    point = guess.copy()
    point[others] += root @ found
    return point, heights[0], scale
