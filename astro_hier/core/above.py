"""A distribution truncated below at a value that other parameters set, and normalised."""

import numpy as np
from scipy.special import ndtr, ndtri


class Above:
    """A distribution truncated below, at a value for each draw, and normalised.

    Where all of it lies below the cut there is nothing to normalise: ``possible`` is False.

    Parameters
    ----------
    frozen : object
        With ``cdf``, ``sf``, ``ppf``, ``isf`` and ``logpdf`` like those of `scipy.stats`.
    low : ndarray
        Where it is cut.
    """

    def __init__(self, frozen, low):
        self.frozen, self.low = frozen, low
        self.below, self.share = frozen.cdf(low), frozen.sf(low)
        self.possible = self.share > 0

    def of_normal(self, z):
        """Map standard normal ``z`` to values that have this distribution."""
        tail = self.share * ndtr(-np.abs(z))
        # use the upper tail where the lower one has lost its digits
        upper = self.frozen.isf(np.where(z < 0, self.share * ndtr(-z), tail))
        from_below = (z < 0) & (self.below < 0.5)
        value = np.where(from_below, self.frozen.ppf(self.below + tail), upper)
        return np.maximum(value, self.low)

    def to_normal(self, value):
        """The inverse of ``of_normal``; values below the cut are moved to it."""
        share = np.where(self.possible, self.share, 1.0)
        above = self.frozen.sf(np.maximum(value, self.low)) / share
        within = np.where(
            self.below < 0.5, (self.frozen.cdf(value) - self.below) / share, 1 - above
        ).clip(0)
        return np.where(above < 0.5, -ndtri(above), ndtri(within))

    def logpdf(self, value):
        with np.errstate(divide="ignore", invalid="ignore"):
            density = self.frozen.logpdf(value) - np.log(self.share)
        return np.where((value >= self.low) & self.possible, density, -np.inf)
