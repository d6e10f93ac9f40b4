"""Calibration of every model: ``python tests/benchmarks/calibration.py [CASE ...]``.

Prints a table for each case, and writes what the documentation shows: ``docs/_static``'s
calibration.csv and a figure for each case; rows of other cases are kept. All of them with
``--simulations 1000`` (a tenth of it for those whose fits take seconds) take half an hour on two
cores.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import astropy.units as u
import matplotlib
import numpy as np
from astropy.table import Table, vstack

from astro_hier import (
    BinaryPopulation,
    SB1Binary,
    StarCluster,
    VelocityDispersion,
    datasets,
    outliers,
    populations,
    priors,
    profiles,
)
from astro_hier.calibration import calibrate

KMS = u.km / u.s
STATIC = Path(__file__).parents[2] / "docs" / "_static"


def with_instruments(table):
    """Every third visit with another instrument."""
    table["instrument"] = ["A", "A", "B"] * (len(table) // 3)
    return table


def with_coordinates(table):
    """The same stars over three degrees."""
    rng = np.random.default_rng(1)
    table["ra"], table["dec"] = rng.uniform(0, 3, (2, len(table))) * u.deg
    return table


def strong_covariance(separation):
    """As large as the errors themselves, so that it matters for fifteen stars."""
    return 0.01 * np.exp(-(separation / (3 * u.deg)).to_value(u.one)) * u.mas**2


# a model, and the table whose times, errors and stars are simulated with
CASES = {
    "star_cluster": (
        StarCluster(),
        datasets.make_star_cluster(15, log10_error=(-1.5, -0.5), random_state=1),
    ),
    "star_cluster_outliers": (
        StarCluster(outliers=True),
        datasets.make_star_cluster(15, log10_error=(-1.5, -0.5), random_state=1),
    ),
    "star_cluster_errors": (
        StarCluster(
            zero_point=priors.Normal(-0.03 * u.mas, 0.05 * u.mas),
            error_scale=priors.LogNormal(0.1, 0.2), parallax_covariance=strong_covariance,
        ),
        with_coordinates(
            datasets.make_star_cluster(15, log10_error=(-1.5, -0.5), random_state=1)
        ),
    ),
    "star_cluster_core_halo": (
        StarCluster(profile=profiles.CoreHalo()),
        datasets.make_star_cluster(15, log10_error=(-1.5, -0.5), random_state=1),
    ),
    "sb1_binary": (
        SB1Binary(),
        datasets.make_binary(6, baseline=150 * u.day, rv_error=1 * KMS, random_state=1),
    ),
    "binary_population": (
        BinaryPopulation(population=populations.TruncatedNormal()),
        datasets.make_binaries(14, 5, baseline=200 * u.day, rv_error=1 * KMS, random_state=1),
    ),
    "sb1_binary_jitter": (
        SB1Binary(jitter=priors.LogUniform(0.1 * KMS, 10 * KMS), trend=1),
        datasets.make_binary(8, baseline=60 * u.day, rv_error=1 * KMS, random_state=1),
    ),
    "sb1_binary_instruments": (
        SB1Binary(
            P=priors.LogUniform(2 * u.day, 20 * u.day), jitter=priors.HalfNormal(3 * KMS),
            instrument="instrument",
        ),
        with_instruments(
            datasets.make_binary(9, baseline=40 * u.day, rv_error=1 * KMS, random_state=1)
        ),
    ),
    "binary_population_jitter": (
        BinaryPopulation(
            population=populations.TruncatedNormal(), period_range=(1 * u.day, 50 * u.day),
            jitter=priors.LogUniform(0.1 * KMS, 10 * KMS), trend=1,
        ),
        datasets.make_binaries(5, 6, baseline=40 * u.day, rv_error=1 * KMS, random_state=1),
    ),
    "binary_population_instruments": (
        BinaryPopulation(
            population=populations.TruncatedNormal(), period_range=(1 * u.day, 50 * u.day),
            instrument="instrument", trend=2,
        ),
        with_instruments(
            datasets.make_binaries(5, 9, baseline=40 * u.day, rv_error=1 * KMS, random_state=1)
        ),
    ),
    "binary_population_jitter_population": (
        BinaryPopulation(
            population=populations.TruncatedNormal(), period_range=(1 * u.day, 50 * u.day),
            jitter=populations.LogNormalJitter(priors.Normal(0, 1), priors.Normal(-0.5, 0.5)),
        ),
        datasets.make_binaries(6, 6, baseline=40 * u.day, rv_error=1 * KMS, random_state=1),
    ),
    "binary_population_narrow": (
        BinaryPopulation(
            mu=priors.Uniform(2, 3), lnsigma=priors.Uniform(-1, 0),
            a=priors.Normal(0 * KMS, 20 * KMS), b=priors.Normal(0 * KMS, 20 * KMS),
            period_range=(0.3 * u.day, 500 * u.day),
        ),
        datasets.make_binaries(14, 5, baseline=200 * u.day, rv_error=1 * KMS, random_state=1),
    ),
    "velocity_dispersion": (
        VelocityDispersion(),
        datasets.make_velocities(20, error=np.geomspace(0.5, 50, 20) * KMS, random_state=1),
    ),
    "velocity_dispersion_options": (
        VelocityDispersion(
            v_sys=priors.Normal(60_000 * KMS, 1000 * KMS), ln_sigma_v=priors.Uniform(4, 7.5),
            error_scale=priors.LogNormal(0, 0.3),
            outliers=outliers.VelocityBackground(
                outlier_mean=priors.Normal(60_000 * KMS, 5000 * KMS)
            ),
        ),
        datasets.make_velocities(
            40, v_sys=60_000 * KMS, error=np.geomspace(30, 300, 40) * KMS, redshift=True,
            random_state=1,
        ),
    ),
}  # fmt: skip
HEAVY = {"sb1_binary_instruments", "binary_population_jitter_population"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="of " + ", ".join(CASES))
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--n-jobs", type=int, default=-1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=STATIC)
    options = parser.parse_args()
    matplotlib.use("agg")
    path = options.out / "calibration.csv"
    tests = Table.read(path) if path.exists() else Table()
    for name in options.cases or CASES:
        model, table = CASES[name]
        start = time.perf_counter()
        found = calibrate(
            model, table, simulations=options.simulations // (10 if name in HEAVY else 1),
            n_jobs=options.n_jobs, random_state=options.seed,
        )  # fmt: skip
        print(f"{name}: {time.perf_counter() - start:.0f} s; warnings: {found.warnings or 'none'}")
        found.table().pprint_all()
        found.plot().savefig(options.out / f"calibration-{name}.png", dpi=100)
        rows = found.table()
        rows.add_column(name, name="case", index=0)
        others = tests[tests["case"] != name] if len(tests) else tests
        tests = vstack([others, rows])
        tests.sort("case")
        tests.write(path, overwrite=True)
    print(f"smallest of {len(tests)} p-values: {tests['p_value'].min():.3g};", end=" ")
    print(f"below {0.01 / len(tests):.2g} would happen once in a hundred such runs")


if __name__ == "__main__":
    main()
