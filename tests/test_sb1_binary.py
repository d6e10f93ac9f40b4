"""Claims about the posterior of one binary's orbit, on simulated and real stars."""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, Table
from astropy.time import Time, TimeDelta
from astropy.timeseries import TimeSeries
from astropy.utils.exceptions import AstropyUserWarning
from scipy import stats

from astro_hier import SB1Binary, TableError, columns, datasets, priors

KMS = u.km / u.s


def fit(table, seed=0, **options):
    return SB1Binary(**options).fit(table, random_state=seed, progressbar=False)


@pytest.fixture(scope="module")
def table():
    return datasets.make_binary(random_state=4)


@pytest.fixture(scope="module")
def star(table):
    return fit(table)


@pytest.fixture(scope="module")
def apogee(shared_data):
    return QTable.read(shared_data / "apogee_binaries" / "apogee-binaries.fits")


def fit_apogee(visits, star):
    ids = np.char.strip(np.char.decode(np.asarray(visits["APOGEE_ID"], dtype="S")))
    return fit(visits[ids == star], columns=columns.APOGEE)


@pytest.mark.filterwarnings("ignore:chi2 per degree of freedom")
def test_tutorial_star(apogee):
    star = fit_apogee(apogee, "2M01282954+8522331")
    expected = {
        "P": (2.8411437, 0.0000012),
        "a": (5.22, 0.042),
        "b": (-22.75, 0.024),
        "v0": (-58.795, 0.015),
    }
    for name, (mean, sd) in expected.items():
        draws = star.samples(name).value
        assert abs(draws.mean() - mean) < 0.25 * sd
        assert draws.std() == pytest.approx(sd, rel=0.06)
    assert star.summary().meta["chi2_per_dof"] == pytest.approx(163, abs=1)
    assert star.summary().meta["n_modes"] == 1
    assert star.summary().meta["star"] == "2M01282954+8522331"
    assert star.map_sample["P"].to_value(u.day) == pytest.approx(2.8411443, abs=5e-6)


@pytest.mark.filterwarnings("ignore:chi2 per degree of freedom")
@pytest.mark.filterwarnings("ignore:single rows")
def test_periods_of_all_tutorial_stars(apogee, shared_data):
    expected = Table.read(shared_data / "apogee_binaries" / "reference_periods.ecsv")
    assert len(expected) == 14
    for row in expected:
        star = fit_apogee(apogee, row["APOGEE_ID"])
        P = star.samples("P").to_value(u.day)
        assert abs(P.mean() - row["P_circ_fit"]) < 3 * row["P_circ_err"]
        assert star.modes()["probability"][0] > 0.999


def test_tutorial_stars_whose_errors_are_too_small_are_warned_of(apogee):
    warned = set()
    for name in np.unique(np.char.decode(np.asarray(apogee["APOGEE_ID"], dtype="S"))):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            star = fit_apogee(apogee, name.strip())
        if any("stated errors do not explain the scatter" in str(w.message) for w in caught):
            warned.add(name.strip()[:10])
            assert star.posterior.attrs["chi2_per_dof"] > 3
        else:
            assert star.posterior.attrs["chi2_per_dof"] < 3
    six = {"2M01282954", "2M13513748", "2M16592592", "2M19335125", "2M19533836", "2M19535998"}
    assert six <= warned


def test_truth_is_recovered(star, table):
    # False alarm: four standard deviations, 6e-5 each.
    for name, truth in table.meta["truth"].items():
        draws = star.samples(name)
        assert abs(draws.mean() - truth) < 4 * draws.std()
    assert star.posterior.attrs["n_modes"] == 1
    assert star.posterior.attrs["period_error"] < 0.02


def test_log_prob_is_the_joint_density(star, table):
    values = {name: star.samples(name).value[:5] for name in ("P", "a", "b", "v0")}
    expected = stats.uniform.logpdf(values["P"], 1.5, 18.5)
    expected += stats.norm.logpdf(values["a"], 0, 100) + stats.norm.logpdf(values["b"], 0, 100)
    expected += stats.norm.logpdf(values["v0"], 0, 150)
    phase = 2 * np.pi * table["time"].value / values["P"][:, None]
    rv = values["a"][:, None] * np.cos(phase) + values["b"][:, None] * np.sin(phase)
    rv += values["v0"][:, None]
    expected += stats.norm.logpdf(table["rv"].value, rv, table["rv_error"].value).sum(axis=1)
    np.testing.assert_allclose(star.samples("log_prob")[:5], expected)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_visits_than_parameters_are_data(n):
    table = datasets.make_binary(n, random_state=1)
    star = fit(table)
    assert np.isnan(star.posterior.attrs["chi2_per_dof"])
    assert star.samples("P").min() >= 1.5 * u.day
    predicted = star.predict()
    # the orbits go through the visits
    residual = (predicted.mean(axis=0) - table["rv"]) / table["rv_error"]
    assert np.all(np.abs(residual) < 1)
    star.plot_phase()
    star.plot_data()
    star.plot_periodogram()


def test_one_visit_leaves_the_prior_of_the_period():
    # False alarm: one in 10,000.
    P = fit(datasets.make_binary(1, random_state=1)).samples("P").value
    assert stats.kstest(P, stats.uniform(1.5, 18.5).cdf).pvalue > 1e-4


def test_modes_are_sorted_and_sum_to_one():
    star = fit(datasets.make_binary(4, random_state=1))
    modes = star.modes(min_probability=0)
    assert np.all(np.diff(modes["probability"]) <= 0)
    assert modes["probability"].sum() == pytest.approx(1)
    assert modes["P"].unit == u.day
    assert modes["K"].unit == KMS
    assert star.posterior.attrs["n_modes"] == (modes["probability"] > 0.01).sum()
    # the draws fall into the modes: False alarm, 4.5 standard deviations, 7e-6
    best = modes[0]
    near = np.abs(star.samples("P").value - best["P"]) < 5 * best["P_sd"]
    share = near.mean()
    p = best["probability"]
    assert abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / 4000) + 0.01


def test_two_hundred_visits_in_a_row_are_no_trouble():
    table = datasets.make_binary(200, baseline=3000 * u.day, random_state=2)
    star = fit(table)
    assert abs(star.samples("P").mean() - 7.3 * u.day) < 5 * star.samples("P").std()


@pytest.mark.parametrize("scale", ["utc", "tdb"])
@pytest.mark.parametrize("format", ["jd", "mjd", "isot"])
def test_times_of_any_scale_and_format_are_the_same_orbit(table, star, scale, format):
    # tdb, since leap seconds would make days of UTC unequal; utc within one year has none
    start = Time("2019-02-01T00:00:00", scale=scale)
    start.format = format
    with_times = QTable(table)
    with_times["time"] = start + table["time"]
    other = fit(with_times)
    np.testing.assert_allclose(other.samples("P").value, star.samples("P").value, rtol=1e-9)
    predicted = other.predict(start + [0, 3.3] * u.day)
    expected = star.predict([0, 3.3] * u.day)
    np.testing.assert_allclose(predicted.value, expected.value, rtol=1e-6, atol=1e-6)
    with pytest.raises(TableError, match="times are in d; accepted is what was fitted, a Time"):
        other.predict([0, 1] * u.day)


def test_times_in_a_series_and_as_julian_days_are_the_same_orbit(table, star):
    series = TimeSeries(
        time=Time("2019-02-01", scale="tdb") + table["time"],
        data={"rv": table["rv"], "rv_error": table["rv_error"]},
    )
    np.testing.assert_allclose(fit(series).samples("P").value, star.samples("P").value, rtol=1e-9)
    julian = QTable(table)
    julian["time"] = table["time"] + 2458515.5 * u.day
    other = fit(julian)
    # Julian days are good to 5e-10 d
    np.testing.assert_allclose(other.samples("P").value, star.samples("P").value, rtol=1e-7)
    predicted = other.predict([2458515.5, 2458518.8] * u.day)
    np.testing.assert_allclose(
        predicted, star.predict([0, 3.3] * u.day), rtol=1e-5, atol=1e-5 * KMS
    )
    with pytest.raises(TableError, match="accepted is what was fitted, a Quantity of time"):
        other.predict(Time("2019-02-01"))


def test_masked_times_are_refused_and_left_out(table):
    with_times = QTable(table)
    with_times["time"] = Time("2019-02-01", scale="tdb") + table["time"]
    with_times["time"][3] = np.ma.masked
    with pytest.raises(TableError, match=r"'time' .* has 1 of 16 rows .*row 3"):
        fit(with_times)
    with pytest.warns(AstropyUserWarning, match="1 of 16 rows are left out"):
        star = fit(with_times, on_invalid="drop")
    assert star.inference_data["observed_data"].sizes["visit"] == 15


def test_order_of_visits_and_units_do_not_matter(table, star):
    other = table[np.random.default_rng(0).permutation(len(table))]
    other["rv"] = other["rv"].to(u.m / u.s)
    other["time"] = other["time"].to(u.s)
    found = fit(other)
    for name in ("P", "a", "b", "v0"):
        np.testing.assert_allclose(
            found.samples(name).mean().value, star.samples(name).mean().value, rtol=1e-5
        )


@pytest.mark.filterwarnings("ignore:chi2 per degree of freedom")
def test_a_period_too_precise_for_its_numbers_is_said(table):
    precise = table.copy()
    precise["rv_error"] = np.full(len(table), 1e-5) * KMS
    with pytest.warns(AstropyUserWarning, match="so precise that rounding shows"):
        fit(precise)
    precise["rv_error"] *= 1e-6
    with pytest.raises(ArithmeticError, match=r"is not resolved .* errors not far too small"):
        fit(precise)


def test_several_stars_are_refused(apogee):
    with pytest.raises(TableError, match=r"the table holds 14 stars .2M01282954.*accepted is one"):
        fit(apogee, columns=columns.APOGEE)


def test_any_prior_of_the_period_is_used(table):
    narrow = fit(table, P=priors.LogUniform(1 * u.hour, 100 * u.day))
    assert abs(narrow.samples("P").mean() - 7.3 * u.day) < 5 * narrow.samples("P").std()
    elsewhere = fit(
        datasets.make_binary(3, random_state=1),
        P=priors.TruncatedNormal(5 * u.day, 0.01 * u.day, lower=1 * u.day),
    )
    assert elsewhere.samples("P").mean().to_value(u.day) == pytest.approx(5, abs=0.05)


def test_linear_priors_of_any_mean_and_sd_are_used():
    table = datasets.make_binary(1, v0=7 * KMS, K=0.1 * KMS, random_state=1)
    star = fit(table, v0=priors.Normal(7000 * u.m / u.s, 1 * u.m / u.s))
    assert star.samples("v0").mean().value == pytest.approx(7, abs=1e-3)


def test_other_linear_priors_name_the_method_that_takes_them(table):
    model = SB1Binary(a=priors.Uniform(-50 * KMS, 50 * KMS))
    with pytest.raises(priors.PriorError, match=r"a=Uniform.*method='nuts'"):
        model.fit(table, progressbar=False)
    assert "a" in {v.name for v in model.pymc_model(table).free_RVs}


@pytest.mark.parametrize(
    "prior", [priors.Normal(7 * u.day, 1 * u.day), priors.Uniform(-5 * u.day, 20 * u.day)]
)
def test_priors_of_negative_periods_are_refused(table, prior):
    for ask in (SB1Binary(P=prior).fit, SB1Binary(P=prior).initial_values):
        with pytest.raises(priors.PriorError, match="allows periods below zero"):
            ask(table)


def test_time_differences_are_times(table, star):
    other = QTable(table)
    other["time"] = TimeDelta(table["time"])
    found = fit(other)
    np.testing.assert_allclose(found.samples("P").value, star.samples("P").value, rtol=1e-9)
    predicted = found.predict(TimeDelta([1.0, 2.0] * u.day))
    np.testing.assert_allclose(predicted, star.predict([1, 2] * u.day), rtol=1e-6, atol=1e-6 * KMS)
    with pytest.raises(TableError, match="times are in km; accepted is what was fitted"):
        star.predict(5 * u.km)


def test_initial_values_are_inside_every_prior(table):
    for prior in (priors.HalfNormal(20 * KMS), priors.Uniform(30 * KMS, 40 * KMS)):
        initial = SB1Binary(a=prior, b=prior).initial_values(table)
        assert np.isfinite(prior.logpdf(initial["a"]))
        assert np.isfinite(prior.logpdf(initial["b"]))


def test_initial_values_are_the_periodogram_peak_and_least_squares(apogee, shared_data):
    expected = Table.read(shared_data / "apogee_binaries" / "reference_periods.ecsv")[1]
    ids = np.char.decode(np.asarray(apogee["APOGEE_ID"], dtype="S"))
    visits = apogee[np.char.strip(ids) == expected["APOGEE_ID"]]
    initial = SB1Binary(columns=columns.APOGEE).initial_values(visits)
    assert initial["P"].value == pytest.approx(expected["P_LS_notebook"], rel=1e-9)
    assert initial["K"].unit == KMS


def test_prediction_has_a_velocity_for_every_draw(star, table):
    assert star.predict([1.0, 2.0] * u.day).shape == (4000, 2)
    assert star.predict(36 * u.hour).shape == (4000, 1)
    scatter = ((star.predict() - table["rv"]) / table["rv_error"]).value
    assert np.sqrt(np.mean(scatter**2)) == pytest.approx(1, abs=0.35)


def test_figures_have_names_and_units(star):
    for ax in (star.plot_data(), star.plot_periodogram()):
        assert "[d]" in ax.get_xlabel()
    assert "[km/s]" in star.plot_data().get_ylabel()
    top, bottom = star.plot_phase().axes
    assert top.get_title().startswith("P = 7.3")
    np.testing.assert_allclose(len(top.containers[0][0].get_xdata()), 16)
    # residuals are of the order of their errors
    assert np.std(bottom.containers[0][0].get_ydata()) < 3 * 0.3
    assert "phase" in bottom.get_xlabel()
    text = " ".join(t.get_text() for t in SB1Binary().plot_graph().texts)
    assert "visit $j$" in text


def test_simulated_binary_is_what_it_says():
    table = datasets.make_binary(
        50, P=3 * u.day, K=20 * KMS, phase=0.25, rv_error=1e-6 * KMS, random_state=0
    )
    truth = table.meta["truth"]
    angle = 2 * np.pi * (table["time"] / truth["P"]).value
    rv = truth["a"] * np.cos(angle) + truth["b"] * np.sin(angle) + truth["v0"]
    np.testing.assert_allclose(table["rv"].value, rv.value, atol=1e-5)
    # a quarter of an orbit past the highest velocity is the systemic velocity
    assert table["rv"][0].value == pytest.approx(truth["v0"].value, abs=1e-5)


def test_the_phase_figure_is_folded_at_the_most_probable_mode():
    model = SB1Binary().fit(datasets.make_binary(4, random_state=1), random_state=1)
    first = QTable(model.modes())[0]
    title = model.plot_phase().axes[0].get_title()
    period = float(title.split()[2])
    assert abs(period - first["P"].to_value(u.day)) < 5 * first["P_sd"].to_value(u.day)
    share = float(title.split(", ")[-1].split("%")[0]) / 100
    assert share == pytest.approx(first["probability"], abs=0.03)


def test_a_known_jitter_and_no_trend_are_compared():
    table = datasets.make_binary(8, random_state=1)
    found = SB1Binary().compare(table, jitter=0.5 * u.km / u.s, trend=0)
    assert found["model"].tolist() == [
        "constant velocity", "constant velocity + jitter",
        "circular orbit", "circular orbit + jitter",
    ]  # fmt: skip
    of_model = SB1Binary(jitter=0.5 * u.km / u.s).compare(table)
    assert of_model["log_evidence"][5] == pytest.approx(found["log_evidence"][3])
