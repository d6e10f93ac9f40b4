"""Claims about rows that decide the result."""

import warnings

import arviz_stats
import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from scipy.stats import norm

from astro_hier import BinaryPopulation, SB1Binary, StarCluster, VelocityDispersion, datasets
from astro_hier.inference import influence
from astro_hier.models.star_cluster import likelihood as of_cluster
from astro_hier.models.velocity_dispersion import likelihood as of_velocities
from astro_hier.populations import LogNormalJitter
from astro_hier.priors import Uniform
from astro_hier.profiles import CoreHalo

KMS = u.km / u.s

LIKELIHOODS = {StarCluster: of_cluster, VelocityDispersion: of_velocities}


def parallaxes(bad, size=50):
    """Parallaxes of 2 +- 0.1 mas, but for a few."""
    rng = np.random.default_rng(0)
    value = rng.normal(1 / rng.normal(0.5, 0.01, size), 0.1)
    value[: len(bad)] = bad
    return QTable({"parallax": value * u.mas, "parallax_error": np.full(size, 0.1) * u.mas})


def velocities(bad, size=150):
    """Velocities of 20 km/s, scattered by 0.7 and errors of 0.3, but for a few."""
    value = np.random.default_rng(0).normal(20, np.hypot(0.7, 0.3), size)
    value[: len(bad)] = bad
    return QTable({"velocity": value * KMS, "velocity_error": np.full(size, 0.3) * KMS})


def finding_of(model, table, method="marginal", **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what else is wrong
        model.fit(table, method=method, random_state=1, progressbar=False, **options)
    return next(f for f in model.findings() if f.name == "influence")


def test_leaving_a_row_out_is_the_fit_without_it():
    # normal values of known error: without row n the mean is that of the others, exactly
    rng = np.random.default_rng(1)
    value = rng.normal(0, 1, 40)
    mean = rng.normal(value.mean(), 1 / np.sqrt(40), 20_000)
    likelihood = norm.logpdf(value, mean[:, None])
    left_out = influence.leave_out(np.arange(40), likelihood, mean[:, None])
    expected = np.array([np.delete(value, n).mean() for n in range(40)])
    # errors of 20,000 draws are .001; seven of them
    assert np.allclose(left_out.mean[:, 0], expected, atol=0.008)
    assert np.all(left_out.pareto_k < 0.5)


def test_few_draws_find_the_rows_that_may_matter():
    rng = np.random.default_rng(2)
    theta = rng.normal(0, 1, 4000)
    slope = np.zeros(1000)
    slope[[3, 500]] = 1.0, -0.8
    likelihoods = influence.RowLikelihoods(lambda v: v["x"][:, None] * slope, {"x": theta})
    left_out = influence.without_each(likelihoods, theta[:, None])
    assert sorted(left_out.rows) == [3, 500]
    # weights exp(-slope x) of a standard normal: its mean moves to -slope; 500 draws
    assert left_out.mean[list(left_out.rows).index(3), 0] == pytest.approx(-1.0, abs=0.25)
    assert left_out.mean[list(left_out.rows).index(500), 0] == pytest.approx(0.8, abs=0.25)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ([20], ["star 0, parallax 20 ± 0.1 mas"]),
        ([20, 20], ["star 0, parallax 20 ± 0.1 mas", "star 1, parallax 20 ± 0.1 mas"]),
        ([-2], ["star 0, parallax -2 ± 0.1 mas"]),
        ([20] * 4, ["star 3, parallax 20 ± 0.1 mas"]),
    ],
)
def test_parallaxes_that_decide_the_depth_are_named(bad, named):
    finding = finding_of(StarCluster(), parallaxes(bad))
    assert finding.failed
    assert finding.found == f"{len(bad)} row{'s' if len(bad) > 1 else ''}"
    for label in named:
        assert label in finding.said
    assert "outliers=True" in finding.python
    assert "--set outliers=True" in finding.shell


@pytest.mark.parametrize("bad", [[-9999], [-9999, -9999], [26]])
def test_velocities_that_decide_the_dispersion_are_named(bad):
    finding = finding_of(VelocityDispersion(), velocities(bad))
    assert finding.failed
    assert f"star 0, velocity {bad[0]} ± 0.3 km / s" in finding.said
    assert "sigma_v" in finding.said


def test_an_option_in_use_is_not_recommended():
    background = StarCluster(outliers=True)
    assert not finding_of(background, parallaxes([20])).failed
    assert "outliers" not in background.remedy_of_rows()[0]
    assert not finding_of(VelocityDispersion(outliers=True), velocities([300])).failed


def test_a_visit_that_decides_the_orbit_is_named():
    table = datasets.make_binary(30, random_state=0)
    table["rv"][3] += 20 * table["rv_error"][3]
    finding = finding_of(SB1Binary(), table)
    assert finding.failed
    assert "visit 3, rv " in finding.said


def test_a_star_that_decides_the_population_is_named():
    # 20 stars of periods near 20 d, one of 0.7 d
    rng = np.random.default_rng(3)
    star = np.repeat(np.arange(21), 12)
    time = rng.uniform(0, 100, len(star))
    period = np.exp(rng.normal(3, 0.1, 21))
    period[5] = 0.7
    rv = 30 * np.sin(2 * np.pi * time / period[star] + star) + rng.normal(0, 0.1, len(star))
    table = QTable({"star": star, "time": time * u.day, "rv": rv * KMS})
    table["rv_error"] = np.full(len(star), 0.1) * KMS
    finding = finding_of(BinaryPopulation(), table)
    assert finding.failed
    assert "star 5 (" in finding.said


@pytest.mark.filterwarnings("ignore:the data allow", "ignore:no orbit", "ignore:the visits say")
def test_with_few_visits_none_is_named():
    model = SB1Binary().fit(
        datasets.make_binary(6, random_state=1), random_state=1, progressbar=False
    )
    assert not any(f.failed for f in model.findings() if f.name == "influence")


def test_where_all_errors_are_too_small_no_visit_is_to_blame():
    table = datasets.make_binary(30, random_state=0)
    table["rv_error"] /= 10
    assert not finding_of(SB1Binary(), table).failed


@pytest.mark.parametrize("model", [StarCluster, VelocityDispersion, BinaryPopulation, SB1Binary])
def test_ordinary_tables_have_no_row_that_decides(model):
    # In 1 of 200 samples a row is named: one of these 20 in all would be by chance of 0.02
    for seed in range(5):
        assert not finding_of(model(), model.example(random_state=seed)).failed


def test_what_a_row_may_do_falls_with_their_number():
    few, more, many = (influence.largest_shift(n) for n in (14, 60, 1000))
    assert few > more > many == 1.0


def test_of_few_rows_none_is_far():
    value = np.array([0.0, 1e-9, 1e-8, 5.0])
    assert not influence.far(value, np.full(4, 1e-9)).any()
    value = np.concatenate([np.zeros(20), [1.0]])
    assert influence.far(value, np.full(21, 0.01))[-1] == pytest.approx(100)


@pytest.mark.parametrize(
    ("model", "table"),
    [
        (StarCluster(), datasets.make_star_cluster(12, random_state=3)),
        (StarCluster(outliers=True, profile=CoreHalo(), error_scale=Uniform(0.5, 2)),
         datasets.make_star_cluster(12, random_state=3)),
        (VelocityDispersion(), datasets.make_velocities(random_state=2)),
        (VelocityDispersion(outliers=True), datasets.make_velocities(random_state=2)),
        (BinaryPopulation(), datasets.make_binaries(random_state=2)),
        (BinaryPopulation(jitter=LogNormalJitter()), datasets.make_binaries(4, random_state=2)),
    ],
)  # fmt: skip
def test_likelihoods_of_rows_sum_to_the_marginal_likelihood(model, table):
    data = model.prepare(model.read(table), progressbar=False)
    priors = model.frozen_priors()
    rng = np.random.default_rng(4)
    theta = {name: prior.rvs(20, random_state=rng) for name, prior in priors.items()}
    by_row = model.log_likelihood(data, theta)
    assert by_row.shape[0] == 20
    expected = by_row.sum(axis=1)
    if getattr(model, "outliers", None):  # one of the rows is a member
        theta = theta | model.derive(theta)
        log_odds = LIKELIHOODS[type(model)].log_densities(data, theta)[1]
        expected = expected + data.background.given_some(log_odds, theta)[0]
    assert np.allclose(model.log_marginal(data, theta), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("model", "name", "of"),
    [
        (StarCluster(), "parallax", "star"),
        (VelocityDispersion(), "velocity", "star"),
        (BinaryPopulation(), "rv", "star"),
        (SB1Binary(), "rv", "visit"),
    ],
)
def test_arviz_leaves_rows_out(model, name, of):
    table = type(model).example(random_state=2)
    model.fit(table, random_state=1, draws=500, chains=2, progressbar=False)
    group = model.inference_data["log_likelihood"]
    assert group[name].dims == ("chain", "draw", of)
    assert np.all(group["draw"].values == np.arange(500))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of k above 0.7, as few rows have
        loo = arviz_stats.loo(model.inference_data, pointwise=True)
    likelihood = group[name].values.reshape(-1, group.sizes[of])
    # leave-one-out lies below the mean likelihood, by some one a parameter
    assert 0 < likelihood.mean(axis=0).sum() - loo.elpd < 20
    assert loo.n_data_points == group.sizes[of]


def test_likelihoods_of_many_rows_are_thinned():
    table = datasets.make_velocities(10_000, random_state=1)
    model = VelocityDispersion().fit(table, random_state=1, progressbar=False)
    group = model.inference_data["log_likelihood"]
    assert group["velocity"].size <= influence.MAX_NUMBERS
    step = np.diff(group["draw"].values)
    assert np.all(step == 20)
    # those that are kept are those of the draws that are named
    few = model.posterior.sel(draw=group["draw"])
    theta = {n: few[n].values[2, 3:4] for n in ("v_sys", "ln_sigma_v")}
    expected = model.log_likelihood(model.fitted_data(), theta)[0]
    assert np.allclose(group["velocity"].values[2, 3], expected, rtol=1e-12)


def test_a_model_without_likelihoods_of_rows_has_none():
    class Own(VelocityDispersion):
        def log_likelihood(self, data, values):
            return None

    model = Own().fit(datasets.make_velocities(random_state=2), random_state=1, progressbar=False)
    assert "log_likelihood" not in model.inference_data
    assert not [f for f in model.findings() if f.name == "influence"]
