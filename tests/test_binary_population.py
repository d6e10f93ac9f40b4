"""Claims about the population of periods, on simulated and real binaries."""

import re
import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, vstack
from astropy.time import Time
from astropy.utils.exceptions import AstropyUserWarning
from scipy import stats

from astro_hier import (
    BinaryPopulation,
    SavedFileError,
    SB1Binary,
    columns,
    datasets,
    populations,
    priors,
)
from astro_hier.checks import CheckWarning
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.posterior import SAVED, register

# of the tutorial's binaries, whose scatter is what it is
pytestmark = pytest.mark.filterwarnings("ignore:chi2 per degree of freedom is higher")

KMS = u.km / u.s
LONELY = pytest.mark.filterwarnings(
    "ignore:no orbit is needed", "ignore:the visits say next to nothing"
)


def fit(table, seed=0, **options):
    return BinaryPopulation(**options).fit(table, random_state=seed, progressbar=False)


def moments(model, *names):
    return [(model.samples(n).value.mean(), model.samples(n).value.std()) for n in names]


@pytest.fixture(scope="module")
def apogee(shared_data):
    return QTable.read(shared_data / "apogee_binaries" / "apogee-binaries.fits")


@pytest.fixture(scope="module")
def tutorial(apogee):
    return fit(apogee, columns=columns.APOGEE)


@pytest.fixture(scope="module")
def table():
    return datasets.make_binaries(8, 12, random_state=3)


@pytest.fixture(scope="module")
def model(table):
    return fit(table)


def assert_tutorial(model, sds):
    (mu, mu_sd), (lnsigma, lnsigma_sd) = moments(model, "mu", "lnsigma")
    assert abs(mu - 1.811) < sds * 0.186
    assert abs(lnsigma + 0.382) < sds * 0.205
    assert mu_sd == pytest.approx(0.186, rel=0.05)
    assert lnsigma_sd == pytest.approx(0.205, rel=0.05)


def test_tutorial_population(tutorial):
    assert_tutorial(tutorial, 0.05)
    assert np.all(tutorial.summary()["ess_bulk"] > 2000)
    assert tutorial.posterior.sizes["star"] == 14
    assert tutorial.posterior["star"].values[0] == "2M01282954+8522331"


@pytest.mark.parametrize(
    "period_range", [(1.5 * u.day, 100 * u.day), (0.1 * u.day, 100 * u.yr)], ids=["narrow", "wide"]
)
@pytest.mark.filterwarnings("ignore:.*beyond the periods searched")
def test_the_range_searched_does_not_matter_to_real_stars(apogee, period_range):
    assert_tutorial(fit(apogee, columns=columns.APOGEE, period_range=period_range), 0.07)


@LONELY
def test_single_visits_say_nothing_of_the_periods(table, model):
    lonely = datasets.make_binaries(200, 1, random_state=5)
    lonely["star"] = np.char.add("lonely-", lonely["star"])
    table = vstack([table, lonely], metadata_conflicts="silent")
    found = fit(table, seed=1, star_draws=False)
    for (mean, sd), (expected, expected_sd) in zip(
        moments(found, "mu", "lnsigma"), moments(model, "mu", "lnsigma"), strict=True
    ):
        # Monte Carlo errors of both: five standard errors
        assert abs(mean - expected) < 0.11 * expected_sd
        assert sd == pytest.approx(expected_sd, rel=0.08)


@pytest.mark.filterwarnings("ignore:the data press")
@LONELY
def test_the_period_of_a_star_of_one_visit_is_drawn_from_the_population(table):
    lonely = datasets.make_binaries(1, 1, random_state=5)
    lonely["star"] = ["lonely"]
    found = fit(vstack([table, lonely], metadata_conflicts="silent"))
    lnP = found.posterior["lnP"].sel(star="lonely").values.ravel()
    mu, sigma = found.samples("mu").value, found.samples("sigma").value
    # False alarm: one in 10,000; the range searched cuts less than a percent off
    rank = stats.norm.cdf(lnP, mu, sigma)[::4]
    assert stats.kstest(rank, "uniform").pvalue > 1e-4


@pytest.mark.filterwarnings("ignore:the data allow", "ignore:the visits say next to nothing")
def test_a_star_of_few_visits_borrows_from_the_others():
    table = datasets.make_binaries(30, 14, mu=2.0, sigma=0.2, random_state=8)
    few = table[table["star"] == "star-0000"][:4]
    rest = table[table["star"] != "star-0000"]
    in_range = {"P": priors.LogUniform(0.5 * u.day, 1000 * u.day)}
    alone = SB1Binary(**in_range).fit(
        few["time", "rv", "rv_error"], random_state=0, progressbar=False
    )
    together = fit(vstack([rest, few], metadata_conflicts="silent"))
    truth = np.log(table.meta["truth"]["P"][0].value)
    lnP = together.posterior["lnP"].sel(star="star-0000").values
    assert lnP.std() < 0.5 * np.log(alone.samples("P").value).std()
    assert abs(lnP - truth).min() < 0.05
    assert abs(lnP.mean() - 2.0) < 1


@pytest.mark.parametrize("kind", ["bytes", "int", "reversed"])
def test_posterior_does_not_depend_on_ids_or_order(table, model, kind):
    other = table.copy()
    if kind == "bytes":
        other["star"] = np.char.encode(np.char.ljust(np.asarray(table["star"]), 20))
    elif kind == "int":
        other["star"] = [int(name[5:]) for name in table["star"]]
    else:
        other = other[::-1]
    found = fit(other)
    np.testing.assert_allclose(
        found.samples("mu").value, model.samples("mu").value, rtol=1e-6, atol=1e-6
    )
    np.testing.assert_allclose(
        found.samples("P").mean(axis=0).value, model.samples("P").mean(axis=0).value, rtol=1e-4
    )


def test_results_do_not_depend_on_n_jobs(table, model):
    found = fit(table, n_jobs=2)
    for name in ("mu", "P", "v0"):
        np.testing.assert_array_equal(found.samples(name).value, model.samples(name).value)


def test_star_table_describes_every_star(table, model):
    stars = model.star_table()
    truth = table.meta["truth"]
    assert list(stars["star"]) == list(model.posterior["star"].values)
    assert np.all(stars["n_visits"] == 12)
    assert stars["P"][0].unit == u.day
    draws = model.samples("P").value
    sure = stars["probability"] > 0.999
    assert sure.sum() >= 6
    np.testing.assert_allclose(stars["P"][sure].value, draws.mean(axis=0)[sure], rtol=1e-3)
    np.testing.assert_allclose(stars["P_map"][sure].value, truth["P"].value[sure], rtol=0.02)
    np.testing.assert_allclose(stars["K"][sure].value, truth["K"].value[sure], atol=1.5)
    assert np.all(stars["chi2_per_dof"][sure] < 4)


def test_draws_of_many_stars_are_kept_on_request_only(table):
    hyper = fit(table, star_draws=False)
    assert set(hyper.posterior) == {"mu", "lnsigma", "sigma", "log_prob"}
    assert len(hyper.star_table()) == 8
    assert list(hyper.summary("all")["parameter"]) == ["mu", "lnsigma", "sigma"]
    hyper.plot_population()
    with pytest.raises(ValueError, match="star_draws=True"):
        hyper.samples("P")


@pytest.mark.filterwarnings("ignore:the data press")
def test_a_population_beyond_the_range_is_warned_of(table):
    with pytest.warns(AstropyUserWarning, match=r"percent of the population lie beyond .*widen"):
        narrow = fit(table, period_range=(4 * u.day, 9 * u.day))
    assert narrow.posterior.attrs["outside_range"] > 0.01
    cut = fit(table, period_range=(4 * u.day, 9 * u.day), population=populations.TruncatedNormal())
    assert cut.posterior.attrs["outside_range"] == 0


@pytest.mark.parametrize("bad", [(3 * u.day, 1 * u.day), (1, 2), (1 * u.km, 2 * u.km), 5 * u.day])
def test_impossible_ranges_are_refused(table, bad):
    with pytest.raises(ValueError, match="expected two times"):
        fit(table, period_range=bad)


@pytest.mark.parametrize("population", ["normal", None, populations.Normal])
def test_what_is_no_population_is_refused(table, population):
    with pytest.raises(ValueError, match=r"expected one of astro_hier\.populations"):
        fit(table, population=population)


def test_impossible_arguments_are_refused(table):
    with pytest.raises(ValueError, match="expected 'auto', True or False"):
        fit(table, star_draws="yes")
    with pytest.raises(priors.PriorError, match=r"a=Uniform.*expected priors\.Normal"):
        fit(table, a=priors.Uniform(-10 * KMS, 10 * KMS))
    with pytest.raises(priors.PriorError, match="raise the prior on lnsigma above -6"):
        fit(table, lnsigma=-8.0)
    with pytest.raises(priors.PriorError, match="must lie between 0 and 1"):
        populations.NormalMixture(fraction1=priors.Uniform(0, 2))
    with pytest.raises(priors.PriorError, match="must not be negative"):
        populations.NormalMixture(separation=priors.Uniform(-2, 2))
    half = BinaryPopulation(population=populations.NormalMixture(fraction1=0.5))
    assert half.free_names() == ["mu1", "separation", "lnsigma1", "lnsigma2"]


def failed(model):
    return {finding.name: finding for finding in model.findings() if finding.failed}


def unheard(table, **options):
    """A fit, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckWarning)
        return fit(table, **options)


def test_stars_whose_errors_do_not_explain_their_scatter_are_named(table):
    wrong = table.copy()
    of = wrong["star"] == wrong["star"][0]
    wrong["rv"][of] += 30 * KMS * (-1) ** np.arange(of.sum())
    said = failed(unheard(wrong))["goodness_of_fit"]
    assert said.found == "1 of 8 stars, star-0000: p < 1e-300"
    # the likeliest cause first
    assert re.search(r"eccentricity=True first.*period_range= .*jitter=", said.python)
    assert re.search(r"eccentricity=True first.*--set period_range=.*--prior .jitter=", said.shell)
    expected = priors.LogUniform(1 * KMS, 100 * KMS)  # a jitter that was known to be large
    mended = failed(unheard(wrong, jitter=expected))
    assert not {"goodness_of_fit", "jitter"} & set(mended)


def test_a_jitter_far_beyond_the_errors_is_said_and_not_advised(table):
    few = table[table["star"] < "star-0003"]
    few["rv"][:12] += 20 * KMS * (-1) ** np.arange(12)
    options = {"population": populations.TruncatedNormal(), "period_range": (0.8, 60) * u.day}
    for jitter in (priors.LogUniform(0.01 * KMS, 100 * KMS), populations.LogNormalJitter()):
        said = failed(unheard(few, jitter=jitter, trend=1, **options))["jitter"]
        assert re.search(r"1 of 3 stars, star-0000: \d+ times the median error", said.found)
        assert "jitter=" not in said.python
        assert "trend=1" not in said.python


def eccentric(n_stars, n_visits, seed, e=0.6):
    """Visits to stars of an eccentricity of e."""
    rng = np.random.default_rng(seed)
    table = datasets.make_binaries(n_stars, n_visits, random_state=seed)
    truth = table.meta["truth"]
    P, K = (np.repeat(truth[name].value, n_visits) for name in ("P", "K"))
    M = 2 * np.pi * (table["time"].value / P + np.repeat(rng.random(n_stars), n_visits))
    E = M.copy()
    for _ in range(100):
        E -= (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
    nu = 2 * np.arctan2(np.sqrt(1 + e) * np.sin(E / 2), np.sqrt(1 - e) * np.cos(E / 2))
    omega = np.repeat(rng.uniform(0, 2 * np.pi, n_stars), n_visits)
    rv = K * (np.cos(nu + omega) + e * np.cos(omega)) + rng.normal(0, 0.3, len(M))
    table["rv"] = rv * KMS
    return table


def test_eccentric_stars_are_named_though_their_periods_look_certain():
    other = eccentric(6, 12, seed=3)
    other["star"] = np.char.add("eccentric-", other["star"])
    table = vstack([datasets.make_binaries(24, 12, random_state=1), other],
                   metadata_conflicts="silent")  # fmt: skip
    found = unheard(table)
    assert failed(found)["goodness_of_fit"].found.startswith("6 of 30 stars, eccentric-")
    stars = found.star_table()
    is_eccentric = np.char.startswith(stars["star"].astype(str), "eccentric")
    assert np.all(stars["probability"][is_eccentric] > 0.9)
    # False alarm: one percent, of the least p of 24
    assert np.all((stars["p_chi2"] < 0.01 / 30) == is_eccentric)
    bad, good = found.plot_phase(stars=["eccentric-star-0000", "star-0001"]).axes[::2]
    assert "dof = " in bad.get_title()
    assert "dof" not in good.get_title()


@pytest.fixture(scope="module")
def mixed(table):
    """Binaries, stars of constant velocity, and stars of one visit."""
    others = {
        "constant": datasets.make_binaries(3, 12, amplitude=1e-6 * KMS, random_state=6),
        "lonely": datasets.make_binaries(2, 1, random_state=5),
    }
    for name, other in others.items():
        other["star"] = [f"{name}-{star[-1]}" for star in other["star"]]
    return unheard(vstack([table, *others.values()], metadata_conflicts="silent"))


def test_stars_that_need_no_orbit_are_named(mixed):
    stars = mixed.star_table()
    still = ~np.char.startswith(stars["star"].astype(str), "star")
    assert np.all((stars["ln_bayes_factor"] < 3) == still)
    constant = np.char.startswith(stars["star"].astype(str), "constant")
    # 12 velocities of .3 km/s leave little
    assert np.all(stars["K_upper"][constant] < 1 * KMS)
    assert np.all((stars["K_upper"] / stars["K"])[~still] < 1.05)
    assert "5 of 13 stars, constant-" in failed(mixed)["orbit"].found
    assert mixed.summary().meta["stars_without_orbit"] == 5
    panel, other = mixed.plot_phase(stars=["constant-0", "star-0000"]).axes[::2]
    assert "no orbit needed:\nln B = -1" in panel.get_title()
    assert "P = 25.2" in other.get_title()


def test_stars_whose_visits_say_nothing_of_the_period_are_named(mixed):
    stars = mixed.star_table()
    silent = ~np.char.startswith(stars["star"].astype(str), "star")
    assert np.all((stars["period_information"] < 1) == silent)
    assert "5 of 13 stars, lonely-" in failed(mixed)["period_information"].found
    assert mixed.summary().meta["stars_without_period"] == 5
    # their periods are the population's
    mu, sigma = (mixed.samples(name).value.mean() for name in ("mu", "sigma"))
    lonely = stars[stars["star"] == "lonely-1"]
    low, high = (np.log(lonely[name].value[0]) for name in ("P_low", "P_high"))
    assert low == pytest.approx(mu - sigma, abs=0.3 * sigma)
    assert high == pytest.approx(mu + sigma, abs=0.3 * sigma)


def test_bayes_factors_and_limits_are_those_of_the_star_alone():
    table = datasets.make_binaries(3, 6, amplitude=1 * KMS, baseline=30 * u.day, random_state=1)
    range_ = (2 * u.day, 30 * u.day)
    # a population that is known and flat over the range, as good as
    wide = {"mu": np.log(60) / 2, "lnsigma": 3.0, "population": populations.TruncatedNormal()}
    for jitter in (None, priors.LogUniform(0.1 * KMS, 1 * KMS)):
        found = unheard(table, period_range=range_, jitter=jitter, **wide)
        stars = found.star_table()
        # draws are other draws of the same posterior: a quantile of 4,000 to 3 percent
        drawn = np.quantile(found.samples("K").value, 0.95, axis=0)
        np.testing.assert_allclose(stars["K_upper"].value, drawn, rtol=0.08)
        for row in stars:
            model = SB1Binary(P=priors.LogUniform(*range_), jitter=jitter)
            alone = model.compare(table[table["star"] == row["star"]], trend=0,
                                  jitter=jitter or 1 * KMS)  # fmt: skip
            evidence = dict(zip(alone["model"], alone["log_evidence"], strict=True))
            suffix = " + jitter" if jitter else ""
            expected = evidence[f"circular orbit{suffix}"] - evidence[f"constant velocity{suffix}"]
            assert row["ln_bayes_factor"] == pytest.approx(expected, abs=0.05)


def test_the_period_of_a_table_is_that_of_the_most_probable_mode():
    table = datasets.make_binaries(8, 5, random_state=3)
    found = unheard(table)
    stars, draws = found.star_table(), found.samples("P").value
    several = np.flatnonzero((stars["n_modes"] > 1) & (stars["probability"] > 0.3))
    assert several.size > 1
    for n in several:
        row = stars[n]
        assert row["P_low"] < row["P"] < row["P_high"]
        assert abs(row["P_map"] - row["P"]) < 4 * row["P_sd"]
        near = np.abs(draws[:, n] - row["P"].value) < 6 * row["P_sd"].value
        assert near.mean() == pytest.approx(row["probability"], abs=0.05)
        inside = draws[near, n]
        np.testing.assert_allclose(row["P"].value, np.median(inside), rtol=1e-3)
        middle = np.diff(np.quantile(inside, [0.16, 0.84]))[0]
        assert (row["P_high"] - row["P_low"]).value == pytest.approx(middle, rel=0.15)


def test_the_default_prior_holds_populations_of_hours_and_of_decades():
    # as hot Jupiters have them, and companions on orbits of decades
    for mu, sigma, baseline in ((0.6, 0.3, 1000 * u.day), (8.5, 0.7, 140 * u.yr)):
        table = datasets.make_binaries(15, 12, mu=mu, sigma=sigma, baseline=baseline,
                                       random_state=2)  # fmt: skip
        of_range = (0.3 * u.day, 100 * u.day) if mu < 1 else (300 * u.day, 300 * u.yr)
        found = unheard(table, period_range=of_range, star_draws=False)
        draws = found.samples("mu").value
        # False alarm: four standard deviations, 6e-5
        assert abs(draws.mean() - mu) < 4 * draws.std()
        assert 0.7 < draws.std() / (sigma / np.sqrt(15)) < 1.6


def test_offsets_beyond_their_prior_are_said(table):
    other = table[table["star"] < "star-0003"]
    other["tube"] = ["A", "B"] * 18
    other["rv"][1::2] += 76 * KMS
    said = failed(unheard(other, instrument="tube", star_draws=False))["offset"]
    assert re.search(r"offset\[B\] \(of 3 of 3 stars\) of up to 7[56]\.\d* km / s", said.said)
    assert "offset=priors.Normal(0 * u.km / u.s, 80 * u.km / u.s)" in said.python
    assert "--prior 'offset=Normal(0 km/s, 80 km/s)'" in said.shell
    wide = priors.Normal(0 * KMS, 80 * KMS)
    assert "offset" not in failed(unheard(other, instrument="tube", offset=wide))


def test_the_star_of_the_worst_integral_is_named(model):
    (finding,) = [finding for finding in model.findings() if finding.name == "period_error"]
    assert float(finding.found) == pytest.approx(model.posterior.attrs["period_error"], rel=0.1)
    bad = orbit_checks.check_error(0.2, "star-0001")
    assert "ln P of star-0001 is only good to 0.2 standard deviations" in bad.message()


@pytest.mark.filterwarnings("ignore:the data press")
def test_a_wide_range_cuts_no_truncated_normal(table, model):
    # False alarm: 4.5 standard errors each.
    wide = (0.01 * u.day, 1e6 * u.day)
    cut = fit(table, population=populations.TruncatedNormal(), period_range=wide)
    for (mean, sd), (expected, _) in zip(
        moments(cut, "mu", "lnsigma"), moments(model, "mu", "lnsigma"), strict=True
    ):
        assert abs(mean - expected) < 0.1 * sd


def test_two_groups_of_periods_are_two_components(tmp_path):
    short = datasets.make_binaries(20, 12, mu=1.0, sigma=0.3, random_state=1)
    long = datasets.make_binaries(20, 12, mu=4.0, sigma=0.3, random_state=2)
    long["star"] = np.char.add("long-", long["star"])
    table = vstack([short, long], metadata_conflicts="silent")
    mixture = fit(table, population=populations.NormalMixture())
    expected = {"mu1": 1.0, "mu2": 4.0, "fraction1": 0.5}
    for name, value in expected.items():
        draws = mixture.samples(name).value
        assert abs(draws.mean() - value) < 4 * draws.std()
    normal = fit(table)
    gain = mixture.posterior.attrs["log_evidence"] - normal.posterior.attrs["log_evidence"]
    assert gain > 5
    mixture.save(tmp_path / "mixture.nc")
    loaded = BinaryPopulation.load(tmp_path / "mixture.nc")
    assert loaded.population == mixture.population
    assert list(loaded.summary()["parameter"]) == list(mixture.summary()["parameter"])


@pytest.mark.parametrize("population", [populations.Normal(), populations.TruncatedNormal(),
                                        populations.NormalMixture()])  # fmt: skip
def test_population_densities_are_normalised_and_built_alike(population):
    import pymc as pm
    import pytensor.tensor as pt

    theta = {"mu": 1.2, "lnsigma": 0.1, "mu1": 0.5, "separation": 1.5, "lnsigma1": -0.5,
             "lnsigma2": 0.2, "fraction1": 0.3}  # fmt: skip
    theta = {name: theta[name] for name in population.sampled}
    arrays = {name: np.array([value]) for name, value in theta.items()}
    ends = (-0.5, 3.0)
    x = np.linspace(-12, 14, 20_001)
    log_density = population.log_density(x, arrays, ends)[0]
    inside = (x > ends[0]) & (x < ends[1])
    share = np.trapezoid(np.exp(log_density[inside]), x[inside])
    assert share + population.outside(arrays, ends).sum() == pytest.approx(1, abs=2e-3)
    with pm.Model():
        variable = population.pymc({n: pt.as_tensor_variable(v) for n, v in theta.items()}, ends)
        by_pymc = [pm.logp(variable, value).eval() for value in (0.1, 1.0, 2.5)]
    found = population.log_density(np.array([0.1, 1.0, 2.5]), arrays, ends)[0]
    np.testing.assert_allclose(found, by_pymc, atol=1e-6)
    # False alarm: one in 10,000
    draws = population.draw(arrays, ends, 4000, np.random.default_rng(0)).ravel()
    if isinstance(population, populations.TruncatedNormal):
        x, log_density = x[inside], log_density[inside]
    cumulative = np.cumsum(np.exp(log_density))
    ranks = np.interp(draws, x, cumulative / cumulative[-1])
    assert stats.kstest(ranks, "uniform").pvalue > 1e-4


def test_prediction_is_that_of_each_star(table, model):
    predicted = model.predict()
    assert predicted.shape == (4000, len(table))
    residual = ((predicted.mean(axis=0) - table["rv"]) / table["rv_error"]).value
    assert np.sqrt(np.mean(residual**2)) < 1.5
    assert model.predict([1.0, 2.0] * u.day).shape == (4000, 8, 2)


def test_times_may_be_time_objects(table, model):
    other = QTable(table)
    other["time"] = Time("2019-02-01", scale="tdb") + table["time"]
    np.testing.assert_allclose(
        fit(other).samples("mu").value, model.samples("mu").value, rtol=1e-6, atol=1e-6
    )


def test_simulated_binaries_are_what_they_say():
    table = datasets.make_binaries(5, 4, rv_error=1e-6 * KMS, random_state=0)
    truth = table.meta["truth"]
    assert len(table) == 20
    rows = table[table["star"] == "star-0003"]
    time = rows["time"] - rows["time"][0]
    angle = 2 * np.pi * (time / truth["P"][3]).value
    rv = truth["a"][3] * np.cos(angle) + truth["b"][3] * np.sin(angle) + truth["v0"][3]
    np.testing.assert_allclose(rows["rv"].value, rv.value, atol=1e-4)


class Wider(populations.Normal):
    """A density of its own, and the PyMC form of another."""

    def log_density(self, ln_period, theta, ends):
        return super().log_density(ln_period, theta | {"lnsigma": theta["lnsigma"] + 1}, ends)


def test_nuts_refuses_a_population_without_a_pymc_form_of_its_own(table):
    with pytest.raises(ValueError, match="Wider has a log_density but no pymc of its own"):
        BinaryPopulation(population=Wider()).pymc_model(table)


def test_priors_that_the_population_does_not_have_are_refused(table):
    with pytest.raises(priors.PriorError, match=r"mu=Uniform.* NormalMixture has no such"):
        fit(table, population=populations.NormalMixture(), mu=priors.Uniform(2, 3))


def test_a_population_of_ones_own_is_saved_once_registered(table, tmp_path):
    model = BinaryPopulation(population=Wider()).fit(
        table, draws=20, chains=2, random_state=0, progressbar=False
    )
    with pytest.raises(TypeError, match=r"call astro_hier\.posterior\.register\(Wider\)"):
        model.save(tmp_path / "wider.nc")
    register(Wider, "of_mine")
    try:
        model.save(tmp_path / "wider.nc")
        assert BinaryPopulation.load(tmp_path / "wider.nc").population == Wider()
        del SAVED["of_mine"]
        with pytest.raises(SavedFileError, match=r"register\(CLASS, 'of_mine'\), then load again"):
            BinaryPopulation.load(tmp_path / "wider.nc")
    finally:
        SAVED.pop("of_mine", None)
