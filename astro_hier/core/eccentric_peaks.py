"""Points in cells that the likelihood's sheets, curves or needles fill but a little.

At high signal-to-noise a cell that was not split to the end is crossed by a sheet of orbits that
fit, error / K thick, by a curve or by a needle, as the visits tell one, two or three of (f, e, m).
How many they tell in a cell is the number d of eigenvalues of the curvature at its centre that
exceed `SHARP`, in units of its half-widths. d axes, those that the likelihood is steepest along,
are then drawn about the peak that Newton's method finds from the centre at given values of the
others, which are uniform: from a mixture of the uniform density, of share `FLAT`, and Student's t
with `FREEDOM` degrees of freedom and the covariance (H + 1)^-1, whatever of it lies outside of
the cell being dropped. Where Newton's method leads far out of the cell all is uniform. So weights
are unbiased in any case, and even where the peak is found.
"""

from typing import Any

import numpy as np
from scipy.special import gammaln

from astro_hier.core.eccentric_kernel import PAIRS

SHARP = 30.0
FLAT = 0.2
FREEDOM = 4.0
STEPS = 3
OUT = 1.5  # half-widths from the centre, beyond which the peak belongs to another cell
FARTHEST = 3.0


def peaked(
    star: Any, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A point in each cell, unless it falls outside.

    Parameters
    ----------
    star : `~astro_hier.core.eccentric_tree.Star`
    low, high : ndarray
        Corners (p, u, m, z), shape (4, cell).
    rng : `numpy.random.Generator`

    Returns
    -------
    points : ndarray
        Shape (4, cell).
    log_ratio : ndarray
        ln of the uniform density over that which the point was drawn from.
    inside : ndarray
        Whether the point is to be kept.
    """
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    y = 2 * rng.random(low.shape) - 1
    ratio, inside = np.zeros(low.shape[1]), np.ones(low.shape[1], bool)
    if low.shape[1] == 0:
        return y, ratio, inside
    scale = star.half_widths(low, high)
    _, H = _newton(star, middle, scale)
    value, vector = np.linalg.eigh(H)
    count = (value > SHARP).sum(axis=1)
    for d in (1, 2, 3):
        own = np.flatnonzero(count == d)
        if len(own):
            axes = _axes(vector[own], d)
            y[:, own], ratio[own], inside[own] = _about(
                star, middle[:, own], half[:, own], scale[:, own], y[:, own], axes, rng
            )
    return middle + half * y, ratio, inside


def _axes(vector, d):
    """The ``d`` steepest axes of each cell, shape (cell, d)."""
    if d == 1:
        return np.abs(vector[:, :, 2]).argmax(axis=1)[:, None]
    if d == 3:
        return np.broadcast_to(np.arange(3), (len(vector), 3))
    weakest = np.abs(vector[:, :, 0]).argmax(axis=1)
    return np.array([[1, 2], [0, 2], [0, 1]])[weakest]


def _newton(star, points, scale):
    """D^T W r and H at points, in half-widths of their cells, shapes (cell, 3) and (cell, 3, 3)."""
    found = star.evaluate(star.nodes(points), slopes=True)
    H = np.empty((len(found.log_p), 3, 3))
    for (k, i), curvature in zip(PAIRS, found.curvature.T, strict=True):
        H[:, k, i] = H[:, i, k] = curvature * scale[k] * scale[i]
    return found.slope * scale.T, H


def _about(star, middle, half, scale, y, axes, rng):
    """`peaked` of cells with as many steep axes, in half-widths from their centres."""
    cell, d = np.arange(len(axes)), axes.shape[1]
    uniform = y[axes, cell[:, None]]
    centre, start = np.zeros(axes.shape), y.copy()
    for step in range(STEPS + 1):
        start[axes, cell[:, None]] = centre
        points = middle + half * start
        points[:2] = np.clip(points[:2], 0, 1)
        slope, H = _newton(star, points, scale)
        slope = slope[cell[:, None], axes]
        H = H[cell[:, None, None], axes[:, :, None], axes[:, None, :]]
        H = H + 1e-6 * np.trace(H, axis1=1, axis2=2)[:, None, None] * np.eye(d)
        if step < STEPS:
            move = np.clip(np.linalg.solve(H, slope[..., None])[..., 0], -1, 1)
            centre = np.nan_to_num(np.clip(centre + move, -FARTHEST, FARTHEST))
    near = np.all(np.abs(centre) < OUT, axis=1)
    triangle = np.linalg.cholesky(H + np.eye(d))
    normal = rng.standard_normal((len(axes), d, 1))
    spread = np.sqrt(rng.chisquare(FREEDOM, len(axes)) / FREEDOM)
    peak = centre + np.linalg.solve(triangle.transpose(0, 2, 1), normal)[..., 0] / spread[:, None]
    flat = (rng.random(len(axes)) < FLAT) | ~near
    drawn = np.where(flat[:, None], uniform, peak)
    away = np.einsum("nba,nb->na", triangle, drawn - centre)
    log_t = (
        gammaln(0.5 * (FREEDOM + d)) - gammaln(0.5 * FREEDOM) - 0.5 * d * np.log(FREEDOM * np.pi)
        + np.log(np.einsum("naa->na", triangle)).sum(axis=1)
        - 0.5 * (FREEDOM + d) * np.log1p(np.sum(away**2, axis=1) / FREEDOM)
    )  # fmt: skip
    mixed = np.logaddexp(np.log(FLAT), np.log(1 - FLAT) + log_t + d * np.log(2))
    y = y.copy()
    y[axes, cell[:, None]] = drawn
    inside = np.all(np.abs(drawn) <= 1, axis=1)
    return y, np.where(near, -mixed, 0.0), inside
