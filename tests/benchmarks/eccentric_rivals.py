"""Eccentric orbits beside their rivals, ``python tests/benchmarks/eccentric_rivals.py DATA``.

Options ``--joker PYTHON`` and ``--radvel PYTHON`` name interpreters of environments with
``pip install thejoker==1.3.1`` and ``pip install radvel emcee``, which may be one; without them
their parts are left out. The Joker and RadVel run in processes of their own. NUTS runs in this
one, by PyMC. ``--only joker radvel nuts`` picks parts, ``--visits N ...`` and ``--stars N`` say
how many visits simulated stars have and how many stars have each, ``--most N`` is the largest
number of prior samples of a star, ``--seed N``.

Printed are independent draws per CPU second, and whether posteriors agree:

joker
    Simulated stars of 3 to 20 visits under The Joker's default prior. Draws by rejection, from
    prior samples whose cost is apart. "expected" is what one would wait for on average: ln p(v)
    and the largest likelihood, found by this package, give the share of prior samples kept.
radvel
    Three stars of ``DATA/eccentric_binaries``, offset and jitter of each instrument, its walkers
    started in the right mode; this package searches all periods, with one jitter for all
    instruments and with one for each, which is the same model.
nuts
    Two simulated stars of one mode and well-known e, its chains started in it.

No imports are timed, nor compilation by numba; that by PyMC is apart. Children's CPU seconds with
their imports stand last.
"""

import argparse
import os
import resource
import sys
import time

os.environ.update({f"{x}_NUM_THREADS": "1" for x in ("OPENBLAS", "OMP", "MKL", "NUMBA")})

from pathlib import Path

import numpy as np
from astropy.table import Table
from eccentric import clocked, prior, visits
from rivals import nuts
from rivals.against_joker import VISITS, joker
from rivals.beside import (
    DRAWS,
    LARGEST,
    distinct,
    fitted,
    least_ess,
    numbered,
    print_beside,
    run_child,
    simulated_star,
)

from astro_hier.core.eccentric_modes import modes
from astro_hier.core.eccentric_scatter import instrument_nodes

REAL, REAL_PERIODS, JITTERS = ("HD 10697", "HD 178911B", "HD 29461"), (1.0, 3e4), (0.1, 100.0)
REAL_SD_YEAR, REAL_SD_MEAN = 5000.0, 10_000.0
WALKERS, STEPS = 50, 10_000
WELL_KNOWN = 0.05  # sd of e of the stars for NUTS


# ---- RadVel


def radvel(args, rng):
    table = Table.read(args.data / "eccentric_binaries" / "velocities.ecsv")
    known = prior(REAL_SD_YEAR, REAL_PERIODS, JITTERS)
    ours, parts, starts = [], [], []
    for name in REAL:
        rows = table[table["star"] == name]
        labels, instrument = np.unique(rows["instrument"], return_inverse=True)
        columns = [np.asarray(rows[c], float) for c in ("time", "rv", "rv_error")]
        star = visits(*columns, REAL_SD_MEAN, rows["instrument"], REAL_SD_MEAN)
        if not ours:
            instrument_nodes(star, known, instrument, rng)  # compiles
        one = clocked(lambda s=star: fitted(s, known, rng))
        each = clocked(lambda s=star, i=instrument: fitted_each(s, known, i, rng))
        ours.append((one, each))
        parts.append(dict(zip(("time", "rv", "rv_error"), columns, strict=True)))
        parts[-1]["instrument"] = labels[instrument].astype(str)
        drawn = each[0][1]
        starts.append({"P": drawn.period, "e": drawn.eccentricity, "omega": drawn.omega,
                       "t_peri": drawn.t_peri, "K": drawn.amplitude,
                       "jitter": drawn.scatter.T})  # fmt: skip
    starts = numbered([{k: v[:WALKERS] for k, v in start.items()} for start in starts])
    starts["jitter"] = starts["jitter"].T
    given = numbered(parts) | {f"start_{k}": v for k, v in starts.items()}
    given |= {"periods": REAL_PERIODS, "sigma_K0": REAL_SD_YEAR, "largest_e": LARGEST,
              "jitters": JITTERS, "steps": STEPS, "seed": args.seed}  # fmt: skip
    found = run_child(args.radvel, "run_radvel.py", given)
    for number, name in enumerate(REAL):
        chain = {k: found[f"{k}_{number}"]
                 for k in ("P", "e", "omega", "K", "jitter", "cpu", "tau")}  # fmt: skip
        print_real(name, len(parts[number]["time"]), *ours[number], chain)


def fitted_each(star, known, instrument, rng):
    nodes = instrument_nodes(star, known, instrument, rng)
    return nodes, nodes.draw(DRAWS, rng)


def print_real(name, n, one, each, chain):
    (nodes, drawn), cpu = one
    (each_nodes, each_drawn), each_cpu = each
    size = least_ess(chain["P"], chain["e"], chain["K"])
    each_size = min(each_nodes.effective_size, distinct(each_drawn))
    rate, by_tau = size / chain["cpu"], chain["P"].size / chain["tau"]
    print(f"{name}, {n} visits: one jitter {cpu:.2f} CPU s, {distinct(drawn) / cpu:.0f} draws / s;"
          f" one each {each_cpu:.2f} CPU s, effective {each_size:.0f},"
          f" {each_size / each_cpu:.0f} / s; RadVel {chain['cpu']:.0f} CPU s, effective {size:.0f}"
          f" ({by_tau:.0f} by emcee's tau), {rate:.2f} / s: {distinct(drawn) / cpu / rate:.0f} and"
          f" {each_size / each_cpu / rate:.0f} times; ln p(v) {nodes.log_evidence:.2f},"
          f" {each_nodes.log_evidence:.2f}")  # fmt: skip
    rows = [elements(d) for d in (drawn, each_drawn)]
    chain["jitter 1"], chain["jitter 2"] = chain["jitter"]
    print_beside(rows[0], rows[1], chain, ("one jitter", "one each", "RadVel"))


def elements(drawn):
    scatter = np.atleast_2d(drawn.scatter)
    return {"P": drawn.period, "e": drawn.eccentricity, "omega": drawn.omega, "K": drawn.amplitude,
            "jitter 1": scatter[0], "jitter 2": scatter[-1]}  # fmt: skip


# ---- NUTS


def unimodal_star(n, rng):
    """A simulated star with one mode and an eccentricity that is known, its draws and CPU s."""
    while True:
        star, _, known = simulated_star(n, rng)
        (nodes, drawn), cpu = clocked(lambda s=star, k=known: fitted(s, k, rng))
        if modes(nodes)[0].probability > 0.9999 and np.std(drawn.eccentricity) < WELL_KNOWN:
            return star, drawn, cpu


def run_nuts(args, rng):
    unimodal_star(12, np.random.default_rng(0))  # compiles
    for n in (12, 20):
        star, drawn, cpu = unimodal_star(n, rng)
        start = {"P": np.median(drawn.period), "e": np.median(drawn.eccentricity),
                 "phase": drawn.phase[0], "A": drawn.linear[0, 0], "B": drawn.linear[1, 0],
                 "v0": drawn.linear[2, 0], "sd_log_P": np.std(np.log(drawn.period))}  # fmt: skip
        chains, seconds, divergences = nuts.sample(star, start, seed=args.seed)
        size = least_ess(chains["P"], chains["e"], chains["K"])
        rate, own = size / seconds["sampling"], distinct(drawn) / cpu
        print(f"{n} visits: ours {cpu:.2f} CPU s, {own:.0f} draws / s; NUTS"
              f" {seconds['sampling']:.1f} CPU s and {seconds['compiling']:.1f} to compile,"
              f" effective {size:.0f}, {divergences} divergences, {rate:.1f} / s:"
              f" {own / rate:.0f} times")  # fmt: skip
        rows = {"P": drawn.period, "e": drawn.eccentricity, "omega": drawn.omega,
                "K": drawn.amplitude, "phase": drawn.phase}  # fmt: skip
        print_beside(rows, chains, ("ours", "NUTS"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--joker")
    parser.add_argument("--radvel")
    parser.add_argument("--only", nargs="+", default=["joker", "radvel", "nuts"])
    parser.add_argument("--stars", type=int, default=1)
    parser.add_argument("--visits", type=int, nargs="+", default=VISITS)
    parser.add_argument("--most", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    parts = {"joker": joker, "radvel": radvel, "nuts": run_nuts}
    for name in args.only:
        if name != "nuts" and getattr(args, name) is None:
            print(f"{name} left out: --{name} PYTHON was not given")
            continue
        print(f"\n== {name}", flush=True)
        parts[name](args, np.random.default_rng(args.seed))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = time.process_time()
    print(f"CPU s: {own:.0f} here, {used.ru_utime + used.ru_stime:.0f} in children")


if __name__ == "__main__":
    sys.exit(main())
