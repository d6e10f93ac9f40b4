"""The Joker on stars of a file: ``python run_joker.py IN.npz OUT.npz``, in its own environment.

The prior is `thejoker.JokerPrior.default` but for the cap of K's width, which is out of reach, and
eccentricities cut at ``largest_e``. Prior samples are drawn by The Joker itself, to time it, and
those that are used by NumPy, which is faster; the likelihood, the choice among prior samples
and the draws of K and v0 are The Joker's. Samples go through in chunks, until there are
``wanted`` draws.

Of each star come the draws by rejection, which count from the first visit, ln p(v) and its
error, CPU seconds of each part, and ln p(v | P, e, omega, M0) at ``at_*``, nodes from elsewhere.
"""

import sys
import time

import astropy.units as u
import numpy as np
import pymc as pm
import thejoker
import thejoker.units as xu
from astropy.time import Time
from thejoker.distributions import FixedCompanionMass, Kipping13Global, UniformLog
from thejoker.likelihood_helpers import make_full_samples_inmem

CHUNK = 250_000
TIMED = 20_000  # prior samples by The Joker
KMS = u.km / u.s


def main(source, target):
    given = np.load(source)
    rng = np.random.default_rng(int(given["seed"]))
    prior = joker_prior(given)
    start = time.process_time()
    prior.sample(size=TIMED, rng=rng)
    found = {"own_prior_cpu": (time.process_time() - start) / TIMED}
    joker = thejoker.TheJoker(prior, rng=rng)
    for star in np.unique(given["star"]):
        for name, value in fit(joker, given, int(star), rng).items():
            found[f"{name}_{star}"] = value
    np.savez(target, **found)


def joker_prior(given):
    low, high = given["periods"]
    with pm.Model():
        P = xu.with_unit(UniformLog("P", low, high), u.day)
        e = xu.with_unit(Kipping13Global("e"), u.one)
        K = FixedCompanionMass("K", P=P, e=e, sigma_K0=float(given["sigma_K0"]) * KMS,
                               P0=365.25 * u.day, max_K=1e6 * KMS)  # fmt: skip
        pars = {"P": P, "e": e, "K": xu.with_unit(K, KMS)}
        return thejoker.JokerPrior.default(sigma_v=float(given["sigma_v"]) * KMS, pars=pars)


def prior_samples(given, size, rng):
    """Columns P, e, omega, M0, jitter."""
    e = rng.beta(0.867, 3.03, 2 * size)
    e = e[e < given["largest_e"]][:size]
    period = np.exp(rng.uniform(*np.log(given["periods"]), size))
    return np.column_stack([period, e, *rng.uniform(0, 2 * np.pi, (2, size)), np.zeros(size)])


def fit(joker, given, star, rng):
    own = given["star"] == star
    time_first = given["time"][own].min()
    visit = Time(given["time"][own], format="mjd", scale="tcb")
    data = thejoker.RVData(visit, given["rv"][own] * KMS, given["rv_error"][own] * KMS)
    points, found = rejected(joker, data, given, given["most"][star], rng)
    start = time.process_time()
    drawn = make_full_samples_inmem(joker._make_joker_helper(data), points, rng)
    found["cpu"] += time.process_time() - start
    K = drawn["K"].to_value(KMS)
    there = given["at_star"] == star
    P, e, omega, t_peri = (given[f"at_{x}"][there] for x in ("P", "e", "omega", "t_peri"))
    phase = 2 * np.pi * (t_peri - time_first) / P
    at = np.column_stack([P, e, omega, phase, np.zeros(len(P))])
    return found | {
        "P": points[:, 0],
        "e": points[:, 1],
        "omega": (points[:, 2] + np.pi * (K < 0)) % (2 * np.pi),
        "K": np.abs(K),
        "log_p_at": joker.marginal_ln_likelihood(data, at, in_memory=True),
    }


def rejected(joker, data, given, most, rng):
    """Prior samples that are kept, by one uniform number u for each: ln L - ln u > max ln L.

    ``height`` is the left side.
    """
    points, log_l, height = np.empty((0, 5)), np.empty(0), np.empty(0)
    log_sum = np.full(2, -np.inf)  # of L and L^2
    size, cpu, cpu_prior = 0, 0.0, 0.0
    while size < most and len(points) < given["wanted"]:
        start = time.process_time()
        fresh = prior_samples(given, CHUNK, rng)
        middle = time.process_time()
        own = joker.marginal_ln_likelihood(data, fresh, in_memory=True)
        size += CHUNK
        log_sum = np.logaddexp(log_sum, np.logaddexp.reduce(np.outer([1, 2], own), axis=1))
        keep = np.append(height, own - np.log(rng.random(CHUNK)))
        best = max(own.max(), log_l.max(initial=-np.inf))
        points, log_l, height = (
            x[keep > best] for x in (np.vstack([points, fresh]), np.append(log_l, own), keep)
        )
        cpu_prior += middle - start
        cpu += time.process_time() - middle
    return points, {
        "size": size,
        "log_evidence": log_sum[0] - np.log(size),
        "log_evidence_error": np.sqrt(max(np.exp(log_sum[1] - 2 * log_sum[0]) - 1 / size, 0)),
        "best": log_l.max(),
        "height": height,
        "cpu": cpu,
        "cpu_prior": cpu_prior,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
