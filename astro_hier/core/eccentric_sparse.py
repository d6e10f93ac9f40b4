"""Nodes of stars whose visits tell little of an orbit: plain draws from the prior.

With no more visits than linear parameters every (P, e, m) fits, and all that weighs nodes is
the prior of the amplitudes. With one visit more the nodes that fit are sheets, error / K thick,
which a tree of cells can but cover as a whole. In both cases prior draws are the better nodes, and
there are as many as it takes for an effective number of `ENOUGH`, up to `MOST`.
"""

import numpy as np

from astro_hier.core.eccentric_nodes import Strata

BATCH = 1_000_000
MOST = 16_000_000
ENOUGH = 8000
NEGLIGIBLE = 25.0  # weights below exp(-this) of the largest are forgotten
THIN = 100.0  # K over errors from which on sheets are too thin for a tree


def is_sparse(data, rv_error: np.ndarray) -> bool:
    """Whether to draw from the prior."""
    thin = data.half_range > THIN * np.median(rv_error)
    return data.rank == 0 or (data.rank == 1 and thin)


def prior_points(star, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Strata]:
    """Points that matter, shape (4, point), ln of the prior mass of each, and what they are of."""
    low, high = np.zeros((4, 1)), np.ones((4, 1))
    low[0], high[0] = star.prior.period_shares
    log_mass = np.log(high[0] - low[0])
    box = Strata(low, high, np.full(1, float(BATCH)), log_mass)
    points, log_p, count = np.empty((4, 0)), np.empty(0), 0
    while count < MOST:
        new, _ = box.draw(rng)
        points, log_p = np.hstack([points, new]), np.append(log_p, star.log_p(new))
        count += BATCH
        keep = log_p > log_p.max() - NEGLIGIBLE
        points, log_p = points[:, keep], log_p[keep]
        weight = np.exp(log_p - log_p.max())
        if weight.sum() ** 2 > ENOUGH * np.sum(weight**2):
            break
    return points, np.full(len(log_p), log_mass[0] - np.log(count)), box
