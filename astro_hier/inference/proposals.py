"""Proposals to draw points from: mixtures of Student t distributions about peaks of a density.

A proposal has the methods ``rvs(size, rng)``, which returns points of shape (size, dimension), and
``logpdf(z)``.
"""

import numpy as np
from scipy.stats import multivariate_t

from astro_hier.core import normal
from astro_hier.core.floats import TINY, log_sum_exp

DEGREES_OF_FREEDOM = 5
CLOUD_SIZES = 10.0 ** -np.arange(5)
RIDGE = 1e-8  # added to the diagonal of correlations, so that none is singular
ROUNDS = 5
MIN_WIDTH = 1e-4  # across a plane that points lie in, in units of their widths along the axes
SMALLEST_SHARE = 0.01  # of the weight, below which a part of a mixture is dropped
SHARE_OF_PEAK = 0.005  # given to a peak with too few points
MIN_POINTS_PER_DIMENSION = 2.0  # effective points needed to fit a part


class Normal:
    """The standard normal distribution, which is the prior."""

    def logpdf(self, z):
        return normal.log_density(z, 0.0, 1.0).sum(axis=1)


PRIOR = Normal()


class Clouds:
    """An equal mixture of isotropic normal distributions of several sizes about one point."""

    def __init__(self, centre):
        self.centre = centre

    def rvs(self, size, rng):
        sizes = rng.permutation(np.resize(CLOUD_SIZES, size))
        return self.centre + sizes[:, None] * rng.standard_normal((size, len(self.centre)))

    def logpdf(self, z):
        by_size = [normal.log_density(z, self.centre, s).sum(axis=1) for s in CLOUD_SIZES]
        return log_sum_exp(by_size) - np.log(len(CLOUD_SIZES))


class StudentT:
    """Student t with 5 degrees of freedom, whose axes may differ in width by seven digits."""

    def __init__(self, mean, covariance):
        self.mean, self.sd = mean, np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(self.sd, self.sd) + RIDGE * np.eye(len(mean))
        self.covariance = self.sd[:, None] * correlation * self.sd
        # SciPy's density ignores an axis that is much narrower than another
        self.whole = multivariate_t(mean, self.covariance, DEGREES_OF_FREEDOM, allow_singular=True)
        self.inverse = np.linalg.pinv(correlation, hermitian=True)
        log_determinant = np.linalg.slogdet(correlation)[1]
        self.log_volume = 0.5 * log_determinant + np.sum(np.log(self.sd))
        self.scaled = multivariate_t(shape=correlation, df=DEGREES_OF_FREEDOM)

    @classmethod
    def from_points(cls, z, weights):
        """From the weighted mean and covariance of points; the weights add up to one."""
        mean = weights @ z
        deviation = z - mean
        covariance = (weights[:, None] * deviation).T @ deviation
        # few points may lie in a plane
        least = MIN_WIDTH**2 * np.diag(covariance) + 1e-16
        return cls(mean, covariance + np.diag(least))

    def distance(self, point):
        """Distance of a point from the mean in sds, root mean square over the ellipsoid's axes."""
        off = (point - self.mean) / self.sd
        return np.sqrt(off @ self.inverse @ off / len(off))

    def rvs(self, size, rng):
        return self.whole.rvs(size, random_state=rng).reshape(size, len(self.mean))

    def logpdf(self, z):
        # SciPy returns a scalar for a single point
        scaled = np.atleast_1d(self.scaled.logpdf((z - self.mean) / self.sd))
        return scaled - np.sum(np.log(self.sd))


class Either:
    """One proposal or, with the probability ``share``, another."""

    def __init__(self, first, second, share):
        self.first, self.second, self.share = first, second, share

    def rvs(self, size, rng):
        count = rng.binomial(size, self.share)
        return np.vstack([self.first.rvs(size - count, rng), self.second.rvs(count, rng)])

    def logpdf(self, z):
        first = np.log1p(-self.share) + self.first.logpdf(z)
        return np.logaddexp(first, np.log(self.share) + self.second.logpdf(z))


class Mixture:
    """A mixture of Student t distributions, some of which represent peaks of a density."""

    def __init__(self, parts, shares, are_peaks=None):
        self.parts, self.shares = parts, np.asarray(shares) / np.sum(shares)
        self.are_peaks = np.ones(len(parts), bool) if are_peaks is None else np.array(are_peaks)

    def rvs(self, size, rng):
        counts = rng.multinomial(size, self.shares)
        drawn = [p.rvs(n, rng) for p, n in zip(self.parts, counts, strict=True) if n]
        return np.vstack(drawn) if drawn else np.empty((0, len(self.parts[0].mean)))

    def and_a_part(self, part):
        """The mixture with one more part, whose share is the average of the others."""
        share = 1 / len(self.parts)
        return Mixture([*self.parts, part], [*self.shares, share], [*self.are_peaks, False])

    def joined(self, other):
        """The mixture with the parts of another added."""
        shares = [*self.shares, *other.shares]
        return Mixture(self.parts + other.parts, shares, [*self.are_peaks, *other.are_peaks])

    def by_part(self, z):
        return np.array([part.logpdf(z) for part in self.parts]) + np.log(self.shares)[:, None]

    def logpdf(self, z):
        return log_sum_exp(self.by_part(z))

    def fitted(self, z, weights):
        """The mixture fitted to weighted points by expectation-maximisation.

        As in Cappe et al. (2008, Stat. Comput. 18, 447), but with plain moments in place of those
        of a Student t. Parts with almost none of the points are dropped, except for peaks: a peak
        with too few points stays as it is, with a small share, because its points may be yet to
        come.
        """
        found = self
        for _ in range(ROUNDS if len(self.parts) > 1 else 1):
            parts = found.by_part(z)
            masses = weights * np.exp(parts - log_sum_exp(parts))
            shares = masses.sum(axis=1)
            size = shares**2 / np.maximum(np.sum(masses**2, axis=1), TINY)
            moved = (shares > SMALLEST_SHARE) & (size > MIN_POINTS_PER_DIMENSION * z.shape[1])
            if not moved.any():
                return found._peaks_and(StudentT.from_points(z, weights))
            kept = np.flatnonzero(moved | found.are_peaks)
            found = Mixture(
                [
                    StudentT.from_points(z, masses[k] / shares[k]) if moved[k] else found.parts[k]
                    for k in kept
                ],
                np.where(moved[kept], shares[kept], SHARE_OF_PEAK),
                found.are_peaks[kept],
            )
        return found

    def _peaks_and(self, part):
        """One part together with the peaks, each of which has a small share."""
        peaks = [self.parts[k] for k in np.flatnonzero(self.are_peaks)]
        shares = [*[SHARE_OF_PEAK] * len(peaks), 1.0]
        return Mixture([*peaks, part], shares, [*[True] * len(peaks), False])
