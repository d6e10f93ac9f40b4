"""Which rows are members."""

import numpy as np
from scipy.special import expit, log_expit


def draw_members(log_odds, rng):
    """Which rows are members, at least one for each theta.

    ``log_odds`` are ln of their odds of membership, each row by itself, shape (theta, row).
    """
    chance = expit(log_odds)
    member = rng.random(chance.shape) < chance
    for n in np.flatnonzero(~member.any(axis=1)):
        # the first member is row k with a probability of p_k (1 - p_1) ... (1 - p_(k-1))
        log_mass = log_expit(log_odds[n])
        log_mass[1:] += np.cumsum(log_expit(-log_odds[n]))[:-1]
        mass = np.cumsum(np.exp(log_mass - log_mass.max()))
        first = np.searchsorted(mass, rng.random() * mass[-1])
        member[n, first] = True
        member[n, first + 1 :] = rng.random(len(mass) - first - 1) < chance[n, first + 1 :]
    return member
