"""A user's program, which a strict type checker must accept: it calls all that is public."""

from pathlib import Path

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from astropy.table import QTable, Table

from astro_hier import (
    BinaryPopulation,
    NotFittedError,
    PeriodLuminosity,
    SamplePopulation,
    SavedFileError,
    SB1Binary,
    StarCluster,
    TableError,
    VelocityDispersion,
    columns,
    covariances,
    datasets,
    injections,
    outliers,
    populations,
    priors,
    profiles,
    samples,
)
from astro_hier.calibration import Calibration, calibrate


def clusters(folder: Path) -> Table:
    """Parallaxes: every method that models share, and those of a cluster."""
    table = datasets.make_star_cluster(30, random_state=1)
    prior = priors.Uniform(0 * u.kpc, 2 * u.kpc)
    cluster = StarCluster(
        mu_r=prior,
        outliers=outliers.ParallaxBackground(),
        profile=profiles.CoreHalo(),
        parallax_covariance=covariances.lindegren20,
        columns=columns.GAIA,
    )
    cluster = cluster.fit(table, draws=100, chains=2, random_state=1, progressbar=False)
    cluster.set_params(**cluster.get_params())
    cluster.save(folder / "cluster.nc")
    cluster = StarCluster.load(folder / "cluster.nc")
    _, ax = plt.subplots()
    cluster.plot_data(ax=ax)
    cluster.plot_distances().set_title("distances")
    cluster.plot_corner(truths={"mu_r": 500 * u.pc}).savefig("corner.png")
    cluster.plot_trace("mu_r", fig=plt.figure())
    cluster.plot_graph()
    cluster.to_arviz("log_likelihood", random_state=np.random.default_rng(1))
    distance: u.Quantity = cluster.samples("r").to(u.pc)
    best: dict[str, u.Quantity] = cluster.map_sample
    draws: QTable = cluster.posterior_table()
    print(distance, best, draws, cluster.posterior["mu_r"], cluster.inference_data)
    print(
        cluster.checks(), cluster.findings(), cluster.explanations(unit="pc"), cluster.star_table()
    )
    print(cluster.std_r_upper_limit(unit=u.pc), cluster.predict([0.1] * u.mas, random_state=1))
    print(cluster.initial_values(table), cluster.pymc_model(table), cluster.frozen_priors())
    print(StarCluster.example(random_state=1), cluster.parameters, cluster.roles)
    print(cluster.read(table), cluster.prior_of("mu_r"))
    print(cluster.paper_table(unit="pc"), cluster.report(folder / "cluster.html"))
    return cluster.summary("all", hdi_prob=0.5)


def dispersion() -> u.Quantity:
    """Velocities."""
    table = datasets.make_velocities(30, random_state=1)
    system = VelocityDispersion(outliers=outliers.VelocityBackground()).fit(table, method="nuts")
    system.plot_data()
    print(system.star_table(), system.predict())
    return system.sigma_v_upper_limit()


def binary() -> QTable:
    """The visits of one star."""
    table = datasets.make_binary(random_state=1)
    star = SB1Binary(
        P=priors.LogUniform(1 * u.day, 50 * u.day),
        eccentricity=True,
        jitter=priors.HalfNormal(1 * u.km / u.s),
        trend=1,
    )
    star.fit(table, surrogate=False)
    star.plot_data()
    star.plot_phase().savefig("phase.png")
    star.plot_periodogram()
    print(star.modes(), star.compare(table), star.predict([1, 2] * u.day, unit="m/s"))
    print(star.partition_function(star="id"))
    return star.elements()


def binaries() -> Table:
    """The visits of many stars."""
    table = datasets.make_binaries(4, random_state=1)
    found = injections.make_injections(
        table, lambda visits: True, 10, period_range=(2 * u.day, 20 * u.day)
    )
    sample = BinaryPopulation(
        population=populations.NormalMixture(),
        eccentricity=populations.Beta(),
        companion_fraction=priors.Uniform(0, 1),
        selection=found,
        n_jobs=2,
    ).fit(table)
    sample.plot_data(stars=["a"])
    sample.plot_phase()
    sample.plot_population()
    sample.plot_eccentricity()
    sample.plot_period_eccentricity()
    sample.plot_companions()
    print(sample.predict(), sample.elements("a"), sample.star_table(unit=u.m / u.s))
    print(sample.partition_function(period_range=(2 * u.day, 20 * u.day)))
    sample.star_results("rows", "results", progressbar=False)
    sample.fit_rows("rows", draws=100)
    return sample.star_table()


def any_population() -> Table:
    """Draws of many objects."""
    table = datasets.make_posterior_samples(10, random_state=1)
    model = SamplePopulation(population=populations.Histogram((0, 1, 2)), quantity="x").fit(table)
    model.plot_data()
    model.plot_population()
    model.plot_shrinkage()
    model.plot_effective()
    print(model.predict(random_state=1), samples.from_arviz({}, ["x"]))
    return model.object_table()


def relation() -> QTable:
    """Pulsating stars."""
    table = datasets.make_period_luminosity(30, random_state=1)
    model = PeriodLuminosity(outliers=outliers.WiderScatter()).fit(table)
    model.plot_relation()
    model.plot_data()
    model.plot_metallicity()
    print(model.predict([0.5] * u.day, feh=-1.5 * u.dex, scatter=False), model.star_table())
    return model.distance(table, unit="pc")


def calibrated() -> Calibration:
    """Simulation-based calibration."""
    found = calibrate(StarCluster(), datasets.make_star_cluster(10), simulations=20)
    found.plot()
    print(found.table())
    return found


def careful() -> None:
    """Errors."""
    try:
        StarCluster().summary()
    except (NotFittedError, TableError, SavedFileError, priors.PriorError) as error:
        print(error)


def mistaken() -> None:
    """What a type checker refuses; it would call an ignore that is not needed an error."""
    StarCluster(on_invalid="drp")  # type: ignore[arg-type]
    SB1Binary(shared_jitter="yes")  # type: ignore[arg-type]
    BinaryPopulation(population="Normal")  # type: ignore[arg-type]
    SamplePopulation(object_draws="no")  # type: ignore[arg-type]
    PeriodLuminosity().fit(Table(), method="mcmc")  # type: ignore[arg-type]
    VelocityDispersion().plot_data(ax=1)  # type: ignore[arg-type]
    priors.Normal(0, 1).rvs("3")  # type: ignore[arg-type]
