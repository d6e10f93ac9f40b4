"""One claim for every model: brute force, the marginal method and NUTS find the same posterior.

Each case is a model, a table and reference moments of its hyperparameters: brute force over a grid
in this folder's ``reference``, or, for the real data, independent results that come with them.
"""

from dataclasses import dataclass, field
from itertools import chain

import astropy.units as u
import numpy as np
import pytest
import relation_reference
from astropy.table import QTable, Table
from reference import (
    cluster_likelihood_grid,
    cluster_posterior,
    grid_moments,
    orbit_posterior,
    population_posterior,
    velocity_posterior,
)
from scipy import stats

import astro_hier
from astro_hier import (
    BinaryPopulation,
    PeriodLuminosity,
    SamplePopulation,
    SB1Binary,
    StarCluster,
    VelocityDispersion,
    columns,
    datasets,
    outliers,
    populations,
    priors,
    profiles,
)
from astro_hier.model import HierarchicalModel

# of binaries whose scatter is what it is, or whose visits are few, and of clusters as published
pytestmark = pytest.mark.filterwarnings(
    "ignore:the data press",
    "ignore:single rows",
    "ignore:the rows are not distributed",
    "ignore:the errors hide",
    "ignore:the parallaxes seem to be Gaia's",
    "ignore:chi2 per degree of freedom is higher",
    "ignore:the jitter is far larger than the stated errors",
    "ignore:the data allow",
    "ignore:no orbit is needed",
    "ignore:the visits say next to nothing",
)

KMS = u.km / u.s
LINEAR = np.zeros(3), np.array([100.0, 100.0, 150.0])


@dataclass
class Case:
    """What to fit and what to find: (mean, sd) by parameter."""

    model: HierarchicalModel
    table: QTable
    expected: dict
    nuts: dict | None = field(default_factory=dict)


def arrays(visits, *names):
    return tuple(np.asarray(visits[name], dtype=float) for name in names)


def simulated_cluster(shared_data):
    table = datasets.make_star_cluster(10, std_r=20 * u.pc, log10_error=(-2, -1.5), random_state=3)
    mu_r, mu_sd, ln_std, ln_std_sd, _ = cluster_posterior(
        *arrays(table, "parallax", "parallax_error"),
        np.linspace(0.44, 0.56, 61),
        np.linspace(-5.5, -2, 51),
        lambda mu, _: stats.truncnorm.logpdf(mu, -0.5, np.inf, 1, 2) - np.log(8),
    )
    expected = {"mu_r": (mu_r, mu_sd), "ln_std_r": (ln_std, ln_std_sd)}
    return Case(StarCluster(), table, expected, {"target_accept": 0.9})


def real_cluster(shared_data):
    folder = shared_data() / "gaia_dr2_clusters"
    members = QTable.read(folder / "nearby_clusters_gaia_dr2.ecsv")
    results = Table.read(folder / "reference_posteriors.csv")
    row = results[
        (results["set"] == "Hyades")
        & (results["selection"] == "all")
        & (results["plx_zero_point_added_mas"] == 0)
    ][0]
    expected = {
        "mu_r": (row["mu_r_pc"] / 1e3, row["mu_r_sd_pc"] / 1e3),
        "ln_std_r": (row["ln_std_r_kpc"], row["ln_std_r_sd"]),
    }
    members = members[members["cluster"] == "Hyades"]
    return Case(StarCluster(columns=columns.GAIA), members, expected, nuts=None)


def simulated_contaminated_cluster(shared_data):
    """Outliers and a halo, with a known zero point and error scale."""
    table = datasets.make_star_cluster(14, std_r=20 * u.pc, log10_error=(-2, -1.5), random_state=3)
    table["parallax"][:3] = [1.2, 2.5, 4.0] * u.mas
    background = outliers.ParallaxBackground(
        priors.Beta(2, 6), outlier_mean=2 * u.mas, outlier_sd=1.5 * u.mas
    )
    model = StarCluster(
        mu_r=priors.Uniform(300 * u.pc, 700 * u.pc), ln_std_r=priors.Uniform(-5, -2),
        profile=profiles.CoreHalo(priors.Beta(2, 3), float(np.log(3))), outliers=background,
        zero_point=-0.03 * u.mas, error_scale=1.5,
    )  # fmt: skip
    axes = {
        "mu_r": np.linspace(0.43, 0.57, 57), "ln_std_r": np.linspace(-5, -2, 40)[:-1] + 1.5 / 39,
        "halo_fraction": (np.arange(20) + 0.5) / 20, "outlier_fraction": (np.arange(20) + 0.5) / 20,
    }  # fmt: skip
    mu_r, ln_std_r, halo, fraction = axes.values()
    log_density = cluster_likelihood_grid(
        *arrays(table, "parallax", "parallax_error"), np.arange(0.1, 1.4, 0.0005), mu_r, ln_std_r,
        offset=[[-0.03]], scale=[1.5], halo=halo, ratio=3.0, fraction=fraction,
        background=(2.0, 1.5),
    )[:, :, 0, 0]  # fmt: skip
    log_density += stats.beta.logpdf(halo, 2, 3)[:, None] + stats.beta.logpdf(fraction, 2, 6)
    expected = grid_moments(axes, log_density)
    return Case(model, table, expected, {"target_accept": 0.95})


def strong_covariance(separation):
    """Of 0.03 mas, as much as the depth and errors of a dozen stars leave of their mean."""
    return 0.0009 * np.exp(-separation.to_value(u.deg) / 14) * u.mas**2


def simulated_correlated_cluster(shared_data):
    """Stars at one place, a common offset besides a zero point, and errors of unknown scale."""
    table = datasets.make_star_cluster(12, std_r=20 * u.pc, log10_error=(-2, -1), random_state=5)
    table["ra"], table["dec"] = np.full(12, 56.7) * u.deg, np.full(12, 24.1) * u.deg
    model = StarCluster(
        mu_r=priors.Uniform(300 * u.pc, 700 * u.pc), ln_std_r=priors.Uniform(-5, -2),
        zero_point=priors.Normal(-0.05 * u.mas, 0.03 * u.mas),
        error_scale=priors.LogNormal(0.2, 0.2), parallax_covariance=strong_covariance,
    )  # fmt: skip
    mu_r, ln_std_r = np.linspace(0.42, 0.60, 61), np.linspace(-5, -2, 31)[:-1] + 0.05
    scale = np.linspace(0.5, 2.5, 21)
    # only the sum of zero point and offset is in the likelihood
    sums = np.linspace(-0.25, 0.15, 41)
    log_density = cluster_likelihood_grid(
        *arrays(table, "parallax", "parallax_error"), np.arange(0.1, 1.4, 0.001), mu_r, ln_std_r,
        offset=sums[None], scale=scale,
    )[..., 0, 0]  # fmt: skip
    sd = np.hypot(0.03, 0.03)
    log_density += stats.norm.logpdf(sums, -0.05, sd)[:, None]
    log_density += stats.lognorm.logpdf(scale, 0.2, scale=np.exp(0.2))
    found = grid_moments(
        {"mu_r": mu_r, "ln_std_r": ln_std_r, "sum": sums, "error_scale": scale}, log_density
    )
    # the zero point given the sum is normal
    mean, spread = found.pop("sum")
    found["zero_point"] = -0.05 + (mean + 0.05) / 2, np.hypot(spread / 2, 0.03 / np.sqrt(2))
    return Case(model, table, found, {"target_accept": 0.95})


def simulated_binary(shared_data):
    table = datasets.make_binary(random_state=4)
    visits = arrays(table, "time", "rv", "rv_error")
    expected = orbit_posterior(visits, (1.5, 20), stats.uniform(1.5, 18.5), *LINEAR, 1_000_000)
    return Case(SB1Binary(), table, expected)


def ambiguous_binary(shared_data):
    """Five visits, tens of periods: NUTS would stay in one of them."""
    table = datasets.make_binary(5, rv_error=1 * KMS, random_state=1)
    visits = arrays(table, "time", "rv", "rv_error")
    expected = orbit_posterior(visits, (1.5, 20), stats.uniform(1.5, 18.5), *LINEAR, 1_000_000)
    return Case(SB1Binary(), table, expected, nuts=None)


def scattered_binary(shared_data):
    """Errors of a fifth of the scatter, and an acceleration."""
    table = datasets.make_binary(14, baseline=150 * u.day, rv_error=1 * KMS, random_state=6)
    table["rv"] += (table["time"] * (12 * KMS / u.yr)).to(KMS)
    table["rv_error"] /= 5
    jitter = priors.HalfNormal(2 * KMS)
    time, rv, error = arrays(table, "time", "rv", "rv_error")
    expected = orbit_posterior(
        (time, rv, error), (4, 20), stats.uniform(1.5, 18.5), np.zeros(4),
        np.array([100.0, 100.0, 150.0, 10.0]), 40_000, {"trend1": time / 365.25},
        (stats.halfnorm(0, 2), np.linspace(-5, 2, 60)),
    )  # fmt: skip
    return Case(SB1Binary(jitter=jitter, trend=1), table, expected)


def real_binary(shared_data):
    """A star whose errors are about right; brute force about its one period."""
    visits = QTable.read(shared_data() / "apogee_binaries" / "apogee-binaries.ecsv")
    table = visits[visits["APOGEE_ID"] == "2M12570652+4238229"]
    time, *rest = arrays(table, "JD", "VHELIO", "VHELIO_ERR")
    expected = orbit_posterior(
        (time - time.min(), *rest), (15.60, 15.62), stats.uniform(1.5, 18.5), *LINEAR, 200_000
    )
    return Case(SB1Binary(columns=columns.APOGEE), table, expected)


def simulated_population(shared_data):
    table = datasets.make_binaries(
        8, 12, baseline=100 * u.day, rv_error=1 * KMS, sigma=0.5, random_state=3
    )
    ends = 0.5, 400
    stars = []
    for name in np.unique(table["star"]):
        time, *rest = arrays(table[table["star"] == name], "time", "rv", "rv_error")
        stars.append((time - time.min(), *rest))
    expected = population_posterior(
        stars, np.linspace(-0.4, 3.6, 161), np.linspace(-2, 2, 105), ends, *LINEAR, 200_000
    )
    model = BinaryPopulation(period_range=[end * u.day for end in ends])
    return Case(model, table, expected)


def ambiguous_population(shared_data):
    """Six visits over 1000 d with errors of 0.5 km/s: many stars have many periods."""
    table = datasets.make_binaries(
        32, 6, mu=np.log(100), sigma=1.0, rv_error=0.5 * KMS, random_state=9
    )
    amplitude, ends = priors.Normal(0 * KMS, 20 * KMS), (2, 5000)
    stars = []
    for name in np.unique(table["star"]):
        time, *rest = arrays(table[table["star"] == name], "time", "rv", "rv_error")
        stars.append((time - time.min(), *rest))
    expected = population_posterior(
        stars, np.linspace(3.4, 5.8, 49), np.linspace(-0.8, 0.8, 41), ends,
        np.zeros(3), np.array([20.0, 20.0, 150.0]), 160_000,
    )  # fmt: skip
    model = BinaryPopulation(a=amplitude, b=amplitude, period_range=[end * u.day for end in ends])
    return Case(model, table, expected, nuts=None)


def scattered_binaries():
    """Eight stars, the errors of half of which are a third of their scatter."""
    table = datasets.make_binaries(
        8, 10, baseline=60 * u.day, rv_error=1 * KMS, sigma=0.5, random_state=5
    )
    table["rv_error"][table["star"] > "star-0003"] /= 3
    return table


def scattered_population(shared_data):
    """Each star has its own scatter."""
    table, ends = scattered_binaries(), (0.7, 100)
    stars = []
    for name in np.unique(table["star"]):
        time, *rest = arrays(table[table["star"] == name], "time", "rv", "rv_error")
        stars.append((time - time.min(), *rest))
    expected = population_posterior(
        stars, np.linspace(1, 3, 61), np.linspace(-2, 1.5, 71), ends, *LINEAR, 20_000,
        (stats.loguniform(0.05, 5), np.linspace(np.log(0.05), np.log(5), 40)),
    )  # fmt: skip
    prior = priors.LogUniform(0.05 * KMS, 5 * KMS)
    model = BinaryPopulation(period_range=[end * u.day for end in ends], jitter=prior)
    return Case(model, table, expected)


def two_instruments(table):
    """Every other visit with an instrument of another zero point and scatter."""
    table["instrument"] = np.where(np.arange(len(table)) % 2, "B", "A")
    of_b = table["instrument"] == "B"
    table["rv"][of_b] += 3 * KMS
    table["rv_error"][of_b] /= 2
    return table


def layered_population(shared_data):
    """The scatters are drawn from a population, and stars accelerate."""
    table = scattered_binaries()
    jitter = populations.LogNormalJitter(priors.Normal(-0.5, 1), priors.Normal(-0.5, 0.5))
    model = BinaryPopulation(period_range=(0.7 * u.day, 100 * u.day), jitter=jitter, trend=1)
    return Case(model, table[table["star"] > "star-0002"], {}, {"target_accept": 0.95})


def instruments_binary(shared_data):
    table = two_instruments(datasets.make_binary(20, rv_error=1 * KMS, random_state=6))
    jitter = priors.HalfNormal(2 * KMS)
    model = SB1Binary(jitter=jitter, trend=2, instrument="instrument")
    return Case(model, table, {}, {"target_accept": 0.98})


def real_population(shared_data):
    visits = QTable.read(shared_data() / "apogee_binaries" / "apogee-binaries.ecsv")
    # exact quadrature that comes with the data, whose README states it
    expected = {"mu": (1.811, 0.186), "lnsigma": (-0.382, 0.205)}
    return Case(BinaryPopulation(columns=columns.APOGEE), visits, expected, nuts=None)


def velocity_priors(v_sys, ln_sigma_v):
    """Flat over the range of a grid, which holds the posterior."""
    return {
        "v_sys": priors.Uniform(v_sys[0] * KMS, v_sys[-1] * KMS),
        "ln_sigma_v": priors.Uniform(ln_sigma_v[0], ln_sigma_v[-1]),
    }


def simulated_velocities(shared_data):
    table = datasets.make_velocities(40, error=np.linspace(1, 8, 40) * KMS, random_state=3)
    grid = np.linspace(92, 108, 41), np.linspace(0, 3, 61)
    expected, _ = velocity_posterior(*arrays(table, "velocity", "velocity_error"), *grid)
    return Case(VelocityDispersion(**velocity_priors(*grid)), table, expected)


def simulated_redshifts(shared_data):
    """At a redshift of 0.3, where the dispersion of c z is 30 percent larger."""
    table = datasets.make_velocities(
        30, v_sys=9e4 * KMS, sigma_v=900 * KMS, error=300 * KMS, redshift=True, random_state=4
    )
    grid = np.linspace(88_500, 91_500, 41), np.linspace(5.8, 7.8, 41)
    c = 299_792.458
    value, error = (c * x for x in arrays(table, "redshift", "redshift_error"))
    expected, _ = velocity_posterior(value, error, *grid, scale=1 + grid[0] / c)
    return Case(VelocityDispersion(**velocity_priors(*grid)), table, expected)


def simulated_interlopers(shared_data):
    table = datasets.make_velocities(40, random_state=5)
    table["velocity"][:6] += np.array([-25, 18, 28, -27, 30, 22]) * KMS
    grid = np.linspace(93, 106, 41), np.linspace(0, 2.8, 41)
    background = 100.0, 30.0, np.linspace(0, 0.8, 81)
    values = arrays(table, "velocity", "velocity_error")
    expected, _ = velocity_posterior(*values, *grid, background=background)
    field = outliers.VelocityBackground(priors.Beta(1, 9), 100 * KMS, 30 * KMS)
    return Case(VelocityDispersion(outliers=field, **velocity_priors(*grid)), table, expected)


def real_velocities(shared_data):
    """Gaia's velocities of Blanco 1, whose lines of sight are all but parallel."""
    members = QTable.read(shared_data() / "gaia_dr2_clusters" / "nearby_clusters_gaia_dr2.ecsv")
    members = members[(members["cluster"] == "Blanco1") & ~members["radial_velocity"].mask]
    names = "radial_velocity", "radial_velocity_error"
    grid = np.linspace(4, 8, 41), np.linspace(-1, 2.5, 61)
    expected, _ = velocity_posterior(*arrays(members, *names), *grid)
    roles = dict(zip(("velocity", "velocity_error", "star"), (*names, "source_id"), strict=True))
    return Case(VelocityDispersion(columns=roles, **velocity_priors(*grid)), members, expected)


def mass_priors(mu, lnsigma):
    """Flat over the range of a grid, which holds the posterior."""
    return populations.Normal(
        mu=priors.Uniform(mu[0] * u.Msun, mu[-1] * u.Msun),
        lnsigma=priors.Uniform(lnsigma[0], lnsigma[-1]),
    )


def mass_posterior(value, error, mu, lnsigma):
    """Means and sds on a grid, the density of a value being normal (errors may be tiny)."""
    centre, ln_sd = np.meshgrid(mu, lnsigma, indexing="ij")
    log_p = sum(
        stats.norm.logpdf(y, centre, np.hypot(np.exp(ln_sd), e))
        for y, e in zip(value, error, strict=True)
    )
    p = np.exp(log_p - log_p.max())
    of = {"mu": (mu, p.sum(axis=1)), "lnsigma": (lnsigma, p.sum(axis=0))}
    mean = {name: np.average(x, weights=weight) for name, (x, weight) in of.items()}
    return {
        name: (mean[name], np.sqrt(np.average((x - mean[name]) ** 2, weights=weight)))
        for name, (x, weight) in of.items()
    }


def simulated_samples(shared_data):
    """Draws under a flat interim prior, so many that their sums have no error to speak of."""
    rng = np.random.default_rng(6)
    error = rng.uniform(0.05, 0.2, 30)
    value = rng.normal(rng.normal(1.4, 0.15, 30), error)
    # equally probable values instead of random ones
    levels = (np.arange(3000) + 0.5) / 3000
    draws = value[:, None] + error[:, None] * stats.norm.ppf(levels)
    grid = np.linspace(1.2, 1.6, 61), np.linspace(-3.5, -0.7, 81)
    model = SamplePopulation(quantity="mass", interim="flat", population=mass_priors(*grid))
    return Case(model, QTable({"samples": draws * u.Msun}), mass_posterior(value, error, *grid))


def real_samples(shared_data):
    """Masses of neutron stars, measured with errors."""
    table = QTable.read(shared_data() / "neutron_stars" / "masses.ecsv")
    value, error = (table[name].to_value(u.Msun) for name in ("mass", "mass_error"))
    grid = np.linspace(1.2, 1.7, 81), np.linspace(-2.6, -0.5, 81)
    model = SamplePopulation(
        quantity="mass", columns={"object": "star"}, population=mass_priors(*grid)
    )
    return Case(model, table, mass_posterior(value, error, *grid))


def relation_posterior(table, known, alpha, beta):
    """Moments of alpha and beta, with flat priors, where all else is known."""
    stars = relation_reference.Stars(
        np.log10(table["period"].to_value(u.day)),
        *arrays(table, "magnitude", "magnitude_error", "parallax", "parallax_error"),
        feh=table["feh"].value,
        feh_error=table["feh_error"].value,
    )
    log_density = [
        [
            relation_reference.log_density(
                known | {"alpha": a, "beta": b}, stars, relation_reference.log_integrals
            ).sum()
            for b in beta
        ]
        for a in alpha
    ]
    return grid_moments({"alpha": alpha, "beta": beta}, np.array(log_density))


def simulated_relation(shared_data):
    """A relation of which all but zero point and slope is known, with outliers."""
    table = datasets.make_period_luminosity(12, parallax_error=0.2 * u.mas, random_state=5)
    known = {
        "gamma": 0.2, "scatter": 0.1, "mu_log_period": -0.27, "sigma_log_period": 0.07,
        "mu_feh": -1.4, "sigma_feh": 0.4, "mu_modulus": 10.3, "sigma_modulus": 0.9,
        "feh_period": -3.0, "modulus_period": 0.9, "modulus_feh": -0.3,
        "outlier_fraction": 0.1, "outlier_scatter": 0.5,
    }  # fmt: skip
    grid = np.linspace(-2.7, 1.1, 39), np.linspace(-8, 5, 39)
    units = {p.name: p.unit for p in PeriodLuminosity().parameters}
    of_outliers = outliers.WiderScatter(0.1, 0.5 * u.mag)
    given = {n: value * units[n] for n, value in known.items() if n in units}
    model = PeriodLuminosity(
        alpha=priors.Uniform(*grid[0][[0, -1]] * u.mag),
        beta=priors.Uniform(*grid[1][[0, -1]] * u.mag / u.dex),
        outliers=of_outliers, **given,
    )  # fmt: skip
    return Case(model, table, relation_posterior(table, known, *grid))


def real_relation(shared_data):
    """RR Lyrae stars, with the priors of Delgado et al. (2019, A&A 623, A156)."""
    table = QTable.read(shared_data() / "rr_lyrae_tgas" / "rr_lyrae.ecsv")
    table["extinction"] = 0.114 * table["AV"]
    table["extinction_error"] = 0.1 * table["extinction"]
    table["period_error"] = 0.01 * np.log(10) * table["period"]
    slope, per_ln = u.mag / u.dex, 5 / np.log(10)
    model = PeriodLuminosity(
        alpha=priors.Normal(0 * u.mag, 3 * u.mag),
        beta=priors.StudentT(1, 0, 1 * slope, upper=0),
        gamma=priors.StudentT(1, 0, 1 * slope, *np.tan([-np.pi / 6, np.pi / 6]) * slope),
        mu_log_period=priors.Normal(0, 10 * u.dex), sigma_log_period=priors.Exponential(10 * u.dex),
        mu_feh=priors.Normal(0, 10 * u.dex), sigma_feh=priors.Exponential(10 * u.dex),
        mu_modulus=priors.Normal(10 * u.mag, 10 * per_ln * u.mag),
        sigma_modulus=priors.Exponential(100 * per_ln * u.mag), trends=False,
        zero_point=0 * u.mas, columns={"magnitude": "Ks", "magnitude_error": "Ks_error"},
    )  # fmt: skip
    # by importance sampling of the density in relation_reference; the tangent of the angle that
    # comes with the data, -.767 and .274
    expected = {"beta": (-1.11, 0.567), "gamma": (0.067, 0.103), "alpha": (-0.687, 0.258)}
    return Case(model, table, expected, nuts=None)


CASES = {
    PeriodLuminosity: [simulated_relation, real_relation],
    StarCluster: [
        simulated_cluster,
        simulated_contaminated_cluster,
        simulated_correlated_cluster,
        real_cluster,
    ],
    SB1Binary: [
        simulated_binary,
        scattered_binary,
        instruments_binary,
        ambiguous_binary,
        real_binary,
    ],
    BinaryPopulation: [
        simulated_population,
        scattered_population,
        layered_population,
        ambiguous_population,
        real_population,
    ],
    SamplePopulation: [simulated_samples, real_samples],
    VelocityDispersion: [
        simulated_velocities,
        simulated_redshifts,
        simulated_interlopers,
        real_velocities,
    ],
}


@pytest.fixture(scope="module", params=chain(*CASES.values()), ids=lambda make: make.__name__)
def case(request):
    return request.param(lambda: request.getfixturevalue("shared_data"))


@pytest.fixture(scope="module")
def marginal(case):
    return case.model.fit(case.table, random_state=0, progressbar=False)


@pytest.mark.slow
def test_marginal_is_brute_force(case, marginal):
    # The Monte Carlo error of 4000 independent draws is 0.016 sd of a mean, 0.011 of an sd.
    expected = dict(case.expected)
    if "evidence" in expected:
        found = marginal.posterior.attrs["log_evidence"]
        assert found == pytest.approx(expected.pop("evidence"), abs=0.02)
    for name, (mean, sd) in expected.items():
        draws = marginal.samples(name).value
        assert abs(draws.mean() - mean) < 0.1 * sd, name
        assert draws.std() == pytest.approx(sd, rel=0.1), name


@pytest.mark.slow
def test_nuts_is_marginal(case, marginal):
    # False alarm: 4.8 standard errors each, 2e-6, of both methods together; some 600 means.
    if case.nuts is None:
        pytest.skip("stays in the mode where it starts, or is compared on simulated data")
    nuts = type(case.model)(**case.model.get_params()).fit(
        case.table, method="nuts", tune=700, draws=600, chains=2, random_state=1,
        progressbar=False, **case.nuts,
    )  # fmt: skip
    assert set(nuts.posterior) == set(marginal.posterior)
    for name in nuts.posterior:
        assert nuts.posterior[name].dims == marginal.posterior[name].dims
        assert nuts.posterior[name].attrs == marginal.posterior[name].attrs
    sampled, exact = nuts.summary("all"), marginal.summary("all")
    varies = exact["sd"] > 1e-12  # not what was given as a plain value
    assert sampled["mean"][~varies] == pytest.approx(exact["mean"][~varies])
    sampled, exact = sampled[varies], exact[varies]
    error = np.hypot(sampled["mcse_mean"], exact["mcse_mean"])
    assert np.all(np.abs(sampled["mean"] - exact["mean"]) <= 4.8 * error)
    assert np.median(sampled["sd"] / exact["sd"]) == pytest.approx(1, abs=0.06)
    # the same function of the parameters, whoever drew them
    heights = [fit.samples("log_prob").value for fit in (nuts, marginal)]
    assert abs(heights[0].mean() - heights[1].mean()) < 0.5


def test_every_model_has_cases_on_simulated_and_real_data():
    exported = [getattr(astro_hier, name) for name in astro_hier.__all__]
    models = {v for v in exported if isinstance(v, type)}
    assert set(CASES) == {m for m in models if issubclass(m, HierarchicalModel)}
    for made in CASES.values():
        assert {"simulated", "real"} <= {make.__name__.split("_")[0] for make in made}
