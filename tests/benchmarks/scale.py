"""How CPU time and memory of a fit grow with the number of stars, up to millions.

Each fit runs in a process of its own, on one thread. ``python tests/benchmarks/scale.py`` prints a
table of all sizes; ``... cluster 1000000`` fits one.

Columns: what is fitted, stars, CPU seconds of the fit, evaluations of ln p in it (the second
exploration included), CPU seconds of star_table(), peak memory before the fit (with the package and
the table) and after star_table() [MB], and mean and standard deviation of the scale.
"""

import os
import subprocess
import sys
import time
import warnings

import numpy as np

SIZES = {
    "cluster": (256, 4096, 20_000, 100_000, 1_000_000),
    "cluster with outliers": (256, 4096, 20_000, 100_000),
    "velocities": (1000, 10_000, 100_000, 1_000_000, 10_000_000),
    "velocities with outliers": (1000, 10_000, 100_000),
}
HEAD = "fit,stars,CPU s,evaluations,table CPU s,MB before,MB,scale"


def model_and_table(what, stars):
    """A model and a table with as many stars, whose errors differ by a factor of ten."""
    import astropy.units as u

    from astro_hier import StarCluster, VelocityDispersion, datasets

    if "cluster" in what:
        table, model = datasets.make_star_cluster(stars, random_state=1), StarCluster()
    else:
        error = 10 ** np.random.default_rng(1).uniform(-0.5, 0.5, stars) * u.km / u.s
        table = datasets.make_velocities(stars, error=error, random_state=1)
        model = VelocityDispersion()
    if "outliers" in what:
        model.set_params(outliers=True)
        column = table.columns[0]
        column[: stars // 50] += np.random.default_rng(2).normal(0, 5, stars // 50) * column.std()
    table.meta.clear()
    return model, table


def peak():
    """The most memory this process has used [MB]; what getrusage tells includes its parent's."""
    with open("/proc/self/status") as file:
        return int(file.read().split("VmHWM:")[1].split()[0]) / 1024


def one(what, stars):
    """One fit, and a row of the table."""
    model, table = model_and_table(what, stars)
    before, start = peak(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(table, random_state=1, progressbar=False)
    fitted = time.process_time()
    model.star_table()
    seconds = fitted - start, time.process_time() - fitted
    attrs = model.posterior.attrs
    evaluations = attrs["evaluations"] + attrs["certificate_evaluations"]
    scale = model.samples(model.scale)
    print(
        f"{what},{stars},{seconds[0]:.3g},{evaluations},{seconds[1]:.3g},{before:.0f},{peak():.0f},"
        f"{scale.mean():.5g} +- {scale.std().value:.2g}",
        flush=True,
    )


def main():
    if len(sys.argv) == 3:
        one(sys.argv[1], int(sys.argv[2]))
        return
    print(HEAD, flush=True)
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    for what, sizes in SIZES.items():
        for stars in sizes:
            command = [sys.executable, __file__, what, str(stars)]
            subprocess.run(command, check=True, env=os.environ | threads)


if __name__ == "__main__":
    main()
