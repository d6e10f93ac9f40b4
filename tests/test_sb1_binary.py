"""Claims about the posterior of one binary's orbit, on simulated and real stars."""

import re
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
from astro_hier.checks import CheckWarning
from astro_hier.core import orbit_evidence

KMS = u.km / u.s


def few_visits(test):
    """Mark a test whose visits are too few for one period, of which the fit warns."""
    for said in ("the data allow", "the visits say next to nothing", "no orbit is needed"):
        test = pytest.mark.filterwarnings(f"ignore:{said}")(test)
    return test


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
            assert star.posterior.attrs["p_chi2"] < 1e-3
        else:
            assert star.posterior.attrs["p_chi2"] > 1e-3
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


@few_visits
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


@few_visits
def test_one_visit_leaves_the_prior_of_the_period():
    # False alarm: one in 10,000.
    P = fit(datasets.make_binary(1, random_state=1)).samples("P").value
    assert stats.kstest(P, stats.uniform(1.5, 18.5).cdf).pvalue > 1e-4


@few_visits
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
    with pytest.raises(TableError, match=r"times are in d; expected a Time .*, as in the table"):
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
    with pytest.raises(TableError, match="expected a Quantity of time, as in the table"):
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


def test_several_stars_are_refused_with_what_selects_one():
    table = datasets.make_binaries(2, 4, random_state=1)
    table.rename_column("star", "source")
    model = SB1Binary(columns={"star": "source"})
    with pytest.raises(TableError, match="holds 2 stars") as error:
        model.read(table)
    selected = re.search(r"such as (.*)", str(error.value))[1]
    assert len(np.unique(model.read(eval(selected, {"table": table}))["star"])) == 1


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
    with pytest.raises(ValueError, match=r"is not resolved .* errors not far too small"):
        fit(precise)


def failed(model):
    """The checks that failed, by name."""
    return {finding.name: finding for finding in model.findings() if finding.failed}


def unheard(table, **options):
    """A fit, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckWarning)
        return fit(table, **options)


def ellipse(n, e, K, P=34.2, omega=1.0, t_peri=3.0, seed=2):
    """Visits to a star on an eccentric orbit, in 300 d."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, 300, n))
    M = 2 * np.pi * (time - t_peri) / P
    E = M.copy()
    for _ in range(100):
        E -= (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
    nu = 2 * np.arctan2(np.sqrt(1 + e) * np.sin(E / 2), np.sqrt(1 - e) * np.cos(E / 2))
    rv = K * (np.cos(nu + omega) + e * np.cos(omega)) + rng.normal(0, 0.3, n)
    return QTable({"time": time * u.day, "rv": rv * KMS, "rv_error": np.full(n, 0.3) * KMS})


MONTHS = priors.LogUniform(1 * u.day, 100 * u.day)
JITTER = priors.LogUniform(0.01 * KMS, 10 * KMS)


def test_a_jitter_that_hides_an_eccentric_orbit_is_said():
    star = unheard(ellipse(40, e=0.5, K=20.0), P=MONTHS, jitter=JITTER)
    assert 0.8 < star.posterior.attrs["chi2_per_dof"] < 1.2
    said = failed(star)["jitter"]
    assert re.fullmatch(r"5\.\d* km/s, 18 times the median error", said.found)
    assert "fit with eccentricity=True first" in said.python
    assert "look for, the likeliest first, a second companion" in said.python
    assert "trend=1" in said.python
    assert "jitter=" not in said.python + said.shell


def test_jitters_of_real_eccentric_binaries_are_said(shared_data):
    visits = QTable.read(shared_data / "eccentric_binaries" / "velocities.ecsv")
    jitter = priors.LogUniform(0.1 * u.m / u.s, 10 * KMS)
    for name in np.unique(visits["star"]):
        star = unheard(
            visits[visits["star"] == name],
            P=priors.LogUniform(10 * u.day, 50 * u.yr),
            jitter=jitter,
        )
        assert "fit with eccentricity=True first" in failed(star)["jitter"].python


def test_a_jitter_that_is_known_or_expected_is_not_warned_of():
    table = ellipse(40, e=0.0, K=20.0)
    table["rv"] += np.random.default_rng(0).normal(0, 3, 40) * KMS
    for jitter in (3 * KMS, priors.TruncatedNormal(3 * KMS, 0.5 * KMS, lower=2 * KMS)):
        assert not failed(unheard(table, P=MONTHS, jitter=jitter))
    assert set(failed(unheard(table, P=MONTHS, jitter=JITTER))) == {"jitter"}


@few_visits
def test_a_jitter_of_which_nothing_is_known_is_not_warned_of():
    star = fit(datasets.make_binary(2, random_state=1), jitter=JITTER)
    assert star.samples("jitter").mean() > 1 * KMS  # more than three times the errors, a priori
    assert "jitter" not in failed(star)


@pytest.mark.parametrize("n", [7, 12, 40])
def test_goodness_of_fit_is_judged_by_its_tail_probability(n):
    table = datasets.make_binary(n, random_state=3)
    chi2, p = (fit(table).posterior.attrs[name] for name in ("chi2_per_dof", "p_chi2"))
    assert p == pytest.approx(stats.chi2.sf(chi2 * (n - 4), n - 4))
    # errors that are too small by what makes chi2 improbable, and hardly too small
    for wanted, is_said in ((1e-4, True), (1e-2, False)):
        table = datasets.make_binary(n, random_state=3)
        table["rv_error"] *= np.sqrt(chi2 * (n - 4) / stats.chi2.isf(wanted, n - 4))
        star = unheard(table)
        assert star.posterior.attrs["p_chi2"] == pytest.approx(wanted, rel=0.3)
        assert ("goodness_of_fit" in failed(star)) == is_said


def test_causes_are_in_the_order_of_likelihood_and_never_in_use():
    table = ellipse(40, e=0.5, K=20.0)
    said = failed(unheard(table, P=MONTHS))["goodness_of_fit"]
    for words in (said.python, said.shell):
        places = [words.index(part) for part in ("eccentric", "trend=1", "1 to 100 d", "jitter=")]
        assert places == sorted(places)
    in_use = failed(unheard(table, P=34.2 * u.day, trend=1, jitter=0.5 * KMS))["goodness_of_fit"]
    for word in ("jitter=", "trend=1", "P="):
        assert word not in in_use.python + in_use.shell
    assert "a given P that is wrong" in in_use.python


def test_no_circle_that_is_compared_explains_an_eccentric_orbit():
    table = ellipse(9, e=0.6, K=23.6, seed=5)
    found = SB1Binary(P=MONTHS).compare(table, eccentricity=False)
    assert "none of these models explains the velocities" in found.meta["note"]
    by_name = dict(zip(found["model"], found["p_chi2"], strict=True))
    assert by_name["circular orbit + trend"] < 1e-3
    assert np.isnan(by_name["circular orbit + jitter"])
    circular = SB1Binary().compare(
        datasets.make_binary(9, random_state=1), trend=0, eccentricity=False
    )
    assert "note" not in circular.meta
    # False alarm: one in 1,000
    assert circular["p_chi2"][circular["model"] == "circular orbit"] > 1e-3


@pytest.fixture(scope="module")
def constant():
    """A star without a companion."""
    table = datasets.make_binary(16, random_state=1)
    table["rv"] = np.random.default_rng(1).normal(20, 0.3, 16) * KMS
    return table


@pytest.mark.parametrize("jitter", [None, JITTER])
def test_a_star_without_an_orbit_is_said(constant, jitter):
    star = unheard(constant, jitter=jitter)
    attrs = star.posterior.attrs
    compared = star.compare(constant, trend=0, eccentricity=False)
    evidence = dict(zip(compared["model"], compared["log_evidence"], strict=True))
    suffix = " + jitter" if jitter else ""
    expected = evidence[f"circular orbit{suffix}"] - evidence[f"constant velocity{suffix}"]
    assert attrs["ln_bayes_factor"] == pytest.approx(expected, abs=1e-6)
    assert attrs["ln_bayes_factor"] < -5
    assert attrs["K_upper"] == pytest.approx(np.quantile(star.samples("K").value, 0.95))
    assert attrs["K_upper"] < 0.5
    assert "no orbit is needed" in failed(star)["orbit"].said
    # wherever the orbit is reported
    for meta in (star.summary().meta, star.modes().meta):
        assert meta["ln_bayes_factor"] == attrs["ln_bayes_factor"]
        assert meta["K_upper"] == attrs["K_upper"]
    title = star.plot_phase().axes[0].get_title()
    assert title.startswith(f"no orbit needed: ln B = {attrs['ln_bayes_factor']:.1f}, K < 0.")
    # the norm of a mean is less than the mean of norms, which is said
    assert np.average(star.modes()["K"], weights=star.modes()["probability"]) < np.mean(
        star.samples("K").value
    )
    assert "less than the mean of the draws" in star.modes().meta["note"]


def test_errors_that_are_far_too_large_are_said(constant):
    assert "small_scatter" not in failed(unheard(constant))
    table = constant.copy()
    table["rv_error"] = 1000 * table["rv_error"]  # of m/s read as km/s
    said = failed(unheard(table))["small_scatter"]
    assert "scatter less than their errors" in said.said
    assert "check the unit of rv_error" in said.python


def test_a_trend_is_no_orbit(constant):
    table = constant.copy()
    table["rv"] += (table["time"] * (5 * KMS / u.yr)).to(KMS)
    star = unheard(table, trend=1)
    assert "a constant velocity with this trend explains" in failed(star)["orbit"].said
    assert "orbit" not in failed(unheard(table))


def test_visits_that_say_nothing_of_the_period_are_said():
    star = unheard(datasets.make_binary(2, random_state=1))
    assert star.posterior.attrs["period_information"] < 1
    assert "hardly narrower than its prior" in failed(star)["period_information"].said
    assert star.modes().meta["period_information"] == star.posterior.attrs["period_information"]
    assert "do not constrain the period" in star.plot_phase().axes[0].get_title()
    lonely = unheard(datasets.make_binary(1, random_state=1))
    # one mode of probability 1, which is the prior
    assert lonely.posterior.attrs["n_modes"] == 1
    assert lonely.posterior.attrs["period_information"] == pytest.approx(0, abs=1e-3)
    assert {"orbit", "period_information"} <= set(failed(lonely))


def test_information_is_the_ln_of_how_much_narrower_the_posterior_is(star):
    # a normal posterior of width s within a uniform prior of width w: ln(w / s) - ln(2 pi e) / 2
    sd = star.samples("P").std().to_value(u.day)
    expected = np.log(18.5 / sd) - 0.5 * np.log(2 * np.pi * np.e)
    # 4,000 draws give the sd to one percent
    assert star.posterior.attrs["period_information"] == pytest.approx(expected, abs=0.06)


def test_means_of_several_periods_are_warned_of():
    with pytest.warns(CheckWarning, match=r"data allow 21 periods .* mean and sd of P describe"):
        star = fit(datasets.make_binary(4, random_state=1))
    assert star.summary().meta["n_modes"] == 21
    assert "modes()" in failed(star)["several_periods"].python
    assert "NUTS" not in failed(star)["several_periods"].said


def best_beyond(finding):
    return float(re.search(r"the best at ([\d.]+) d", finding.found)[1])


@pytest.mark.parametrize(("n", "seed"), [(5, 5), (8, 0), (12, 0)])
def test_a_period_outside_the_range_searched_is_said(n, seed):
    table = datasets.make_binary(n, P=61.9 * u.day, random_state=seed)
    said = failed(unheard(table))["period_range"]
    assert best_beyond(said) == pytest.approx(61.9, abs=0.1)
    assert "P=priors.LogUniform(0.5 * u.day, 900 * u.day)" in said.python
    assert "--prior 'P=LogUniform(0.5 d, 900 d)'" in said.shell
    wide = unheard(table, P=priors.LogUniform(0.5 * u.day, 900 * u.day))
    assert "period_range" not in failed(wide)


def test_a_period_outside_is_found_with_a_jitter_that_hides_it():
    star = unheard(datasets.make_binary(8, P=61.9 * u.day, random_state=0), jitter=JITTER)
    assert best_beyond(failed(star)["period_range"]) == pytest.approx(61.9, abs=0.3)


def test_likelihoods_beyond_the_range_are_those_of_a_fit_there():
    table = datasets.make_binary(6, P=61.9 * u.day, random_state=0)
    model = SB1Binary()
    visits = model.prepare(model.read(table), progressbar=False).visits
    log_mean, _, *ends = orbit_evidence.beyond(visits, (1.5, 20.0), -1e4)
    np.testing.assert_allclose(ends, [0.5, 900])
    parts = [(0.5, 1.5), (20, 900)]
    evidence = [
        unheard(table, P=priors.LogUniform(*part * u.day)).posterior.attrs["log_evidence"]
        for part in parts
    ]
    widths = np.log([high / low for low, high in parts])
    expected = np.log(np.sum(widths * np.exp(evidence)) / widths.sum())
    assert log_mean == pytest.approx(expected, abs=0.02)


@pytest.mark.filterwarnings("ignore:the stated errors", "ignore:the prior does not expect")
def test_linear_parameters_beyond_their_priors_are_said():
    table = datasets.make_binary(24, random_state=3)
    table["tube"] = ["A", "B"] * 12
    table["rv"][1::2] += 76 * KMS
    said = failed(fit(table, instrument="tube"))["offset"]
    assert "offset[B] of 76.01 km / s (15 sd)" in said.said
    assert "offset=priors.Normal(0 * u.km / u.s, 80 * u.km / u.s)" in said.python
    assert "--prior 'offset=Normal(0 km/s, 80 km/s)'" in said.shell
    wide = fit(table, instrument="tube", offset=priors.Normal(0 * KMS, 80 * KMS))
    assert not failed(wide)
    halo = datasets.make_binary(v0=800 * KMS, random_state=1)
    assert "v0 of 799.9 km / s (5 sd)" in failed(fit(halo))["offset"].said
    drift = datasets.make_binary(random_state=1)
    drift["rv"] += (drift["time"] * (90 * KMS / u.yr)).to(KMS)
    assert "trend1 of 89.21 km / (s yr)" in failed(fit(drift, trend=1))["offset"].said


def test_several_stars_are_refused(apogee):
    with pytest.raises(TableError, match=r"the table holds 14 stars .2M01282954.*expected one"):
        fit(apogee, columns=columns.APOGEE)


@few_visits
def test_any_prior_of_the_period_is_used(table):
    narrow = fit(table, P=priors.LogUniform(1 * u.hour, 100 * u.day))
    assert abs(narrow.samples("P").mean() - 7.3 * u.day) < 5 * narrow.samples("P").std()
    elsewhere = fit(
        datasets.make_binary(3, random_state=1),
        P=priors.TruncatedNormal(5 * u.day, 0.01 * u.day, lower=1 * u.day),
    )
    assert elsewhere.samples("P").mean().to_value(u.day) == pytest.approx(5, abs=0.05)


@few_visits
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
    with pytest.raises(TableError, match="times are in km; expected a "):
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


@few_visits
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
    found = SB1Binary().compare(table, jitter=0.5 * u.km / u.s, trend=0, eccentricity=False)
    assert found["model"].tolist() == [
        "constant velocity", "constant velocity + jitter",
        "circular orbit", "circular orbit + jitter",
    ]  # fmt: skip
    of_model = SB1Binary(jitter=0.5 * u.km / u.s).compare(table, eccentricity=False)
    assert of_model["log_evidence"][5] == pytest.approx(found["log_evidence"][3])
