"""Draws from the joint posterior of all parameters by PyMC's No-U-Turn sampler.

Only this module knows how PyMC 5 and 6 differ: in the type of the result and the backend's fast
floating-point mode (which makes draws depend on what was compiled before). Both silently ignore
misspelt options, so options are checked here.
"""

import warnings

import numpy as np
import xarray as xr

from astro_hier import progress
from astro_hier.given import whole
from astro_hier.inference import checks
from astro_hier.inference.draws import Draws

OPTIONS = {
    "blas_cores",
    "compile_kwargs",
    "cores",
    "init",
    "mp_ctx",
    "n_init",
    "nuts_sampler",
    "nuts_sampler_kwargs",
    "target_accept",
    "max_treedepth",
    "tune",
}

SAMPLE_STATS = {
    "acceptance_rate": "acceptance_rate",
    "mean_tree_accept": "acceptance_rate",
    "depth": "tree_depth",
    "tree_depth": "tree_depth",
    "logp": "lp",
    "lp": "lp",
    "diverging": "diverging",
    "energy": "energy",
    "n_steps": "n_steps",
    "step_size": "step_size",
}


def sample(
    problem,
    *,
    draws,
    chains,
    rng,
    progressbar,
    nuts_sampler="pymc",
    init="adapt_diag",
    cores=1,
    **options,
):
    """Draw from the posterior of a problem; ``options`` go to `pymc.sample`.

    Parameters
    ----------
    problem : Problem
        Builds the joint model in PyMC, including its starting point.
    draws, chains, rng, progressbar
        As for every method.
    nuts_sampler : str, optional
        Samplers other than "pymc" may ignore the starting point.
    init : str, optional
        By default each chain starts from the model's starting point itself, without jitter.
    cores : int, optional
        Chains run at the same time.
    **options
        Any of `OPTIONS`.

    Returns
    -------
    Draws
        The parameters' draws and the sampler's statistics.
    """
    options.update(nuts_sampler=nuts_sampler, init=init, cores=cores)
    with warnings.catch_warnings():
        # some versions announce ArviZ's future, or warn of slow matrix products, which no model has
        warnings.filterwarnings("ignore", r"\s*ArviZ is undergoing", FutureWarning)
        warnings.filterwarnings("ignore", "PyTensor could not link to a BLAS", UserWarning)
        # compiled once more in the next session, where data are large
        warnings.filterwarnings("ignore", "Cannot cache compiled function")
        # while tuning, a step too far is rejected or counted as a divergence
        warnings.filterwarnings("ignore", "overflow encountered", RuntimeWarning, "pymc")
        progress.give_way()
        result = _run(problem, draws, chains, rng, progressbar, options)
    tree = result if isinstance(result, xr.DataTree) else result.to_datatree()
    posterior = tree["posterior"].to_dataset()
    if posterior.sizes["draw"] < draws or posterior.sizes["chain"] < chains:
        # when interrupted, pymc.sample returns the draws so far
        raise KeyboardInterrupt("sampling was interrupted")
    stats = {
        SAMPLE_STATS[name]: values.values
        for name, values in tree["sample_stats"].data_vars.items()
        if name in SAMPLE_STATS and values.ndim == 2
    }
    names = [name for name in posterior.data_vars if not name.endswith("_")]
    shape = chains, draws
    flat = {name: posterior[name].values.reshape(-1, *posterior[name].shape[2:]) for name in names}
    flat = problem.finish(flat, rng)
    values = {name: v.reshape(*shape, *v.shape[1:]) for name, v in flat.items()}
    divergences = int(stats["diverging"].sum()) if "diverging" in stats else 0
    attrs = {"sampler": nuts_sampler, "divergences": divergences}
    findings = checks.of_chains(_largest_r_hat(posterior[names]), divergences)
    return Draws(values, stats, attrs, tuple(findings))


def _run(problem, draws, chains, rng, progressbar, options):
    import pymc as pm
    import pytensor

    with problem.build_pymc(), pytensor.config.change_flags(numba__fastmath=False):
        try:
            return pm.sample(
                draws=draws,
                chains=chains,
                random_seed=int(rng.integers(2**31)),
                progressbar=progressbar,
                quiet=not progressbar,
                compute_convergence_checks=False,
                **options,
            )
        except ValueError as error:
            if "Not enough samples" in str(error):
                # pymc.sample raises this if interrupted before the first draw
                raise KeyboardInterrupt("sampling was interrupted") from error
            raise


def check(tune=1000, target_accept=0.8, **options):
    """Raise a ValueError if an option cannot be used."""
    whole("tune", tune, 0)
    if not isinstance(target_accept, float) or not 0 < target_accept < 1:
        raise ValueError(f"target_accept={target_accept!r}; expected a number between 0 and 1")


def _largest_r_hat(posterior):
    from arviz_stats import rhat

    if posterior.sizes["chain"] < 2:
        return {}
    # parameters given as plain values do not vary, and neither does the first instrument's offset
    varying = [name for name in posterior.data_vars if np.ptp(posterior[name].values) > 0]
    with np.errstate(invalid="ignore"):
        r_hat = rhat(posterior[varying])
    return {name: float(np.nanmax(r_hat[name].values)) for name in varying}
