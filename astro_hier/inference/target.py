"""A marginal likelihood as a function of standard normal variables."""

import numpy as np
from scipy.special import ndtr, ndtri

from astro_hier.core.above import Above
from astro_hier.inference.problem import Problem
from astro_hier.inference.proposals import PRIOR

FARTHEST_START = 6.0  # standard deviations


class NotComputed(ValueError):
    """A marginal likelihood is NaN or infinity."""


class Target:
    """A marginal likelihood as a function of standard normal variables z."""

    def __init__(self, problem: Problem):
        self.problem = problem
        self.every, free = problem.priors, problem.free
        self.priors = {name: self.every[name] for name in free}
        self.known = {name: prior.mean() for name, prior in self.every.items() if name not in free}
        self.normals = problem.normals
        self.dimension = len(self.priors) + sum(self.normals.values())
        self.evaluations = 0

    @property
    def names(self):
        """Names of the dimensions of z."""
        of_normals = [f"{name}[{k}]" for name, n in self.normals.items() for k in range(n)]
        return [*self.priors, *of_normals]

    def parameters(self, z):
        """Hyperparameters by name, one value per row of ``z``."""
        return self._parameters(z)[0]

    def _parameters(self, z):
        """Hyperparameters by name, and which rows of ``z`` the priors allow."""
        theta = {name: np.full(len(z), value) for name, value in self.known.items()}
        columns = dict(zip(self.priors, z.T, strict=False))
        for name, prior in self.priors.items():
            x = columns[name]
            # for the upper half use the upper tail: 1 - ndtr(x) would lose its digits
            lower, upper = prior.ppf(ndtr(np.minimum(x, 0))), prior.isf(ndtr(-np.abs(x)))
            theta[name] = np.where(x < 0, lower, upper).clip(*prior.support())
        possible = np.ones(len(z), bool)
        for name, above in self._cut(theta):
            possible &= above.possible
            if name in columns:
                theta[name] = above.of_normal(columns[name])
        first = len(self.priors)
        for name, number in self.normals.items():
            theta[name] = z[:, first : first + number]
            first += number
        return theta, possible

    def _cut(self, theta):
        """Names and distributions of truncated priors, each after those it depends on."""
        for name, low in self.problem.lower_ends.items():
            yield name, Above(self.every[name], low(theta))

    def normals_of(self, points):
        """Points, dicts of floats by name, as z; points outside the prior are moved into it."""
        z = np.zeros((len(points), self.dimension))
        theta = {name: np.array([float(point[name]) for point in points]) for name in self.every}
        place = {name: i for i, name in enumerate(self.priors)}
        with np.errstate(all="ignore"):
            for name, i in place.items():
                prior, at = self.priors[name], theta[name]
                below = prior.cdf(at)
                z[:, i] = np.where(below < 0.5, ndtri(below), -ndtri(prior.sf(at)))
            for name, above in self._cut(theta):
                if name in place:
                    z[:, place[name]] = above.to_normal(theta[name])
        return np.nan_to_num(z).clip(-FARTHEST_START, FARTHEST_START)

    def log_likelihood(self, z):
        """ln p(data | theta); -inf where the priors allow nothing or a quantile overflows.

        Raises
        ------
        NotComputed
            If the model returns NaN or infinity.
        """
        self.evaluations += len(z)
        with np.errstate(all="ignore"):  # values that are not finite are impossible
            theta, possible = self._parameters(z)
        possible &= np.isfinite(np.column_stack(list(theta.values()))).all(axis=1)
        result = np.full(len(z), -np.inf)
        theta = {name: values[possible] for name, values in theta.items()}
        if not possible.any():
            return result
        found = np.asarray(self.problem.log_marginal(theta), dtype=float)
        wrong = np.flatnonzero(~(found < np.inf))
        if wrong.size:
            at = ", ".join(f"{name}={values[wrong[0]]}" for name, values in theta.items())
            raise NotComputed(
                f"log_marginal of {self.problem.name} is {found[wrong[0]]} at {wrong.size}"
                f" of {len(found)} points, the first of which is {at}; expected a finite number, or"
                " -inf where the data are impossible: correct log_marginal, or narrow the priors to"
                " where it can be computed"
            )
        result[possible] = found
        return result

    def log_posterior(self, z):
        """ln of the density of z given the data, up to a constant."""
        return self.log_likelihood(z) + PRIOR.logpdf(z)
