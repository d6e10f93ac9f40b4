"""Independent draws from the exact posterior, the latent variables integrated out.

The hyperparameters theta are few. Their posterior is p(theta) p(data | theta), where a model
integrates its latent variables out of p(data | theta), so it can be sampled by importance:

1. The prior is mapped to a standard normal z through its quantile function. Sobol points of it
   are the first sample, so that nothing need be known of where the posterior lies; normal
   clouds of many sizes about the model's starting points are the second, in case they are good;
   from these and from the best point so far `peaks.peaks` climbs to the maxima of the
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
from scipy.special import logsumexp, ndtri
from scipy.stats import qmc
from tqdm import tqdm

from astro_hier.inference import checks, proposals
from astro_hier.inference.draws import Draws
from astro_hier.inference.peaks import peaks
from astro_hier.inference.target import Target
from astro_hier.inference.weights import Pool, pareto_k

OPTIONS = {"max_evaluations"}

SOBOL_POINTS = 512
BATCH = 200
GROWTH = 8  # at least so large a part of all points is drawn at a time
LEAST_GAIN = 0.3  # effective points for each new one, below which a proposal leaves something out
MOST_PARTS = 10
FEWEST_EFFECTIVE = 1000  # with fewer, adaptive weights miss a percent of a heavy tail
PATIENCE = 3000  # points after which, and after twice as many, tempering has stalled
ENOUGH_TO_TRUST = 400  # effective size from which the proposal is as good as it will get


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
    target = Target(model, data)
    if not target.dimension:
        return _of_known(target, wanted, chains, rng, progressbar)
    with tqdm(total=enough, unit="draw", desc="marginal", disable=not progressbar) as bar:
        pool = _explore(target, enough, rng, max_evaluations, bar)
    chosen = _resample(pool.weights, wanted, rng)
    theta = target.parameters(pool.z[chosen])
    latents = model.draw_latents(data, theta, rng, progressbar)
    k = pareto_k(pool.log_weights)
    size = pool.effective_size
    findings = checks.of_weights(size, enough, k, target.evaluations, max_evaluations)
    inferred = {name: theta[name] for name in target.priors}
    findings += checks.of_priors(target.priors, pool.z[chosen], inferred)
    return Draws.of_chains(
        {**theta, **latents},
        {"log_marginal": pool.log_likelihood[chosen]},
        {
            "log_evidence": float(logsumexp(pool.log_weights) - np.log(len(pool.z))),
            "effective_size": float(size),
            "evaluations": target.evaluations,
            "pareto_k": k,
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


def _explore(target, wanted, rng, max_evaluations, bar):
    """Points and weights whose effective size is at least ``wanted``, or as many as allowed."""
    z = ndtri(qmc.Sobol(target.dimension, rng=rng).random(SOBOL_POINTS).clip(1e-9, 1 - 1e-9))
    log_likelihood = target.log_likelihood(z)
    if not np.isfinite(log_likelihood).any():
        raise ValueError(
            "the likelihood of the data is zero wherever the priors were tried; widen the priors,"
            " or correct the measurement errors if they are far too small"
        )
    pool = Pool(z, log_likelihood)

    def add(proposal, size):
        """Draw from a proposal; returns by how much a point adds to the effective size."""
        z = proposal.rvs(size, rng)
        before = pool.effective_size
        pool.add(proposal, z, target.log_likelihood(z))
        return (pool.effective_size - before) / size

    starts = target.starts()
    for start in starts:
        add(proposals.Clouds(start), BATCH)
    mixture = peaks(target.log_posterior, [*starts, pool.best()])
    gain = add(mixture, BATCH * len(mixture.parts))
    patience = PATIENCE
    while not pool.suffices(wanted) and target.evaluations < max_evaluations:
        weights, beta = pool.tempered_weights()
        if beta < 1 and len(pool.z) > patience:
            patience *= 2
            mixture = peaks(target.log_posterior, [pool.best()])
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
