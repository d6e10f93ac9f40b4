"""What points are drawn from: mixtures of Student t distributions about the peaks of a density.

A proposal has ``rvs(size, rng)``, points of shape (size, dimension), and ``logpdf(z)``.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import multivariate_t, norm

DEGREES_OF_FREEDOM = 5
CLOUD_SIZES = 10.0 ** -np.arange(5)
STEPS = 10.0 ** -np.arange(9)  # that the curvature at a point is looked for with
LARGEST_FALL = 5.0  # over such a step
SMALL_DIFFERENCE = 0.01  # of the widths along the axes, for slopes
DIFFERENCE = 0.1  # and for curvatures
CLIMBS = 6  # at most, of at most
MOST_STEPS = 100  # each, in units of the widths where it starts
LOWEST = -1e100  # in place of -inf
GAIN = 0.1  # in ln of the density, below which a climb was the last
LEAST_CURVATURE = 0.3  # of the standard normal prior's
SAME_PEAK = 1.0  # standard deviations between two that are one
ROUNDS = 5
SMALLEST_SHARE = 0.01  # of the weight, below which a part of a mixture is left out
FEWEST = 2.0  # effective points a dimension that a part is fitted to


class Normal:
    """The standard normal distribution, which is the prior."""

    def logpdf(self, z):
        return norm.logpdf(z).sum(axis=1)


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


def peaks(log_density, starts):
    """A mixture of the peaks of a density that are found from some points, equal in share.

    Parameters
    ----------
    log_density : callable
        Of points of shape (n, dimension), shape (n,); may be -inf.
    starts : sequence of ndarray
        Where to climb from.
    """
    found = []
    for start in starts:
        peak = _peak(lambda z: log_density(z).clip(LOWEST), start)
        off = [np.abs(peak.mean - other.mean) / np.minimum(peak.sd, other.sd) for other in found]
        if all(distance.max() > SAME_PEAK for distance in off):
            found.append(peak)
    return Mixture(found, np.ones(len(found)))


def _peak(log_density, start):
    """A Student t about a maximum of a density, of its curvature there."""
    eye, centre, height = np.eye(len(start)), start, -np.inf

    def falls_and_slopes(x):
        away = SMALL_DIFFERENCE * np.vstack([0 * x[None], eye, -eye])
        heights = log_density(centre + widths * (x + away))
        plus, minus = np.split(heights[1:], 2)
        return height - heights[0], (minus - plus) / (2 * SMALL_DIFFERENCE)

    for _ in range(CLIMBS):
        widths, before = _widths(log_density, centre), height
        height = log_density(centre[None])[0]
        if height - before < GAIN:
            break
        climbed = minimize(
            falls_and_slopes,
            0 * centre,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": MOST_STEPS},
        )
        centre = centre + widths * climbed.x
    return StudentT(centre, widths[:, None] * _covariance(log_density, centre, widths) * widths)


def _widths(log_density, centre):
    """Standard deviation of a density along each axis through a point, at most one.

    From its curvature over the largest of `STEPS` that it does not fall by far over, nor over any
    smaller one: far from a peak it may have fallen and be flat again.
    """
    axes = np.eye(len(centre))
    away = np.multiply.outer(STEPS, np.stack([axes, -axes], axis=1)).reshape(-1, len(centre))
    heights = log_density(np.vstack([centre, centre + away]))
    falls = 2 * heights[0] - heights[1:].reshape(len(STEPS), len(centre), 2).sum(axis=2)
    near = np.logical_and.accumulate((falls < 2 * LARGEST_FALL)[::-1])[::-1]
    near[-1] = True
    chosen = np.argmax(near, axis=0)
    falls = falls[chosen, np.arange(len(centre))]
    return (STEPS[chosen] / np.sqrt(np.where(falls > 0, falls, 1.0))).clip(STEPS[-1], 1.0)


def _covariance(log_density, centre, widths):
    """Inverse of the curvature at a point, in units of the widths along the axes."""
    size = len(centre)
    i, j = np.triu_indices(size, 1)
    eye = np.eye(size)
    away = [0 * eye[:1], eye, -eye, *(s * eye[i] + t * eye[j] for s in (1, -1) for t in (1, -1))]
    heights = log_density(centre + DIFFERENCE * np.vstack(away) * widths)
    both, pairs = heights[1 : 2 * size + 1].reshape(2, -1), heights[2 * size + 1 :].reshape(4, -1)
    curvature = np.diag(2 * heights[0] - both.sum(axis=0))
    curvature[i, j] = curvature[j, i] = (pairs[1] + pairs[2] - pairs[0] - pairs[3]) / 4
    values, vectors = np.linalg.eigh(curvature / DIFFERENCE**2)
    # nowhere wider than the prior
    least = LEAST_CURVATURE * np.sum((vectors * widths[:, None]) ** 2, axis=0)
    return vectors / np.maximum(values, least) @ vectors.T
