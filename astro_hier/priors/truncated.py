"""Distributions truncated at both ends, which SciPy lacks.

With F the cumulative distribution of the whole, that of the part between the ends l and u is

    F(x | l < x < u) = [F(x) - F(l)] / [F(u) - F(l)].

`astro_hier.core.interval` takes such differences, and inverts them, from the tail that is the
smaller.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.integrate import quad

from astro_hier.core import interval
from astro_hier.given import generator

__all__ = ["Truncated", "TruncatedBeta"]


class Truncated:
    """A distribution between two ends, with the methods of one from `scipy.stats`.

    Parameters
    ----------
    whole
        A frozen distribution from `scipy.stats`.
    lower, upper : float
        The ends.
    """

    class dist:
        name = "truncated"

    def __init__(self, whole: Any, lower: float, upper: float):
        self.whole, self.lower, self.upper = whole, lower, upper
        self.share = interval.share(whole, lower, upper)

    def logpdf(self, x: ArrayLike) -> np.ndarray:
        """ln of the density, -inf beyond the ends."""
        x = np.asarray(x, float)
        inside = (x >= self.lower) & (x <= self.upper)
        return np.where(inside, self.whole.logpdf(x) - np.log(self.share), -np.inf)

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """Probability below ``x``."""
        x = np.clip(x, self.lower, self.upper)
        return interval.share(self.whole, self.lower, x) / self.share

    def sf(self, x: ArrayLike) -> np.ndarray:
        """Probability above ``x``."""
        x = np.clip(x, self.lower, self.upper)
        return interval.share(self.whole, x, self.upper) / self.share

    def ppf(self, q: ArrayLike) -> np.ndarray:
        """The value below which the probability is ``q``."""
        return self._at(np.asarray(q, float), 1 - np.asarray(q, float))

    def isf(self, q: ArrayLike) -> np.ndarray:
        """The value above which the probability is ``q``."""
        return self._at(1 - np.asarray(q, float), np.asarray(q, float))

    def _at(self, below, above):
        """The value with these probabilities below and above it."""
        return interval.within(self.whole, self.lower, self.upper, below, above)

    def rvs(self, size: Any = None, random_state: Any = None) -> np.ndarray:
        """Random draws of shape ``size``."""
        return self.ppf(generator(random_state).random(size))

    def support(self) -> tuple[float, float]:
        """The ends."""
        return self.lower, self.upper

    def mean(self) -> float:
        """The mean."""
        return self._moment(1)

    def median(self) -> float:
        """The median."""
        return float(self.ppf(0.5))

    def std(self) -> float:
        """The standard deviation."""
        return float(np.sqrt(max(self._moment(2) - self._moment(1) ** 2, 0.0)))

    def _moment(self, power):
        """The mean of x^power, which is infinite if an end is open and the tail there too heavy."""
        for end in (self.lower, self.upper):
            if np.isinf(end) and not np.isfinite(self.whole.moment(power)):
                return end**power
        return quad(lambda q: self.ppf(q) ** power, 0, 1, limit=200)[0]


class TruncatedBeta(Truncated):
    """Beta(alpha, beta) between two ends.

    Moments follow from x^k times the density of Beta(alpha, beta), which is a multiple of that of
    Beta(alpha + k, beta).

    Parameters
    ----------
    alpha, beta : float
        Greater than zero.
    lower, upper : float
        The ends, 0 <= lower < upper <= 1.
    """

    def __init__(self, alpha: float, beta: float, lower: float, upper: float):
        super().__init__(stats.beta(alpha, beta), lower, upper)
        self.alpha, self.beta = alpha, beta

    def _moment(self, power):
        raised = interval.share(stats.beta(self.alpha + power, self.beta), self.lower, self.upper)
        return float(self.whole.moment(power) * raised / self.share)
