"""Claims about checks of the fit of members, errors and a background."""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from benchmarks.star_cluster_options import contaminated_cluster
from scipy import stats

from astro_hier import StarCluster, VelocityDispersion, checks, datasets, outliers, priors, profiles
from astro_hier.models import goodness
from astro_hier.models.star_cluster import checks as cluster_checks

KMS = u.km / u.s


def fit(model, table):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", checks.CheckWarning)
        return model.fit(table, draws=200, random_state=1, progressbar=False)


def failed(model, table):
    """The findings that failed, by name."""
    return {f.name: f for f in checks.failed(fit(model, table).findings())}


def found(model, table, name):
    return next(f for f in fit(model, table).findings() if f.name == name)


@pytest.mark.parametrize("n", [8, 20, 200])
def test_normal_numbers_alarm_as_rarely_as_stated(n):
    # 3000 samples: 1 percent has a standard deviation of 0.18 percent, so five are 0.9
    rng = np.random.default_rng(n)
    p = [goodness.probability(z)[0] for z in rng.standard_normal((3000, n))]
    assert np.mean(np.array(p) < 0.01) < 0.019


@pytest.mark.parametrize(
    ("distribution", "narrow"),
    [(stats.t(2), False), (stats.norm(0, 0.5), True), (stats.expon(-1), False)],
)
def test_other_numbers_alarm(distribution, narrow):
    p, found = goodness.probability(distribution.rvs(200, random_state=1))
    assert p < 1e-4
    assert found == narrow


@pytest.mark.parametrize("options", [{}, {"profile": profiles.CoreHalo(0.3, 0.7)}])
def test_scores_of_parallaxes_are_those_of_direct_quadrature(options):
    # a cluster so deep that 1/r is not linear
    table = datasets.make_star_cluster(12, std_r=60 * u.pc, random_state=1)
    model = StarCluster(mu_r=500 * u.pc, ln_std_r=float(np.log(0.06)), **options)
    fitted = fit(model, table)
    values = {p.name: fitted.samples(p.name).value for p in fitted.parameters}
    values["log_prob"] = fitted.samples("log_prob").value
    z, member = cluster_checks.scores(fitted.fitted_data(), goodness.few_draws(values, values, 256))
    r = np.linspace(0.02, 1.5, 20_001)[:, None]
    sds = [(1.0, 0.06)] if not options else [(0.7, 0.06), (0.3, 0.06 * np.exp(0.7))]
    weight = sum(w * stats.truncnorm.pdf(r, -0.5 / sd, np.inf, 0.5, sd) for w, sd in sds)
    parallax, error = (table[name].value for name in ("parallax", "parallax_error"))
    below = np.sum(weight * stats.norm.cdf((parallax - 1 / r) / error), axis=0) / weight.sum()
    np.testing.assert_allclose(z, stats.norm.ppf(below), atol=0.02)
    assert np.all(member == 1)


def test_one_row_that_decides_is_named_with_its_value():
    table = datasets.make_velocities(150, sigma_v=0.7 * KMS, error=0.5 * KMS, random_state=1)
    table["velocity"][7] = -9999 * KMS
    finding = failed(VelocityDispersion(), table)["goodness_of_fit"]
    assert "the farthest off are star 7 (-9999 km/s): outliers=True" in finding.message()
    assert "--set outliers=true" in finding.message(shell=True)
    cluster = datasets.make_star_cluster(50, random_state=1)
    cluster["parallax"][3] = 20 * u.mas
    finding = failed(StarCluster(), cluster)["goodness_of_fit"]
    assert "star 3 (20 mas): outliers=True" in finding.message()


def test_field_stars_make_the_check_name_outliers_first_and_mend_it():
    table = contaminated_cluster(200, 0.1, random_state=1)
    said = failed(StarCluster(), table)["goodness_of_fit"].python
    order = [said.index(text) for text in ("outliers=True", "error_scale=", "profile=", "plot_")]
    assert order == sorted(order)
    assert "goodness_of_fit" not in failed(StarCluster(outliers=True), table)


def test_options_in_use_are_not_recommended():
    # wings that neither a background nor scaled errors describe
    table = datasets.make_star_cluster(300, random_state=1)
    rng = np.random.default_rng(1)
    r = 0.5 + 0.01 * rng.standard_t(2, 300)
    table["parallax_error"] = 0.02 * u.mas
    table["parallax"] = (1 / r + 0.02 * rng.standard_normal(300)) * u.mas
    fixed = outliers.ParallaxBackground(0.01, 2 * u.mas, 10 * u.mas)
    model = StarCluster(outliers=fixed, error_scale=1.2, profile=profiles.CoreHalo(0.01, 0.1))
    said = failed(model, table)["goodness_of_fit"]
    for text in (said.python, said.shell):
        assert "outliers=" not in text
        assert "error_scale=" not in text
        assert "profile=" not in text
        assert "groups" in text


def test_errors_that_are_too_large_are_said():
    table = datasets.make_velocities(100, error=2 * KMS, random_state=1)
    table["velocity_error"] *= 20
    said = failed(VelocityDispersion(), table)["goodness_of_fit"].message()
    assert "scatter less than their errors: error_scale=" in said
    assert "smaller than stated" in said
    scaled = failed(VelocityDispersion(error_scale=priors.LogNormal(0, 1)), table)
    assert "goodness_of_fit" not in scaled
    assert "times as large as stated: check their unit; plot" in scaled["error_scale"].message()


def test_few_rows_are_not_judged():
    finding = found(VelocityDispersion(), datasets.make_velocities(7, random_state=1),
                    "goodness_of_fit")  # fmt: skip
    assert finding.found == "not tested with fewer than 8 rows"
    assert not finding.failed


@pytest.mark.parametrize(
    ("prior", "alarms"), [(priors.Uniform(0, 1), True), (priors.Beta(3, 1), False)]
)
def test_a_majority_of_outliers_is_said_unless_the_prior_expects_it(prior, alarms):
    rng = np.random.default_rng(1)
    velocity = np.concatenate([rng.normal(190, 3, 30), rng.normal(0, 100, 120)])
    table = QTable({"velocity": velocity * KMS, "velocity_error": np.full(150, 2) * KMS})
    field = outliers.VelocityBackground(prior, 0 * KMS, 100 * KMS)
    model = VelocityDispersion(v_sys=priors.Normal(190 * KMS, 5 * KMS), outliers=field,
                               ln_sigma_v=priors.Uniform(-3, 3))  # fmt: skip
    finding = found(model, table, "outlier_share")
    assert finding.failed == alarms
    assert float(finding.found) == pytest.approx(80, abs=5)


def test_a_pressed_edge_names_outliers_where_they_are_not_in_use():
    table = QTable({"parallax": [2, 2.1, 1.9, -30] * u.mas, "parallax_error": [0.1] * 4 * u.mas})
    edge = failed(StarCluster(), table)["prior_edge"]
    assert "outliers=True describes rows that are not members" in edge.python
    assert "--set outliers=true" in edge.shell
    assert StarCluster(outliers=True).reword(edge) == edge


# ---- zero points


def gaia(n=100):
    table = datasets.make_star_cluster(n, random_state=1)
    table["source_id"] = np.arange(n)
    return table


@pytest.mark.parametrize("name", ["source_id", "SOURCE_ID"])
def test_gaias_parallaxes_without_a_zero_point_are_said(name):
    table = gaia()
    table.rename_column("source_id", name)
    finding = failed(StarCluster(columns={"star": name}), table)["zero_point"]
    assert "one of -0.03 mas would shift the mean by" in finding.said
    assert "zero_point=-0.029 * u.mas" in finding.python
    assert "--set zero_point='0 mas'" in finding.shell


@pytest.mark.parametrize(
    "zero_point", [0 * u.mas, -0.029 * u.mas, priors.Normal(0 * u.mas, 1 * u.uas)]
)
def test_a_zero_point_that_is_given_says_nothing(zero_point):
    assert "zero_point" not in failed(StarCluster(zero_point=zero_point), gaia())


def test_zero_points_that_do_not_matter_are_left_out_in_peace():
    table = gaia(9)
    table["parallax_error"] *= 10
    table["parallax"] += np.random.default_rng(1).normal(0, 1.5, 9) * u.mas
    assert "zero_point" not in failed(StarCluster(), table)


def test_parallaxes_of_others_need_no_zero_point():
    table = gaia()
    table.remove_column("source_id")
    assert "zero_point" not in [f.name for f in fit(StarCluster(), table).findings()]
    other = gaia()
    other.rename_column("parallax", "plx_corrected")
    model = StarCluster(columns={"parallax": "plx_corrected"})
    assert "zero_point" not in [f.name for f in fit(model, other).findings()]


# ---- rows that are not members


def test_stars_that_are_not_members_have_no_distance(tmp_path):
    table = datasets.make_star_cluster(40, random_state=1)
    table["parallax"][:3] = [0.175, 5, 8] * u.mas
    fitted = fit(StarCluster(outliers=True), table)
    stars = fitted.star_table()
    for name in ("r", "r_sd"):
        assert np.all(stars[name].mask == (stars["member"] < 0.5))
        assert stars[name].mask[:3].all()
        assert stars[name].mask.sum() < 6
    stars.write(tmp_path / "stars.ecsv")
    read = QTable.read(tmp_path / "stars.ecsv")
    assert np.all(read["r"].mask == stars["r"].mask)
    assert read["r"].unit == u.kpc
    assert not hasattr(fit(StarCluster(), table[5:]).star_table()["r"], "mask")


def test_distances_are_drawn_to_the_range_of_the_members():
    table = datasets.make_star_cluster(40, random_state=1)
    table["parallax"][:3] = [0.175, 2.05, 8] * u.mas
    table["parallax_error"][:3] = [0.015, 0.01, 0.01] * u.mas
    table["parallax"][1] = 2.4 * u.mas
    fitted = fit(StarCluster(outliers=True), table)
    ax = fitted.plot_distances()
    low, high = ax.get_xlim()
    assert 350 < low < 500 < high < 700
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert any(text.startswith("not members: 3, ") for text in labels)


def test_figures_of_a_table_without_any_member_are_drawn():
    rng = np.random.default_rng(1)
    field = outliers.ParallaxBackground(0.98, 2 * u.mas, 3 * u.mas)
    table = QTable({"parallax": rng.normal(2, 3, 30) * u.mas,
                    "parallax_error": np.full(30, 0.1) * u.mas})  # fmt: skip
    fitted = fit(StarCluster(mu_r=priors.Normal(500 * u.pc, 5 * u.pc), outliers=field), table)
    assert "not members" in fitted.plot_distances().get_legend().get_texts()[0].get_text()
    fitted.plot_data()


@pytest.mark.parametrize("z", [np.zeros(9), np.full(9, 0.3)], ids=["none", "equal"])
def test_equal_scores_are_judged_by_their_scatter_alone(z):
    found, narrow = goodness.probability(z)
    assert 0 <= found < 1e-3
    assert narrow
