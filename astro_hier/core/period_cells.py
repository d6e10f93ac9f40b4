"""Cells of a frequency axis that hold the posterior of a period: sums over them, and modes.

Within a cell the likelihood is a straight line between those at its ends, in the measure of the
prior.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from astro_hier.core.period_modes import mode_starts


@dataclass(frozen=True)
class PeriodNodes:
    """Cells of a frequency axis that hold the posterior of a period.

    Attributes
    ----------
    low, high : ndarray
        Frequencies at the ends of the cells, shape (cell,), in order and without overlap.
    log_low, log_high : ndarray
        ln p(v | f) there.
    prior_mass : ndarray
        Prior probability of each cell.
    error : float
        By how much halving all cells changed the mean of ln P, in units of its standard deviation.
    """

    low: np.ndarray
    high: np.ndarray
    log_low: np.ndarray
    log_high: np.ndarray
    prior_mass: np.ndarray
    error: float = np.nan

    @cached_property
    def log_mass(self):
        """ln of the posterior mass of each cell, not normalised."""
        with np.errstate(divide="ignore"):
            mean = np.logaddexp(self.log_low, self.log_high) - np.log(2)
            return np.log(self.prior_mass) + mean

    @cached_property
    def log_evidence(self):
        """ln p(v), the likelihood integrated over the prior."""
        return log_sum(self.log_mass)

    @property
    def probability(self):
        """Posterior probability of each cell."""
        return np.exp(self.log_mass - self.log_evidence)

    def cells(self, chosen):
        """The cells with the indices ``chosen``."""
        names = ("low", "high", "log_low", "log_high", "prior_mass")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    @property
    def best_frequency(self):
        """The frequency of highest likelihood."""
        best = np.argmax(np.maximum(self.log_low, self.log_high))
        return self.low[best] if self.log_low[best] > self.log_high[best] else self.high[best]


def split(nodes, largest):
    """Split the cells so that none is wider than ``largest`` in ln P."""
    width = np.log(nodes.high / nodes.low)
    # cells that were split to this width before stay as they are, despite rounding
    parts = np.maximum(1, np.ceil(width / largest * (1 - 1e-12))).astype(int)
    if parts.max() == 1:
        return nodes
    cell = np.repeat(np.arange(len(parts)), parts)
    part = np.arange(len(cell)) - np.repeat(np.cumsum(parts) - parts, parts)
    low, high = part / parts[cell], (part + 1) / parts[cell]

    def at(share):
        return nodes.low[cell] * np.exp(share * width[cell])

    def log_p(share):
        with np.errstate(divide="ignore"):
            terms = nodes.log_low[cell] + np.log1p(-share), nodes.log_high[cell] + np.log(share)
        return np.logaddexp(*terms)

    mass = nodes.prior_mass[cell] / parts[cell]
    return replace(nodes, low=at(low), high=at(high), log_low=log_p(low), log_high=log_p(high),
                   prior_mass=mass)  # fmt: skip


def moments(nodes):
    """Mean and standard deviation of ln P."""
    probability = nodes.probability
    ln_period = -0.5 * (np.log(nodes.low) + np.log(nodes.high))
    mean = probability @ ln_period
    width = np.log(nodes.high / nodes.low)
    return mean, np.sqrt(probability @ ((ln_period - mean) ** 2 + width**2 / 12))


def log_sum(values):
    highest = values.max()
    return highest + np.log(np.exp(values - highest).sum())


def quantiles(nodes, probability, shares):
    """Periods below which ``shares`` of the ``probability`` lie, for cells without gaps."""
    ends = np.append(nodes.low, nodes.high[-1:])
    longer = np.concatenate([[0.0], np.cumsum(probability)])
    return 1 / np.interp(1 - np.asarray(shares), longer / longer[-1], ends)


def place_in_cell(log_low, log_high, chance):
    """Where in (0, 1) a draw lies if its density is a straight line between those at the ends.

    The density is 1 + (2 x - 1) tilt; returns the tilt, and the x below which the probability is
    ``chance``.
    """
    tilt = np.tanh(0.5 * (log_high - log_low))
    root = np.sqrt((1 - tilt) ** 2 + 4 * tilt * chance)
    return tilt, 2 * chance / ((1 - tilt) + root)


def mode_of_cells(nodes, compiled=False):
    """Number, from 0, of the mode that each cell belongs to.

    Modes are separated by gaps between cells, where the posterior is negligible, and by valleys
    in which the likelihood falls to a tenth of the lower of the two adjacent maxima.
    """
    n = len(nodes.low)
    gap = np.concatenate([[True], nodes.low[1:] > nodes.high[:-1] * (1 + 1e-14)])
    heights = np.stack([nodes.log_low, nodes.log_high], axis=1).ravel()
    # there is something to decide only at gaps and where the likelihood turns
    rising = np.diff(heights) > 0
    turns = np.concatenate([[True], rising[1:] != rising[:-1], [True, True]])[: 2 * n]
    turns |= np.repeat(gap, 2) | np.repeat(np.append(gap[1:], True), 2)
    at = np.flatnonzero(turns)
    first = gap[at // 2] & (at % 2 == 0)
    if compiled:
        from astro_hier.core import draws_compiled

        starts = draws_compiled.mode_starts(at, heights[at], first)
    else:  # of lists, for these are single numbers
        starts = mode_starts(at.tolist(), heights[at].tolist(), first.tolist())
    return np.searchsorted(starts, np.arange(n), side="right") - 1
