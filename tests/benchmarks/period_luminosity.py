"""Period-luminosity relations: ``python tests/benchmarks/period_luminosity.py WHAT [NUMBER] ...``.

WHAT is one of

rr_lyrae
    200 RR Lyrae stars with parallaxes of Gaia DR1, with the published priors (uniform in the angle
    of each slope, Delgado et al. 2019, A&A 623, A156), with the defaults, without and with trends,
    and with everything; exact answers by the reference beside them.
limited
    NUMBER (50) flux-limited samples of 200 stars of two populations, with parallaxes like those of
    Gaia DR1 and of DR3, fitted without and with trends: errors in units of the posterior's standard
    deviation, and how often 68 and 95 percent intervals hold the truth.
calibrate
    NUMBER (400) simulations of 40 stars, with parameters drawn from their priors: ranks of all
    parameters and of one distance. With ``outliers``, one star in ten or so is one.
nuts
    The RR Lyrae stars with their 600 latent variables sampled, against those integrated out.
"""

import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import astropy.units as u
import numpy as np
from astropy.table import QTable
from joblib import Parallel, delayed

from astro_hier import PeriodLuminosity, outliers, priors
from astro_hier.calibration import Calibration

STARS = Path(__file__).resolve().parents[3] / "shared" / "data" / "rr_lyrae_tgas" / "rr_lyrae.ecsv"
PER_LN = 5 / np.log(10)  # mag for each unit of ln distance
SLOPE = u.mag / u.dex
NO_TRENDS = {"trends": False}

# Means and standard deviations of alpha, beta, gamma and scatter, by importance sampling of
# relation_reference's densities: 8,000 to 14,000 effective draws
EXACT = {
    "published": [(-0.6884, 0.2599), (-1.1126, 0.5723), (0.0668, 0.1032), (0.1292, 0.0638)],
    "published, trends": [(-0.6660, 0.3559), (-1.5723, 0.7853), (0.1914, 0.1327), (0.1204, 0.0632)],
    "no trends": [(-0.7938, 0.2795), (-1.3806, 0.6296), (0.0443, 0.1051), (0.1241, 0.0638)],
    "defaults": [(-0.8446, 0.3624), (-2.0093, 0.8057), (0.1500, 0.1333), (0.1142, 0.0626)],
}
STEEPEST = np.tan(np.pi / 6) * SLOPE
PUBLISHED = {
    "alpha": priors.Normal(0 * u.mag, 3 * u.mag),
    "beta": priors.StudentT(1, 0 * SLOPE, 1 * SLOPE, upper=0 * SLOPE),
    "gamma": priors.StudentT(1, 0 * SLOPE, 1 * SLOPE, lower=-STEEPEST, upper=STEEPEST),
    "scatter": priors.Exponential(1 * u.mag),
    "mu_log_period": priors.Normal(0 * u.dex, 10 * u.dex),
    "sigma_log_period": priors.Exponential(10 * u.dex),
    "mu_feh": priors.Normal(0 * u.dex, 10 * u.dex),
    "sigma_feh": priors.Exponential(10 * u.dex),
    "mu_modulus": priors.Normal(10 * u.mag, 10 * PER_LN * u.mag),
    "sigma_modulus": priors.Exponential(100 * PER_LN * u.mag),
}
EVERYTHING = {
    "zero_point": priors.Normal(0 * u.mas, 0.1 * u.mas),
    "error_scale": priors.LogNormal(0, 0.2),
    "outliers": True,
    "pivot_period": 0.53 * u.d,
    "pivot_feh": -1.3 * u.dex,
}


def rr_lyrae_table():
    """With the errors that were published, of log P, [Fe/H] and A_K."""
    stars = QTable.read(STARS)
    extinction = 0.114 * stars["AV"]
    return QTable({
        "star": stars["star"], "period": stars["period"],
        "period_error": 0.01 * np.log(10) * stars["period"], "magnitude": stars["Ks"],
        "magnitude_error": stars["Ks_error"], "extinction": extinction,
        "extinction_error": 0.1 * extinction, "feh": stars["feh"],
        "feh_error": stars["feh_error"], "parallax": stars["parallax"],
        "parallax_error": stars["parallax_error"],
    })  # fmt: skip


def rr_lyrae():
    table = rr_lyrae_table()
    for name, options in {
        "published": PUBLISHED | NO_TRENDS,
        "published, trends": PUBLISHED,
        "no trends": NO_TRENDS,
        "defaults": {},
        "everything": EVERYTHING,
    }.items():
        start = time.perf_counter()
        model = PeriodLuminosity(**options).fit(table, random_state=1, progressbar=False)
        print(f"\n{name}: {time.perf_counter() - start:.1f} s, {model.posterior.attrs}")
        draws = hyperparameters(model)
        exact = dict(zip(TRUTH, EXACT.get(name, []), strict=False))
        described(draws | {"angle": np.arctan(draws["beta"])}, exact)
        print(f"  P(angle > -.3) {np.mean(draws['beta'] > np.tan(-0.3)):.4f}")


def hyperparameters(model):
    """Draws of all that is not of a star, without units."""
    return {p.name: model.samples(p.name).value.ravel() for p in model.parameters if not p.dims}


def described(draws, exact):
    for name, values in draws.items():
        line = f"  {name:18} {values.mean():9.4f} ± {values.std():.4f}"
        if name in exact:
            mean, sd = exact[name]
            line += f", exact {mean:9.4f} ± {sd:.4f}: {(values.mean() - mean) / sd:+.3f} sd"
        print(line)


TRUTH = {"alpha": -0.9, "beta": -2.5, "gamma": 0.18, "scatter": 0.1}
PARALLAX_ERRORS = {"dr1": (0.21, 0.45), "dr3": (0.015, 0.04)}  # mas
FEH_ERROR, MAGNITUDE_ERROR = 0.2, 0.04
TRENDS = {"without trends": NO_TRENDS, "trends": {}, "trends of the distance": {"feh_period": 0.0}}


def flux_limited(seed, release, number=200, limit=11.0):
    """Stars brighter than ``limit`` magnitudes, those of a disc or of a halo that reaches farther.

    Periods are longer for metal-poor stars, so that these are also the brighter ones.
    """
    rng, size = np.random.default_rng(seed), 100 * number
    halo = rng.random(size) < 0.95  # of a volume that reaches far beyond the limit
    feh = np.where(halo, rng.normal(-1.55, 0.35, size), rng.normal(-0.75, 0.35, size))
    log_period = -0.28 - 0.085 * (feh + 1.35) + rng.normal(0, 0.063, size)
    # densities of space that fall off as a normal one, over 4 kpc and over 1.2 kpc
    r = np.where(halo, 4.0, 1.2) * np.linalg.norm(rng.normal(size=(3, size)), axis=0)
    relation = TRUTH["alpha"] + TRUTH["beta"] * log_period + TRUTH["gamma"] * feh
    absolute = rng.normal(relation, TRUTH["scatter"])
    magnitude = rng.normal(absolute + 10 + 5 * np.log10(r), MAGNITUDE_ERROR)
    at = np.flatnonzero(magnitude < limit)[:number]
    assert len(at) == number, "hardly any star is bright enough"
    error = rng.uniform(*PARALLAX_ERRORS[release], number)
    table = QTable({
        "star": [f"s{n:03d}" for n in range(number)], "period": 10 ** log_period[at] * u.d,
        "magnitude": magnitude[at] * u.mag,
        "magnitude_error": np.full(number, MAGNITUDE_ERROR) * u.mag,
        "feh": rng.normal(feh[at], FEH_ERROR) * u.dex,
        "feh_error": np.full(number, FEH_ERROR) * u.dex,
        "parallax": rng.normal(1 / r[at], error) * u.mas, "parallax_error": error * u.mas,
    })  # fmt: skip
    return table, r[at]


def errors_of(seed, release, options):
    """Errors over standard deviations, and ranks of the truths; of all distances too."""
    table, r = flux_limited(seed, release)
    fitted = quiet_fit(PeriodLuminosity(**options), table, seed)
    draws = hyperparameters(fitted)
    found = {}
    for name, true in TRUTH.items():
        of = draws[name]
        found[name] = of.mean() - true, of.std(), np.mean(of < true)
    log_r = np.log(fitted.samples("r").value.reshape(-1, len(r)))
    return found, (log_r.mean(axis=0) - np.log(r)) / log_r.std(axis=0)


def quiet_fit(model, table, seed, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(table, certify=False, random_state=seed, progressbar=False, **options)


def limited(seeds):
    for name, options in TRENDS.items():
        for release in PARALLAX_ERRORS:
            start = time.perf_counter()
            work = (delayed(errors_of)(seed, release, options) for seed in range(seeds))
            found, scores = zip(*Parallel(n_jobs=2)(work), strict=True)
            print(f"{release}, {name}: {time.perf_counter() - start:.0f} s")
            for parameter in TRUTH:
                said_errors(parameter, *np.transpose([one[parameter] for one in found]))
            scores = np.concatenate(scores)
            print(f"  scores of ln r: mean {scores.mean():+.3f}, sd {scores.std():.3f}", flush=True)


def said_errors(name, error, sd, rank):
    z, number = error / sd, len(error)
    held = [np.mean(np.abs(rank - 0.5) < share / 2) for share in (0.683, 0.954)]
    print(
        f"  {name:8} error {error.mean():+.4f}±{error.std() / np.sqrt(number):.4f}, sd"
        f" {sd.mean():.4f}; in sd: mean {z.mean():+.2f}, rms {np.sqrt(np.mean(z**2)):.2f}; held by"
        f" 68/95 percent: {held[0]:.2f}/{held[1]:.2f}"
    )


def calibration_priors(with_outliers):
    """By parameter: so narrow that 40 stars of a Gaia catalogue are drawn, more or less."""
    given = {
        "alpha": priors.Normal(-0.5 * u.mag, 0.5 * u.mag),
        "beta": priors.Normal(-2 * SLOPE, 1 * SLOPE),
        "gamma": priors.Normal(0.1 * SLOPE, 0.2 * SLOPE),
        "scatter": priors.Exponential(0.15 * u.mag),
        "mu_log_period": priors.Normal(-0.28 * u.dex, 0.1 * u.dex),
        "sigma_log_period": priors.LogNormal(-2.3, 0.3, scale=1 * u.dex),
        "mu_feh": priors.Normal(-1.3 * u.dex, 0.3 * u.dex),
        "sigma_feh": priors.LogNormal(-0.9, 0.3, scale=1 * u.dex),
        "mu_modulus": priors.Normal(10 * u.mag, 0.5 * u.mag),
        "sigma_modulus": priors.LogNormal(-0.2, 0.3, scale=1 * u.mag),
        "feh_period": priors.Normal(-3, 2),
        "modulus_period": priors.Normal(0 * SLOPE, 5 * SLOPE),
        "modulus_feh": priors.Normal(0 * SLOPE, 0.5 * SLOPE),
        "zero_point": priors.Normal(0 * u.mas, 0.05 * u.mas),
        "error_scale": priors.LogNormal(0, 0.2),
    }
    wider = {
        "outlier_fraction": priors.Beta(2, 12),
        "outlier_scatter": priors.HalfCauchy(1 * u.mag),
    }
    return given | (wider if with_outliers else {})


def drawn(given, rng):
    """Parameters from their priors, of which outliers are the wider ones by definition."""
    t = {name: prior.frozen(prior.unit).rvs(random_state=rng) for name, prior in given.items()}
    while t.get("outlier_scatter", np.inf) < t["scatter"]:
        t["outlier_scatter"] = given["outlier_scatter"].frozen(u.mag).rvs(random_state=rng)
    return t


def simulated(t, rng, number=40):
    """Stars of that population: their distances [kpc], and a table."""
    outlier = rng.random(number) < t.get("outlier_fraction", 0)
    dx = rng.normal(0, t["sigma_log_period"], number)
    dz = rng.normal(t["feh_period"] * dx, t["sigma_feh"])
    x, z = t["mu_log_period"] + dx, t["mu_feh"] + dz
    trend = t["modulus_period"] * dx + t["modulus_feh"] * dz
    mu = rng.normal(t["mu_modulus"] + trend, t["sigma_modulus"])
    relation = t["alpha"] + t["beta"] * x + t["gamma"] * z
    absolute = rng.normal(relation, np.where(outlier, t.get("outlier_scatter", 0), t["scatter"]))
    r, error = np.exp((mu - 10) / PER_LN), np.geomspace(0.02, 0.5, number)
    period = 10 ** rng.normal(x, 0.01)
    parallax = rng.normal(1 / r + t["zero_point"], t["error_scale"] * error)
    return r, QTable({
        "period": period * u.d, "period_error": 0.01 * np.log(10) * period * u.d,
        "magnitude": rng.normal(absolute + mu, 0.05) * u.mag,
        "magnitude_error": np.full(number, 0.05) * u.mag, "feh": rng.normal(z, 0.2) * u.dex,
        "feh_error": np.full(number, 0.2) * u.dex, "parallax": parallax * u.mas,
        "parallax_error": error * u.mas,
    })  # fmt: skip


def ranks_of(seed, given):
    """Of all parameters and of one star's distance, which is any of them."""
    rng = np.random.default_rng(seed)
    truth = drawn(given, rng)
    r, table = simulated(truth, rng)
    options = {name: prior for name, prior in given.items() if not name.startswith("outlier")}
    if "outlier_scatter" in given:
        options["outliers"] = outliers.WiderScatter(**{k: given[k] for k in given.keys() - options})
    model = quiet_fit(PeriodLuminosity(**options), table, seed)
    ranks = {name: np.mean(of < truth[name]) for name, of in hyperparameters(model).items()}
    one = rng.integers(len(r))
    return ranks | {"r": np.mean(model.samples("r").value.reshape(-1, len(r))[:, one] < r[one])}


def calibrate(number, given):
    start, ranks = time.perf_counter(), []
    parallel = Parallel(n_jobs=2, return_as="generator")
    for one in parallel(delayed(ranks_of)(seed, given) for seed in range(number)):
        ranks.append(one)
        if len(ranks) % 100 == 0 or len(ranks) == number:
            print(f"{len(ranks)} simulations in {time.perf_counter() - start:.0f} s", flush=True)
            of_each = {name: np.array([each[name] for each in ranks]) for name in one}
            Calibration(of_each, {}).table().pprint_all()


def nuts():
    """Means by both methods, and their difference in Monte Carlo errors, of both together."""
    table, summaries = rr_lyrae_table(), []
    for method, options in (("marginal", {}), ("nuts", {"draws": 1000, "target_accept": 0.95})):
        start = time.perf_counter()
        model = PeriodLuminosity()
        model.fit(table, method=method, random_state=1, progressbar=False, **options)
        summaries.append(model.summary(list(hyperparameters(model))))
        print(f"{method}: {time.perf_counter() - start:.0f} s, {model.posterior.attrs}")
    for one, other in zip(*summaries, strict=True):
        away = (other["mean"] - one["mean"]) / np.hypot(other["mcse_mean"], one["mcse_mean"])
        print(
            f"  {one['parameter']:18} {one['mean']:9.4f} ± {one['sd']:.4f}, by NUTS"
            f" {other['mean']:9.4f} ± {other['sd']:.4f} with {other['ess_bulk']:.0f} effective"
            f" draws: {away:+.2f} Monte Carlo errors"
        )


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    numbers = [int(word) for word in given if word.isdigit()]
    if what == "calibrate":
        calibrate(*(numbers or [400]), calibration_priors("outliers" in given))
    elif what == "limited":
        limited(*(numbers or [50]))
    else:
        {"rr_lyrae": rr_lyrae, "nuts": nuts}[what]()
