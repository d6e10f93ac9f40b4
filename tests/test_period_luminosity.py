"""Claims about period-luminosity relations: densities, draws, results, and what is refused."""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
import relation_reference as reference
from astropy.table import QTable
from scipy import stats

from astro_hier import PeriodLuminosity, TableError, datasets, outliers, priors
from astro_hier.plots import NotInTheModel

SLOPE = u.mag / u.dex
LEVEL = 1e-3  # false-alarm rate of each statistical test
THETA = {
    "alpha": -1.0, "beta": -2.4, "gamma": 0.2, "scatter": 0.12, "mu_log_period": -0.25,
    "sigma_log_period": 0.08, "mu_feh": -1.3, "sigma_feh": 0.5, "mu_modulus": 10.2,
    "sigma_modulus": 0.9, "feh_period": -2.5, "modulus_period": 1.2, "modulus_feh": -0.3,
    "zero_point": 0.03, "error_scale": 1.3, "outlier_fraction": 0.1, "outlier_scatter": 0.7,
}  # fmt: skip
EVERYTHING = {
    "zero_point": priors.Normal(0 * u.mas, 0.1 * u.mas),
    "error_scale": priors.LogNormal(0, 0.3),
    "outliers": True,
}
PIVOTS = {"pivot_period": 12 * u.hour, "pivot_feh": -1.5}
TREND = {"feh_period", "modulus_period", "modulus_feh"}


def stars(n=12, **options):
    table = datasets.make_period_luminosity(n, random_state=3, **options)
    table["period_error"] = 0.02 * table["period"]
    table["extinction"] = np.linspace(0, 0.3, n) * u.mag
    table["extinction_error"] = 0.1 * table["extinction"]
    return table


def prepared(model, table):
    model = model.suited_to(table)
    return model, model.prepare(model.read(table), progressbar=False)


def columns_of(model, theta):
    return {name: np.array([theta[name]]) for name in model.sampled_names()}


def fit(table, model=None, **options):
    model = PeriodLuminosity() if model is None else model
    return model.fit(table, random_state=1, progressbar=False, **options)


@pytest.fixture(scope="module")
def fitted():
    """Two hundred stars fitted by default; not to be changed."""
    return fit(datasets.make_period_luminosity(200, random_state=11))


# ---- the posterior


@pytest.mark.parametrize("trends", [True, False])
@pytest.mark.parametrize(
    "options", [{}, EVERYTHING, {"pivot_period": 12 * u.hour, "pivot_feh": -1.5}]
)
@pytest.mark.parametrize("feh", [True, False])
def test_the_density_is_that_of_brute_force(feh, options, trends):
    table = stars()
    table["parallax"][0] = -0.05 * u.mas
    if not feh:
        table.remove_columns(["feh", "feh_error"])
    model, data = prepared(PeriodLuminosity(trends=trends, **options), table)
    theta = {name: THETA[name] for name in model.sampled_names()}
    assert TREND.isdisjoint(theta) is not trends
    log_period = np.log10(table["period"].to_value(u.day))
    # the pivots shift what alpha means
    moved = dict(theta)
    moved["alpha"] -= theta["beta"] * data.log_pivot + theta.get("gamma", 0) * data.feh_pivot
    magnitude = (table["magnitude"] - table["extinction"]).value
    one = reference.Stars(
        log_period, magnitude, np.hypot(table["magnitude_error"], table["extinction_error"]).value,
        table["parallax"].value, table["parallax_error"].value, 0.02 / np.log(10),
        table["feh"].value if feh else None, table["feh_error"].value if feh else 0.0,
    )  # fmt: skip
    found = model.log_likelihood(data, columns_of(model, theta))[0]
    np.testing.assert_allclose(found, reference.log_density(moved, one), atol=1e-5)
    total = model.log_marginal(data, columns_of(model, theta))
    np.testing.assert_allclose(total, found.sum())


@pytest.mark.parametrize("name", ["scatter", "outlier_scatter", "sigma_feh", "sigma_modulus"])
def test_the_density_is_finite_far_out_in_the_tails_of_priors(name):
    model, data = prepared(PeriodLuminosity(**EVERYTHING), stars())
    far = columns_of(model, THETA) | {name: np.array([9e195]), "outlier_fraction": np.zeros(1)}
    assert np.isfinite(model.log_marginal(data, far)).all()


@pytest.mark.parametrize("options", [{}, EVERYTHING])
def test_true_values_rank_evenly_among_the_draws_given_the_data(options):
    model, data = prepared(PeriodLuminosity(**options), stars(1))
    theta = {name: np.full(4000, THETA[name]) for name in model.sampled_names()}
    rng = np.random.default_rng(1)
    simulated = model.simulate(data, theta, rng)
    ranks = {"r": [], "absolute_magnitude": []}
    observed = {role: simulated[role] for role in ("period", "magnitude", "parallax", "feh")}
    for one in range(0, 4000, 4):
        rows = {role: values[one] for role, values in observed.items()}
        same = model.prepare_simulated(rows, data)
        drawn = model.draw_latents(same, {k: v[:19] for k, v in theta.items()}, rng)
        for name, of in ranks.items():
            of.append(np.sum(drawn[name][:, 0] < simulated[name][one, 0]))
    for name, of in ranks.items():
        counts = np.bincount(of, minlength=20)
        assert stats.chisquare(counts).pvalue > LEVEL, name


def test_a_relation_without_metallicities_has_no_parameters_of_them():
    table = datasets.make_period_luminosity(60, gamma=0 * SLOPE, random_state=2)
    table.remove_columns(["feh", "feh_error"])
    relation = fit(table, draws=200)
    assert not {"gamma", "mu_feh", "sigma_feh", "feh_period", "modulus_feh"} & set(
        relation.posterior
    )
    assert abs(relation.samples("beta").mean() + 2.5 * SLOPE) < 4 * relation.samples("beta").std()
    assert relation.predict([0.5] * u.day, random_state=1).shape == (800, 1)
    with pytest.raises(ValueError, match="expected none, because the table"):
        relation.predict([0.5] * u.day, feh=-1)
    with pytest.raises(NotInTheModel, match="no feh"):
        relation.plot_metallicity()


def test_stars_off_the_relation_are_found_and_hardly_move_it():
    table = datasets.make_period_luminosity(120, parallax_error=0.02 * u.mas, random_state=4)
    off = np.arange(0, 120, 20)
    table["magnitude"][off] += np.array([1.5, -1.2, 2, -2, 1.4, -1.6]) * u.mag
    relation = fit(table, PeriodLuminosity(outliers=True), draws=500)
    member = relation.star_table()["member"]
    assert np.all(member[off] < 0.05)
    assert np.mean(np.delete(member, off) > 0.9) > 0.95
    (crosses,) = (of for of in relation.plot_relation().lines if of.get_marker() == "x")
    assert len(crosses.get_xdata()) == np.sum(member <= 0.5)
    plt.close("all")
    truth = table.meta["truth"]
    for name in ("alpha", "beta", "gamma", "scatter"):
        draws = relation.samples(name)
        assert abs(draws.mean() - truth[name]) < 3.9 * draws.std(), name  # false alarm: 1e-4


def test_the_scatter_of_outliers_exceeds_that_of_members():
    model, data = prepared(PeriodLuminosity(outliers=True), stars())
    theta = model.draw_prior(data, 1000, np.random.default_rng(1))
    assert np.all(theta["outlier_scatter"] > theta["scatter"])


def test_units_do_not_matter_and_zero_points_are_subtracted():
    table = stars(30)
    other = QTable(table, copy=True)
    other["period"] = table["period"].to(u.hour)
    other["period_error"] = table["period_error"].to(u.s)
    other["parallax"] = (table["parallax"] - 0.03 * u.mas).to(u.arcsec)
    other["zp"] = np.full(30, -30) * u.uas
    other["feh"] = table["feh"].value
    models = PeriodLuminosity(), PeriodLuminosity(zero_point="zp")
    plain, moved = (
        fit(*of, draws=50).samples("alpha").value for of in zip((table, other), models, strict=True)
    )
    np.testing.assert_allclose(plain, moved, atol=1e-5)


def test_magnitudes_may_be_in_any_system():
    table = stars(12)
    table["magnitude"] = u.Magnitude(table["magnitude"].value, u.mag(u.AB))
    _, data = prepared(PeriodLuminosity(), table)
    np.testing.assert_allclose(data.magnitude + data.extinction, table["magnitude"].value)


# ---- results


def test_the_relation_predicts_magnitudes_with_and_without_scatter(fitted):
    period, feh = [0.45, 0.6] * u.day, [-1.0, -2.0] * u.dex
    mean = fitted.predict(period, feh, scatter=False, random_state=1)
    theta = {name: fitted.samples(name).value for name in ("alpha", "beta", "gamma", "scatter")}
    expected = theta["alpha"] + theta["beta"] * np.log10(0.6) - 2 * theta["gamma"]
    np.testing.assert_allclose(mean[:, 1].to_value(u.mag), expected)
    single = fitted.predict(period, feh, random_state=1)
    variance = mean.var(axis=0).value + np.mean(theta["scatter"] ** 2)
    np.testing.assert_allclose(single.var(axis=0).value, variance, rtol=0.15)
    # without [Fe/H], that of the population adds its scatter
    assert np.all(fitted.predict(period, random_state=1).std(axis=0) > single.std(axis=0))


def test_by_default_the_fitted_stars_are_predicted(fitted):
    stars = datasets.make_period_luminosity(200, random_state=11)
    given = fitted.predict(stars["period"], stars["feh"], random_state=1)
    np.testing.assert_allclose(fitted.predict(random_state=1), given)


def test_distances_of_other_stars_are_as_uncertain_as_they_say(fitted):
    # False alarm: 2e-3 in all.
    others = datasets.make_period_luminosity(400, random_state=12)
    truth = others.meta["truth"]["r"]
    with_parallax = fitted.distance(others, random_state=1)
    others.remove_columns(["parallax", "parallax_error"])
    without = fitted.distance(others, random_state=1)
    modulus = 10 + 5 * np.log10(truth.value)
    for found in (without, with_parallax):
        z = (found["modulus"].value - modulus) / found["modulus_sd"].value
        # the relation's own error is common to all
        assert abs(z.std() - 1) < 0.2
        inside = np.mean((found["r_low"] < truth) & (truth < found["r_high"]))
        assert 0.55 < inside < 0.8
    assert np.mean(with_parallax["modulus_sd"]) < np.mean(without["modulus_sd"])
    draws = fitted.distance(others[:5], draws=True, random_state=1)
    assert draws.shape == (4000, 5)
    np.testing.assert_allclose(np.median(draws, axis=0), without["r"][:5], rtol=0.01)


def test_stars_without_metallicities_have_less_certain_distances(fitted):
    others = datasets.make_period_luminosity(20, random_state=12)
    others.keep_columns(["period", "magnitude", "magnitude_error", "feh"])
    known = fitted.distance(others, random_state=1)
    others.remove_column("feh")
    unknown = fitted.distance(others, random_state=1)
    assert np.all(unknown["modulus_sd"] > known["modulus_sd"])


def test_stars_share_what_the_relation_knows(fitted):
    # distances by parallax alone are far worse
    found, truth = fitted.star_table(), datasets.make_period_luminosity(200, random_state=11)
    truth = truth.meta["truth"]
    z = (found["r"] - truth["r"]) / found["r_sd"]
    assert stats.chi2.sf(np.sum(z**2), 200) > LEVEL / 2
    z = (found["absolute_magnitude"] - truth["absolute_magnitude"]) / found["absolute_magnitude_sd"]
    assert stats.chi2.sf(np.sum(z**2), 200) > LEVEL / 2
    assert abs(found["n_sigma"].std() - 1) < 0.25


def test_the_table_of_stars_needs_no_kept_draws():
    table = stars(40)
    kept = fit(table, draws=300)
    without = fit(table, PeriodLuminosity(star_draws=False), draws=300)
    assert "r" not in without.posterior
    for name in ("r", "absolute_magnitude"):
        sd = kept.star_table()[f"{name}_sd"]
        assert np.all(np.abs(kept.star_table()[name] - without.star_table()[name]) < 0.35 * sd)


def test_a_file_remembers_whether_there_were_metallicities(tmp_path):
    table = stars(12)
    table.remove_columns(["feh", "feh_error"])
    model = PeriodLuminosity(outliers=outliers.WiderScatter(priors.Beta(1, 19)))
    relation = fit(table, model, draws=20)
    relation.save(tmp_path / "relation.nc")
    again = PeriodLuminosity.load(tmp_path / "relation.nc")
    assert again.outliers == model.outliers
    assert not again.has_feh
    assert again.summary().colnames == relation.summary().colnames
    np.testing.assert_array_equal(again.star_table()["r"], relation.star_table()["r"])


def test_a_file_needs_no_errors_that_the_table_did_not_have(tmp_path):
    relation = fit(datasets.make_period_luminosity(12, random_state=3), draws=20)
    relation.save(tmp_path / "relation.nc")
    again = PeriodLuminosity.load(tmp_path / "relation.nc")
    np.testing.assert_array_equal(again.star_table()["r"], relation.star_table()["r"])


def test_figures_are_drawn(fitted):
    for draw in (fitted.plot_relation, fitted.plot_data, fitted.plot_metallicity):
        assert draw().get_xlabel()
    plt.close("all")


def test_figures_of_draws_leave_out_the_population(fitted):
    assert list(fitted.drawn_names()) == ["alpha", "beta", "gamma", "scatter"]


@pytest.mark.parametrize("trends", [True, False])
def test_only_trends_join_distances_to_periods_and_metallicities(trends):
    to = {node.name: node.to for node in PeriodLuminosity(trends=trends).graph}
    assert {"r" in to["x"], "r" in to["z"], "z" in to["x"]} == {trends}


# ---- what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pivot_period": 3}, "pivot_period=3; expected a positive time"),
        ({"pivot_period": -1 * u.day}, "expected a positive time"),
        ({"pivot_feh": 1 * u.mag / u.s}, r"expected \[Fe/H\] in dex"),
        ({"trends": priors.Normal(0, 1)}, "expected True or False"),
        ({"outliers": outliers.ParallaxBackground()}, "astro_hier.outliers.WiderScatter"),
        ({"star_draws": 3}, "expected 'auto', True or False"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fit(stars(), PeriodLuminosity(**options))


def test_errors_of_a_missing_column_are_refused():
    table = stars()
    table.remove_column("feh")
    with pytest.raises(TableError, match="has feh_error but no feh"):
        fit(table)


def test_gaias_parallaxes_without_a_zero_point_are_warned_of():
    table = stars(60)
    table["source_id"] = np.arange(60)
    with pytest.warns(match="no zero point is given"):
        fit(table, draws=50)
