r"""A polynomial in place of the likelihood, where one is good enough.

About the only peak of a posterior, ln p(data | theta) of many rows is close to a polynomial in the
priors' normal scores z. One of total degree 4 has (d + 4)! / (d! 4!) terms in d dimensions, fifteen
in two; it is fitted to twice as many points, where plain sampling takes thousands, and then sampled
with as many points as one likes.

With the peak's covariance as the unit, y are the distances from the peak, and the fitted points lie
in the ball |y| < `RADIUS`: Sobol points, denser towards the middle, with weights exp(-y^2 / 4). The
residuals are therefore nearly orthogonal to all polynomials of this degree under the posterior, and
means and variances change far less than single values do. Outside the ball the surrogate is zero.

It is refused if

- there is not exactly one peak, or the likelihood is zero somewhere in the ball;
- at new points from the Student t about the peak, it is off by `LARGEST_ERROR` rms;
- by all points so far, more than `LARGEST_OUTSIDE` of the posterior lies outside the ball, or by
  the surrogate, so much more than twice that of a normal density in the outer part of it;
- its own weighted points are worth fewer than a sixth of their number;
- ln p(data | theta) at draws from it is off by `LARGEST_ERROR` rms about the mean, or so that the
  mean of a y would move by `LARGEST_SHIFT` sds: to first order it moves by the covariance of y with
  the error.

All its points, with the densities they were drawn from, stay in the exact search's pool. Draws from
an accepted surrogate are not corrected further: the last check bounds what that could change.
"""

from dataclasses import dataclass
from itertools import product
from math import comb

import numpy as np
from scipy.special import gammaln, ndtri
from scipy.stats import chi2, qmc

from astro_hier.core.floats import TINY
from astro_hier.inference.proposals import PRIOR, Mixture, StudentT
from astro_hier.inference.target import Target
from astro_hier.inference.weights import Pool

DEGREE = 4  # of eight, one passed its test with draws a standard deviation off
MOST_TERMS = 500  # eight dimensions
POINTS_PER_TERM = 2
RADIUS = 5.5  # of the ball, in standard deviations
OUTER = 0.85  # of the radius, where the outer part begins
TESTS = 80  # new points
CHECKED = 200  # draws
LARGEST_ERROR = 0.05  # rms, in ln p
LARGEST_SHIFT = 0.02  # of a mean, in standard deviations
LARGEST_OUTSIDE, LARGEST_OUTER = 1e-3, 3e-3  # shares of the posterior
SIZE = 15  # points of the surrogate for each effective one that is wanted
MIN_EFFICIENCY = 1 / 6
MAX_VALUES = 2_000_000  # of the terms, computed at a time


@dataclass(frozen=True)
class Surrogate:
    """What came of the attempt.

    Attributes
    ----------
    verdict : str
        "used", "refused: ..." with the reason, "not tried: ..." or "not asked for".
    pool : Pool or None
        Weighted points of the accepted surrogate, whose likelihoods are the polynomial's.
    error : float
        Root mean square error of ln p(data | theta), up to a constant, at draws from it.
    """

    verdict: str
    pool: Pool | None = None
    error: float = np.nan

    def attributes(self) -> dict:
        """What is said of it in the attributes of a posterior."""
        error = {} if self.pool is None else {"surrogate_error": self.error}
        return {"surrogate": self.verdict, **error}


class Ball:
    """Points about a peak, in units of its covariance: |y| / `RADIUS` = u^(1/2), u uniform.

    In one dimension, and in two, that is a uniform density; in more it is higher in the middle.
    """

    def __init__(self, peak: StudentT):
        correlation = peak.covariance / np.outer(peak.sd, peak.sd)
        root = np.linalg.cholesky(correlation)
        self.centre, self.dimension = peak.mean, len(peak.mean)
        self.root, self.inverse = peak.sd[:, None] * root, np.linalg.inv(root) / peak.sd
        self.power = min(self.dimension, 2)

    def places(self, z: np.ndarray) -> np.ndarray:
        """Points in units in which the ball has a radius of one, shape (n, dimension)."""
        return (z - self.centre) @ self.inverse.T / RADIUS

    def sobol(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """So many points z, shape (size, dimension)."""
        exponent = int(np.ceil(np.log2(size)))
        u = qmc.Sobol(self.dimension + 1, rng=rng).random_base2(exponent)[:size]
        way = ndtri(u[:, :-1].clip(1e-9, 1 - 1e-9))
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        return self.centre + RADIUS * (way * u[:, -1:] ** (1 / self.power)) @ self.root.T

    def logpdf(self, z: np.ndarray) -> np.ndarray:
        r, d = np.linalg.norm(self.places(z), axis=1), self.dimension
        log_sphere = np.log(2) + 0.5 * d * np.log(np.pi) - gammaln(0.5 * d)
        log_volume = d * np.log(RADIUS) + np.log(np.abs(np.diag(self.root))).sum()
        log_density = np.log(self.power) + (self.power - d) * np.log(np.maximum(r, TINY))
        log_density = log_density - log_sphere - log_volume
        return np.where(r < 1, log_density, -np.inf)


class Polynomial:
    """ln p(data | theta) as a sum of products of Chebyshev polynomials; -inf outside the ball."""

    def __init__(self, ball: Ball, z: np.ndarray, log_likelihood: np.ndarray):
        self.ball, self.log_evidence = ball, 0.0
        degrees = product(range(DEGREE + 1), repeat=ball.dimension)
        self.degrees = np.array([of for of in degrees if sum(of) <= DEGREE])
        y = ball.places(z)
        weight = np.exp(-((RADIUS * y) ** 2).sum(axis=1) / 8)  # its square is that of the sum
        terms = weight[:, None] * self._terms(y)
        self.coefficients = np.linalg.lstsq(terms, weight * log_likelihood)[0]

    def _terms(self, y: np.ndarray) -> np.ndarray:
        each = np.polynomial.chebyshev.chebvander(y, DEGREE)
        terms = each[:, 0, self.degrees[:, 0]]
        for axis in range(1, y.shape[1]):
            terms *= each[:, axis, self.degrees[:, axis]]
        return terms

    def __call__(self, z: np.ndarray) -> np.ndarray:
        found = np.full(len(z), -np.inf)
        y = self.ball.places(z)
        inside = np.flatnonzero((y**2).sum(axis=1) < 1)
        for some in np.array_split(inside, -(-len(inside) * len(self.degrees) // MAX_VALUES) or 1):
            found[some] = self._terms(y[some]) @ self.coefficients
        return found

    def logpdf(self, z: np.ndarray) -> np.ndarray:
        """ln of the density of points drawn from the surrogate's posterior."""
        return self(z) + PRIOR.logpdf(z) - self.log_evidence


def attempt(
    target: Target, pool: Pool, peaks: Mixture, wanted: int, most: int, rng: np.random.Generator
) -> Surrogate:
    """A surrogate, if it is good enough.

    Parameters
    ----------
    target : Target
        Whose likelihood it stands in for.
    pool : Pool
        All points so far; those of the attempt are added.
    peaks : Mixture
        All peaks that were found.
    wanted : int
        The effective size that is wanted.
    most : int
        Number of evaluations of the target that may be reached.
    rng : `numpy.random.Generator`
        The source of all randomness.
    """
    size = POINTS_PER_TERM * comb(target.dimension + DEGREE, DEGREE)
    if len(peaks.parts) > 1:
        return Surrogate(f"not tried: {len(peaks.parts)} peaks")
    if size > POINTS_PER_TERM * MOST_TERMS:
        return Surrogate(f"not tried: {target.dimension} parameters")
    if target.evaluations + size + TESTS + CHECKED > most:
        return Surrogate("not tried: too few evaluations left")
    ball = Ball(peaks.parts[0])
    z = ball.sobol(size, rng)
    log_likelihood = target.log_likelihood(z)
    pool.add(ball, z, log_likelihood)
    if not np.isfinite(log_likelihood).all():
        return Surrogate("refused: zero likelihood near the peak")
    polynomial = Polynomial(ball, z, log_likelihood)
    reason = _tested(polynomial, target, pool, peaks, rng)
    if reason:
        return Surrogate(f"refused: {reason}")
    return _sampled(polynomial, target, pool, peaks, wanted, rng)


def _tested(
    polynomial: Polynomial, target: Target, pool: Pool, peaks: Mixture, rng: np.random.Generator
) -> str:
    """Whether new points refute the surrogate: the reason, or an empty string."""
    z = peaks.rvs(TESTS, rng)
    log_likelihood, found = target.log_likelihood(z), polynomial(z)
    pool.add(peaks, z, log_likelihood)
    inside = np.isfinite(found)
    off = log_likelihood[inside] - found[inside]
    error = np.sqrt(np.sum(off**2) / max(len(off), 1))
    if not error < LARGEST_ERROR:
        return f"error of {error:.2g} at test points"
    outside = pool.weights[np.isneginf(polynomial(pool.z))].sum()
    if outside > LARGEST_OUTSIDE:
        return f"{outside:.1%} of the posterior far from the peak"
    return ""


def _sampled(
    polynomial: Polynomial,
    target: Target,
    pool: Pool,
    peaks: Mixture,
    wanted: int,
    rng: np.random.Generator,
) -> Surrogate:
    """The surrogate's weighted points, if exact values at draws from it agree."""
    size = SIZE * wanted
    z = peaks.rvs(size, rng)
    found = polynomial(z)
    sampled = Pool(z, found, peaks)
    if sampled.effective_size < MIN_EFFICIENCY * size:
        return Surrogate(f"refused: effective size {sampled.effective_size:.0f} of {size}")
    y = polynomial.ball.places(z)
    outer = sampled.weights[(y**2).sum(axis=1) > OUTER**2].sum()
    if outer > LARGEST_OUTER + 2 * chi2.sf((OUTER * RADIUS) ** 2, target.dimension):
        return Surrogate(f"refused: {outer:.1%} of its mass far from the peak")
    polynomial.log_evidence = sampled.log_evidence
    chosen = rng.choice(size, CHECKED, p=sampled.weights)
    log_likelihood = target.log_likelihood(z[chosen])
    pool.add(polynomial, z[chosen], log_likelihood)
    if not np.isfinite(log_likelihood).all():
        return Surrogate("refused: zero likelihood at draws")
    off = log_likelihood - found[chosen]
    error, shift = off.std(), _shift(off, y[chosen])
    if not error < LARGEST_ERROR:
        return Surrogate(f"refused: error of {error:.2g} at draws")
    if shift > LARGEST_SHIFT:
        return Surrogate(f"refused: means off by {shift:.2g} sd")
    # the mean ratio of the likelihoods is that of the evidences
    return Surrogate("used", Pool(z, found + np.log(np.mean(np.exp(off))), peaks), float(error))


def _shift(off: np.ndarray, y: np.ndarray) -> float:
    """By how many standard deviations the mean of any y moves, to first order."""
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    return float(np.abs((off - off.mean()) @ y).max() / len(off))
