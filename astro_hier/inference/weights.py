"""Weighted points, and how many independent draws they are worth."""

import numpy as np
from scipy.optimize import brentq

from astro_hier.core.floats import TINY, log_sum_exp
from astro_hier.inference.proposals import PRIOR

MIN_LOG_BETA = -50.0
ENOUGH_TO_FIT = 10  # effective points per dimension
HEAVIEST = 5  # number of the heaviest points, whose weights are limited
MIN_POWER = 0.5  # lowest power of the weights that a proposal is fitted to


class Pool:
    """All points so far, with the density of each proposal at every point.

    The first come from the prior, if nothing else is said.
    """

    def __init__(self, z, log_likelihood, proposal=PRIOR):
        self.z, self.log_likelihood = z, log_likelihood
        self.proposals, self.counts = [proposal], [len(z)]
        self.log_proposals = proposal.logpdf(z)[None]
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
        mixture = log_sum_exp(self.log_proposals + np.log(np.maximum(shares, TINY))[:, None])
        self.log_prior_weights = PRIOR.logpdf(self.z) - mixture
        self.log_weights = self.log_likelihood + self.log_prior_weights
        self.weights = normalised(self.log_weights)
        self.effective_size = effective_size(self.weights)

    @property
    def pareto_k(self):
        """Shape of the weights' tail."""
        return pareto_k(self.log_weights)

    @property
    def log_evidence(self):
        """ln of the likelihood, integrated over the prior."""
        return float(log_sum_exp(self.log_weights) - np.log(len(self.z)))

    def heights(self):
        """ln of the posterior density of each point, up to a constant."""
        return self.log_likelihood + PRIOR.logpdf(self.z)

    def best(self, number=1, apart=1.0):
        """The points of highest posterior density, at least ``apart`` along some axis."""
        found = []
        for point in self.z[np.argsort(-self.heights(), kind="stable")]:
            if all(np.abs(point - other).max() > apart for other in found):
                found.append(point)
            if len(found) == number:
                break
        return found

    def absorb(self, other):
        """Take over all points of another pool, with their proposals."""
        ends = np.cumsum(other.counts)
        for proposal, stop, count in zip(other.proposals, ends, other.counts, strict=True):
            of = slice(stop - count, stop)
            self.add(proposal, other.z[of], other.log_likelihood[of])

    def weights_to_fit(self):
        """Normalised weights to fit a proposal to, and the power that the likelihood was raised to.

        A few points far out in a tail, or the first in a region that no proposal covers yet, would
        outweigh all others. So the weights of the heaviest are limited to that of the next one,
        and if this is not enough, all are raised to a power below one. If even that leaves too few
        effective points, no proposal is close to the posterior: the likelihood is tempered.
        """
        cut = np.partition(self.log_weights, -HEAVIEST)[-HEAVIEST]
        log_weights = np.minimum(self.log_weights, cut)
        weights, power = tempered(0.0, log_weights, self.z.shape[1])
        if power >= MIN_POWER:
            return weights, 1.0
        return tempered(self.log_prior_weights, self.log_likelihood, self.z.shape[1])

    def squared_weights(self):
        """The squared weights, or the highest power that leaves enough points, normalised."""
        return tempered(self.log_weights, self.log_weights, self.z.shape[1])[0]


def tempered(log_fixed, log_raised, dimension):
    """Normalised weights with one factor raised to the largest beta <= 1 that leaves enough points.

    Returns the weights and beta.
    """
    enough = ENOUGH_TO_FIT * dimension

    def weights(log_beta):
        return normalised(np.exp(log_beta) * log_raised + log_fixed)

    def excess(log_beta):
        return effective_size(weights(log_beta)) - enough

    if excess(0.0) >= 0:
        return weights(0.0), 1.0
    if excess(MIN_LOG_BETA) <= 0:  # not even without that factor
        return weights(MIN_LOG_BETA), np.exp(MIN_LOG_BETA)
    log_beta = brentq(excess, MIN_LOG_BETA, 0, xtol=0.01)
    return weights(log_beta), np.exp(log_beta)


def normalised(log_weights):
    weights = np.exp(log_weights - log_weights.max())
    return weights / weights.sum()


def effective_size(weights):
    return 1 / np.sum(weights**2)


def pareto_k(log_weights):
    from arviz_stats.base import array_stats

    # psislw takes the negative log weights, which are the log likelihoods in leave-one-out. It
    # divides by zero if too few weights are non-zero.
    with np.errstate(divide="ignore", invalid="ignore"):
        try:
            k = float(array_stats.psislw(-log_weights)[1])
        except ValueError:  # the largest weights are all equal
            return np.inf
    return k if np.isfinite(k) else np.inf
