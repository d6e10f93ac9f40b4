"""Effective draws per second beside the tutorial's own models.

``python tests/benchmarks/tutorial.py cluster`` takes a minute, all three some minutes.

The three models of Price-Whelan (2022), *Hierarchical Models 1*, on the same data in one run:

- ``cluster``: the distances of 256 stars, whose parallaxes have 10 percent errors;
- ``binary``: the orbit of the first of its binaries;
- ``binaries``: the periods of its 14 binaries (where ``ASTRO_HIER_DATA`` names their folder, else
  of 14 simulated ones).

The tutorial's models are written here as they are there, star by star in a Python loop, and sampled
by PyMC with its defaults of 1,000 steps of tuning and 1,000 draws in each chain. Orbits start at
the highest Lomb-Scargle peak and its least squares, without jitter, which would start them at
another period and leave them there.

Each contestant has a process of its own, on one thread. Seconds are CPU
seconds, those of child processes (compilers) included. Effective draws are the smallest bulk
effective size among the parameters that all stars share, or all of the one orbit's. Every draw of
this package comes with draws of all stars. Its first fit in a process is told apart from later
ones, and so is the certificate, a second search that must agree. That of PyMC is told with and
without compiling, and for the draws after tuning alone.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import warnings

import numpy as np

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
SHARED = {"cluster": ["mu_r", "ln_std_r"], "binary": ["P", "a", "b", "v0"],
          "binaries": ["mu", "lnsigma"]}  # fmt: skip
CONTESTANTS = "ours, no certificate", "ours", "PyMC"
FITS = 7  # after the first, of which the median counts
SHORTEST, LONGEST = 1.5, 20.0  # d, of the tutorial's periodograms


def cpu():
    """CPU seconds of this process and of its children so far."""
    used = (resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(of.ru_utime + of.ru_stime for of in used)


def visits():
    from astro_hier import datasets

    if not os.environ.get(datasets.DATA_FOLDER):
        return datasets.make_binaries(14, 23, random_state=1)
    table = datasets.fetch_apogee_binaries()
    table.rename_columns(table.colnames, ["star", "time", "rv", "rv_error"])
    return table


def table_of(what):
    from astro_hier import datasets

    if what == "cluster":
        return datasets.make_star_cluster(256, random_state=42)
    table = visits()
    return table if what == "binaries" else table[table["star"] == table["star"][0]]


# ---- the tutorial's models


def cluster_in_pymc(table):
    import pymc as pm

    parallax, error = table["parallax"].value, table["parallax_error"].value
    with pm.Model() as model:
        mu_r = pm.TruncatedNormal("mu_r", mu=1.0, sigma=2.0, lower=0.0)
        ln_std_r = pm.Uniform("ln_std_r", -8.0, 0.0)
        std_r = pm.Deterministic("std_r", pm.math.exp(ln_std_r))
        r = pm.TruncatedNormal(
            "r", mu=mu_r, sigma=std_r, lower=0.0, shape=len(parallax),
            initval=1 / np.maximum(parallax, error),
        )  # fmt: skip
        pm.Normal("parallax", 1 / r, error, observed=parallax)
    return model


def start_of(t, rv, error):
    """P, a, b and v0 at the highest peak of the periodogram."""
    from astropy.timeseries import LombScargle

    frequency, power = LombScargle(t, rv, error).autopower(
        minimum_frequency=1 / LONGEST, maximum_frequency=1 / SHORTEST, samples_per_peak=10
    )
    P = 1 / frequency[np.argmax(power)]
    phase = 2 * np.pi * t / P
    columns = np.array([np.cos(phase), np.sin(phase), np.ones_like(t)]).T / error[:, None]
    return P, *np.linalg.lstsq(columns, rv / error, rcond=None)[0]


def stars_of(table):
    """Times from the first visit, velocities and errors of each star."""
    for name in np.unique(table["star"]):
        rows = table[table["star"] == name]
        t = rows["time"].value - rows["time"].value.min()
        yield t, rows["rv"].value, rows["rv_error"].value


def velocity(pm, t, P, start, number=""):
    """The orbit's linear parameters and its velocity."""
    a, b = (
        pm.Normal(f"{name}{number}", 0.0, 100.0, initval=value)
        for name, value in zip("ab", start, strict=False)
    )
    v0 = pm.Normal(f"v0{number}", 0.0, 150.0, initval=start[2])
    phase = 2 * np.pi * t / P
    return a * pm.math.cos(phase) + b * pm.math.sin(phase) + v0


def binary_in_pymc(table):
    import pymc as pm

    ((t, rv, error),) = stars_of(table)
    start = start_of(t, rv, error)
    with pm.Model() as model:
        P = pm.Uniform("P", SHORTEST, LONGEST, initval=start[0])
        pm.Normal("rv", velocity(pm, t, P, start[1:]), error, observed=rv)
    return model


def binaries_in_pymc(table):
    import pymc as pm

    with pm.Model() as model:
        mu = pm.Uniform("mu", 1.0, 10.0)
        lnsigma = pm.Uniform("lnsigma", -2.0, 3.0)
        sigma = pm.math.exp(lnsigma)
        for n, (t, rv, error) in enumerate(stars_of(table)):
            start = start_of(t, rv, error)
            lnP = pm.Normal(f"lnP{n}", mu, sigma, initval=np.log(start[0]))
            v = velocity(pm, t, pm.math.exp(lnP), start[1:], n)
            pm.Normal(f"rv{n}", v, error, observed=rv)
    return model


MODELS = {"cluster": cluster_in_pymc, "binary": binary_in_pymc, "binaries": binaries_in_pymc}


# ---- the runs


def described(posterior, what):
    """Effective draws, and mean and standard deviation of what all share."""
    from arviz_stats import ess

    names = SHARED[what]
    size, moments = ess(posterior[names]), {}
    for name in names:
        moments[name] = float(posterior[name].mean()), float(posterior[name].std())
    return {"effective": min(float(size[name]) for name in names), "posterior": moments}


def by_pymc(what, draws, chains):
    """Seconds of compiling, tuning and drawing: PyMC tells each draw when it is made."""
    table = table_of(what)
    before = cpu()
    import pymc as pm

    imported, marks = cpu() - before, []

    def mark(trace, draw):
        marks.append((draw.chain, draw.tuning, cpu()))

    before = cpu()
    with MODELS[what](table):
        found = pm.sample(
            tune=draws, draws=draws, chains=chains, cores=1, init="adapt_diag", random_seed=1,
            progressbar=False, compute_convergence_checks=False, callback=mark,
        )  # fmt: skip
    seconds, ends = cpu() - before, {}
    for chain, tuning, at in marks:
        ends.setdefault((chain, tuning), at)
        ends[chain, tuning, "last"] = at
    compiling = marks[0][2] - before
    drawing = sum(ends[c, False, "last"] - ends[c, True, "last"] for c in range(chains))
    rates = {"import": imported, "compiling": compiling, "drawing": drawing, "all": seconds}
    return (
        rates
        | {"divergences": int(found.sample_stats["diverging"].sum())}
        | described(found.posterior, what)
    )


def ours(what, certify):
    before = cpu()
    from astro_hier import BinaryPopulation, SB1Binary, StarCluster

    models = {"cluster": StarCluster, "binary": SB1Binary, "binaries": BinaryPopulation}
    imported, table, model = cpu() - before, table_of(what), models[what]()
    seconds, sizes = [], []
    for seed in range(FITS + 1):
        before = cpu()
        model.fit(table, random_state=seed, progressbar=False, certify=certify)
        seconds.append(cpu() - before)
        last = described(model.posterior, what)
        sizes.append(last["effective"])
    effective = float(np.mean(sizes))  # each is an estimate, good to some percent
    first, again = seconds[0], float(np.median(seconds[1:]))
    return last | {"import": imported, "first": first, "all": again, "effective": effective}


def one(what, name, draws, chains):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == "PyMC":
            return by_pymc(what, draws, chains)
        return ours(what, certify=name == "ours")


def alone(what, name, options):
    """Run one contestant in a process of its own."""
    command = [sys.executable, __file__, what, "--one", name, "--draws", str(options.draws),
               "--chains", str(options.chains)]  # fmt: skip
    env = os.environ | dict.fromkeys(THREADS, "1")
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"{what}, {name}:\n{run.stderr[-2000:]}")
    return json.loads(run.stdout.splitlines()[-1])


def told(name, found):
    """A contestant's lines."""
    size, seconds = found["effective"], found["all"]
    said = [f"{size:.0f} effective draws in {seconds:.3f} CPU s, {size / seconds:.4g} a second"]
    if name == "PyMC":
        rest = seconds - found["compiling"]
        said.append(f"without compiling ({found['compiling']:.1f} s) {size / rest:.4g} a second")
        drawing = found["drawing"]
        said.append(f"after tuning ({rest - drawing:.1f} s) {size / drawing:.4g} a second")
        said.append(f"{found['divergences']} divergences")
    else:
        said.append(f"the first fit {found['first']:.3f} s")
    said.append(f"import {found['import']:.1f} s")
    values = (f"{key} {mean:.5g} +- {sd:.2g}" for key, (mean, sd) in found["posterior"].items())
    return f"  {name}: {'; '.join(said)}\n    {', '.join(values)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", choices=list(SHARED), default=list(SHARED))
    parser.add_argument("--draws", type=int, default=1000, help="of PyMC, and steps of its tuning")
    parser.add_argument("--chains", type=int, default=2, help="of PyMC")
    parser.add_argument("--one", choices=CONTESTANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.what[0], options.one, options.draws, options.chains)))
        return
    for what in options.what:
        print(what, flush=True)
        found = {}
        for name in CONTESTANTS:
            found[name] = alone(what, name, options)
            print(told(name, found[name]), flush=True)
        slow = found["PyMC"]
        seconds = {"in all": slow["all"], "without compiling": slow["all"] - slow["compiling"],
                   "after tuning": slow["drawing"]}  # fmt: skip
        for name in CONTESTANTS[:2]:
            rate = found[name]["effective"] / found[name]["all"]
            ratios = (f"{rate * of / slow['effective']:.0f} {said}" for said, of in seconds.items())
            print(f"  {name} is faster than PyMC by a factor of {', '.join(ratios)}", flush=True)


if __name__ == "__main__":
    main()
