"""Which rows are members: members mixed with others, given that at least one row is a member.

A row is not a member with probability f. If A and B are the densities of a row that is a member
and of one that is not, that of the mixture is (1 - f) A + f B, and the odds of membership are
(1 - f) A / (f B). The sum over both cases is exact: row n is a member with probability p_n.

At least one of N rows is a member, so the likelihood is multiplied by

    (1 - prod (1 - p_n)) / (1 - f^N),

and each p_n is divided by the numerator.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit, logsumexp

CLOSE_TO_ONE = 1e-8  # a probability whose -ln is below this is one, to the digits of a float


def mix(
    log_member: np.ndarray, log_other: np.ndarray, fraction: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mix members with others.

    Parameters
    ----------
    log_member, log_other : ndarray
        ln of the density of each row if it is a member, and if it is not, shape (theta, row).
    fraction : ndarray
        Share of rows that are not members, shape (theta,).

    Returns
    -------
    log_density, log_odds : ndarray
        ln of the density of the mixture, and ln of the odds that each row is a member; zero where
        it can be neither.
    """
    fraction = fraction[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        member = np.log1p(-fraction) + log_member
        other = np.log(fraction) + log_other
        log_odds = np.where(np.isneginf(member) & np.isneginf(other), 0.0, member - other)
    return np.logaddexp(member, other), log_odds


@dataclass(frozen=True)
class Tally:
    """What the condition that at least one row is a member needs of some rows.

    The tallies of two sets of rows add up to that of both. Arrays have shape (theta,).
    """

    rows: int
    log_none: np.ndarray  # ln of the probability that none is a member, without the condition
    log_some: np.ndarray  # ln of the probability that at least one is

    @classmethod
    def of(cls, log_odds: np.ndarray) -> "Tally":
        """The tally of rows with these ln of the odds of membership, shape (theta, row)."""
        log_none = log_expit(-log_odds).sum(axis=1)
        return cls(
            log_odds.shape[1],
            log_none,
            _log_some(log_none, lambda few: logsumexp(log_expit(log_odds[few]), axis=1)),
        )

    def __add__(self, other: "Tally") -> "Tally":
        log_none = self.log_none + other.log_none
        both = self.log_some, other.log_some
        log_some = _log_some(log_none, lambda few: np.logaddexp(both[0][few], both[1][few]))
        return Tally(self.rows + other.rows, log_none, log_some)

    def given(self, fraction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Condition on at least one of the rows being a member.

        Parameters
        ----------
        fraction : ndarray
            Share of rows that are not members, shape (theta,).

        Returns
        -------
        log_factor, log_some : ndarray
            ln of the factor by which the likelihood is multiplied, and of what each row's
            probability of membership is divided by, shape (theta,).
        """
        with np.errstate(divide="ignore"):
            before = -np.expm1(self.rows * np.log(fraction))
        possible = (before > 0) & np.isfinite(self.log_some)
        log_some = np.where(possible, self.log_some, 0.0)
        log_factor = np.full(len(before), -np.inf)
        log_factor[possible] = log_some[possible] - np.log(before[possible])
        return log_factor, log_some


def _log_some(log_none, of_few):
    """ln(1 - exp(log_none)), or ``of_few(where)`` where hardly any row is a member.

    There 1 - prod (1 - p) loses its digits, and equals sum p.
    """
    with np.errstate(divide="ignore"):
        log_some = np.log(-np.expm1(log_none))
    hardly_any = log_none > -CLOSE_TO_ONE
    log_some[hardly_any] = of_few(hardly_any)
    return log_some


def given_some(log_odds: np.ndarray, fraction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Condition on at least one row being a member.

    Parameters
    ----------
    log_odds : ndarray
        ln of each row's odds of membership without that condition, shape (theta, row).
    fraction : ndarray
        Share of rows that are not members, shape (theta,).

    Returns
    -------
    log_factor, membership : ndarray
        ln of the factor by which the likelihood is multiplied, shape (theta,), and the
        probabilities of membership given the condition, shape (theta, row).
    """
    log_factor, log_some = Tally.of(log_odds).given(fraction)
    return log_factor, np.exp(log_expit(log_odds) - log_some[:, None])


def pymc_given_some(log_odds, fraction, size: int) -> tuple:
    """The same for PyMC variables."""
    import pymc as pm
    import pytensor.tensor as pt

    # in logarithms, because the gradient of ln(1 - p) is not finite where a row surely is a member
    log_some = pt.log1mexp(-pt.softplus(log_odds).sum())
    before = pt.log1mexp(size * pm.math.log(fraction))
    return log_some - before, pt.exp(-pt.softplus(-log_odds) - log_some)


def draw_members(log_odds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw which rows are members, at least one for each theta.

    ``log_odds`` is ln of each row's odds of membership without that condition, (theta, row).
    """
    chance = expit(log_odds)
    member = rng.random(chance.shape) < chance
    for n in np.flatnonzero(~member.any(axis=1)):
        # the first member is row k with probability p_k (1 - p_1) ... (1 - p_(k-1))
        log_mass = log_expit(log_odds[n])
        log_mass[1:] += np.cumsum(log_expit(-log_odds[n]))[:-1]
        mass = np.cumsum(np.exp(log_mass - log_mass.max()))
        first = np.searchsorted(mass, rng.random() * mass[-1])
        member[n, first] = True
        member[n, first + 1 :] = rng.random(len(mass) - first - 1) < chance[n, first + 1 :]
    return member
