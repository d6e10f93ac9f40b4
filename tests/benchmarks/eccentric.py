"""Eccentric orbits on real and simulated stars: ``python tests/benchmarks/eccentric.py WHAT DATA``.

WHAT is one of

binaries
    The stars of ``DATA/eccentric_binaries``, blind over all periods, offsets of instruments and
    scatter free: published elements, probability of that mode, CPU seconds.
apogee
    Those of ``DATA/apogee_binaries`` with and without eccentricity, scatter free.
windows
    Orbits injected from the prior at the visit times of both: ranks of the truth.
simulated
    The same at random times, half of them clumped in nights, a quarter with scatter free, and
    ``scattered``, all of them with scatter free and two instruments.
merge
    The tables of such runs put together: ``merge FILE ...``.
clumps
    Two searches of stars of 8 to 15 visits in nights of up to three, with the scatter known and
    free: how often ln p(v) agrees within 0.1, and the stars where it does not.
cost
    For 6 visits in 1000 d and P of 2 to 512 d, and 25 and 80 visits in 20 years and P from 1 d,
    with the scatter known and, of two instruments with an offset, free: CPU seconds of one thread,
    median and largest, compilation left out, the median number of evaluations, the mean ln p(v)
    and least effective size (a search that is cheaper because it finds less has a lower ln p(v)).

A third argument is the number of stars injected, of each case of ``cost``; a fourth the seed; a
fifth a file to which the table of stars injected is written.
"""

import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pathlib import Path

import numpy as np
from astropy.table import Table, vstack
from scipy import stats

from astro_hier.core import kepler, orbit
from astro_hier.core.eccentric_fit import eccentric_nodes
from astro_hier.core.eccentric_modes import modes
from astro_hier.core.eccentric_prior import EccentricityTable, OrbitPrior

BETA = stats.beta(0.867, 3.03)
OUTSIDE = 0.001  # ranks below this and above one less it are named


class Kipping:
    """Beta(0.867, 3.03) cut at 0.95."""

    def support(self):
        return 0.0, 0.95

    def cdf(self, e):
        return np.minimum(BETA.cdf(e) / BETA.cdf(0.95), 1)


def prior(amplitude, periods, scatter, e=None):
    """A and B of sd ``amplitude`` (P / yr)^(-1/3) / sqrt(1 - e^2)."""

    def sd(period, e):
        return amplitude * (period / 365.25) ** (-1 / 3) / np.sqrt(1 - e**2)

    table = EccentricityTable.of(Kipping() if e is None else e)
    scatter = stats.loguniform(*scatter) if np.ndim(scatter) else scatter
    return OrbitPrior(stats.loguniform(*periods), table, sd, scatter)


def visits(time, rv, rv_error, sd_mean, labels=None, sd_offset=0.0):
    """With an offset of each instrument but the first."""
    names = [] if labels is None else sorted(set(labels))[1:]
    columns = np.column_stack([labels == name for name in names]) * 1.0 if names else None
    sd = np.array([1, 1, sd_mean] + [sd_offset] * len(names))
    mean = np.zeros(len(sd))
    return orbit.Visits(*(np.asarray(x, float) for x in (time, rv, rv_error)), mean, sd, columns)


def clocked(function):
    start = time.process_time()
    found = function()
    return found, time.process_time() - start


def summary(nodes):
    best = modes(nodes)[0]
    return (
        f"ln p(v) {nodes.log_evidence:.2f}, effective {nodes.effective_size:.0f},"
        f" k {nodes.pareto_k:.2f}, unrefined {nodes.unrefined:.1g}, rest {nodes.rest:.1g},"
        f" second search {nodes.log_ratio:.3f}; mode {best.probability:.4f}"
        f" P {best.period:.6g}±{best.period_sd:.2g} e {best.eccentricity:.4f}"
        f"±{best.eccentricity_sd:.2g} K {best.amplitude:.5g}"
    )


def binaries(data):
    folder = data / "eccentric_binaries"
    table = Table.read(folder / "velocities.ecsv")
    seconds = []
    for number, row in enumerate(Table.read(folder / "published_orbits.ecsv")):
        star = _binary(table, row["star"])
        known = prior(5000, (1, 1e5 if row["star"] == "HD 4747" else 3e4), (0.1, 100))
        if not number:
            eccentric_nodes(star, known, np.random.default_rng(0))  # compiles
        nodes, cpu = clocked(
            lambda s=star, k=known: eccentric_nodes(s, k, np.random.default_rng(5))
        )
        seconds.append(cpu)
        print(f"{row['star']}: {len(star.time)} visits, {cpu:.2f} CPU s; {summary(nodes)}")
        drawn = nodes.draw(4000, np.random.default_rng(2))
        for name in ("P", "e", "K", "omega"):
            print("   ", _against(row, name, drawn))
    print(f"CPU s: median {np.median(seconds):.2f}, largest {max(seconds):.2f}")


def _binary(table, name):
    rows = table[table["star"] == name]
    return visits(*(rows[c] for c in ("time", "rv", "rv_error")), 10_000, rows["instrument"], 100)


def _against(row, name, drawn):
    """In combined errors; omega of some published orbits is the companion's, half a turn away."""
    values = {"P": drawn.period, "e": drawn.eccentricity, "K": drawn.amplitude}.get(name)
    published, turned = row[name], ""
    if values is None:
        if abs(np.median(np.angle(np.exp(1j * (drawn.omega - published))))) > np.pi / 2:
            published, turned = published + np.pi, ", omega of the companion"
        values = published + np.angle(np.exp(1j * (drawn.omega - published)))
    error = 0.5 * (row[f"{name}_high"] - row[f"{name}_low"])
    low, median, high = np.quantile(values, [0.16, 0.5, 0.84])
    own = 0.5 * (high - low)
    away = (median - published) / np.hypot(own, error)
    published = f"{published:.6g}±{error:.2g}"
    return f"{name}: {median:.6g}±{own:.2g}, published {published}: {away:+.2f}{turned}"


def apogee(data):
    folder = data / "apogee_binaries"
    table = Table.read(folder / "apogee-binaries.ecsv")
    for name in sorted(set(table["APOGEE_ID"])):
        rows = table[table["APOGEE_ID"] == name]
        star = visits(*(rows[c] for c in ("JD", "VHELIO", "VHELIO_ERR")), 150)
        found = [
            clocked(lambda s=star, e=e: eccentric_nodes(
                s, prior(30, (1, 30), (0.01, 10), e), np.random.default_rng(1)))
            for e in (None, 0.0)
        ]  # fmt: skip
        (nodes, cpu), (circle, _) = found
        e, scatter = (nodes.probability @ x for x in (nodes.eccentricity, nodes.scatter))
        bayes = nodes.log_evidence - circle.log_evidence
        print(f"{name}: {len(rows)} visits, {cpu:.2f} CPU s; ln Bayes factor {bayes:.1f},"
              f" e {e:.4f}, s {scatter:.3g}; {summary(nodes)}", flush=True)  # fmt: skip


def windows(data, count, seed, file=None):
    rng = np.random.default_rng(seed)
    table = Table.read(data / "apogee_binaries" / "apogee-binaries.ecsv")
    stars = []
    for name in sorted(set(table["APOGEE_ID"])):
        rows = table[table["APOGEE_ID"] == name]
        star = visits(*(rows[c] for c in ("JD", "VHELIO", "VHELIO_ERR")), 150)
        stars.append((name, star, prior(30, (1, 100), (0.01, 10))))
    table = Table.read(data / "eccentric_binaries" / "velocities.ecsv")
    for name in sorted(set(table["star"])):
        stars.append((name, _binary(table, name), prior(5000, (1, 3e4), (0.1, 100))))
    inject((stars[i % len(stars)] for i in range(count)), rng, file)


def simulated(_, count, seed, file=None, scattered=False):
    rng = np.random.default_rng(seed)

    def star(number):
        n, error = rng.integers(3, 31), np.exp(rng.uniform(np.log(0.1), np.log(3)))
        time = _clumped(n, rng) if number % 2 else rng.uniform(0, 1000, n)
        rv_error = error * np.exp(rng.normal(0, 0.3, n))
        scatter = (0.03, 10) if scattered or number % 4 == 3 else 0.0
        labels = rng.integers(0, 2, n) if scattered or number % 4 == 3 else None
        made = visits(np.sort(time), np.zeros(n), rv_error, 100, labels, 1.0)
        return f"{seed}.{number}, {n} visits of {error:.2f}", made, prior(30, (2, 512), scatter)

    inject((star(i) for i in range(count)), rng, file)


def scattered(data, count, seed, file=None):
    simulated(data, count, seed, file, scattered=True)


def clumps(_, count, seed):
    for free in (False, True):
        rng, apart, seconds = np.random.default_rng(seed), 0, []
        known = prior(30, (2, 512), (0.03, 10) if free else 0.0)
        for number in range(count):
            n, error = rng.integers(8, 16), np.exp(rng.uniform(np.log(0.1), np.log(3)))
            time = _clumped(n, rng)
            star = visits(time, np.zeros(n), error * np.exp(rng.normal(0, 0.3, n)), 100)
            star, truth = _injected(star, known, rng)
            both = [
                clocked(lambda s=star, k=known, i=i: eccentric_nodes(
                    s, k, np.random.default_rng(i), per_baseline=(3.0, 4.3)[i]))
                for i in range(2)
            ]  # fmt: skip
            (one, _), (other, _) = both
            seconds += [cpu for _, cpu in both]
            if abs(one.log_evidence - other.log_evidence) > 0.1:
                apart += 1
                print(f"{number}, {n} visits of {error:.2f}: P {truth['P']:.4g}"
                      f" e {truth['e']:.2f} K {truth['K']:.3g}; {summary(one)}, short of"
                      f" {one.shortcomings()}; {summary(other)}, short of"
                      f" {other.shortcomings()}", flush=True)  # fmt: skip
        print(f"scatter {'free' if free else 'known'}: {count - apart} of {count} agree;"
              f" CPU s: median {np.median(seconds):.2f}, largest {max(seconds):.2f}")  # fmt: skip


def _clumped(n, rng):
    """Times of up to three visits a night."""
    night = np.floor(rng.uniform(0, 1000, n)[: -(-n // 3)])
    return np.sort(np.repeat(night, 3)[:n] + rng.uniform(0, 0.3, n))


def cost(_, count, seed):
    for n, baseline, amplitude, periods, error in (
        (6, 1000, 30, (2, 512), 0.3), (25, 7305, 5000, (1, 3e4), 2), (80, 7305, 5000, (1, 3e4), 2)
    ):  # fmt: skip
        for free in (False, True):
            rng, found = np.random.default_rng(seed), []
            for number in range(count):
                known = prior(amplitude, periods, (error / 20, 50 * error) if free else 0.0)
                star = _at_random(n, baseline, error, 3 * amplitude, free, rng)
                star, _ = _injected(star, known, rng)
                if not number:
                    eccentric_nodes(star, known, np.random.default_rng(0))  # compiles
                found.append(clocked(lambda s=star, k=known, r=rng: eccentric_nodes(s, k, r)))
            nodes, cpu = zip(*found, strict=True)
            print(f"{n} visits, scatter {'free' if free else 'known'}: CPU s {np.median(cpu):.2f}"
                  f" ({max(cpu):.2f}), evaluations {np.median([x.evaluations for x in nodes]):.3g},"
                  f" mean ln p(v) {np.mean([x.log_evidence for x in nodes]):.3f},"
                  f" least effective size {min(x.effective_size for x in nodes):.0f}",
                  flush=True)  # fmt: skip


def _at_random(n, baseline, error, sd_mean, instruments, rng):
    """Visits at random times, of two instruments or one, with no velocities yet."""
    time, labels = np.sort(rng.uniform(0, baseline, n)), rng.integers(0, 2, n)
    rv_error = error * np.exp(rng.normal(0, 0.3, n))
    labels = labels if instruments else None
    return visits(time, np.zeros(n), rv_error, sd_mean, labels, 0.02 * sd_mean)


RAW = "nights", "effective_size", "pareto_k", "unrefined", "rest", "log_ratio", "evaluations"
NUMBERS = "ln P", "e", "omega", "K", "t_peri", "v0"


def inject(stars, rng, file=None):
    """Ranks of the truth in draws of posteriors, and how often the mode that holds it is right."""
    rows = []
    for name, star, known in stars:
        star, truth = _injected(star, known, rng)
        # of its own, so that the stars are the same whatever is done
        own = np.random.default_rng(rng.integers(2**32))
        nodes, cpu = clocked(lambda s=star, k=known, r=own: eccentric_nodes(s, k, r))
        drawn = nodes.draw(1000, own)
        away = _elements(drawn.period, drawn.eccentricity, drawn.omega, drawn.amplitude,
                        drawn.t_peri, drawn.linear[2], truth, nodes.star.data.t_ref)  # fmt: skip
        ranks = [np.mean(x < 0) + rng.random() * np.mean(x == 0) for x in away]
        near = np.mean(np.abs(1 / drawn.period - 1 / truth["P"]) < 0.5 / np.ptp(star.time))
        short = nodes.shortcomings()
        raw = [getattr(nodes, x) for x in RAW]
        rows.append((name, *ranks, near, cpu, *raw, "; ".join(f"{x} {v:.3g}" for x, v in short)))
        odd = [f"{x:.3f}" for x in ranks if not OUTSIDE < x < 1 - OUTSIDE]
        if odd or short or near < 0.01:
            print(f"{name}: P {truth['P']:.4g} e {truth['e']:.2f} K {truth['K']:.3g}: ranks"
                  f" {odd}, true mode {near:.3f}; {cpu:.1f} s; {summary(nodes)};"
                  f" short of {rows[-1][-1] or 'nothing'}", flush=True)  # fmt: skip
    table = Table(rows=rows, names=("star", *NUMBERS, "true mode", "seconds", *RAW, "short"))
    if file is not None:
        table.write(file, overwrite=True)
    tell(table)


def merge(*files):
    tell(vstack([Table.read(file) for file in files]))


def tell(table):
    for name in NUMBERS:
        ranks = np.asarray(table[name])
        bins = np.bincount(np.minimum((10 * ranks).astype(int), 9), minlength=10)
        print(f"{name:7} KS {stats.kstest(ranks, 'uniform').pvalue:.3f}, tenths {bins},"
              f" outside 98 percent {np.sum(np.abs(ranks - 0.5) > 0.49)},"
              f" 99.8 percent {np.sum(np.abs(ranks - 0.5) > 0.5 - OUTSIDE)}")  # fmt: skip
    chance, seconds = (np.asarray(table[name]) for name in ("true mode", "seconds"))
    short = [x for x in np.ma.filled(table["short"], "") if x]
    print(f"probability of the true mode: sum {chance.sum():.1f} of {len(table)}, least"
          f" {chance.min():.3f}; {len(short)} stars short of something;"
          f" CPU s: median {np.median(seconds):.2f}, mean {np.mean(seconds):.2f},"
          f" largest {max(seconds):.2f}")  # fmt: skip


def _injected(star, known, rng):
    points = rng.random((4, 1))
    period = known.period_at(points[0])
    e = known.eccentricity_at(points[1], period)
    A, B = rng.normal(0, known.amplitude(period, e), (2, 1))
    scatter = known.scatter if np.isscalar(known.scatter) else known.scatter.rvs(random_state=rng)
    linear = rng.normal(0, star.sd[2:])
    t_peri = np.average(star.time, weights=star.rv_error**-2.0) - points[2] * period
    K, omega = np.hypot(A, B), np.arctan2(B, A)
    rv = kepler.velocity(star.time, period, e, t_peri, K, omega) + star.constant @ linear
    rv = rv + rng.normal(0, np.hypot(star.rv_error, scatter))
    truth = {
        "P": period[0],
        "e": e[0],
        "K": K[0],
        "omega": omega[0],
        "t": t_peri[0],
        "v0": linear[0],
    }
    return orbit.Visits(star.time, rv, star.rv_error, star.mean, star.sd, star.columns), truth


def _elements(period, e, omega, K, t_peri, v0, truth, t_ref):
    """Draws less the truth, angles from a direction at random in each star, the truth's as well."""
    zero = np.random.default_rng(int(1e6 * truth["P"])).uniform(0, 2 * np.pi)
    turn = np.mod(omega - zero, 2 * np.pi) - np.mod(truth["omega"] - zero, 2 * np.pi)
    true_phase = np.mod((t_ref - truth["t"]) / truth["P"] - zero, 1)
    phase = np.mod((t_ref - t_peri) / period - zero, 1) - true_phase
    return (
        np.log(period / truth["P"]),
        e - truth["e"],
        turn,
        K - truth["K"],
        phase,
        v0 - truth["v0"],
    )


if __name__ == "__main__":
    what, where, *others = sys.argv[1:]
    if what == "merge":
        sys.exit(merge(where, *others))
    WHAT = {
        "binaries": binaries,
        "apogee": apogee,
        "windows": windows,
        "simulated": simulated,
        "scattered": scattered,
        "clumps": clumps,
        "cost": cost,
    }
    WHAT[what](Path(where), *map(int, others[:2]), *others[2:])
