"""Intervals of any distribution of one number: their probability, and values within them.

The probability of an interval is F(high) - F(low) or, from the other tail, S(low) - S(high), where
F is the cumulative distribution and S = 1 - F. Of two numbers close to one the difference has lost
its digits, so the smaller tail is used, and also where a probability is turned back into a value.

A distribution has the methods ``cdf``, ``sf``, ``ppf`` and ``isf`` of those in `scipy.stats`. Its
parameters may be arrays, which broadcast with the other arguments.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from astro_hier.core.floats import TINY
from astro_hier.core.normal import Floats

HALVINGS = 60  # of the interval that brackets a value: more than a float has digits


def share(whole: Any, low: Floats, high: Floats) -> np.ndarray:
    """The probability between two values, from the smaller tail."""
    above = whole.sf(low)
    return np.where(
        above < 0.5, above - whole.sf(high), whole.cdf(high) - whole.cdf(low)
    )  # fmt: skip


def shares(whole: Any, edges: Floats) -> np.ndarray:
    """The probabilities between neighbours of rising values, along the last axis, as `share`."""
    below, above = whole.cdf(edges), whole.sf(edges)
    return np.where(above[..., :-1] < 0.5, -np.diff(above), np.diff(below))


def within(whole: Any, low: Floats, high: Floats, below: Floats, above: Floats) -> np.ndarray:
    """The value below which the fraction ``below`` of an interval's probability lies.

    ``above`` is ``1 - below``, which may have digits that this has not.
    """
    inside = share(whole, low, high)
    below = whole.cdf(low) + below * inside
    above = whole.sf(high) + above * inside
    return np.clip(np.where(below < above, whole.ppf(below), whole.isf(above)), low, high)


@dataclass(frozen=True)
class Sum:
    """A weighted sum of two distributions, with the methods of one from `scipy.stats`.

    Attributes
    ----------
    weight : ndarray or float
        Of the first; that of the second is one minus this.
    first, second
        Distributions that also have ``logpdf``.
    """

    weight: Floats
    first: Any
    second: Any

    def _sum(self, method, x):
        of_first, of_second = getattr(self.first, method)(x), getattr(self.second, method)(x)
        return self.weight * of_first + (1 - self.weight) * of_second

    def logpdf(self, x: Floats) -> np.ndarray:
        """ln of the density."""
        weight = np.asarray(self.weight)
        first = np.log(np.maximum(weight, TINY)) + self.first.logpdf(x)
        return np.logaddexp(first, np.log(np.maximum(1 - weight, TINY)) + self.second.logpdf(x))

    def cdf(self, x: Floats) -> np.ndarray:
        """Probability below ``x``."""
        return self._sum("cdf", x)

    def sf(self, x: Floats) -> np.ndarray:
        """Probability above ``x``."""
        return self._sum("sf", x)

    def ppf(self, q: Floats) -> np.ndarray:
        """The value below which the probability is ``q``."""
        return self._bisected("ppf", q, lambda x: self.cdf(x) < q)

    def isf(self, q: Floats) -> np.ndarray:
        """The value above which the probability is ``q``."""
        return self._bisected("isf", q, lambda x: self.sf(x) > q)

    def _bisected(self, method, q, too_low):
        """A value that lies between those of the two distributions."""
        ends = getattr(self.first, method)(q), getattr(self.second, method)(q)
        low, high = np.minimum(*ends), np.maximum(*ends)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            below = too_low(middle)
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return high

    def mean(self) -> np.ndarray:
        """The mean."""
        return self.weight * self.first.mean() + (1 - self.weight) * self.second.mean()

    def std(self) -> np.ndarray:
        """The standard deviation."""
        of = [d.var() + d.mean() ** 2 for d in (self.first, self.second)]
        return np.sqrt(self.weight * of[0] + (1 - self.weight) * of[1] - self.mean() ** 2)
