"""Weighted points, and what their weights are worth."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from astro_hier.inference import checks
from astro_hier.inference.proposals import PRIOR

LEAST_LOG_BETA = -50.0
ENOUGH_TO_FIT = 10


class Pool:
    """All points so far, with the density of each proposal at every point."""

    def __init__(self, z, log_likelihood):
        self.z, self.log_likelihood = z, log_likelihood
        self.proposals, self.counts = [PRIOR], [len(z)]
        self.log_proposals = PRIOR.logpdf(z)[None]
        self._weigh()

    def add(self, proposal, z, log_likelihood):
        self.log_proposals = np.vstack([self.log_proposals, proposal.logpdf(self.z)])
        self.proposals.append(proposal)
        self.counts.append(len(z))
        at_new = np.array([proposal.logpdf(z) for proposal in self.proposals])
        self.log_proposals = np.hstack([self.log_proposals, at_new])
        self.z = np.vstack([self.z, z])
        self.log_likelihood = np.concatenate([self.log_likelihood, log_likelihood])
        self._weigh()

    def _weigh(self):
        shares = np.array(self.counts) / len(self.z)
        mixture = logsumexp(self.log_proposals, axis=0, b=shares[:, None])
        self.log_prior_weights = PRIOR.logpdf(self.z) - mixture
        self.log_weights = self.log_likelihood + self.log_prior_weights
        self.weights = normalised(self.log_weights)
        self.effective_size = effective_size(self.weights)

    def suffices(self, wanted):
        k = pareto_k(self.log_weights)
        return self.effective_size >= wanted and k <= checks.LARGEST_PARETO_K

    def best(self):
        """The point of highest posterior density."""
        return self.z[np.argmax(self.log_likelihood + PRIOR.logpdf(self.z))]

    def tempered_weights(self):
        """Normalised weights with the likelihood raised to the largest beta that leaves enough."""
        return tempered(self.log_prior_weights, self.log_likelihood, self.z.shape[1])

    def squared_weights(self):
        """The weights squared, or to as high a power as leaves enough, normalised."""
        return tempered(self.log_weights, self.log_weights, self.z.shape[1])[0]


def tempered(log_fixed, log_raised, dimension):
    """Normalised weights with one factor raised to the largest beta up to 1 that leaves enough."""
    enough = ENOUGH_TO_FIT * dimension

    def weights(log_beta):
        return normalised(np.exp(log_beta) * log_raised + log_fixed)

    def excess(log_beta):
        return effective_size(weights(log_beta)) - enough

    if excess(0.0) >= 0:
        return weights(0.0), 1.0
    if excess(LEAST_LOG_BETA) <= 0:  # not even without that factor
        return weights(LEAST_LOG_BETA), np.exp(LEAST_LOG_BETA)
    log_beta = brentq(excess, LEAST_LOG_BETA, 0, xtol=0.01)
    return weights(log_beta), np.exp(log_beta)


def normalised(log_weights):
    weights = np.exp(log_weights - log_weights.max())
    return weights / weights.sum()


def effective_size(weights):
    return 1 / np.sum(weights**2)


def pareto_k(log_weights):
    from arviz_stats.base import array_stats

    # psislw takes the negative of the log weights: the log likelihoods of leave-one-out. Where
    # too few weights are not zero it divides by zero.
    with np.errstate(divide="ignore", invalid="ignore"):
        k = float(array_stats.psislw(-log_weights)[1])
    return k if np.isfinite(k) else np.inf
