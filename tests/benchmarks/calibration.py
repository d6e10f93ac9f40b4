"""Calibration of every model: ``python tests/benchmarks/calibration.py [CASE ...]``.

Prints a table for each case, and writes what the documentation shows: ``docs/_static``'s
calibration.csv and a figure for each case; rows of other cases are kept. All of them with
``--simulations 1000`` (a tenth of it for those whose fits take seconds) take three quarters of an
hour on two cores.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import astropy.units as u
import matplotlib
import numpy as np
from astropy.table import QTable, Table, vstack
from scipy.stats import norm

from astro_hier import (
    BinaryPopulation,
    PeriodLuminosity,
    SamplePopulation,
    SB1Binary,
    StarCluster,
    VelocityDispersion,
    datasets,
    outliers,
    populations,
    priors,
    profiles,
)
from astro_hier.calibration import TESTS, calibrate
from astro_hier.model import HierarchicalModel
from astro_hier.posterior import Parameter
from astro_hier.table import Role

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


def relation(**options):
    """A period-luminosity relation whose priors are about as wide as its population."""
    slope = u.mag / u.dex
    return PeriodLuminosity(
        alpha=priors.Normal(-1 * u.mag, 0.5 * u.mag), beta=priors.Normal(-2.5 * slope, 2 * slope),
        gamma=priors.Normal(0.2 * slope, 0.3 * slope), scatter=priors.Exponential(0.2 * u.mag),
        mu_log_period=priors.Normal(-0.3 * u.dex, 0.1 * u.dex),
        sigma_log_period=priors.LogNormal(0, 0.3, scale=0.08 * u.dex),
        mu_feh=priors.Normal(-1.4 * u.dex, 0.3 * u.dex),
        sigma_feh=priors.LogNormal(0, 0.3, scale=0.5 * u.dex),
        mu_modulus=priors.Normal(10 * u.mag, 1 * u.mag),
        sigma_modulus=priors.LogNormal(0, 0.3, scale=1 * u.mag),
        feh_period=priors.Normal(-3, 2), modulus_period=priors.Normal(0 * slope, 3 * slope),
        modulus_feh=priors.Normal(0 * slope, 0.5 * slope),
        zero_point=priors.Normal(-0.03 * u.mas, 0.02 * u.mas), **options,
    )  # fmt: skip


class LinearRelation(HierarchicalModel):
    """y_n ~ Normal(intercept + slopes . x_n, hypot(scatter, error_n)): ten parameters.

    Of twelve rows the posterior has wings: those of a Student t of three degrees of freedom, as
    far out as the prior of the scatter lets them reach.
    """

    columns_of_x = tuple(f"x{k}" for k in range(1, 9))
    slopes = tuple(f"slope{k}" for k in range(1, 9))
    roles = (
        *(Role(name, u.one) for name in columns_of_x),
        Role("y", u.one, observed=True),
        Role("y_error", u.one, positive=True),
        Role("star", None, required=False, unique=True),
    )
    parameters = (
        Parameter("intercept", u.one, "a", "intercept"),
        *(Parameter(name, u.one, name, "slope") for name in slopes),
        Parameter("ln_scatter", u.one, r"\ln s", "ln of the intrinsic scatter"),
    )

    def __init__(self):
        super().__init__()
        self.intercept = priors.Normal(0, 1000)
        self.ln_scatter = priors.Uniform(-7, 3)
        for name in self.slopes:
            setattr(self, name, priors.Normal(0, 100))

    def _design(self, data):
        """What the coefficients multiply, shape (coefficient, row)."""
        return np.array([np.ones_like(data["y"]), *(data[name] for name in self.columns_of_x)])

    def _of_rows(self, data, theta):
        """Mean and standard deviation of each row, shape (theta, row)."""
        coefficients = np.column_stack([theta[name] for name in ("intercept", *self.slopes)])
        scatter = np.exp(theta["ln_scatter"])[:, None]
        return coefficients @ self._design(data), np.hypot(scatter, data["y_error"])

    def initial(self, data):
        design = self._design(data)
        coefficients = np.linalg.lstsq(design.T, data["y"])[0]
        scatter = np.std(data["y"] - coefficients @ design)
        names = "intercept", *self.slopes, "ln_scatter"
        return dict(zip(names, (*coefficients, np.log(scatter)), strict=True))

    def log_marginal(self, data, theta):
        return norm.logpdf(data["y"], *self._of_rows(data, theta)).sum(axis=1)

    def draw_latents(self, data, theta, rng, progressbar=False):
        return {}

    def simulate(self, data, theta, rng):
        return {"y": rng.normal(*self._of_rows(data, theta))}


def make_relation(size):
    """A table of random x, whose y are to be simulated."""
    rng = np.random.default_rng(1)
    table = QTable({name: rng.normal(size=size) for name in LinearRelation.columns_of_x})
    table["y"], table["y_error"] = np.zeros(size), rng.uniform(0.1, 0.3, size)
    return table


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
    "sb1_binary_eccentric": (
        SB1Binary(
            P=priors.LogUniform(2 * u.day, 100 * u.day), eccentricity=True,
            amplitude=priors.PeriodScaled(30 * KMS), jitter=priors.LogUniform(0.1 * KMS, 10 * KMS),
            instrument="instrument",
        ),
        with_instruments(
            datasets.make_binary(9, baseline=150 * u.day, rv_error=1 * KMS, random_state=1)
        ),
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
    "period_luminosity": (relation(), datasets.make_period_luminosity(60, random_state=1)),
    "period_luminosity_outliers": (
        relation(outliers=outliers.WiderScatter(outlier_fraction=priors.Beta(2, 8))),
        datasets.make_period_luminosity(60, random_state=1),
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
    "two_groups": (
        VelocityDispersion(
            v_sys=priors.Normal(0 * KMS, 300 * KMS), ln_sigma_v=priors.Uniform(-1, 3),
            outliers=outliers.VelocityBackground(
                outlier_fraction=priors.Beta(3, 3),
                outlier_mean=priors.Normal(0 * KMS, 300 * KMS),
                outlier_sd=priors.LogNormal(1.5, 0.7, scale=1 * KMS),
            ),
        ),
        datasets.make_velocities(40, error=np.linspace(1, 2, 40) * KMS, random_state=1),
    ),
    "minority_of_members": (
        VelocityDispersion(
            v_sys=priors.Normal(0 * KMS, 300 * KMS), ln_sigma_v=priors.Uniform(-1, 3),
            outliers=outliers.VelocityBackground(
                outlier_fraction=priors.Uniform(0.5, 0.95),
                outlier_mean=priors.Normal(0 * KMS, 200 * KMS),
                outlier_sd=priors.LogUniform(50 * KMS, 300 * KMS),
            ),
        ),
        datasets.make_velocities(100, random_state=1),
    ),
    "wide_priors": (
        VelocityDispersion(
            v_sys=priors.Uniform(-1000 * KMS, 1000 * KMS), ln_sigma_v=priors.Uniform(-3, 4),
            outliers=outliers.VelocityBackground(
                outlier_fraction=priors.Uniform(0, 1),
                outlier_mean=priors.Normal(0 * KMS, 1000 * KMS),
                outlier_sd=priors.LogUniform(10 * KMS, 1000 * KMS),
            ),
        ),
        datasets.make_velocities(60, random_state=1),
    ),
    "sample_population": (
        SamplePopulation(
            population=populations.Normal(
                mu=priors.Normal(1.4 * u.Msun, 0.3 * u.Msun), lnsigma=priors.Normal(-2, 0.7)
            ),
            quantity="mass",
        ),
        QTable({"value": np.full(20, 1.4) * u.Msun,
                "error": np.geomspace(0.02, 0.5, 20) * u.Msun}),
    ),
    "ten_parameters": (LinearRelation(), make_relation(12)),
}  # fmt: skip
HEAVY = {"sb1_binary_eccentric", "sb1_binary_instruments", "binary_population_jitter_population"}


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
    tests = Table.read(path, converters={"failed": str}) if path.exists() else Table()
    for name in options.cases or CASES:
        model, table = CASES[name]
        start = time.perf_counter()
        found = calibrate(
            model, table, simulations=options.simulations // (10 if name in HEAVY else 1),
            certify=False, n_jobs=options.n_jobs, random_state=options.seed,
        )  # fmt: skip
        print(f"{name}: {time.perf_counter() - start:.0f} s; warnings: {found.warnings or 'none'}")
        found.table().pprint_all()
        found.plot().savefig(options.out / f"calibration-{name}.png", dpi=100)
        rows = found.table()
        rows.add_column(name, name="case", index=0)
        others = tests[tests["case"] != name] if len(tests) else tests
        tests = vstack([others, rows], metadata_conflicts="silent")
        tests.sort("case")
        tests.write(path, overwrite=True)
    p_values = np.ma.concatenate([tests[name] for name in TESTS]).compressed()
    print(f"smallest of {len(p_values)} p-values: {p_values.min():.3g};", end=" ")
    print(f"below {0.01 / len(p_values):.2g} would happen once in a hundred such runs")


if __name__ == "__main__":
    main()
