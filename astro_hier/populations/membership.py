"""Which rows are members: mixing members with others, and that at least one is a member.

With a probability f a row is not a member. Where A and B are the densities of a row as a member
and as none, that of the mixture is (1 - f) A + f B, and the odds of membership (1 - f) A / (f B).
Which rows are members is summed over exactly: each has a probability p_n of membership.

Of n rows at least one is a member, so the likelihood is multiplied by

    (1 - prod (1 - p_n)) / (1 - f^n),

and p_n divided by the numerator.
"""

import numpy as np
from scipy.special import expit, log_expit, logsumexp

SMALL = 1e-8  # ln of a probability of nearly one


def mix(
    log_member: np.ndarray, log_other: np.ndarray, fraction: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Members and others together.

    Parameters
    ----------
    log_member, log_other : ndarray
        ln of the density of each row if it is a member, and if it is not, shape (theta, row).
    fraction : ndarray
        Share of rows that are not members, shape (theta,).

    Returns
    -------
    log_density, log_odds : ndarray
        ln of the density of the mixture, and of the odds that each row is a member.
    """
    fraction = fraction[:, None]
    with np.errstate(divide="ignore"):
        member = np.log1p(-fraction) + log_member
        other = np.log(fraction) + log_other
    return np.logaddexp(member, other), member - other


def given_some(log_odds: np.ndarray, fraction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What changes because at least one of the rows is a member.

    Parameters
    ----------
    log_odds : ndarray
        ln of the odds of membership, each row by itself, shape (theta, row).
    fraction : ndarray
        Share of rows that are not members, shape (theta,).

    Returns
    -------
    log_factor, membership : ndarray
        ln of the factor that the likelihood is multiplied by, shape (theta,), and the
        probabilities of membership given that.
    """
    log_member, log_none = log_expit(log_odds), log_expit(-log_odds).sum(axis=1)
    with np.errstate(divide="ignore"):
        # where hardly any is a member, 1 - prod (1 - p) has lost its digits, and is sum p
        log_some = np.log(-np.expm1(log_none))
        few = log_none > -SMALL
        log_some[few] = logsumexp(log_member[few], axis=1)
        before = -np.expm1(log_odds.shape[1] * np.log(fraction))
    possible = (before > 0) & np.isfinite(log_some)
    log_factor, log_some = np.full(len(before), -np.inf), np.where(possible, log_some, 0.0)
    log_factor[possible] = log_some[possible] - np.log(before[possible])
    return log_factor, np.exp(log_member - log_some[:, None])


def pymc_given_some(log_odds, fraction, size: int) -> tuple:
    """The same for variables of PyMC."""
    import pymc as pm
    import pytensor.tensor as pt

    # in logarithms: where a row is surely a member, the slope of ln(1 - p) is no number
    log_some = pt.log1mexp(-pt.softplus(log_odds).sum())
    before = pt.log1mexp(size * pm.math.log(fraction))
    return log_some - before, pt.exp(-pt.softplus(-log_odds) - log_some)


def draw_members(log_odds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
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
