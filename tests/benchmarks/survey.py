"""Growth of a population of binaries by rows: ``python tests/benchmarks/survey.py [STARS ...]``.

For each number of stars with six visits: CPU time a star of making the rows (on two workers of
Dask, or with ``--here`` in this process), of the fit and of the results of all stars; wall time;
the largest memory of driver and workers; and bytes a star. ``--copies N`` also fits the rows N
times over, which is what N times as many stars cost the fit, in time and memory.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import astropy.units as u
import numpy as np

from astro_hier import BinaryPopulation, survey

VISITS = 6
COLUMNS = {"time": ("jd", u.day), "rv": ("rv", u.km / u.s), "rv_error": ("rv_error", u.km / u.s)}


def model():
    return BinaryPopulation(period_range=(1 * u.day, 1000 * u.day))


def write_visits(path, n_stars, seed=1):
    """Visits over 1000 d, with errors of 0.3 km/s, in a Parquet file of a visit a row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng, writer = np.random.default_rng(seed), None
    for start in range(0, n_stars, 20_000):
        n = min(20_000, n_stars - start)
        when = np.sort(rng.uniform(0, 1000, (n, VISITS)), axis=1)
        P, phase = np.exp(rng.normal(2, 0.5, (n, 1))), rng.uniform(0, 2 * np.pi, (n, 1))
        K, v0 = np.hypot(*rng.normal(0, 20, (2, n, 1))), rng.normal(0, 50, (n, 1))
        rv = K * np.cos(2 * np.pi * when / P - phase) + v0 + rng.normal(0, 0.3, when.shape)
        table = pa.table({
            "star": np.repeat(np.arange(start, start + n), VISITS),
            "jd": 2459000 + when.ravel(),
            "rv": rv.ravel(),
            "rv_error": np.full(rv.size, 0.3),
        })  # fmt: skip
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def megabytes():
    """The largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cpu():
    return time.process_time()


def compiled():
    """The first star of a process, which loads or compiles loops."""
    model().star_work().rows.of_star(0, np.arange(5.0), np.arange(5.0), np.ones(5))


def of_workers(client, function):
    return list(client.run(function).values()) if client else []


def timed(name, n_stars, function, client=None):
    before, start = cpu() + sum(of_workers(client, cpu)), time.perf_counter()
    function()
    seconds, wall = cpu() + sum(of_workers(client, cpu)) - before, time.perf_counter() - start
    print(f"  {name:8} {1e3 * seconds / n_stars:7.3f} CPU ms a star, {wall:6.1f} s;"
          f" driver at most {megabytes():.0f} MB", flush=True)  # fmt: skip
    return seconds


def run(n_stars, client, copies):
    print(f"{n_stars} stars", flush=True)
    folder = Path(tempfile.mkdtemp())
    write_visits(folder / "visits.parquet", n_stars)

    def rows():
        per_file = max(min(10_000, n_stars // 4), 1)
        survey.prepare(folder / "visits.parquet", folder / "rows", model(), columns=COLUMNS,
                       client=client, stars_per_file=per_file, progressbar=False)  # fmt: skip

    total = timed("rows", n_stars, rows, client)
    fitted = model()
    fit = timed("fit", n_stars, lambda: fitted.fit_rows(
        folder / "rows", random_state=1, progressbar=False))  # fmt: skip
    total += fit + timed("results", n_stars, lambda: fitted.star_results(
        folder / "rows", folder / "results", progressbar=False))  # fmt: skip
    size = sum(path.stat().st_size for path in (folder / "rows").glob("*.parquet"))
    evaluations = fitted.posterior.attrs["evaluations"]
    most = max(of_workers(client, megabytes), default=0)
    each = 1e9 * fit / n_stars / evaluations
    print(f"  in all {1e3 * total / n_stars:.3f} CPU ms a star; {size / n_stars:.0f} bytes a star")
    print(f"  {evaluations} evaluations, {each:.1f} ns a star each; workers at most {most:.0f} MB")
    for name, truth in (("mu", 2), ("sigma", 0.5)):
        draws = fitted.samples(name)
        print(f"  {name} = {draws.mean():.4f} ± {draws.std():.4f} ({truth})", flush=True)
    if copies > 1:
        copied(folder, n_stars, copies)
    shutil.rmtree(folder)


def copied(folder, n_stars, copies):
    """The fit to the same rows many times over, in a process of its own."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for path in sorted((folder / "rows").glob("*.parquet")):
        table = pq.read_table(path)
        for k in range(1, copies):
            star = pc.add(table["star"], k * n_stars)
            other = table.set_column(table.column_names.index("star"), "star", star)
            pq.write_table(other, path.with_name(f"copy-{k:04d}-{path.name}"), compression="zstd")
    print(f"{n_stars * copies} stars, {copies} times the same", flush=True)
    rows = str(folder / "rows")
    code = f"from tests.benchmarks.survey import again; again({rows!r}, {n_stars * copies})"
    os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-W", "ignore", "-c", code])


def again(folder, n_stars):
    fitted = model()
    timed("fit", n_stars, lambda: fitted.fit_rows(folder, random_state=1, progressbar=False))
    print(f"  {fitted.posterior.attrs['evaluations']} evaluations", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stars", nargs="*", type=int, default=[200, 2000, 20_000])
    parser.add_argument("--here", action="store_true")
    parser.add_argument("--copies", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.here:
        for n_stars in options.stars:
            run(n_stars, None, options.copies)
        return
    from distributed import Client, LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        with Client(cluster) as client:
            client.run(
                lambda: model().star_work().rows.of_star(0, *(np.arange(5.0),) * 2, np.ones(5))
            )
            for n_stars in options.stars:
                run(n_stars, client, options.copies)


if __name__ == "__main__":
    main()
