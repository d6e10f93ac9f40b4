"""Populations from samples: ``python tests/benchmarks/samples.py WHAT [NUMBER [SEED [BY]]]``.

WHAT is one of

exact
    The exact answers of ``tests/sample_reference.py``: 200 normal likelihoods as draws, as values
    with errors and as densities, and 57 masses of neutron stars.
calibrate
    NUMBER (500) simulations of 40 objects whose measured values are above a threshold, of a normal
    population whose parameters are drawn from their priors: ranks of the truths. There are 500
    draws of each object under a flat interim prior, and 20,000 injections that were found.
few
    NUMBER (20) such simulations with 200 injections found: how many are warned of.
nz
    Redshifts of NUMBER (2,000) objects, in 30 percent of which the feature seen was taken for
    another, from likelihoods on a grid: the shares of 40 bins beside the stack of the objects'
    posteriors, and effective draws a second. 45 percent are in narrow walls: of a distribution
    that is smooth over the errors, the stack has about the right shares by itself.

BY is ``model`` (``SamplePopulation``, the default) or, for ``calibrate`` and ``nz``, ``reference``:
brute force and Gibbs sampling, which say what is to be expected of the simulations themselves. For
``nz`` it may be ``nuts``: the model by that method.
"""

import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import astropy.units as u
import numpy as np
import sample_reference as reference
from arviz_stats.base import array_stats
from astropy.table import QTable
from scipy import stats

STARS = Path(__file__).resolve().parents[3] / "shared" / "data" / "neutron_stars" / "masses.ecsv"

OBJECTS, EACH, FOUND, FEW = 40, 500, 20_000, 200
HYPER = {"mu": (0.2, 0.35), "lnsigma": (-0.5, 0.4)}  # mean and sd of normal priors
ERRORS, THRESHOLD = (0.2, 0.7), 0.0
INJECTED = stats.norm(0, 2.0)
REACH = np.linspace(-4.2, 4.2, 31)  # of brute force, in sd of the priors
OUTER = 0.01

EDGES = np.linspace(0, 2, 41)
POINTS = reference.midpoints(0, 2, 400)
WALLS, SMEAR = (0.35, 0.8, 1.15), (0.01, 0.03)  # errors over 1 + z
WRONG, RATIO = 0.3, 1.76  # share of lines taken for another, and the ratio of their wavelengths
SWEEPS = 4000


def exact():
    """Means and standard deviations, and their distances from the exact ones in sd."""
    from astro_hier import populations, priors

    value, error, draws = reference.normal_objects()
    grid = np.linspace(value.min() - 2, value.max() + 2, 2000)
    density = stats.norm.pdf(grid, value[:, None], error[:, None])
    uniform = {name: priors.Uniform(*ends) for name, ends in reference.NORMAL.items()}
    for label, columns, more in (
        ("draws", {"samples": draws}, {}),
        ("values", {"value": value, "error": error}, {}),
        ("densities", {"density": density}, {"grid": grid}),
    ):
        table = QTable({"object": labels(len(value)), **columns})
        print(label)
        fit = sample_population(populations.Normal(**uniform), "x", **more)
        report(fit.fit(table, random_state=1, progressbar=False), reference.NORMAL_POSTERIOR)
    stars = QTable.read(STARS)
    of = {name: priors.Uniform(*ends * unit) for name, (ends, unit) in masses().items()}
    table = QTable({"object": labels(len(stars)), "value": stars["mass"],
                    "error": stars["mass_error"]})  # fmt: skip
    print("neutron stars")
    fit = sample_population(populations.NormalMixture(**of), {"mass": u.Msun})
    report(fit.fit(table, random_state=1, progressbar=False), reference.MASSES_POSTERIOR)


def masses():
    """Ends of the uniform priors of the two components, and their units."""
    return {
        name: (np.array(ends), u.Msun if name in ("mu1", "separation") else 1)
        for name, ends in reference.MASSES.items()
    }


def labels(number):
    return [f"o{n:04d}" for n in range(number)]


def sample_population(population, quantity, interim="flat", **options):
    from astro_hier import SamplePopulation

    return SamplePopulation(population=population, quantity=quantity, interim=interim, **options)


def report(fitted, expected):
    for name, (mean, sd) in expected.items():
        draws = fitted.samples(name).value
        away, wider = (draws.mean() - mean) / sd, draws.std() / sd - 1
        print(f"  {name:12} {draws.mean():9.4f}±{draws.std():.4f}, exact {mean:9.4f}±{sd:.4f}:"
              f" {away:+.3f} sd, width {wider:+.1%}")  # fmt: skip


def kept(rng, draw, number):
    """Values, measured values and errors of those above the threshold, and how many were tried."""
    x = draw(max(8 * number, 10_000))
    error = rng.uniform(*ERRORS, len(x))
    measured = x + error * rng.normal(size=len(x))
    at = np.flatnonzero(measured > THRESHOLD)[:number]
    assert len(at) == number, "hardly any of this population is above the threshold"
    return x[at], measured[at], error[at], int(at[-1]) + 1


def survey(rng, theta, found):
    """Draws of the objects, injections that were found, and the number of all injections."""
    mu, sigma = theta["mu"], np.exp(theta["lnsigma"])
    _, measured, error, _ = kept(rng, lambda n: rng.normal(mu, sigma, n), OBJECTS)
    draws = measured[:, None] + error[:, None] * rng.normal(size=(OBJECTS, EACH))
    injections, _, _, injected = kept(rng, lambda n: INJECTED.rvs(n, random_state=rng), found)
    return draws, injections, injected


def drawn(rng):
    return {name: rng.normal(*of) for name, of in HYPER.items()}


def calibrate(number, seed, by):
    rng, ranks = np.random.default_rng(seed), []
    rank_of = {"model": ranks_of_model, "reference": ranks_of_reference}[by]
    for k in range(number):
        theta = drawn(rng)
        ranks.append(rank_of(theta, *survey(rng, theta, FOUND), k))
        if (k + 1) % 20 == 0 or k + 1 == number:
            _said(list(HYPER), np.array(ranks))


def ranks_of_model(theta, draws, injections, injected, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = fit_survey(draws, injections, injected, seed)
    return [np.mean(fitted.samples(name).value < true) for name, true in theta.items()]


def fit_survey(draws, injections, injected, seed):
    from astro_hier import populations, priors

    table = QTable({"object": labels(len(draws)), "samples": draws})
    density = INJECTED.pdf(injections)
    selection = QTable({"x": injections, "density": density}, meta={"injected": injected})
    population = populations.Normal(**{name: priors.Normal(*of) for name, of in HYPER.items()})
    model = sample_population(population, "x", selection=selection, object_draws=False)
    return model.fit(table, certify=False, random_state=seed, progressbar=False)


def ranks_of_reference(theta, draws, injections, injected, _):
    """From sums over the draws themselves, on a grid of the parameters."""
    axes = {name: mean + sd * REACH for name, (mean, sd) in HYPER.items()}
    data = reference.Draws(
        list(draws), found=injections, log_drawn=INJECTED.logpdf(injections), injected=injected
    )
    log_p = [
        [reference.log_likelihood(log_normal(mu, lnsigma), data) for lnsigma in axes["lnsigma"]]
        for mu in axes["mu"]
    ]
    log_p = np.array(log_p) - 0.5 * (REACH**2 + REACH[:, None] ** 2)
    density, ranks = np.exp(log_p - log_p.max()), []
    for axis, (name, true) in enumerate(theta.items()):
        step = axes[name][1] - axes[name][0]
        ends = np.append(axes[name] - step / 2, axes[name][-1] + step / 2)
        below = np.append(0, np.cumsum(density.sum(1 - axis)))
        ranks.append(np.interp(true, ends, below / below[-1]))
    return ranks


def log_normal(mu, lnsigma):
    return lambda x: -0.5 * ((x - mu) / np.exp(lnsigma)) ** 2 - lnsigma - 0.5 * np.log(2 * np.pi)


def _said(names, ranks):
    print(f"{len(ranks)} simulations, CPU {time.process_time():.0f} s")
    for name, of in zip(names, ranks.T, strict=True):
        bins = np.histogram(of, np.linspace(0, 1, 11))[0]
        p_bins = stats.chisquare(bins).pvalue
        outer = np.sum((of < OUTER / 2) | (of > 1 - OUTER / 2))
        p = stats.kstest(of, "uniform").pvalue
        print(f"  {name:20s} KS {p:.3f} bins {p_bins:.3f} outer percent {outer}", flush=True)


def few(number, seed):
    """Where the injections are far too few, the variance of ln L is above 1, and is warned of."""
    rng = np.random.default_rng(seed)
    for k in range(number):
        made = survey(rng, drawn(rng), FEW)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            fitted = fit_survey(*made, k)
        variance = {n: x for n, x in fitted.posterior.attrs.items() if n.endswith("variance")}
        print(variance, [str(of.message)[:80] for of in heard], flush=True)


def redshifts(rng, number):
    """True redshifts: a broad population, and three walls that hold 45 percent of the objects."""
    z = rng.gamma(3.0, 0.28, 4 * number + 100)
    wall = rng.choice(WALLS, len(z)) + 0.02 * rng.normal(size=len(z))
    z = np.where(rng.random(len(z)) < 0.45, wall, z)
    return z[z < EDGES[-1]][:number]


def likelihoods(z, rng):
    """Of the redshifts `POINTS` of each object, whose feature at 1 + z may be taken for another."""
    smear = np.exp(rng.uniform(*np.log(SMEAR), len(z)))
    seen = (1 + z) * np.where(rng.random(len(z)) < WRONG, RATIO, 1.0)
    seen = seen * (1 + smear * rng.normal(size=len(z)))

    def density(centre):
        return stats.norm.pdf(seen[:, None], centre, smear[:, None] * centre)

    return (1 - WRONG) * density(1 + POINTS) + WRONG * density(RATIO * (1 + POINTS))


def nz(number, seed, by):
    rng = np.random.default_rng(seed)
    truth = shares_of(redshifts(np.random.default_rng(0), 2_000_000))
    z = redshifts(rng, number)
    density = likelihoods(z, rng)
    in_bins = density.reshape(number, len(EDGES) - 1, -1).mean(2)
    stack = (in_bins / in_bins.sum(1, keepdims=True)).mean(0)
    start = time.perf_counter()
    if by == "reference":
        draws, most = reference.dirichlet_shares(in_bins, SWEEPS, rng)[None], np.inf
    else:
        draws, most = shares_by_model(density, seed, "marginal" if by == "model" else by)
    wall = time.perf_counter() - start
    chains, draws = draws, draws.reshape(-1, draws.shape[-1])
    each = [array_stats.ess(of, chain_axis=0, draw_axis=1) for of in np.moveaxis(chains, 2, 0)]
    least = min(most, *each)
    ours, stacked, best = (
        total_variation(of, truth) for of in (draws.mean(0), stack, shares_of(z))
    )
    print(f"total variation from the truth {ours:.4f}, of the stack {stacked:.4f}, of the true"
          f" redshifts {best:.4f}: ratio of the first two {ours / stacked:.3f}")  # fmt: skip
    print(f"wall {wall:.1f} s, effective draws {least:.0f}, {least / wall:.0f} a second")
    inside = (np.quantile(draws, 0.16, 0) < truth) & (truth < np.quantile(draws, 0.84, 0))
    print(f"{inside.mean():.0%} of the bins within their 68 percent")


def shares_of(z):
    return np.histogram(z, EDGES)[0] / len(z)


def total_variation(share, truth):
    return 0.5 * np.abs(share - truth).sum()


def shares_by_model(density, seed, method):
    """Shape (chain, draw, bin), and of how many weighted draws these are a choice."""
    from astro_hier import populations

    table = QTable({"object": labels(len(density)), "density": density})
    fit = sample_population(
        populations.DirichletHistogram(EDGES), "z", grid=POINTS, object_draws=False
    )
    more = {"certify": False} if method == "marginal" else {}
    fitted = fit.fit(table, method=method, random_state=seed, progressbar=True, **more)
    (name,) = [of for of in fitted.posterior.data_vars if of.startswith("share")]
    return np.asarray(fitted.posterior[name]), fitted.posterior.attrs.get("effective_size", np.inf)


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    number = int(given[0]) if given else {"calibrate": 500, "few": 20, "nz": 2000}.get(what)
    seed = int(given[1]) if len(given) > 1 else 1
    by = given[2] if len(given) > 2 else "model"
    if what == "exact":
        exact()
    elif what == "few":
        few(number, seed)
    else:
        {"calibrate": calibrate, "nz": nz}[what](number, seed, by)
