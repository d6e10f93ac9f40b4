"""Claims about populations of eccentric orbits, against integrals and draws of other kinds."""

import warnings
from dataclasses import dataclass, replace

import astropy.units as u
import joblib
import numpy as np
import pytest
from astropy.table import QTable, vstack
from orbit_reference import Star, about, broad, shapes
from scipy import stats

from astro_hier import BinaryPopulation, SB1Binary, columns, datasets, populations, priors
from astro_hier.checks import CheckWarning
from astro_hier.core import eccentric_population, plane
from astro_hier.models.binary_population.data import FRACTION
from astro_hier.populations.eccentricity_families import BETA
from astro_hier.populations.normal import MU

KMS = u.km / u.s
AMPLITUDE = priors.Normal(0 * KMS, 15 * KMS)
CELLS = 0.02  # what cells add to the errors of ln p(v), for populations far wider than they are
VISITS = {1: 3.0, 2: 3.0, 3: 3.0, 5: 3.0, 8: 4.0, 15: 0.5}  # and their errors, km/s


def visits(rng, number, error, ln_period=None, e=None, name="s", has=True):
    """The visits of one star, and its ln P, e and phase at the mean time."""
    time = np.sort(rng.uniform(0, 800, number))
    time -= time[0]
    ln_period = rng.normal(3.5, 1.0) if ln_period is None else ln_period
    e = rng.beta(1.2, 3) if e is None else e
    phase, omega = rng.random(), rng.uniform(0, 2 * np.pi)
    K = 15 * np.sqrt(rng.chisquare(2)) * has
    centred = time - time.mean()
    x, y = shapes(2 * np.pi * (centred / np.exp(ln_period) + phase), np.full(number, e))
    rv = K * (np.cos(omega) * x + np.sin(omega) * y) + rng.normal(0, 30)
    rv += rng.normal(0, error, number)
    table = QTable(
        {"star": [name] * number, "time": time * u.day, "rv": rv * KMS,
         "rv_error": np.full(number, error) * KMS}
    )  # fmt: skip
    return table, (ln_period, e, phase)


def sample(rng, stars, **options):
    """The table of several stars, and their orbits."""
    made = [visits(rng, *of, name=f"s{n:03d}", **options) for n, of in enumerate(stars)]
    return vstack([table for table, _ in made]), [orbit for _, orbit in made]


def prepared(table, **options):
    options = {"eccentricity": True, "amplitude": AMPLITUDE} | options
    model = BinaryPopulation(**options)
    return model.prepare(model.read(table), progressbar=False)


def fit(table, seed=1, **options):
    options = {"eccentricity": True, "amplitude": AMPLITUDE} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckWarning)
        return BinaryPopulation(**options).fit(table, random_state=seed, progressbar=False)


def star_of(data, n, amplitude=lambda P, e: 15.0, of_time=()):
    rows = data.rows_of[n]
    time = data.time[rows]
    more = tuple((column(time), sd) for column, sd in of_time)
    return Star(time - time.mean(), data.rv[rows], data.rv_error[rows], amplitude, columns=more)


def beta_theta(mu, sigma, alpha, beta, size=1):
    values = {"mu": mu, "lnsigma": np.log(sigma), "alpha_e": alpha, "beta_e": beta}
    return {name: np.full(size, float(value)) for name, value in values.items()}


def beta_density(mu, sigma, alpha, beta):
    return lambda x, e: stats.norm.logpdf(x, mu, sigma) + stats.beta.logpdf(e, alpha, beta)


def error_of(data, theta):
    """The stated standard error of each star's ln p(v): small, whatever else is wrong."""
    log_shares = data.plane.log_shares(data.shares(theta), data.matrix)
    outside = data.population.outside(theta, data.log_ends)
    error = np.sqrt(data.matrix.relative_variance(log_shares, outside)[0])
    assert np.all(error < 0.1)
    return error


def assert_likelihood(data, n, points, theta, log_density):
    """ln p(v) of star n within four standard errors, and what cells add.

    False alarm: one in 10,000.
    """
    expected, error = points.log_likelihood(log_density)
    allowed = 4 * np.hypot(error, error_of(data, theta)[n]) + CELLS
    assert abs(data.with_orbit(theta)[0, n] - expected) < allowed


@pytest.fixture(scope="module")
def stars():
    """A star of each number of visits, and points of the reference for each."""
    rng = np.random.default_rng(5)
    table, orbits = sample(rng, VISITS.items())
    data = prepared(table, companion_fraction=priors.Uniform(0, 1))
    points = []
    for n, number in enumerate(VISITS):
        star = star_of(data, n)
        if number < 15:
            points.append(broad(star, data.log_ends, 200_000, rng))
        else:
            points.append(about(star, data.log_ends, orbits[n], 40_000, rng))
    return data, points


@pytest.mark.parametrize(
    "given", [(3.5, 0.5, 0.867, 3.03), (3.5, 1.0, 2, 2), (3.0, 1.2, 0.867, 3.03)], ids=repr
)
def test_likelihoods_of_a_beta_distribution_are_those_of_points(stars, given):
    data, points = stars
    for n, of in enumerate(points):
        assert_likelihood(data, n, of, beta_theta(*given), beta_density(*given))


def test_likelihoods_of_a_rayleigh_distribution_are_those_of_points(stars):
    data, points = stars
    rayleigh = populations.Rayleigh()
    data = replace(data, population=replace(data.population, eccentricity=rayleigh))
    theta = {"mu": np.full(1, 3.5), "lnsigma": np.zeros(1), "sigma_e": np.full(1, 0.3)}

    def log_density(x, e):
        cut = np.log(stats.rayleigh.cdf(1, scale=0.3))
        return stats.norm.logpdf(x, 3.5, 1.0) + stats.rayleigh.logpdf(e, scale=0.3) - cut

    for n, of in enumerate(points):
        assert_likelihood(data, n, of, theta, log_density)


def per_year(time):
    return time / 365.25


OPTIONS = {
    "jitter": {"jitter": priors.LogUniform(0.1 * KMS, 20 * KMS)},
    "amplitude": {"amplitude": priors.PeriodScaled(10 * KMS, 100 * u.day)},
    "trend": {"trend": (priors.Normal(0 * KMS / u.yr, 8 * KMS / u.yr),)},
}


@pytest.mark.parametrize("option", OPTIONS)
def test_likelihoods_with_options_are_those_of_points(option):
    rng = np.random.default_rng(8)
    table, _ = sample(rng, [(3, 3.0), (6, 4.0)])
    data = prepared(table, **OPTIONS[option])
    given = (3.5, 1.0, 0.867, 3.03)
    for n in range(2):
        star = star_of(data, n, of_time=((per_year, 8.0),) if option == "trend" else ())
        if option == "amplitude":
            scale = lambda P, e: 10 * (P / 100) ** (-1 / 3) / np.sqrt(1 - e**2)  # noqa: E731
            star = replace(star, amplitude=scale)
        scatter = None
        if option == "jitter":
            scatter = lambda size: np.exp(rng.uniform(np.log(0.1), np.log(20), size))  # noqa: E731
        points = broad(star, data.log_ends, 200_000, rng, scatter)
        assert_likelihood(data, n, points, beta_theta(*given), beta_density(*given))


def test_a_star_of_one_visit_says_nothing_of_the_population(stars):
    data, _ = stars
    theta = {name: np.append(of, beta_theta(2.5, 0.8, 2, 2)[name])
             for name, of in beta_theta(3.5, 1.0, 0.867, 3.03).items()}  # fmt: skip
    found = data.with_orbit(theta)[:, 0]
    # velocities are spread by e cos(omega), little beside the prior of v0
    assert abs(found[0] - found[1]) < CELLS


def test_a_star_has_a_companion_or_a_constant_velocity(stars):
    data, points = stars
    given, share = (3.5, 1.0, 0.867, 3.03), 0.3
    theta = beta_theta(*given) | {FRACTION: np.full(1, share)}
    found, probability = data.log_likelihood(theta)[0], data.companions(theta)["companion"][0]
    for n, of in enumerate(points):
        constant = star_of(data, n).constant()[0]
        assert data.without_orbit(theta)[0, n] == pytest.approx(constant, abs=1e-9)
        orbit, error = of.log_likelihood(beta_density(*given))
        mixed = np.logaddexp(np.log(share) + orbit, np.log(1 - share) + constant)
        by_hand = np.exp(np.log(share) + orbit - mixed)
        allowed = 4 * np.hypot(error, error_of(data, theta)[n]) + CELLS
        assert abs(found[n] - mixed) < allowed
        assert abs(probability[n] - by_hand) < allowed * by_hand * (1 - by_hand) + 1e-9


def test_a_companion_is_as_probable_as_before_after_one_visit(stars):
    data, _ = stars
    theta = beta_theta(3.5, 1.0, 0.867, 3.03) | {FRACTION: np.full(1, 0.3)}
    # 15 km/s beside the 150 km/s of v0
    assert abs(data.companions(theta)["companion"][0, 0] - 0.3) < 0.01


def test_constant_velocities_have_their_scatter():
    table, _ = sample(np.random.default_rng(1), [(6, 1.0)], has=False)
    data = prepared(
        table, companion_fraction=priors.Uniform(0, 1), jitter=OPTIONS["jitter"]["jitter"]
    )
    s = np.geomspace(0.1, 20, 4001)
    each = np.exp(star_of(data, 0).constant(s))
    expected = np.log(np.trapezoid(each, np.log(s)) / np.log(200))
    assert data.without_orbit({})[0, 0] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("given", [(3.5, 1.0, 1.2, 3.0), (3.2, 0.5, 2.0, 2.0)], ids=repr)
def test_draws_given_the_population_have_their_distribution(stars, given):
    data, points = stars
    size, rng = 2000, np.random.default_rng(2)
    drawn = data.draw_stars(beta_theta(*given, size=size), rng, 1, False)
    for n, number in enumerate(VISITS):
        if number in (2, 8):  # others of few and of many visits do
            continue
        star = star_of(data, n)
        chosen = points[n].draw(beta_density(*given), size, rng)
        ln_period, e, phase = (getattr(points[n], k)[chosen] for k in ("ln_period", "e", "phase"))
        A, B, v0 = star.draw_linear(ln_period, e, phase, rng)
        period, mean_time = drawn["P"][:, n], data.time[data.rows_of[n]].mean()
        since = (mean_time - drawn["t_peri"][:, n]) / period
        both = [
            (np.log(period), ln_period),
            (drawn["e"][:, n], e),
            (drawn["K"][:, n], np.hypot(A, B)),
            (drawn["v0"][:, n], v0),
            (np.sin(drawn["omega"][:, n]), B / np.hypot(A, B)),
            (np.sin(2 * np.pi * since), np.sin(2 * np.pi * phase)),
        ]
        # Of 2,000 draws some share an orbit, as those of the reference do: there are 400 different
        # ones or more. False alarm: one in 1,000 of all 48 together.
        for found, expected in both:
            distance = stats.ks_2samp(found, expected).statistic
            assert distance < stats.kstwobign.isf(2e-5) * np.sqrt(2 / 400)


def assert_same(model, other, sds=0.05):
    """Two posteriors of the same parameters.

    Two sets of 4,000 effective draws differ by .02 standard deviations. False alarm: one in 100.
    """
    for name in model.sampled_names():
        values, others = model.samples(name).value, other.samples(name).value
        assert abs(values.mean() - others.mean()) < sds * values.std()
        assert others.std() == pytest.approx(values.std(), rel=0.06)
    evidence = [m.posterior.attrs["log_evidence"] for m in (model, other)]
    assert abs(evidence[0] - evidence[1]) < 0.15


def test_circles_on_cells_are_those_on_needles(shared_data):
    table = QTable.read(shared_data / "apogee_binaries" / "apogee-binaries.fits")
    circles = [
        fit(table, columns=columns.APOGEE, eccentricity=e, amplitude=None) for e in (None, 0)
    ]
    assert_same(*circles)
    theta = {name: circles[0].samples(name).value[::100] for name in ("mu", "lnsigma")}
    found = [model.fitted_data().log_likelihood(theta) for model in circles]
    assert np.abs(found[0] - found[1]).max() < 0.05


@pytest.mark.slow
def test_circles_and_constant_velocities_on_cells_are_those_on_needles():
    parts = {
        "star": datasets.make_binaries(20, 10, random_state=3),
        "still": datasets.make_binaries(10, 10, amplitude=1e-6 * KMS, random_state=6),
        "lonely": datasets.make_binaries(10, 1, random_state=7),
    }
    for name, table in parts.items():
        table["star"] = [f"{name}-{star}" for star in table["star"]]
    table = vstack(list(parts.values()), metadata_conflicts="silent")
    common = {"companion_fraction": priors.Uniform(0, 1), "amplitude": None}
    circles = [fit(table, eccentricity=e, **common) for e in (None, 0)]
    assert_same(*circles)
    found = [model.samples("companion").value.mean(axis=0) for model in circles]
    np.testing.assert_allclose(found[0], found[1], atol=0.01)


@pytest.mark.slow
def test_draws_of_single_stars_lead_to_the_same_population():
    """Hogg, Myers & Bovy (2010): the likelihood from draws made under an interim prior.

    Of the population beyond either end, the orbits are those of the outermost periods.
    """
    rng = np.random.default_rng(4)
    table, _ = sample(rng, [(int(n), 1.0) for n in rng.integers(8, 14, 12)])
    ends = 1.0, 2000.0
    model = fit(table, period_range=ends * u.day)
    interim = stats.beta(1, 2)
    alone = SB1Binary(
        P=priors.LogUniform(*(end * u.day for end in ends)),
        eccentricity=priors.Beta(1, 2), amplitude=AMPLITUDE,
    )  # fmt: skip
    theta = {name: model.samples(name).value[::2] for name in model.sampled_names()}
    mu, sigma, a, b = (of[:, None] for of in theta.values())
    low, high = np.log(ends)
    beyond = np.hstack([stats.norm.cdf(low, mu, np.exp(sigma)),
                        stats.norm.sf(high, mu, np.exp(sigma))])  # fmt: skip
    log_ratio = -model.fitted_data().log_marginal(theta)
    for name in np.unique(table["star"]):
        one = table[table["star"] == name]["time", "rv", "rv_error"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CheckWarning)
            alone.fit(one, random_state=1, progressbar=False)
        x, e = np.log(alone.samples("P").value), alone.samples("e").value
        outermost = np.array([x < low + 0.5, x > high - 0.5]) / 0.5
        density = stats.norm.pdf(x, mu, np.exp(sigma)) + beyond @ outermost
        of_e = np.exp(stats.beta.logpdf(e, a, b) - interim.logpdf(e))
        log_ratio += np.log(np.mean(density * of_e, axis=1))
    weight = np.exp(log_ratio - log_ratio.max())
    weight /= weight.sum()
    assert np.std(log_ratio) < 0.15
    for name, values in theta.items():
        assert abs(weight @ values - values.mean()) < 0.1 * values.std(), name


@dataclass(frozen=True)
class Own(populations.PeriodEccentricity):
    """ln P ~ Normal(mu, 1), e ~ Beta(1, beta_e): a density and a starting point, no more."""

    mu: priors.Prior = priors.Uniform(-2, 12)
    beta_e: priors.Prior = priors.LogNormal(0, 1, scale=3)

    parameters = (MU, BETA)
    sampled = ("mu", "beta_e")

    def log_density(self, ln_period, e, theta, ends):
        mu, beta = theta["mu"][:, None], theta["beta_e"][:, None]
        return stats.norm.logpdf(ln_period, mu, 1) + stats.beta.logpdf(e, 1, beta)

    def initial(self, ln_period, e):
        return {"mu": np.mean(ln_period), "beta_e": 2.0}


def test_a_density_of_ones_own_has_the_likelihood_of_its_factors(stars):
    data, _ = stars
    model = BinaryPopulation(population=Own())
    assert plane.edges(data.log_ends, Own().smallest_width(model.frozen_priors()))[0].size == 101
    theta = {"mu": np.array([3.0, 4.0]), "beta_e": np.array([2.0, 3.0])}
    found = replace(data, population=Own()).with_orbit(theta)
    both = theta | {"lnsigma": np.zeros(2), "alpha_e": np.ones(2)}
    # beyond the range searched, where this has nothing, there is little of it
    np.testing.assert_allclose(found, data.with_orbit(both), atol=1e-3)


POPULATIONS = [
    *({"eccentricity": of} for of in (
        populations.Beta(), populations.Rayleigh(), populations.Exponential(), populations.Gamma(),
        populations.RayleighExponential(), populations.EccentricityHistogram(),
        priors.Beta(0.867, 3.03),
    )),
    *({"population": of} for of in (
        populations.TruncatedNormal(), populations.NormalMixture(), populations.PowerLaw(),
        populations.PeriodHistogram(edges=tuple(np.geomspace(1, 2000, 8)) * u.day),
    )),
    *({"population": of, "eccentricity": None} for of in (populations.Circularised(),)),
]  # fmt: skip


@pytest.fixture(scope="module")
def fifteen():
    return sample(np.random.default_rng(6), [(8, 1.0)] * 15)[0]


@pytest.fixture(scope="module")
def found_before():
    """Searches that have been made before, whose results depend on what they are given alone."""
    search, made = eccentric_population._search, {}

    def once(visits, prior, rng):
        plain = replace(visits, amplitude=None)  # the prior has the amplitudes as well
        key = joblib.hash((plain, prior, rng.bit_generator.state))
        if key not in made:
            made[key] = search(visits, prior, rng), rng.bit_generator.state
        found, rng.bit_generator.state = made[key]
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(eccentric_population, "_search", once)
        yield


@pytest.mark.slow
@pytest.mark.parametrize("options", POPULATIONS, ids=lambda options: repr(options)[:60])
def test_every_population_is_fitted_and_saved(fifteen, found_before, tmp_path, options):
    model = fit(fifteen, period_range=(1, 2000) * u.day, **options)
    theta = {name: model.samples(name).value for name in model.sampled_names()}
    theta |= {name: model.posterior[name].values.reshape(len(model.samples("P")), -1)
              for name in model.distribution.standard_normals}  # fmt: skip
    theta = {name: of[::40] for name, of in theta.items()}
    ends = tuple(np.log([1.0, 2000.0]))
    ln_period, e = model.distribution.draw(theta, ends, 200, np.random.default_rng(0))
    # the mean of 15 is known to sd / sqrt(15): four of these, and one for the prior
    if not isinstance(model.population, populations.PowerLaw):
        assert abs(ln_period.mean() - 3.5) < 5 / np.sqrt(15)
    assert abs(e.mean() - 1.2 / 4.2) < 5 * 0.2 / np.sqrt(15)
    assert np.all((model.samples("e").value >= 0) & (model.samples("e").value < 1))
    model.save(tmp_path / "model.nc")
    loaded = BinaryPopulation.load(tmp_path / "model.nc")
    assert loaded.distribution == model.distribution
    for name in (*model.sampled_names(), "P", "e", "K", "omega", "t_peri"):
        np.testing.assert_array_equal(loaded.samples(name).value, model.samples(name).value)
    few = {name: of[:3] for name, of in theta.items()}
    found = loaded.fitted_data().log_likelihood(few)
    np.testing.assert_allclose(found, model.fitted_data().log_likelihood(few), rtol=1e-12)


@pytest.mark.slow
def test_the_period_of_circularisation_is_found():
    rng = np.random.default_rng(9)
    ln_period = rng.normal(2.3, 1.0, 30)
    made = [
        visits(rng, 10, 0.5, x, 0.0 if x < np.log(10) else None, f"s{n:03d}")
        for n, x in enumerate(ln_period)
    ]
    table = vstack([of for of, _ in made])
    model = fit(table, population=populations.Circularised(), eccentricity=None)
    found = model.samples("ln_P_circ").value
    e = np.array([orbit[1] for _, orbit in made])
    # it lies between the longest circle and the shortest ellipse that show it
    shortest = np.sort(ln_period[e > 0.1])[0]
    longest = np.sort(ln_period[e == 0])[-1]
    assert np.quantile(found, 0.01) > longest - 0.15
    assert np.quantile(found, 0.5) < shortest + 0.15
    assert abs(found.mean() - np.log(10)) < 4 * found.std() + 0.1


@pytest.mark.slow
def test_ranks_of_true_fractions_are_uniform():
    rng = np.random.default_rng(12)
    given, n_trials, n_stars = (3.5, 1.0, 1.2, 3.0), 40, 5
    fractions = rng.random(n_trials)
    has = rng.random((n_trials, n_stars)) < fractions[:, None]
    made = [
        visits(rng, rng.integers(1, 7), 3.0, name=f"s{n:03d}", has=of)[0]
        for n, of in enumerate(has.ravel())
    ]
    data = prepared(vstack(made), companion_fraction=priors.Uniform(0, 1))
    grid = (np.arange(400) + 0.5) / 400
    theta = beta_theta(*given, size=400) | {FRACTION: grid}
    each = data.log_likelihood(theta).reshape(400, n_trials, n_stars).sum(axis=2)
    mass = np.exp(each - each.max(axis=0))
    below = np.cumsum(mass, axis=0) - 0.5 * mass
    rank = [np.interp(f, grid, of / total)
            for f, of, total in zip(fractions, below.T, mass.sum(axis=0), strict=True)]  # fmt: skip
    # False alarm: one in 1,000
    assert stats.kstest(rank, "uniform").pvalue > 1e-3


@pytest.mark.slow
def test_nuts_samples_the_same_posterior():
    # False alarm: means are compared at 4.5 standard errors, once in 20,000 over all
    table = datasets.make_binaries(4, 16, eccentricity=(1.5, 3), random_state=2)
    model = BinaryPopulation(
        mu=priors.Normal(2, 1), lnsigma=priors.Normal(0, 0.3), eccentricity=populations.Beta(),
        amplitude=priors.Normal(0 * KMS, 20 * KMS),
    )  # fmt: skip
    exact = model.fit(table, random_state=1, progressbar=False)
    means = {name: exact.samples(name).value.mean(axis=0) for name in ("mu", "alpha_e", "e", "K")}
    chains = model.fit(table, method="nuts", draws=500, chains=2, random_state=1, progressbar=False)
    for name, mean in means.items():
        draws = chains.samples(name).value
        effective = chains.posterior[name].sizes["draw"] / 2  # far below what summary() says
        error = draws.std(axis=0) / np.sqrt(effective)
        assert np.all(np.abs(draws.mean(axis=0) - mean) < 4.5 * error), name


def test_populations_that_are_not_computed_and_a_fraction_of_one_are_no_trouble():
    table = datasets.make_binaries(4, 8, random_state=1)
    model = BinaryPopulation(
        mu=priors.Normal(2, 1), lnsigma=priors.Normal(0, 3),
        companion_fraction=priors.Uniform(0, 1), star_draws=False,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=CheckWarning)
        data = model.fit(table, random_state=1, progressbar=False, certify=False).fitted_data()
    theta = {"mu": np.full(3, 2.0), "lnsigma": np.array([-20.0, -20.0, 0.0]),
             "companion_fraction": np.array([0.5, 1.0, 1.0])}  # fmt: skip
    found = data.log_marginal(theta)
    assert np.isneginf(found[:2]).all()
    assert np.isfinite(found[2])
    assert np.all(data.companions(theta)["companion"][2] == 1)
