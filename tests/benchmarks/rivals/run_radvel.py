"""RadVel's likelihood under emcee: ``python run_radvel.py IN.npz OUT.npz``, in its own environment.

This is what `radvel.mcmc` runs, with one ensemble in one process and without its stopping rule:
steps in RadVel's default basis (P, T_conj, sqrt(e) cos omega, sqrt(e) sin omega, K), a velocity
integrated out and a jitter sampled for each instrument. Walkers start about ``start_*``, draws of
an orbit that is right; the first quarter of the chain is burnt, and its cost counted. Priors are
those of `astro_hier.core.eccentric_prior` with A and B ~ Normal(0, s_K), so that K is Rayleigh.
"""

import sys
import time

import emcee
import numpy as np
import radvel

BASIS = "per tc secosw sesinw k"


def main(source, target):
    given, found = np.load(source), {}
    for star in np.unique(given["star"]):
        for name, value in fit(given, int(star)).items():
            found[f"{name}_{star}"] = value
    np.savez(target, **found)


def fit(given, star):
    post, zero = posterior(given, star)
    start = walkers(given, star, zero)
    np.random.seed(int(given["seed"]))  # noqa: NPY002, what emcee draws from
    sampler = emcee.EnsembleSampler(len(start), start.shape[1], post.logprob_array)
    begun = time.process_time()
    sampler.run_mcmc(start, int(given["steps"]))
    cpu = time.process_time() - begun
    chain = np.swapaxes(sampler.get_chain(discard=int(given["steps"]) // 4), 0, 1)
    return {
        "P": chain[:, :, 0],
        "e": chain[:, :, 2] ** 2 + chain[:, :, 3] ** 2,
        "omega": np.arctan2(chain[:, :, 3], chain[:, :, 2]),
        "K": chain[:, :, 4],
        "jitter": np.moveaxis(chain[:, :, 5:], 2, 0),
        "cpu": cpu,
        "tau": np.max(sampler.get_autocorr_time(quiet=True)),
        "acceptance": np.mean(sampler.acceptance_fraction),
    }


def posterior(given, star):
    """RadVel's posterior, and the time from which it counts."""
    own = given["star"] == star
    zero = given["time"][own].mean()
    params = radvel.Parameters(1, basis=BASIS)
    for name in BASIS.split():
        params[f"{name}1"] = radvel.Parameter(value=1.0)
    params["dvdt"] = params["curv"] = radvel.Parameter(value=0.0, vary=False)
    names = sorted(set(given["instrument"][own]))
    for name in names:
        params[f"gamma_{name}"] = radvel.Parameter(value=0.0, vary=False, linear=True)
        params[f"jit_{name}"] = radvel.Parameter(value=1.0)
    model = radvel.RVModel(params)
    likelihoods = []
    for name in names:
        rows = own & (given["instrument"] == name)
        visits = (given["time"][rows] - zero, given["rv"][rows], given["rv_error"][rows])
        likelihoods.append(radvel.likelihood.RVLikelihood(model, *visits, suffix=f"_{name}"))
    post = radvel.posterior.Posterior(radvel.likelihood.CompositeLikelihood(likelihoods))
    orbit = [f"{name}1" for name in BASIS.split()]
    post.priors = [radvel.prior.UserDefinedPrior(orbit, log_prior_of(given), "orbit")]
    post.priors += [radvel.prior.Jeffreys(f"jit_{name}", *given["jitters"]) for name in names]
    assert post.name_vary_params() == orbit + [f"jit_{name}" for name in names]
    return post, zero


def log_prior_of(given):
    """ln p of the basis: 1 / P of P and of T_conj, in which mean anomalies are uniform."""
    sd_year, (low, high) = float(given["sigma_K0"]), given["periods"]
    largest = float(given["largest_e"])

    def log_prior(values):
        P, _, root_x, root_y, K = values
        e = root_x**2 + root_y**2
        if not (low < P < high and 0 < e < largest and K > 0):
            return -np.inf
        variance = sd_year**2 * (P / 365.25) ** (-2 / 3) / (1 - e**2)
        log_e = (0.867 - 1) * np.log(e) + (3.03 - 1) * np.log(1 - e)
        return log_e - 2 * np.log(P) + np.log(K / variance) - K**2 / (2 * variance)

    return log_prior


def walkers(given, star, zero):
    """Starts in the basis, shape (walker, parameter), from draws of the orbit."""
    there = given["start_star"] == star
    P, e, omega, t_peri, K = (
        given[f"start_{x}"][there] for x in ("P", "e", "omega", "t_peri", "K")
    )
    t_conj = radvel.orbit.timeperi_to_timetrans(t_peri - zero, P, e, omega)
    jitter = given["start_jitter"][:, there]
    count = len(set(given["instrument"][given["star"] == star]))
    root = np.sqrt(e)
    return np.column_stack(
        [P, t_conj, root * np.cos(omega), root * np.sin(omega), K, *jitter[:count]]
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
