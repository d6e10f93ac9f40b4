"""A model's marginal likelihood as a function of standard normal variables."""

import numpy as np
from scipy.special import ndtr, ndtri

from astro_hier.inference.proposals import PRIOR

FARTHEST_START = 6.0  # standard deviations


class Target:
    """A model's marginal likelihood as a function of standard normal variables z."""

    def __init__(self, model, data):
        self.model, self.data = model, data
        every = model.frozen_priors()
        free = model.free_names()
        self.priors = {name: every[name] for name in free}
        self.known = {name: prior.mean() for name, prior in every.items() if name not in free}
        self.normals = model.standard_normals(data)
        self.dimension = len(self.priors) + sum(self.normals.values())
        self.evaluations = 0

    def parameters(self, z):
        """Hyperparameters by name, one value per row of ``z``."""
        theta = {name: np.full(len(z), value) for name, value in self.known.items()}
        for (name, prior), x in zip(self.priors.items(), z.T, strict=False):
            # the upper half from the upper tail, where 1 - ndtr(x) would have lost its digits
            lower, upper = prior.ppf(ndtr(np.minimum(x, 0))), prior.isf(ndtr(-np.abs(x)))
            theta[name] = np.where(x < 0, lower, upper).clip(*prior.support())
        first = len(self.priors)
        for name, number in self.normals.items():
            theta[name] = z[:, first : first + number]
            first += number
        return theta

    def starts(self):
        """The model's starting points as z, within the prior wherever the model puts them."""
        z = np.zeros((len(points := self.model.starts(self.data)), self.dimension))
        for i, (name, prior) in enumerate(self.priors.items()):
            at = np.array([float(point[name]) for point in points])
            below = prior.cdf(at)
            z[:, i] = np.where(below < 0.5, ndtri(below), -ndtri(prior.sf(at)))
        return np.nan_to_num(z).clip(-FARTHEST_START, FARTHEST_START)

    def log_likelihood(self, z):
        """ln p(data | theta), -inf where the prior's quantile function overflows."""
        self.evaluations += len(z)
        theta = self.parameters(z)
        inside = np.isfinite(np.column_stack(list(theta.values()))).all(axis=1)
        result = np.full(len(z), -np.inf)
        theta = {name: values[inside] for name, values in theta.items()}
        result[inside] = self.model.log_marginal(self.data, theta)
        return result

    def log_posterior(self, z):
        """ln of the density of z given the data, up to a constant."""
        return self.log_likelihood(z) + PRIOR.logpdf(z)
