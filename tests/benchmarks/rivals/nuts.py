"""NUTS on one eccentric orbit: the joint model in PyMC, independent of this package.

Orbit and phase are sampled: ln P in units of its width about a start, e ~ Beta(0.867, 3.03), m as
the angle of two normal numbers, A and B ~ Normal(0, s_K(P, e)), v0. It is for posteriors of one
mode, since the chains start in it and never leave.
"""

import logging
import time
import warnings

import numpy as np

NEWTON_STEPS = 8
RING = 10.0  # of z: its radius is 4.6 +- 0.7, its angle uniform as without it
YEAR = 365.25


def sample(star, start, *, sd_year=30.0, sd_mean=100.0, draws=1500, seed=0):
    """Chains from the mode of ``start``.

    Parameters
    ----------
    star : Visits
    start : dict of float
        Where ``P, e, phase, A, B, v0`` are at first, and the width of ln P, ``sd_log_P``.

    Returns
    -------
    chains : dict of ndarray
        ``P, e, omega, K, phase``, shape (chain, draw).
    seconds : dict of float
        CPU seconds of ``sampling``, with what tuning took, and of ``compiling``.
    divergences : int
    """
    import pymc as pm

    angle = 2 * np.pi * start["phase"]
    width = sd_year * (start["P"] / YEAR) ** (-1 / 3) / np.sqrt(1 - start["e"] ** 2)
    initial = {
        "x": 0.0,
        "e": start["e"],
        "z": np.sqrt(2 * RING + 1) * np.array([np.cos(angle), np.sin(angle)]),
        "ab": np.array([start["A"], start["B"]]) / width,
        "v0": start["v0"],
    }
    options = {"chains": 4, "cores": 1, "init": "adapt_full", "initvals": initial,
               "random_seed": seed, "progressbar": False, "compute_convergence_checks": False,
               "target_accept": 0.9}  # fmt: skip
    logging.getLogger("pymc").setLevel(logging.ERROR)
    with warnings.catch_warnings(), model(star, start, sd_year, sd_mean):
        warnings.simplefilter("ignore")  # few draws of the first two, no BLAS
        clock = [time.process_time()]
        for size in (1, 1, draws):  # the first fills the compiler's cache
            found = pm.sample(draws=size, tune=size if size == 1 else 1500, **options)
            clock.append(time.process_time())
    compiling, again, whole = np.diff(clock)
    chains = {name: found.posterior[name].values for name in ("P", "e", "omega", "K", "phase")}
    seconds = {"sampling": whole - again, "compiling": max(compiling, again)}
    return chains, seconds, int(found.sample_stats["diverging"].sum())


def model(star, start, sd_year, sd_mean):
    import pymc as pm
    import pytensor.tensor as pt

    t_ref = np.average(star.time, weights=star.rv_error**-2.0)
    with pm.Model() as made:
        x = pm.Flat("x")  # ln P is uniform, and far from its ends
        P = pm.Deterministic("P", start["P"] * pt.exp(start["sd_log_P"] * x))
        e = pm.Beta("e", 0.867, 3.03)
        z = pm.Normal("z", shape=2)
        pm.Potential("ring", RING * pt.log(pt.sum(z**2)))  # off the centre, at which NUTS diverges
        m = pm.Deterministic("phase", pt.arctan2(z[1], z[0]) / (2 * np.pi))
        scale = sd_year * (P / YEAR) ** (-1 / 3) / pt.sqrt(1 - e**2)
        ab = pm.Normal("ab", shape=2) * scale
        v0 = pm.Normal("v0", 0, sd_mean)
        pm.Deterministic("K", pt.sqrt(pt.sum(ab**2)))
        pm.Deterministic("omega", pt.arctan2(ab[1], ab[0]))
        E = eccentric_anomaly(2 * np.pi * ((star.time - t_ref) / P + m), e)
        below = 1 - e * pt.cos(E)
        X, Y = (1 - e**2) * pt.cos(E) / below, -pt.sqrt(1 - e**2) * pt.sin(E) / below
        pm.Normal("rv", ab[0] * X + ab[1] * Y + v0, star.rv_error, observed=star.rv)
    return made


def eccentric_anomaly(M, e):
    """E by Newton's method, whose last step alone has derivatives: where it ends they are exact."""
    import pytensor.tensor as pt
    from pytensor.gradient import disconnected_grad

    M = M - 2 * np.pi * pt.round(M / (2 * np.pi))
    E = M + 0.85 * e * pt.sign(pt.sin(M))
    for _ in range(NEWTON_STEPS):
        E = E - (E - e * pt.sin(E) - M) / (1 - e * pt.cos(E))
    E = disconnected_grad(E)
    return E - (E - e * pt.sin(E) - M) / (1 - e * pt.cos(E))
