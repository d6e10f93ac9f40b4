"""Loops of draws and tables of circles, compiled by numba; imported where they are needed."""

import numpy as np
from numba import njit

from astro_hier.core import period_modes

EXACT = {"error_model": "numpy", "cache": True, "nogil": True}

mode_starts = njit(period_modes.mode_starts, **EXACT)


@njit(**EXACT)
def pick(density, columns, weight, chance):
    """Draw one of some columns for each row, in proportion to weight times density.

    Returns their places among ``columns``, and the least sum over these of any row.
    """
    chosen, least = np.empty(len(density), np.int64), np.inf
    for row in range(len(density)):
        total = 0.0
        for k in range(len(columns)):
            total += weight[k] * density[row, columns[k]]
        target, below, at = chance[row] * total, 0.0, 0
        for k in range(len(columns)):
            below += weight[k] * density[row, columns[k]]
            at = k
            if below >= target:
                break
        chosen[row] = at
        least = min(least, total)
    return chosen, least
