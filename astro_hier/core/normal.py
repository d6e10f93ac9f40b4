"""A normal distribution's share of an interval, and the point that has a part of it below.

In standard deviations from the mean, the share of the interval from a to b is

    Phi(b) - Phi(a) = Phi(-a) - Phi(-b).

Above the mean, the first is the difference of two numbers of nearly one, which has lost its digits
a few standard deviations out. Intervals there, and those that are open above, are therefore turned
over, and computed in the lower tail. Where even its share is below what a float can hold, its
logarithm is inverted.
"""

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri, ndtri_exp

Floats = np.ndarray | float

SMALLEST = 1e-290  # share of an interval that is still inverted as it is


def log_density(x: Floats, mean: Floats, sd: Floats) -> np.ndarray:
    """ln of the density at ``x``; all arguments broadcast."""
    scaled = (x - mean) / sd
    return -0.5 * scaled**2 - np.log(np.sqrt(2 * np.pi) * sd)


def _turned(low, high):
    """Whether intervals are turned over, and their ends after that."""
    flip = (low > 0) | np.isposinf(high)
    return flip, np.where(flip, -high, low), np.where(flip, -low, high)


def share(low: Floats, high: Floats) -> np.ndarray:
    """Share of intervals, their ends in standard deviations from the mean."""
    _, low, high = _turned(low, high)
    return ndtr(high) - ndtr(low)


def log_share(low: Floats, high: Floats) -> np.ndarray:
    """ln of the same, also where the share itself is too small for a float."""
    _, low, high = _turned(low, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        return log_ndtr(high) + np.log1p(-np.exp(log_ndtr(low) - log_ndtr(high)))


def within(low: Floats, high: Floats, chance: Floats) -> np.ndarray:
    """Points that have the part ``chance`` of an interval's share below them.

    All arguments broadcast; ends and points are in standard deviations from the mean.
    """
    low, high, chance = np.broadcast_arrays(low, high, chance)
    flip, below, above = _turned(low, high)
    chance = np.where(flip, 1 - chance, chance)
    of_low, of_high = ndtr(below), ndtr(above)
    x = np.asarray(ndtri(of_low + chance * (of_high - of_low)))
    tiny = of_high - of_low < SMALLEST
    if np.any(tiny):
        x[tiny] = _far_out(below[tiny], above[tiny], chance[tiny])
    return np.clip(np.where(flip, -x, x), low, high)


def _far_out(low, high, chance):
    """The same in logarithms, in the lower tail."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return ndtri_exp(np.logaddexp(log_ndtr(low), np.log(chance) + log_share(low, high)))
