"""This package beside gwpopulation: ``python gwpopulation_rival.py WHAT FILE.npz [SEED]``.

WHAT is ``simulate``, which writes the file; ``gwpopulation``, in an environment of its own (``pip
install gwpopulation==1.4.0 emcee``), or ``ours``, each of which fits it and stores what it found
beside it; or ``beside``, which prints both.

The file holds `EVENTS` events with `DRAWS` draws of the mass each, drawn under a prior uniform in
ln m, and injections that were found, `FOUND` of ``injected``, with the density they were drawn
from. An event is found if w < (m_obs / `CERTAIN`)^1.5, where w is uniform and known, and m_obs is
the measured mass: what is selected by is data. Masses follow a power law and a peak.

Both use all draws and injections, the same priors, all uniform (`PRIORS`), and refuse populations
for which fewer than 4 x `EVENTS` injections are effective. gwpopulation cuts its peak at mmin and
at 100 solar masses, wherever mmax is, which is ``peak_upper`` here. CPU times are those of a fit of
data in memory; emcee's include the first quarter of its steps, which is burnt.
"""

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

EVENTS, DRAWS, FOUND = 60, 2000, 40_000
CERTAIN = 80.0  # solar masses, from which on every event is found
INTERIM, INJECTED = (1.0, 400.0), (2.0, 110.0)  # uniform in ln m
HEAVIEST = 100.0  # of the peak
TRUTH = {"alpha": 2.3, "lower": 5.0, "upper": 80.0, "fraction_peak": 0.1, "mu_peak": 34.0,
         "sigma_peak": 4.0}  # fmt: skip
PRIORS = {"alpha": (-1.0, 6.0), "lower": (2.5, 10.0), "upper": (50.0, 100.0),
          "fraction_peak": (0.0, 1.0), "mu_peak": (20.0, 50.0),
          "sigma_peak": (1.0, 10.0)}  # fmt: skip
MASSES = ("lower", "upper", "mu_peak", "sigma_peak")
THEIRS = {"alpha": "alpha", "lower": "mmin", "upper": "mmax", "fraction_peak": "lam",
          "mu_peak": "mpp", "sigma_peak": "sigpp"}  # fmt: skip
WALKERS, STEPS, POINTS = 32, 4000, 200


def simulate(file, seed):
    rng = np.random.default_rng(seed)
    measured, error = [], []
    while len(measured) < EVENTS:
        mass, sd = true_mass(rng), rng.uniform(0.05, 0.15)
        seen = np.exp(rng.normal(np.log(mass), sd))
        if found(seen, rng):
            measured.append(np.log(seen))
            error.append(sd)
    mean, sd = np.array(measured)[:, None], np.array(error)[:, None]
    draws = np.exp(rng.normal(mean, sd, (EVENTS, DRAWS)))
    tried = np.exp(rng.uniform(*np.log(INJECTED), 6 * FOUND))
    seen = np.exp(rng.normal(np.log(tried), rng.uniform(0.05, 0.15, len(tried))))
    at = np.flatnonzero(found(seen, rng))[:FOUND]
    np.savez(file, draws=draws, interim=uniform_in_ln(draws, INTERIM), injections=tried[at],
             density=uniform_in_ln(tried[at], INJECTED), injected=at[-1] + 1)  # fmt: skip
    print(f"{EVENTS} events from {np.exp(mean.min()):.1f} to {np.exp(mean.max()):.1f} solar masses;"
          f" {len(at)} of {at[-1] + 1} injections found")  # fmt: skip


def true_mass(rng):
    if rng.random() < TRUTH["fraction_peak"]:
        return rng.normal(TRUTH["mu_peak"], TRUTH["sigma_peak"])
    power = 1 - TRUTH["alpha"]
    low, high = TRUTH["lower"] ** power, TRUTH["upper"] ** power
    return (low + rng.random() * (high - low)) ** (1 / power)


def found(seen, rng):
    return rng.random(np.shape(seen)) < (seen / CERTAIN) ** 1.5


def uniform_in_ln(mass, ends):
    return 1 / (mass * np.log(ends[1] / ends[0]))


def gwpopulation(file):
    """gwpopulation's own likelihood under emcee, from walkers about the truth."""
    import emcee

    likelihood = their_likelihood(np.load(file))

    def log_posterior(theta):
        if any(not low < x < high for x, (low, high) in zip(theta, PRIORS.values(), strict=True)):
            return -np.inf
        return likelihood.log_likelihood_ratio(dict(zip(THEIRS.values(), theta, strict=True)))

    rng = np.random.default_rng(0)
    low, high = np.transpose(list(PRIORS.values()))
    start = np.array(list(TRUTH.values())) + 0.02 * (high - low) * rng.normal(size=(WALKERS, 6))
    start = np.clip(start, low + 1e-3, high - 1e-3)
    np.random.seed(0)  # noqa: NPY002, what emcee draws from
    np.seterr(divide="ignore")  # ln of densities of zero
    sampler = emcee.EnsembleSampler(WALKERS, len(low), log_posterior)
    begun = time.process_time()
    sampler.run_mcmc(start, STEPS)
    cpu = time.process_time() - begun
    chain = sampler.get_chain(discard=STEPS // 4)
    points = chain.reshape(-1, len(low))[:: chain.size // len(low) // POINTS][:POINTS]
    begun = time.process_time()
    log_l = [log_posterior(theta) for theta in points]
    each = (time.process_time() - begun) / len(points)
    tau = sampler.get_autocorr_time(discard=STEPS // 4, quiet=True).max()
    store(file, "gwpopulation", chain.reshape(-1, len(low)), cpu=cpu, each=each, points=points,
          log_l=log_l, effective=chain.size / len(low) / tau,
          evaluations=WALKERS * STEPS)  # fmt: skip


def their_likelihood(given):
    """By its densities: by its ln of densities, an evaluation takes two to three times as long."""
    import pandas as pd
    from gwpopulation.hyperpe import HyperparameterLikelihood, Model
    from gwpopulation.models.mass import two_component_single
    from gwpopulation.vt import ResamplingVT

    def masses(dataset, alpha, mmin, mmax, lam, mpp, sigpp):
        return two_component_single(
            dataset["mass"], alpha, mmin, mmax, lam, mpp, sigpp, gaussian_mass_maximum=HEAVIEST
        )

    selection = ResamplingVT(
        Model([masses], cache=False),
        {"mass": given["injections"], "prior": given["density"],
         "total_generated": int(given["injected"])},
        n_events=len(given["draws"]),
    )  # fmt: skip
    events = [
        pd.DataFrame({"mass": m, "prior": p})
        for m, p in zip(given["draws"], given["interim"], strict=True)
    ]
    return HyperparameterLikelihood(
        events, Model([masses], cache=False), selection_function=selection,
        require_equal_samples=True,
    )  # fmt: skip


def ours(file):
    """The same by ``SamplePopulation``."""
    import astropy.units as u
    from astropy.table import QTable

    from astro_hier import SamplePopulation, populations, priors

    given = dict(np.load(file))
    table = QTable({"object": [f"e{n:02d}" for n in range(len(given["draws"]))],
                    "samples": given["draws"] * u.Msun, "interim": given["interim"]})  # fmt: skip
    injections = QTable({"mass": given["injections"] * u.Msun, "density": given["density"]},
                        meta={"injected": int(given["injected"])})  # fmt: skip
    of = {
        name: priors.Uniform(*(ends * u.Msun if name in MASSES else ends))
        for name, ends in PRIORS.items()
    }
    model = SamplePopulation(
        population=populations.PowerLawPeak(**of, peak_upper=HEAVIEST * u.Msun),
        quantity={"mass": u.Msun}, interim="interim", selection=injections,
    )  # fmt: skip
    begun = time.process_time()
    fitted = model.fit(table, random_state=0, progressbar=False)
    cpu = time.process_time() - begun
    draws = np.column_stack([np.ravel(in_masses(fitted.samples(name), name)) for name in PRIORS])
    points = Path(named(file, "gwpopulation"))
    points = np.load(points)["points"] if points.exists() else draws[:POINTS]
    theta = dict(zip(PRIORS, points.T, strict=True))
    begun = time.process_time()
    log_l = fitted.fitted_data().log_marginal(theta)
    each = (time.process_time() - begun) / len(points)
    attrs = fitted.posterior.attrs
    store(file, "ours", draws, cpu=cpu, each=each, points=points, log_l=log_l,
          effective=len(draws), evaluations=attrs.get("evaluations", 0))  # fmt: skip
    print({k: v for k, v in attrs.items() if np.ndim(v) == 0})


def in_masses(values, name):
    import astropy.units as u

    return values.to_value(u.Msun if name in MASSES else u.one)


def named(file, who):
    return str(Path(file).with_suffix(f".{who}.npz"))


def store(file, who, draws, **more):
    np.savez(named(file, who), draws=draws, **more)
    print(f"CPU {more['cpu']:.1f} s, {1000 * more['each']:.3f} ms an evaluation")


def beside(file):
    """Means and sd of both, their distance in sd, costs, and the scatter between their ln L."""
    theirs, own = (np.load(named(file, who)) for who in ("gwpopulation", "ours"))
    print(f"{'':14} {'truth':>7}  gwpopulation       ours               distance, width")
    for n, (name, truth) in enumerate(TRUTH.items()):
        a, b = theirs["draws"][:, n], own["draws"][:, n]
        print(f"{name:14} {truth:7.2f}  {a.mean():8.3f}±{a.std():<8.3f}  {b.mean():8.3f}"
              f"±{b.std():<8.3f}  {(b.mean() - a.mean()) / a.std():+.3f} sd,"
              f" {b.std() / a.std() - 1:+.1%}")  # fmt: skip
    for who, of in (("gwpopulation", theirs), ("ours", own)):
        print(f"{who}: CPU {of['cpu']:.1f} s, {1000 * of['each']:.3f} ms an evaluation,"
              f" {of['evaluations']} evaluations, {of['effective']:.0f} effective"
              " draws")  # fmt: skip
    away = own["log_l"] - theirs["log_l"]
    if np.array_equal(own["points"], theirs["points"]):
        print(f"ln L at {len(away)} points of the posterior: sd of the difference {away.std():.4f},"
              f" largest from its mean {np.abs(away - away.mean()).max():.4f}")  # fmt: skip


if __name__ == "__main__":
    what, file, *given = sys.argv[1:]
    if what == "simulate":
        simulate(file, int(given[0]) if given else 1)
    else:
        {"gwpopulation": gwpopulation, "ours": ours, "beside": beside}[what](file)
