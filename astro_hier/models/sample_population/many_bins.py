"""Histograms of many bins: their shares are drawn by Hamiltonian Monte Carlo.

The density at a point of the grid is linear in the shares of the bins, so the likelihood is one of
`astro_hier.core.shares`, whose gradient is known. Importance sampling gives independent draws and
the evidence, but its mixtures no longer fit a skewed posterior in many dimensions.
"""

from typing import Any

import numpy as np

from astro_hier.core import hamiltonian, shares
from astro_hier.core.floats import Theta
from astro_hier.models.sample_population.data import Objects
from astro_hier.models.sample_population.on_grid import OnGrid

MOST_BINS = 12  # for importance sampling, which takes 8 times as long for 16, and fails for 20


def draw_exactly(
    model, data: Objects, size: int, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, Any]] | None:
    """Draws of all parameters if the population is a histogram of many bins.

    Returns
    -------
    None or tuple
        Arrays of shape (size, ...) by parameter, statistics of each draw, and statistics of the
        whole run. None if the population is another one, or the likelihood is zero where the
        posterior should have its peak.
    """
    if not isinstance(data, OnGrid) or data.population.bins <= MOST_BINS:
        return None
    near = {name: np.asarray(of)[None] for name, of in model.initial(data).items()}
    known = {
        name: float(prior.mean())
        for name, prior in model.frozen_priors().items()
        if name not in model.free_names()
    }
    likelihood = _likelihood(data, near)
    posterior = data.population.posterior_of_shares(
        likelihood, model.frozen_priors() | known, {n: of[0] for n, of in near.items()}
    )
    if posterior is None:
        return None
    try:
        run = hamiltonian.sample(posterior, posterior.start, size, rng)
    except hamiltonian.NoPeakError:
        return None
    theta = data.population.theta_of_shares(posterior, run.draws)
    attrs = {
        "sampler": "hamiltonian",
        "acceptance": run.acceptance,
        "r_hat": run.r_hat,
        "step_size": run.step,
        "evaluations": run.evaluations,
    }
    stats = {"log_marginal": likelihood.at(posterior.log_shares(run.draws))}
    return {**theta, **model.draw_latents(data, theta, rng)}, stats, attrs


def _likelihood(data: OnGrid, theta: Theta) -> shares.Likelihood:
    """The likelihood of the shares, on the grid that resolves the bins."""
    level = data.levels.finest(theta)
    points = data.points[level]
    used = points.matrix.points
    of_bins = data.population.densities_of_bins(data.levels.grids[level], used)
    log_scale, power = points.matrix.log_scale, np.ones(len(points.matrix.power))
    weight = points.matrix.W @ of_bins
    if points.found is None:
        return shares.Likelihood(weight, power, log_scale.sum())
    power[-1] = -points.number

    def possible(share):
        return points.enough(points.log_kept(np.log(share @ of_bins.T))[1])

    return shares.Likelihood(weight, power, power @ log_scale, possible)
