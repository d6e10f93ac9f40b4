"""Populations of binaries: ``python tests/benchmarks/populations.py WHAT [NUMBER [SEED]]``.

WHAT is one of

recover
    NUMBER (200) stars of 5 to 15 visits, errors of 0.5 km/s: truth and posterior.
calibrate, companions
    NUMBER (200) populations of 50 such stars, their parameters drawn from the priors, with all
    stars binaries or a share of them: ranks of the truths.
scores
    NUMBER (150) such stars of one population: the mean slope of ln of the likelihood in each
    parameter, which is zero at the truth.
survey
    NUMBER (2000) stars, half of them without a companion, 3 to 30 visits, errors of 0.1 to 1 km/s:
    truth and posterior, wall time, CPU per star, memory, and the cost of an evaluation.
selection
    NUMBER (20) surveys of 300 stars of which those of a large range of velocities are kept: the
    posterior without and with ``selection=``.
"""

import os
import resource
import sys
import time
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import astropy.units as u
import numpy as np
from astropy.table import QTable, vstack
from scipy import stats

from astro_hier import BinaryPopulation, injections, populations, priors
from astro_hier.core import kepler

KMS = u.km / u.s
AMPLITUDE = priors.Normal(0 * KMS, 15 * KMS)
SYSTEMIC = priors.Normal(0 * KMS, 30 * KMS)
RANGE = 0.5 * u.day, 3000 * u.day
TRUTH = {"mu": 3.5, "lnsigma": np.log(1.2), "alpha_e": 1.5, "beta_e": 3.0}
HYPER = {
    "mu": stats.norm(3.5, 0.7), "lnsigma": stats.norm(0, 0.3),
    "alpha_e": stats.lognorm(0.4, scale=1.5), "beta_e": stats.lognorm(0.4, scale=3),
}  # fmt: skip
PRIORS = {
    "mu": priors.Normal(3.5, 0.7), "lnsigma": priors.Normal(0, 0.3),
    "eccentricity": populations.Beta(
        priors.LogNormal(0, 0.4, scale=1.5), priors.LogNormal(0, 0.4, scale=3)
    ),
}  # fmt: skip
OF_EACH, STEP = 50, 0.02
OUTER = 0.01


def star(name, rng, ln_period, e, visits, error, amplitude=15.0, base=1000.0):
    """The visits of one star, with a companion if it has an amplitude."""
    time = np.sort(rng.uniform(0, base, visits))
    a, b = rng.normal(0, amplitude, 2)
    x, y = kepler.shapes(time / np.exp(ln_period) - rng.uniform(), np.full(visits, e))
    rv = a * x + b * y + rng.normal(0, 30) + rng.normal(0, error, visits)
    return QTable(
        {"star": [name] * visits, "time": time * u.day, "rv": rv * KMS,
         "rv_error": np.full(visits, error) * KMS}
    )  # fmt: skip


def drawn(rng, theta):
    """ln P within the range searched, and e, of one member of a population."""
    ends = np.log([of.to_value(u.day) for of in RANGE])
    mu, sigma = theta["mu"], np.exp(theta["lnsigma"])
    cut = stats.truncnorm(*((ends - mu) / sigma), mu, sigma)
    return cut.rvs(random_state=rng), rng.beta(theta["alpha_e"], theta["beta_e"])


def model(**options):
    options = {"eccentricity": populations.Beta(), **options}
    return BinaryPopulation(
        population=populations.TruncatedNormal(), amplitude=AMPLITUDE, v0=SYSTEMIC,
        period_range=RANGE, **options,
    )  # fmt: skip


def report(fitted, truth):
    """Truth, mean, standard deviation and their distance, by parameter."""
    for name, true in truth.items():
        draws = fitted.samples(name).value
        z = (draws.mean() - true) / draws.std()
        print(f"{name:20s} {true:8.3f} {draws.mean():8.3f} {draws.std():7.3f} z {z:6.2f}")


def recover(number, seed):
    rng = np.random.default_rng(seed)
    table = vstack([
        star(f"s{n:04d}", rng, *drawn(rng, TRUTH), rng.integers(5, 16), 0.5) for n in range(number)
    ])  # fmt: skip
    start = time.process_time()
    fitted = model().fit(table, random_state=seed, progressbar=False)
    print(f"CPU {time.process_time() - start:.0f} s")
    report(fitted, TRUTH)
    print(
        fitted.posterior.attrs["log_likelihood_error"],
        [f.name for f in fitted.findings() if f.failed],
    )


def calibrate(number, seed, companions=False):
    rng = np.random.default_rng(seed)
    more = {"companion_fraction": priors.Uniform(0, 1)} if companions else {}
    fit = model(**PRIORS, **more, star_draws=False)
    ranks = []
    for k in range(number):
        theta = {name: prior.rvs(random_state=rng) for name, prior in HYPER.items()}
        if companions:
            theta["companion_fraction"] = rng.random()
        stars = [_member(rng, theta, n) for n in range(OF_EACH)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = fit.fit(vstack(stars), certify=False, random_state=k, progressbar=False)
        ranks.append([np.mean(fitted.samples(name).value < of) for name, of in theta.items()])
        if (k + 1) % 20 == 0 or k + 1 == number:
            _said(list(theta), np.array(ranks))


def _member(rng, theta, n):
    amplitude = 15.0 if rng.random() < theta.get("companion_fraction", 1) else 0.0
    return star(f"s{n:04d}", rng, *drawn(rng, theta), rng.integers(5, 16), 0.5, amplitude)


def scores(number, seed):
    """The mean slope of ln of a star's likelihood in each parameter, at the truth: zero."""
    rng = np.random.default_rng(seed)
    fit = model(**PRIORS, star_draws=False)
    table = vstack([_member(rng, TRUTH, n) for n in range(number)])
    fitted = fit.fit(table, certify=False, random_state=seed, progressbar=False)
    data, truth = fitted.fitted_data(), {name: np.array([of]) for name, of in TRUTH.items()}
    for name in TRUTH:
        beside = ({**truth, name: truth[name] + h} for h in (STEP, -STEP))
        above, below = (data.with_orbit(theta)[0] for theta in beside)
        slope = (above - below) / (2 * STEP)
        error = slope.std() / np.sqrt(number)
        print(f"{name:20s} {slope.mean():7.3f} standard error {error:.3f}")
    report(fitted, TRUTH)


def _said(names, ranks):
    print(f"{len(ranks)} populations, CPU {time.process_time():.0f} s")
    for name, of in zip(names, ranks.T, strict=True):
        bins = np.histogram(of, np.linspace(0, 1, 11))[0]
        p_bins = stats.chisquare(bins).pvalue
        outer = np.sum((of < OUTER / 2) | (of > 1 - OUTER / 2))
        p = stats.kstest(of, "uniform").pvalue
        print(f"  {name:20s} KS {p:.3f} bins {p_bins:.3f} outer percent {outer}", flush=True)


def survey(number, seed):
    rng = np.random.default_rng(seed)
    truth = TRUTH | {"companion_fraction": 0.5}
    tables = []
    for n in range(number):
        visits, error = rng.integers(3, 31), np.exp(rng.uniform(np.log(0.1), 0))
        amplitude = 15.0 if rng.random() < 0.5 else 0.0
        tables.append(star(f"s{n:05d}", rng, *drawn(rng, truth), visits, error, amplitude))
    fit = model(companion_fraction=priors.Uniform(0, 1), star_draws=False)
    wall, cpu = time.time(), time.process_time()
    fitted = fit.fit(vstack(tables), random_state=seed, progressbar=True)
    cpu = time.process_time() - cpu
    print(f"wall {time.time() - wall:.0f} s, CPU {cpu:.0f} s, {1000 * cpu / number:.0f} ms a star")
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    report(fitted, truth)
    data = fitted.fitted_data()
    theta = {name: fitted.samples(name).value[:200] for name in truth}
    start = time.process_time()
    data.log_marginal(theta)
    per_theta = (time.process_time() - start) / 200
    print(f"{1000 * per_theta:.1f} ms an evaluation, {data.matrix.W.nnz} numbers other than zero")
    attrs = fitted.posterior.attrs
    print({name: attrs[name] for name in ("log_likelihood_error", "evaluations", "pareto_k")})
    print([f.name for f in fitted.findings() if f.failed])


def selection(number, seed):
    def kept(visits):
        return np.ptp(visits["rv"].to_value(KMS)) > 20

    truth = {"mu": 4.0, "lnsigma": 0.0}
    for k in range(seed, seed + number):
        rng = np.random.default_rng(k)
        stars = []
        for n in range(300):
            ln_period, _ = drawn(rng, truth | {"alpha_e": 1, "beta_e": 1})
            amplitude = 40 * np.exp(-ln_period / 3)
            stars.append(star(f"s{n:04d}", rng, ln_period, 0.0, 10, 0.5, amplitude))
        table = vstack([of for of in stars if kept(of)])
        scaled = priors.PeriodScaled(40 * KMS, 1 * u.day, -1 / 3)
        injected = injections.make_injections(
            vstack(stars), kept, 20_000, period_range=RANGE, amplitude=scaled, v0=SYSTEMIC,
            random_state=k, progressbar=False,
        )  # fmt: skip
        for how in (None, injected):
            fit = BinaryPopulation(
                population=populations.TruncatedNormal(), amplitude=scaled, v0=SYSTEMIC,
                period_range=RANGE, selection=how, star_draws=False,
            )  # fmt: skip
            fitted = fit.fit(table, random_state=k, progressbar=False, certify=False)
            print(f"seed {k}, {len(np.unique(table['star']))} stars,",
                  "without" if how is None else "with", "selection")  # fmt: skip
            report(fitted, truth)
            for name, true in truth.items():
                print(f"  rank {name} {np.mean(fitted.samples(name).value < true):.3f}", flush=True)


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    default = {
        "recover": 200,
        "calibrate": 200,
        "companions": 200,
        "scores": 150,
        "survey": 2000,
        "selection": 20,
    }
    number = int(given[0]) if given else default[what]
    seed = int(given[1]) if len(given) > 1 else 1
    if what == "companions":
        calibrate(number, seed, companions=True)
    else:
        {"recover": recover, "calibrate": calibrate, "scores": scores, "survey": survey,
         "selection": selection}[what](number, seed)  # fmt: skip
