"""The bounds of cells, with the derivatives of the likelihood at their centres.

The formulas are those of `eccentric_bounds`. They are taken in compiled loops where numba is
installed; what is here in NumPy is the reference.
"""

from typing import NamedTuple

import numpy as np

from astro_hier.core import eccentric_bounds, eccentric_kernel


class Bounds(NamedTuple):
    """Of cells, arrays of shape (cell,).

    ``upper`` is U, and ``anneal`` the same as if the errors were larger, both with the prior's
    mass; ``width`` is the largest number of standard deviations along an axis, ``axis``.
    """

    upper: np.ndarray
    anneal: np.ndarray
    width: np.ndarray
    axis: np.ndarray


def tight(data, found, step, steps, half, e_high, g, d_scatter, log_mass, kappa, compiled=None):
    """Bounds with derivatives.

    Parameters
    ----------
    data : `~astro_hier.core.eccentric_kernel.KeplerData`
    found : `~astro_hier.core.eccentric_kernel.Evaluated`
        At the cells' centres, with slopes.
    step, steps : ndarray
        Numbers of the scatter there, and at `eccentric_bounds.STEPS` of the cell, shape (5, cell).
    half : ndarray
        h_f, h_e and h_m, shape (3, cell).
    e_high, g, d_scatter, log_mass : ndarray
        The largest eccentricity, G of shape (3, cell), the half-width in scatter in standard
        deviations, and ln of the prior mass.
    kappa : float
    compiled : bool, optional

    Returns
    -------
    Bounds
    """
    log_p = found.log_p
    if eccentric_kernel.COMPILED if compiled is None else compiled:
        from astro_hier.core import eccentric_compiled_bounds

        found = eccentric_compiled_bounds.bounds(data, found, step, steps, half, e_high, g, kappa)
    else:
        found = _tight(data, found, step, steps, half, e_high, g, kappa)
    rise, anneal, *split = found
    tau = eccentric_bounds.annealing(data, step)
    anneal = anneal - np.log(np.maximum(1, d_scatter / tau / eccentric_bounds.NEEDLE))
    widths = np.vstack([*split, d_scatter**2])
    upper = log_mass + log_p + rise - np.log(np.maximum(1, d_scatter / eccentric_bounds.NEEDLE))
    axis = widths.argmax(axis=0)
    return Bounds(upper, log_mass + anneal, np.sqrt(widths.max(axis=0)), axis)


def _tight(data, found, step, steps, half, e_high, g, kappa):
    """What U adds to ln p and the prior's mass, the annealed key, and the squares that split."""
    total, constant = data.total[step], data.chi2_constant[step]
    own = np.maximum(found.curvature[:, :3].T * half**2, 0)
    mixed = found.curvature[:, 3:].T * half[[0, 0, 1]] * half[[1, 2, 2]]
    gain = eccentric_bounds.promised(found.chi2, *(found.slope.T * half), *own, *mixed)
    low, *d, length, split_f, split_e, split_m = eccentric_bounds.close(
        found.chi2, found.a**2 + found.b**2, *own, gain, *g, total, constant, data.half_range,
        eccentric_bounds.margin(kappa, e_high),
    )  # fmt: skip
    rise = eccentric_bounds.best_scatter(data, steps, step, found.chi2, low)
    rise -= eccentric_bounds.filled(*d, data.rank)
    least, tau = eccentric_bounds.NEEDLE**2, eccentric_bounds.annealing(data, step)
    split = split_f, split_e, split_m
    return rise, eccentric_bounds.annealed(*split, length, found.chi2, least, tau), *split
