"""Independent draws from the exact posterior, the latent variables integrated out.

The hyperparameters theta are few. Their posterior is p(theta) p(data | theta), where a model
integrates its latent variables out of p(data | theta), so it can be sampled by importance:

1. The prior is mapped to a standard normal z through its quantile function. Sobol points of it
   are the first sample, so that nothing need be known of where the posterior lies; normal
   clouds of many sizes about the model's starting points are the second, in case they are good;
   from these and from the best point so far `proposals.peaks` climbs to the maxima of the
   posterior, and a Student t (5 degrees of freedom) about each is the third.
2. All points so far are weighed by target over the mixture of every proposal used, in proportion
   to the number drawn from each (Owen & Zhou 2000, JASA 95, 135; adaptive multiple importance
   sampling, Cornuet et al. 2012, Scand. J. Stat. 39, 798).
3. While few points carry weight, the likelihood is tempered, L^beta, with beta as large as leaves
   `ENOUGH_TO_FIT` effective points a dimension. Where that comes to no end, the climb is repeated
   from the best point by then.
4. A mixture of Student t distributions is fitted to the weighted points; more points are drawn
   from it; back to 2, until the effective size passes the number of draws asked for and the
   Pareto index k of the weights (Vehtari et al. 2024, JMLR 25, 72) says that they can be trusted.
   Where new points add little to the effective size, or k is too large, the mixture gets one more
   part, fitted to the square of the weights: to what the other parts leave out.
5. Systematic resampling, in random order, makes draws of equal weight; each then gets its latent
   variables from their exact conditional distribution.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp, ndtr, ndtri
from scipy.stats import qmc
from tqdm import tqdm

from astro_hier.inference import checks, proposals
from astro_hier.inference.draws import Draws

OPTIONS = {"max_evaluations"}

PRIOR = proposals.Normal()
SOBOL_POINTS = 512
BATCH = 200
GROWTH = 8  # at least so large a part of all points is drawn at a time
LEAST_GAIN = 0.3  # effective points for each new one, below which a proposal leaves something out
MOST_PARTS = 10
LEAST_LOG_BETA = -50.0
FEWEST_EFFECTIVE = 1000  # with fewer, adaptive weights miss a percent of a heavy tail
PATIENCE = 3000  # points after which, and after twice as many, tempering has stalled
ENOUGH_TO_FIT = 10
ENOUGH_TO_TRUST = 400  # effective size from which the proposal is as good as it will get
FARTHEST_START = 6.0  # standard deviations


def sample(model, data, *, draws, chains, rng, progressbar, max_evaluations=None):
    """Draw from the posterior of ``model`` given ``data``.

    Parameters
    ----------
    model : HierarchicalModel
        Gives its priors, ``log_marginal`` and ``draw_latents``; or, where its posterior can be
        drawn from as it is, ``draw_exactly``.
    data : dict
        Arrays of floats, as the model reads them from a table.
    draws, chains : int
        The number of draws in each chain, and of chains.
    rng : `numpy.random.Generator`
        The source of all randomness.
    progressbar : bool
        Whether to show the growing effective size.
    max_evaluations : int, optional
        Evaluations of the marginal likelihood after which to stop with a warning; by default ten
        for each draw and 20,000 more.

    Returns
    -------
    Draws
        Independent draws; the attributes hold the log evidence, the effective size, the number
        of evaluations and the Pareto index.
    """
    wanted = draws * chains
    exact = model.draw_exactly(data, wanted, rng)
    if exact is not None:
        return Draws.of_chains(*exact, chains=chains)
    enough = max(wanted, FEWEST_EFFECTIVE)
    if max_evaluations is None:
        max_evaluations = 10 * wanted + 20_000
    target = _Target(model, data)
    if not target.dimension:
        return _of_known(target, wanted, chains, rng, progressbar)
    with tqdm(total=enough, unit="draw", desc="marginal", disable=not progressbar) as bar:
        pool = _explore(target, enough, rng, max_evaluations, bar)
    chosen = _resample(pool.weights, wanted, rng)
    theta = target.parameters(pool.z[chosen])
    latents = model.draw_latents(data, theta, rng, progressbar)
    pareto_k = _pareto_k(pool.log_weights)
    size = pool.effective_size
    findings = checks.of_weights(size, enough, pareto_k, target.evaluations, max_evaluations)
    inferred = {name: theta[name] for name in target.priors}
    findings += checks.of_priors(target.priors, pool.z[chosen], inferred)
    return Draws.of_chains(
        {**theta, **latents},
        {"log_marginal": pool.log_likelihood[chosen]},
        {
            "log_evidence": float(logsumexp(pool.log_weights) - np.log(len(pool.z))),
            "effective_size": float(size),
            "evaluations": target.evaluations,
            "pareto_k": pareto_k,
        },
        findings,
        chains=chains,
    )


def _of_known(target, wanted, chains, rng, progressbar):
    """Draws of the latent variables where all else is given."""
    z = np.empty((wanted, 0))
    log_likelihood = target.log_likelihood(z[:1])
    theta = target.parameters(z)
    latents = target.model.draw_latents(target.data, theta, rng, progressbar)
    stats = {"log_marginal": np.repeat(log_likelihood, wanted)}
    attrs = {"log_evidence": float(log_likelihood[0]), "evaluations": 1}
    return Draws.of_chains({**theta, **latents}, stats, attrs, chains=chains)


class _Target:
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


class _Pool:
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
        self.weights = _normalised(self.log_weights)
        self.effective_size = _effective_size(self.weights)

    def suffices(self, wanted):
        pareto_k = _pareto_k(self.log_weights)
        return self.effective_size >= wanted and pareto_k <= checks.LARGEST_PARETO_K

    def best(self):
        """The point of highest posterior density."""
        return self.z[np.argmax(self.log_likelihood + PRIOR.logpdf(self.z))]

    def tempered_weights(self):
        """Normalised weights with the likelihood raised to the largest beta that leaves enough."""
        return _tempered(self.log_prior_weights, self.log_likelihood, self.z.shape[1])

    def squared_weights(self):
        """The weights squared, or to as high a power as leaves enough, normalised."""
        return _tempered(self.log_weights, self.log_weights, self.z.shape[1])[0]


def _tempered(log_fixed, log_raised, dimension):
    """Normalised weights with one factor raised to the largest beta up to 1 that leaves enough."""
    enough = ENOUGH_TO_FIT * dimension

    def weights(log_beta):
        return _normalised(np.exp(log_beta) * log_raised + log_fixed)

    def excess(log_beta):
        return _effective_size(weights(log_beta)) - enough

    if excess(0.0) >= 0:
        return weights(0.0), 1.0
    if excess(LEAST_LOG_BETA) <= 0:  # not even without that factor
        return weights(LEAST_LOG_BETA), np.exp(LEAST_LOG_BETA)
    log_beta = brentq(excess, LEAST_LOG_BETA, 0, xtol=0.01)
    return weights(log_beta), np.exp(log_beta)


def _explore(target, wanted, rng, max_evaluations, bar):
    """Points and weights whose effective size is at least ``wanted``, or as many as allowed."""
    z = ndtri(qmc.Sobol(target.dimension, rng=rng).random(SOBOL_POINTS).clip(1e-9, 1 - 1e-9))
    log_likelihood = target.log_likelihood(z)
    if not np.isfinite(log_likelihood).any():
        raise ValueError(
            "the likelihood of the data is zero wherever the priors were tried; widen the priors,"
            " or correct the measurement errors if they are far too small"
        )
    pool = _Pool(z, log_likelihood)

    def add(proposal, size):
        """Draw from a proposal; returns by how much a point adds to the effective size."""
        z = proposal.rvs(size, rng)
        before = pool.effective_size
        pool.add(proposal, z, target.log_likelihood(z))
        return (pool.effective_size - before) / size

    starts = target.starts()
    for start in starts:
        add(proposals.Clouds(start), BATCH)
    mixture = proposals.peaks(target.log_posterior, [*starts, pool.best()])
    gain = add(mixture, BATCH * len(mixture.parts))
    patience = PATIENCE
    while not pool.suffices(wanted) and target.evaluations < max_evaluations:
        weights, beta = pool.tempered_weights()
        if beta < 1 and len(pool.z) > patience:
            patience *= 2
            mixture = proposals.peaks(target.log_posterior, [pool.best()])
            gain = add(mixture, BATCH)
            continue
        left_out = gain < LEAST_GAIN or pool.effective_size >= wanted
        if beta == 1 and left_out and len(mixture.parts) < MOST_PARTS:
            mixture = mixture.and_a_part(proposals.StudentT.of(pool.z, pool.squared_weights()))
        mixture = mixture.fitted(pool.z, weights)
        size = max(BATCH, len(pool.z) // GROWTH)
        if ENOUGH_TO_TRUST < pool.effective_size < wanted and gain >= LEAST_GAIN:
            # what is missing, at an efficiency of 1
            size = max(BATCH, int(1.1 * (wanted - pool.effective_size)))
        gain = add(mixture, min(size, max_evaluations - target.evaluations))
        bar.set_postfix(evaluations=target.evaluations, beta=f"{beta:.1e}", refresh=False)
        bar.update(min(int(pool.effective_size), wanted) - bar.n)
    return pool


def _resample(weights, size, rng):
    """Indices of ``size`` points of equal weight: systematic resampling, in random order."""
    edges = np.cumsum(weights)
    places = (np.arange(size) + rng.random()) / size * edges[-1]
    return rng.permutation(np.searchsorted(edges, places).clip(0, len(weights) - 1))


def _normalised(log_weights):
    weights = np.exp(log_weights - log_weights.max())
    return weights / weights.sum()


def _effective_size(weights):
    return 1 / np.sum(weights**2)


def _pareto_k(log_weights):
    from arviz_stats.base import array_stats

    # psislw takes the negative of the log weights: the log likelihoods of leave-one-out. Where
    # too few weights are not zero it divides by zero.
    with np.errstate(divide="ignore", invalid="ignore"):
        pareto_k = float(array_stats.psislw(-log_weights)[1])
    return pareto_k if np.isfinite(pareto_k) else np.inf
