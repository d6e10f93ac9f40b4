"""What points are drawn from: mixtures of Student t distributions about the peaks of a density.

A proposal has ``rvs(size, rng)``, points of shape (size, dimension), and ``logpdf(z)``.
"""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_t, norm

DEGREES_OF_FREEDOM = 5
CLOUD_SIZES = 10.0 ** -np.arange(5)
ROUNDS = 5
SMALLEST_SHARE = 0.01  # of the weight, below which a part of a mixture is left out
FEWEST = 2.0  # effective points a dimension that a part is fitted to


class Normal:
    """The standard normal distribution, which is the prior."""

    def logpdf(self, z):
        return norm.logpdf(z).sum(axis=1)


PRIOR = Normal()


class Clouds:
    """Equal mixture of isotropic normal distributions of several sizes about one point."""

    def __init__(self, centre):
        self.centre = centre

    def rvs(self, size, rng):
        sizes = rng.permutation(np.resize(CLOUD_SIZES, size))
        return self.centre + sizes[:, None] * rng.standard_normal((size, len(self.centre)))

    def logpdf(self, z):
        by_size = [norm.logpdf(z, self.centre, s).sum(axis=1) for s in CLOUD_SIZES]
        return logsumexp(by_size, axis=0) - np.log(len(CLOUD_SIZES))


class StudentT:
    """Student t of 5 degrees of freedom, whose axes may differ in width by seven digits."""

    def __init__(self, mean, covariance):
        self.mean, self.sd = mean, np.sqrt(np.diag(covariance))
        # SciPy's density takes an axis that is narrow beside another for none at all
        self.whole = multivariate_t(mean, covariance, DEGREES_OF_FREEDOM, allow_singular=True)
        correlation = covariance / np.outer(self.sd, self.sd)
        self.scaled = multivariate_t(shape=correlation, df=DEGREES_OF_FREEDOM)

    @classmethod
    def of(cls, z, weights):
        """That of the weighted mean and covariance of points; the weights' sum is one."""
        mean = weights @ z
        deviation = z - mean
        covariance = (weights[:, None] * deviation).T @ deviation
        return cls(mean, covariance + 1e-16 * np.eye(z.shape[1]))

    def rvs(self, size, rng):
        return self.whole.rvs(size, random_state=rng).reshape(size, len(self.mean))

    def logpdf(self, z):
        # SciPy returns a number for one point
        scaled = np.atleast_1d(self.scaled.logpdf((z - self.mean) / self.sd))
        return scaled - np.sum(np.log(self.sd))


class Mixture:
    """Student t distributions with shares."""

    def __init__(self, parts, shares):
        self.parts, self.shares = parts, np.asarray(shares) / np.sum(shares)

    def rvs(self, size, rng):
        counts = rng.multinomial(size, self.shares)
        return np.vstack([p.rvs(n, rng) for p, n in zip(self.parts, counts, strict=True) if n])

    def and_a_part(self, part):
        """With one more, of as large a share as the others have on average."""
        share = 1 / len(self.parts)
        return Mixture([*self.parts, part], [*self.shares, share])

    def by_part(self, z):
        return np.array([part.logpdf(z) for part in self.parts]) + np.log(self.shares)[:, None]

    def logpdf(self, z):
        return logsumexp(self.by_part(z), axis=0)

    def fitted(self, z, weights):
        """The same parts moved to weighted points, by expectation and maximisation.

        As of Cappe et al. (2008, Stat. Comput. 18, 447), with moments for those of a Student t.
        Parts that stand for next to none of the points are left out.
        """
        found = self
        for _ in range(ROUNDS if len(self.parts) > 1 else 1):
            parts = found.by_part(z)
            masses = weights * np.exp(parts - logsumexp(parts, axis=0))
            shares = masses.sum(axis=1)
            size = shares**2 / np.maximum(np.sum(masses**2, axis=1), 1e-300)
            kept = np.flatnonzero((shares > SMALLEST_SHARE) & (size > FEWEST * z.shape[1]))
            if len(kept) < 2:
                return Mixture([StudentT.of(z, weights)], [1.0])
            found = Mixture([StudentT.of(z, masses[k] / shares[k]) for k in kept], shares[kept])
        return found
