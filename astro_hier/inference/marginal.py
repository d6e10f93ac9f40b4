"""Independent draws from the exact posterior, with the latent variables integrated out.

The hyperparameters theta are few. Their posterior is proportional to p(theta) p(data | theta),
where the model integrates the latent variables out of p(data | theta), so importance sampling
works:

1. The prior is mapped to a standard normal z through its quantile function. The first sample
   consists of Sobol points, so nothing need be known about where the posterior lies; the second
   of normal clouds of many sizes about the model's starting points, in case they are good. From
   these and from the best point so far `peaks.peaks` climbs to the maxima of the posterior, and
   the third sample comes from a Student t (5 degrees of freedom) about each. If there is one peak
   only, a polynomial may be good enough to stand in for the likelihood (`surrogate`): then so many
   points of it are drawn at once, and weighted by it, that steps 2 to 4 are not needed.
2. All points so far are weighted by the target over the mixture of all proposals used, in
   proportion to the number drawn from each (Owen & Zhou 2000, JASA 95, 135; adaptive multiple
   importance sampling, Cornuet et al. 2012, Scand. J. Stat. 39, 798).
3. While few points carry weight, the likelihood is tempered, L^beta, with the largest beta that
   leaves `ENOUGH_TO_FIT` effective points per dimension. If this stalls, the climb is repeated
   from the best point found by then.
4. A mixture of Student t distributions is fitted to the weighted points, and more points are drawn
   from it. Steps 2 to 4 are repeated until the effective size exceeds the number of draws asked
   for, and the Pareto index k of the weights (Vehtari et al. 2024, JMLR 25, 72) says that they can
   be trusted. If new points add little to the effective size, or k is too large, the mixture gets
   one more part, fitted to the squared weights and so to what the other parts miss.
5. Systematic resampling, in random order, makes draws of equal weight; each then gets its latent
   variables from their exact conditional distribution.
"""

import numpy as np

from astro_hier import progress
from astro_hier.given import switch, whole
from astro_hier.inference import checks, explanations
from astro_hier.inference.certificate import Certificate, look_again
from astro_hier.inference.draws import Draws
from astro_hier.inference.explore import Exploration
from astro_hier.inference.target import Target

OPTIONS = {"max_evaluations", "certify", "surrogate"}

MIN_EFFECTIVE_SIZE = 1000  # with fewer, adaptive weights miss a percent of a heavy tail


def sample(
    problem,
    *,
    draws,
    chains,
    rng,
    progressbar,
    max_evaluations=None,
    certify=True,
    surrogate=True,
):
    """Draw from the posterior of a problem.

    Parameters
    ----------
    problem : Problem
        With ``log_marginal`` and ``draw_latents`` or, if its posterior can be drawn from directly,
        ``draw_exactly``.
    draws, chains : int
        The number of draws in each chain, and of chains.
    rng : `numpy.random.Generator`
        The source of all randomness.
    progressbar : bool
        Whether to show the growing effective size.
    max_evaluations : int, optional
        Number of evaluations of the marginal likelihood after which to stop with a warning; by
        default 20,000 and ten more for each draw.
    certify : bool, optional
        Whether a second, independent exploration must agree with the first.
    surrogate : bool, optional
        Whether a polynomial may stand in for the likelihood where it is good enough.

    Returns
    -------
    Draws
        Independent draws. The attributes hold the log evidence, the effective size, the number
        of evaluations, the Pareto index, whether a surrogate was used and its error, the verdict
        of the second exploration and its evaluations, and the number of explanations; each draw
        has the number of its explanation.
    """
    wanted = draws * chains
    exact = problem.draw_exactly(wanted, rng)
    if exact is not None:
        return Draws.of_chains(*exact, chains=chains)
    enough = max(wanted, MIN_EFFECTIVE_SIZE)
    if max_evaluations is None:
        max_evaluations = 10 * wanted + 20_000
    target = Target(problem)
    if not target.dimension:
        return _of_known(target, wanted, chains, rng, progressbar)
    with progress.stage("posterior", enough, "draw", progressbar) as bar:
        exploration = Exploration(
            target,
            rng,
            target.normals_of(problem.starts()),
            target.normals_of(problem.candidates()),
            max_evaluations,
            stand_in_for=enough if surrogate else None,
        )
        exploration.run(enough, bar)
        certificate = Certificate("not tried" if certify else "not asked for")
        if certify and exploration.answer.effective_size >= enough:
            certificate = look_again(exploration, enough, rng.spawn(1)[0], bar)
    pool, evaluations = exploration.answer, target.evaluations
    told = certificate, exploration.surrogate.verdict
    progress.LOG.debug("search: certificate %s, surrogate %s", *told)
    explanation = explanations.find(pool, target.log_posterior)
    chosen = _resample(pool.weights, wanted, rng)
    theta = target.parameters(pool.z[chosen])
    latents = problem.draw_latents(theta, rng, progressbar)
    inferred = {name: theta[name] for name in target.priors}
    attrs = {
        "log_evidence": pool.log_evidence,
        "effective_size": float(pool.effective_size),
        "evaluations": evaluations,
        "pareto_k": pool.pareto_k,
        **exploration.surrogate.attributes(),
        "certificate": str(certificate),
        "certificate_evaluations": certificate.evaluations,
        "n_explanations": int(explanation.max() + 1),
    }
    return Draws.of_chains(
        {**theta, **latents},
        {"log_marginal": pool.log_likelihood[chosen], "explanation": explanation[chosen]},
        attrs,
        [
            *checks.of_weights(attrs, enough, max_evaluations),
            *checks.of_certificate(certificate),
            *checks.of_explanations(attrs["n_explanations"]),
            *checks.of_priors(target.priors, pool.z[chosen], inferred),
        ],
        chains=chains,
    )


def check(max_evaluations=None, certify=True, surrogate=True):
    """Raise a ValueError if an option cannot be used."""
    if max_evaluations is not None:
        whole("max_evaluations", max_evaluations, 1)
    switch("certify", certify)
    switch("surrogate", surrogate)


def _of_known(target, wanted, chains, rng, progressbar):
    """Draws of the latent variables when all other parameters are given."""
    z = np.empty((wanted, 0))
    log_likelihood = target.log_likelihood(z[:1])
    if log_likelihood[0] == -np.inf:
        raise ValueError("the likelihood of the data is zero at the given values")
    theta = target.parameters(z)
    latents = target.problem.draw_latents(theta, rng, progressbar)
    stats = {"log_marginal": np.repeat(log_likelihood, wanted)}
    attrs = {"log_evidence": float(log_likelihood[0]), "evaluations": 1}
    return Draws.of_chains({**theta, **latents}, stats, attrs, chains=chains)


def _resample(weights, size, rng):
    """Indices of ``size`` points of equal weight: systematic resampling, in random order."""
    edges = np.cumsum(weights)
    places = (np.arange(size) + rng.random()) / size * edges[-1]
    return rng.permutation(np.searchsorted(edges, places).clip(0, len(weights) - 1))
