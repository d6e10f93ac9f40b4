"""The probability of an interval under a normal distribution, and its quantiles.

In standard deviations from the mean, the share of the interval from a to b is

    Phi(b) - Phi(a) = Phi(-a) - Phi(-b).

Above the mean, the first is the difference of two numbers close to one, which has lost its digits
a few standard deviations out. Intervals there, and those that are open above, are therefore
mirrored and computed in the lower tail. Where even that share underflows, its logarithm is
inverted instead.
"""

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri, ndtri_exp

Floats = np.ndarray | float

SMALLEST = 1e-290  # share of an interval below which its logarithm is inverted instead


def log_density(x: Floats, mean: Floats, sd: Floats) -> np.ndarray:
    """ln of the density at ``x``; the arguments broadcast."""
    scaled = (x - mean) / sd
    return -0.5 * scaled**2 - np.log(np.sqrt(2 * np.pi) * sd)


def _mirrored(low, high):
    """Whether intervals are mirrored, and their ends afterwards."""
    flip = (low > 0) | np.isposinf(high)
    return flip, np.where(flip, -high, low), np.where(flip, -low, high)


def share(low: Floats, high: Floats) -> np.ndarray:
    """Probability of intervals, with their ends in standard deviations from the mean."""
    _, low, high = _mirrored(low, high)
    return ndtr(high) - ndtr(low)


def shares(edges: np.ndarray) -> np.ndarray:
    """`share` of the intervals between rising ``edges`` along the last axis, at half the cost."""
    above = edges > 0
    tail = ndtr(-np.abs(edges))
    return np.diff(np.where(above, -tail, tail)) + np.diff(above, axis=-1)


def log_share(low: Floats, high: Floats) -> np.ndarray:
    """ln of `share`, even where the share itself underflows."""
    _, low, high = _mirrored(low, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        return log_ndtr(high) + np.log1p(-np.exp(log_ndtr(low) - log_ndtr(high)))


def within(low: Floats, high: Floats, chance: Floats) -> np.ndarray:
    """Points below which the fraction ``chance`` of an interval's probability lies.

    The arguments broadcast; ends and points are in standard deviations from the mean.
    """
    low, high, chance = np.broadcast_arrays(low, high, chance)
    flip, below, above = _mirrored(low, high)
    chance = np.where(flip, 1 - chance, chance)
    of_low, of_high = ndtr(below), ndtr(above)
    x = np.asarray(ndtri(of_low + chance * (of_high - of_low)))
    tiny = of_high - of_low < SMALLEST
    if np.any(tiny):
        x[tiny] = _far_out(below[tiny], above[tiny], chance[tiny])
    return np.clip(np.where(flip, -x, x), low, high)


def _far_out(low, high, chance):
    """`within` by logarithms, for the lower tail."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return ndtri_exp(np.logaddexp(log_ndtr(low), np.log(chance) + log_share(low, high)))
