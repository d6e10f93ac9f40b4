"""This package beside what one would use instead: ``python tests/benchmarks/compare.py``.

On the same data, in one run, each contestant in turn, in a process of its own held to one core:

- the tutorial's cluster of 256 stars, and its 14 binaries (where ``ASTRO_HIER_DATA`` names their
  folder, else 14 simulated ones): this package; the tutorial's PyMC model as it is written there,
  by PyMC's sampler, by nutpie and by NumPyro;
- one binary's period: this package, and The Joker with a million prior draws;
- ln p on a grid of frequencies: this package, astropy's LombScargle and nifty-ls;
- growth of this package with the number of stars.

Imports and the making of tables are not timed. Contestants that are not installed are left out and
said so. Prints the medians of the runs; ``--write`` puts them into ``docs/_static/benchmarks.csv``,
in place of what that said of the same tasks.
"""

import argparse
import csv
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

STATIC = Path(__file__).parents[2] / "docs" / "_static"
THREADS = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
                                  "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")}  # fmt: skip
CORE = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "JAX_PLATFORMS": "cpu"}
STARS = {"cluster": (256, 1024, 4096), "population": (100, 400, 1200)}
HEADER = ["task", "contestant", "seconds", "without compilation", "draws", "draws / s", "ratio",
          "MB", "answers"]  # fmt: skip


# ---- what is timed; each returns a dict of numbers


def ours(model, table, names):
    from arviz_stats import ess  # its import is not timed

    first, again = [], []
    for seconds in (first, again):  # of the first fit in a process, and the second
        start = time.perf_counter()
        model.fit(table, random_state=1, progressbar=False)
        seconds.append(time.perf_counter() - start)
    return {"seconds": first[0], "without": again[0]} | described(model.posterior, names, ess)


def described(posterior, names, ess):
    size = ess(posterior[names])
    return {
        "draws": min(float(size[name]) for name in names),
        **{name: [float(posterior[name].mean()), float(posterior[name].std())] for name in names},
    }


def by_pymc(prepare, names, sampler, tune=1000, draws=1000, chains=2):
    """The tutorial's model; ``without`` is the sampler's own account of its time.

    That of NumPyro has its compilation in it, and is left out.
    """
    import pymc as pm
    from arviz_stats import ess

    if sampler != "pymc":
        importlib.import_module(sampler)
    options = {"init": "adapt_diag"} if sampler == "pymc" else {}  # no jitter of the start
    build = prepare(pm)
    start = time.perf_counter()
    with build():
        result = pm.sample(
            tune=tune, draws=draws, chains=chains, cores=1, nuts_sampler=sampler, random_seed=1,
            progressbar=False, compute_convergence_checks=False, **options,
        )  # fmt: skip
    seconds = time.perf_counter() - start
    without = float(result.posterior.attrs.get("sampling_time", "nan"))
    if sampler == "numpyro":
        without = float("nan")
    tree = result if hasattr(result, "children") else None
    posterior = tree["posterior"].to_dataset() if tree is not None else result.posterior
    return {"seconds": seconds, "without": without} | described(posterior, names, ess)


def tutorial_cluster(pm):
    """A function that builds the model, with its data and start at hand."""
    from astro_hier import StarCluster, datasets

    table = datasets.make_star_cluster(random_state=42)
    start = {name: value.value for name, value in StarCluster().initial_values(table).items()}
    error, observed = table["parallax_error"].value, table["parallax"].value

    def build():
        with pm.Model() as model:
            mu_r = pm.TruncatedNormal("mu_r", mu=1.0, sigma=2.0, lower=0, initval=start["mu_r"])
            ln_std_r = pm.Uniform("ln_std_r", -8, 0, initval=start["ln_std_r"])
            std_r = pm.math.exp(ln_std_r)
            r = pm.TruncatedNormal(
                "r", mu=mu_r, sigma=std_r, lower=0, shape=len(table), initval=start["r"]
            )
            pm.Normal("parallax", 1 / r, error, observed=observed)
        return model

    return build


def survey():
    """The tutorial's own 14 binaries where their folder is named, else some like them."""
    from astro_hier import datasets

    if not os.environ.get(datasets.DATA_FOLDER):
        return datasets.make_binaries(14, 23, random_state=1)
    visits = datasets.fetch_apogee_binaries()
    visits.rename_columns(visits.colnames, ["star", "time", "rv", "rv_error"])
    return visits


def tutorial_binaries(pm):
    """The same with scalar variables for each star, started at its best period and orbit."""
    import numpy as np

    from astro_hier import BinaryPopulation

    table = survey()
    start = BinaryPopulation().initial_values(table)
    stars = [table[table["star"] == name] for name in np.unique(table["star"])]

    def build():
        with pm.Model() as model:
            mu = pm.Uniform("mu", 1, 10)
            sigma = pm.Deterministic("sigma", pm.math.exp(pm.Uniform("lnsigma", -2, 3)))
            for n, rows in enumerate(stars):
                t = (rows["time"] - rows["time"].min()).value
                first = {key: float(v[n].value) for key, v in start.items() if v.shape}
                lnP = pm.Normal(f"lnP{n}", mu, sigma, initval=first["lnP"])
                a = pm.Normal(f"a{n}", 0, 100, initval=first["a"])
                b = pm.Normal(f"b{n}", 0, 100, initval=first["b"])
                v0 = pm.Normal(f"v0{n}", 0, 150, initval=first["v0"])
                phase = 2 * np.pi * t / pm.math.exp(lnP)
                rv = a * pm.math.cos(phase) + b * pm.math.sin(phase) + v0
                pm.Normal(f"rv{n}", rv, rows["rv_error"].value, observed=rows["rv"].value)
        return model

    return build


def one_binary():
    import astropy.units as u

    from astro_hier import datasets

    return datasets.make_binary(8, rv_error=0.3 * u.km / u.s, random_state=3)


def our_period():
    import astropy.units as u

    from astro_hier import SB1Binary, priors

    model = SB1Binary(P=priors.LogUniform(1.5 * u.day, 20 * u.day))
    return ours(model, one_binary(), ["P"])


def joker_period(size=1_000_000):
    import astropy.units as u
    import numpy as np
    import pymc as pm
    import thejoker
    import thejoker.units as xu
    from astropy.time import Time

    table = one_binary()
    start = time.perf_counter()
    with pm.Model():
        circle = {"e": xu.with_unit(pm.Deterministic("e", pm.math.constant(0.0)), u.one)}
        prior = thejoker.JokerPrior.default(
            P_min=1.5 * u.day, P_max=20 * u.day, sigma_K0=100 * u.km / u.s,
            sigma_v=150 * u.km / u.s, pars=circle,
        )  # fmt: skip
    rng = np.random.default_rng(1)
    drawn = prior.sample(size=size, rng=rng)
    middle = time.perf_counter()
    data = thejoker.RVData(
        Time(2459000 + table["time"].value, format="jd", scale="tcb"), table["rv"],
        rv_err=table["rv_error"],
    )  # fmt: skip
    found = thejoker.TheJoker(prior, rng=rng).rejection_sample(data, drawn, in_memory=True)
    end = time.perf_counter()
    P = found["P"].to_value(u.day)
    return {"seconds": end - start, "without": end - middle, "draws": len(P),
            "P": [float(P.mean()), float(P.std())]}  # fmt: skip


def grid(method):
    """Seconds for a grid of 20,000 frequencies and 24 visits, the best of several."""
    import numpy as np
    from astropy.timeseries import LombScargle

    from astro_hier.core import orbit

    rng = np.random.default_rng(1)
    t, rv, error = np.sort(rng.uniform(0, 1000, 24)), rng.normal(0, 10, 24), np.full(24, 0.1)
    first, step, count = 0.05, 3e-5, 20_000
    frequency = first + step * np.arange(count)
    visits = orbit.Visits(t, rv, error, np.zeros(3), np.array([100.0, 100.0, 150.0]))
    calls = {
        "ours": lambda: orbit.log_marginal_grid(visits, first, step, count),
        "cython": lambda: LombScargle(t, rv, error).power(frequency, method="cython"),
        "fast": lambda: LombScargle(t, rv, error).power(
            frequency, method="fast", assume_regular_frequency=True
        ),
        "nifty": lambda: LombScargle(t, rv, error).power(
            frequency, method="fastnifty", assume_regular_frequency=True
        ),
    }
    if method == "nifty":
        import nifty_ls  # noqa: F401 registers the method
    calls[method]()
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        calls[method]()
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds)}


def growth(kind, n_stars):
    import astropy.units as u

    from astro_hier import BinaryPopulation, StarCluster, datasets

    if kind == "cluster":
        model, table = StarCluster(), datasets.make_star_cluster(n_stars, random_state=42)
    else:
        table = datasets.make_binaries(n_stars, 6, rv_error=1 * u.km / u.s, random_state=1)
        model = BinaryPopulation(star_draws=False)
    return ours(model, table, list(model.frozen_priors()))


def our_cluster():
    from astro_hier import StarCluster, datasets

    return ours(StarCluster(), datasets.make_star_cluster(random_state=42), CLUSTER)


def our_binaries():
    from astro_hier import BinaryPopulation

    return ours(BinaryPopulation(), survey(), BINARIES)


CLUSTER, BINARIES = ["mu_r", "ln_std_r"], ["mu", "lnsigma"]
SAMPLERS = {"PyMC": ("pymc", None), "nutpie": ("nutpie", "nutpie"), "NumPyro": ("numpyro",) * 2}

# by task and contestant: what to call, and the package it needs
CONTESTANTS = {
    "256 cluster stars": {"astro_hier": (our_cluster, None)}
    | {
        name: (lambda s=sampler: by_pymc(tutorial_cluster, CLUSTER, s), needs)
        for name, (sampler, needs) in SAMPLERS.items()
    },
    "14 binaries": {"astro_hier": (our_binaries, None)}
    | {
        name: (lambda s=sampler: by_pymc(tutorial_binaries, BINARIES, s), needs)
        for name, (sampler, needs) in SAMPLERS.items()
    },
    "one period": {"astro_hier": (our_period, None), "The Joker": (joker_period, "thejoker")},
    "20,000 frequencies": {
        "astro_hier": (lambda: grid("ours"), None),
        "LombScargle cython": (lambda: grid("cython"), None),
        "LombScargle fast": (lambda: grid("fast"), None),
        "nifty-ls": (lambda: grid("nifty"), "nifty_ls"),
    },
    "growth": {
        f"{n} stars, {kind}": (lambda k=kind, n=n: growth(k, n), None)
        for kind, counts in STARS.items()
        for n in counts
    },
}


# ---- the runs


def alone(task, name, core):
    """Run one contestant in a process of its own, with nothing compiled before."""
    with tempfile.TemporaryDirectory() as folder:
        flags = f"{os.environ.get('PYTENSOR_FLAGS', '')},base_compiledir={folder}".lstrip(",")
        run = subprocess.run(
            [sys.executable, __file__, "--one", task, name, str(core)],
            env=os.environ | THREADS | CORE | {"PYTENSOR_FLAGS": flags},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if run.returncode:
        raise RuntimeError(f"{task}, {name}:\n{run.stderr[-2000:]}")
    return json.loads(run.stdout.splitlines()[-1])


def one(task, name, core):
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = CONTESTANTS[task][name][0]()
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text()
        result["MB"] = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps(result))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tasks", nargs="+", choices=list(CONTESTANTS), default=list(CONTESTANTS))
    parser.add_argument("--core", type=int, default=0, help="which one to use")
    parser.add_argument("--write", action="store_true", help="what the documentation shows")
    options = parser.parse_args()
    if options.one:
        return one(*options.one)
    print(f"{platform.machine()}, {os.cpu_count()} cores, of which one; Python"
          f" {platform.python_version()}; medians of {options.runs} runs", flush=True)  # fmt: skip
    rows = []
    for task in options.tasks:
        able = {}
        for name, (_, needs) in CONTESTANTS[task].items():
            if needs and not importlib.util.find_spec(needs):
                print(f"{task}: {name} is not installed", flush=True)
            else:
                able[name] = []
        for _ in range(options.runs):
            for name, results in list(able.items()):
                try:
                    results.append(alone(task, name, options.core))
                    print(f"  {task}, {name}: {results[-1]}", flush=True)
                except RuntimeError as error:
                    print(error, flush=True)
                    del able[name]
        rows += [summary(task, name, results) for name, results in able.items()]
        report(rows, task)
    if options.write:
        write(rows, STATIC / "benchmarks.csv")


def write(rows, path):
    if path.exists():
        with path.open() as file:
            done = {row["task"] for row in rows}
            rows = [row for row in csv.DictReader(file) if row["task"] not in done] + rows
    order = list(CONTESTANTS)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, HEADER, lineterminator="\n")
        table.writeheader()
        table.writerows(sorted(rows, key=lambda row: order.index(row["task"])))


def summary(task, name, results):
    """Medians of the runs of one contestant."""

    def median(key):
        return statistics.median(result.get(key, float("nan")) for result in results)

    answers = "; ".join(
        f"{key} {value[0]:.4g} +- {value[1]:.2g}"
        for key, value in results[0].items()
        if isinstance(value, list)
    )
    return {"task": task, "contestant": name, "seconds": median("seconds"),
            "without compilation": median("without"), "draws": median("draws"),
            "draws / s": median("draws") / median("seconds"), "MB": median("MB"),
            "answers": answers}  # fmt: skip


def report(rows, task):
    """Add how many times faster astro_hier is, and print, with readable numbers."""
    rows = [row for row in rows if row["task"] == task]
    for row in rows:
        # the first contestant is this package; growth is that of a kind of star
        kind = row["contestant"].partition(", ")[2] if task == "growth" else ""
        best = next(other for other in rows if other["contestant"].endswith(kind))
        by_draws = row["draws / s"] == row["draws / s"] and task not in ("growth", "one period")
        key = "draws / s" if by_draws else "seconds"
        row["ratio"] = best[key] / row[key] if by_draws else row[key] / best[key]
    for row in rows:
        for key, form in {"seconds": ".3g", "without compilation": ".3g", "draws": ".0f",
                          "draws / s": ".3g", "ratio": ".3g", "MB": ".0f"}.items():  # fmt: skip
            row[key] = "" if row[key] != row[key] else f"{row[key]:{form}}"
        if row["seconds"] and float(row["seconds"]) < 0.1:
            row["seconds"] = f"{float(row['seconds']):.4f}"
        print("  ".join(f"{key} {value}" for key, value in row.items() if value), flush=True)


if __name__ == "__main__":
    main()
