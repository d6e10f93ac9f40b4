"""Posteriors of the shares of bins, and their gradients, where the likelihood is linear in them.

With the shares s_k of K bins, which add up to one,

    ln L(s) = sum_n c_n ln sum_k A_nk s_k.

The power c_n is one for an object, and -N for the row of a selection (`astro_hier.core.cells`). For
s = softmax(x), with q_n = sum_k A_nk s_k and C = sum_n c_n,

    d ln L / dx_k = s_k (sum_n c_n A_nk / q_n - C),

because sum_k s_k A_nk / q_n = 1. Without a selection, ln L is concave in s; with one it is so in
the shares of the objects that are found, s_k A_Nk / q_N. So there is one peak.

Two priors of the shares are known here, each with the coordinates in which its posterior is drawn:

`Dirichlet`
    s ~ Dirichlet(a, ..., a). The bins are split into halves, these into halves again, and so on,
    and the part v of the first half of each split is Phi(y). A priori it has the distribution
    Beta(i a, j a) for i and j bins in the halves, independently of all others, as in a Polya tree
    (Lavine 1992, Annals of Statistics 20, 1222). So y has the density v^(i a - 1) (1 - v)^(j a - 1)
    phi(y). Where neighbours cannot be told apart, their sum is still known, and both are
    coordinates; and ln of the density falls like a parabola even where v is near 0 or 1, whereas
    that of ln v would fall like an exponential function on one side and a straight line on the
    other.
`Walk`
    x = x_0 + D r, with changes r = t z, the smoothness t and standard normal z. The coordinates are
    the logits of the same splits; up to a constant, r has the same density in these. Near x_0 they
    are logit(v_0) + r' J with r' = r, which defines r' = t z' elsewhere. Where the data tell r',
    r' and t should be drawn; where they do not, z' and t (Betancourt & Girolami 2013,
    arXiv:1312.0906). Both occur at once, so this is settled for each eigenvector of the information
    on r', with eigenvalue l. If ln L were quadratic, z' along it given t would be normal with mean
    b t / (1 + l t^2) and variance 1 / (1 + l t^2). What is drawn is w, the distance from that mean
    in standard deviations, then standard normal whatever t is. b follows from the peak r'_0 for a
    smoothness t_0: b = r'_0 (l + 1 / t_0^2). As ln L is not quadratic, the result is only near a
    standard normal, which is enough; the Jacobian, prod (1 + l t^2)^(-1/2), keeps it exact. t is
    the quantile of its prior at Phi of a last coordinate, which is standard normal a priori.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, log_softmax, ndtr
from scipy.stats import norm

from astro_hier.core import hamiltonian

ROWS = 2048  # of the matrix at a time: with 64 points, they fit in a core's cache
POINTS = 64  # at a time
FARTHEST = 8.0  # normal score of a smoothness: beyond, quantiles have no digits

Both = tuple[np.ndarray, np.ndarray]  # a value and its gradient


@dataclass(frozen=True, eq=False)
class Likelihood:
    """ln L of the shares.

    Attributes
    ----------
    weight : ndarray
        A, shape (row, bin).
    power : ndarray
        Shape (row,).
    log_scale : float, optional
        ln of the factor that the likelihood has been divided by.
    possible : callable, optional
        ``possible(shares)`` tells for which shares, shape (point, bin), the likelihood is not zero
        for another reason.
    """

    weight: np.ndarray
    power: np.ndarray
    log_scale: float = 0.0
    possible: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def bins(self) -> int:
        return self.weight.shape[1]

    def at(self, x: np.ndarray) -> np.ndarray:
        """ln L for s = softmax(x), shape (point,), for any number of points."""
        parts = np.array_split(x, -(-len(x) // POINTS))
        return np.concatenate([self.of_logs(part)[0] for part in parts]) + self.log_scale

    def of_logs(self, x: np.ndarray) -> Both:
        """ln L without the scale, shape (point,), and its gradient in x, shape (point, bin)."""
        share = np.exp(log_softmax(x, axis=1))
        value, slope = np.zeros(len(x)), np.zeros((self.bins, len(x)))
        for first in range(0, len(self.weight), ROWS):
            weight, power = self.weight[first : first + ROWS], self.power[first : first + ROWS]
            sums = weight @ share.T
            value += power @ np.log(sums)
            slope += weight.T @ np.divide(power[:, None], sums, out=sums)
        if self.possible is not None:
            value[~self.possible(share)] = -np.inf
        return value, share * (slope.T - self.power.sum())

    def information(self, x: np.ndarray) -> np.ndarray:
        """The scatter of the objects' gradients in x, summed, shape (bin, bin).

        Near the peak this is about minus the Hessian (Berndt et al. 1974, Annals of Economic and
        Social Measurement 3, 653), and it has no negative eigenvalues anywhere.
        """
        share = np.exp(log_softmax(x))
        of_objects = self.weight[self.power > 0] * share
        of_objects /= of_objects.sum(axis=1, keepdims=True)
        of_objects -= of_objects.mean(axis=0)
        return of_objects.T @ of_objects


def halves(bins: int) -> np.ndarray:
    """Which bins are in the first and in the second half of each split, (2, split, bin)."""
    found, left = np.zeros((2, bins - 1, bins)), [(0, bins)]
    for split in range(bins - 1):
        first, last = left.pop()
        middle = (first + last) // 2
        found[0, split, first:middle] = found[1, split, middle:last] = 1
        left += [of for of in ((first, middle), (middle, last)) if of[1] > of[0] + 1]
    return found


@dataclass(frozen=True, eq=False)
class Dirichlet:
    """The posterior for a Dirichlet prior, as a function of y.

    Attributes
    ----------
    likelihood : Likelihood
    concentration : float
        a.
    """

    likelihood: Likelihood
    concentration: float

    @cached_property
    def _halves(self):
        return halves(self.likelihood.bins)

    @property
    def start(self) -> np.ndarray:
        """Where every split is into halves."""
        return np.zeros(self.likelihood.bins - 1)

    def log_shares(self, y: np.ndarray) -> np.ndarray:
        """ln of the shares, shape (point, bin)."""
        first, second = self._halves
        return log_ndtr(y) @ first + log_ndtr(-y) @ second

    def __call__(self, y: np.ndarray) -> Both:
        log_parts = log_ndtr(y), log_ndtr(-y)
        log_share = sum(of @ half for of, half in zip(log_parts, self._halves, strict=True))
        value, slope = self.likelihood.of_logs(log_share)
        value, gradient = value - 0.5 * (y**2).sum(axis=1), -y
        for sign, log_part, half in zip((1, -1), log_parts, self._halves, strict=True):
            power = self.concentration * half.sum(axis=1) - 1
            value = value + log_part @ power
            by_log = slope @ half.T + power
            gradient = gradient + sign * by_log * np.exp(norm.logpdf(y) - log_part)
        return value, gradient


@dataclass(frozen=True, eq=False)
class Walk:
    """The posterior for a random walk of the logarithms, as a function of w and the normal score.

    Attributes
    ----------
    likelihood : Likelihood
    changes : ndarray
        D, what each r does to x, shape (change, bin).
    origin : ndarray
        x_0, shape (bin,).
    smoothness : frozen distribution, or float
        Its prior, or its value if that is known; then there is no last coordinate.
    near : float
        t_0, a rough value of the smoothness.
    """

    likelihood: Likelihood
    changes: np.ndarray
    origin: np.ndarray
    smoothness: Any
    near: float

    @cached_property
    def _halves(self):
        return halves(self.likelihood.bins)

    @cached_property
    def _inverse(self):
        """r of x - x_0, shape (bin, change)."""
        return np.linalg.pinv(self.changes - self.changes.mean(axis=1, keepdims=True))

    @cached_property
    def _centre(self):
        """The logits of the splits for x_0, shape (split,), and J, shape (change, split)."""
        inside = self._halves * np.exp(self.origin - self.origin.max())
        sums = inside.sum(axis=2)
        first, second = inside / sums[..., None]
        return np.log(sums[0] / sums[1]), self.changes @ (first - second).T

    def _log_shares(self, logit):
        first, second = self._halves
        return log_expit(logit) @ first + log_expit(-logit) @ second

    def _of_logits(self, logit, t):
        """ln of likelihood and prior given the smoothness, the gradient, and r."""
        x = self._log_shares(logit)
        r = (x - self.origin) @ self._inverse
        value, slope = self.likelihood.of_logs(x)
        value, slope = value - 0.5 * ((r / t) ** 2).sum(axis=1), slope - r / t**2 @ self._inverse.T
        first, second = self._halves
        return value, slope @ first.T * expit(-logit) - slope @ second.T * expit(logit), r

    @cached_property
    def _peak(self):
        """Eigenvectors, as rows, and l and b along them."""
        centre, by_change = self._centre

        def given_near(r):
            value, slope, _ = self._of_logits(centre + r @ by_change, self.near)
            return value, slope @ by_change.T

        r = hamiltonian.find_mode(given_near, np.zeros(len(self.changes)))
        logit = centre + r @ by_change
        first, second = self._halves
        each = by_change @ (first * expit(-logit)[:, None] - second * expit(logit)[:, None])
        information = self.likelihood.information(self._log_shares(logit))
        told, axes = np.linalg.eigh(each @ information @ each.T)
        told = np.maximum(told, 0.0)
        return axes.T, told, (r @ axes) * (told + 1 / self.near**2)

    @property
    def known(self) -> bool:
        """Whether the smoothness is known."""
        return np.isscalar(self.smoothness)

    @property
    def start(self) -> np.ndarray:
        """The peak for a smoothness of about ``near``."""
        w = np.zeros(len(self.changes))
        if self.known:
            return w
        score = norm.ppf(self.smoothness.cdf(self.near))
        return np.append(w, np.clip(score, -2.0, 2.0))

    def _smoothness(self, points):
        """w, the smoothness and its derivative by the normal score, and that score."""
        if self.known:
            t = np.full((len(points), 1), self.smoothness)
            return points, t, np.zeros_like(t), np.zeros_like(t)
        score = points[:, -1:]
        lower, upper = self.smoothness.ppf(ndtr(score)), self.smoothness.isf(ndtr(-score))
        t = np.where(score < 0, lower, upper)
        t = np.where(np.abs(score) < FARTHEST, t, np.nan)
        return points[:, :-1], t, norm.pdf(score) / self.smoothness.pdf(t), score

    def _along(self, w, t):
        """z' along the eigenvectors, and the derivatives of these by w and by t."""
        _, told, b = self._peak
        broad = 1 + told * t**2
        z = b * t / broad + w / np.sqrt(broad)
        by_t = b * (1 - told * t**2) / broad**2 - w * told * t / broad**1.5
        return z, 1 / np.sqrt(broad), by_t

    def _logits(self, z, t):
        centre, by_change = self._centre
        return centre + t * (z @ self._peak[0] @ by_change)

    def log_shares(self, points: np.ndarray) -> np.ndarray:
        """ln of the shares, shape (point, bin)."""
        w, t, _, _ = self._smoothness(points)
        return self._log_shares(self._logits(self._along(w, t)[0], t))

    def steps(self, points: np.ndarray) -> Both:
        """The smoothness, shape (point,), and z, shape (point, change)."""
        t = self._smoothness(points)[1]
        return t[:, 0], (self.log_shares(points) - self.origin) @ self._inverse / t

    def __call__(self, points: np.ndarray) -> Both:
        axes, told, _ = self._peak
        w, t, slope_of_t, score = self._smoothness(points)
        z, by_w, by_t = self._along(w, t)
        value, slope, r = self._of_logits(self._logits(z, t), t)
        slope = slope @ (axes @ self._centre[1]).T
        value = value + np.log(by_w).sum(axis=1)
        if self.known:
            return value, t * slope * by_w
        of_t = slope * (t * by_t + z) + r**2 / t**3 - told * t * by_w**2
        of_score = of_t.sum(axis=1, keepdims=True) * slope_of_t - score
        return value - 0.5 * score[:, 0] ** 2, np.hstack([t * slope * by_w, of_score])
