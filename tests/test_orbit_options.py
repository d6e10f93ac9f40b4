"""Claims about jitter, trends, instruments and known values in the models of orbits."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from scipy import stats

from astro_hier import (
    BinaryPopulation,
    SB1Binary,
    TableError,
    columns,
    datasets,
    populations,
    priors,
)

# of the tutorial's binaries and others, whose scatter is what it is
pytestmark = pytest.mark.filterwarnings(
    "ignore:chi2 per degree of freedom is higher", "ignore:the jitter is far larger"
)

KMS = u.km / u.s
JITTER = priors.LogUniform(0.01 * KMS, 10 * KMS)
MODELS = [SB1Binary, BinaryPopulation]
# stars of the tutorial whose errors are far too small, and chi2 per degree of freedom
BAD = {
    "2M01282954+8522331": 163, "2M13513748+3329326": 103, "2M16592592+1114317": 18,
    "2M19335125+4253024": 19, "2M19533836+4009244": 1308, "2M19535998+4020012": 315,
}  # fmt: skip


def example(model):
    """A small table for either model, with a column of instruments."""
    make = datasets.make_binaries if model is BinaryPopulation else datasets.make_binary
    size = {"n_stars": 3} if model is BinaryPopulation else {}
    table = make(n_visits=9, baseline=60 * u.day, rv_error=0.5 * KMS, random_state=2, **size)
    table["spectrograph"] = np.where(np.arange(len(table)) % 2, "new", "old")
    return table


def fit(model, table, seed=1, **options):
    if model is BinaryPopulation:
        options = {
            "period_range": (1.5 * u.day, 60 * u.day),
            "population": populations.TruncatedNormal(),
        } | options
    return model(**options).fit(table, draws=200, random_state=seed, progressbar=False)


@pytest.fixture(scope="module")
def apogee(shared_data):
    return QTable.read(shared_data / "apogee_binaries" / "apogee-binaries.ecsv")


@pytest.fixture(scope="module")
def of_apogee(apogee):
    """The tutorial's population without and with a jitter of each star."""

    def fitted(**options):
        model = BinaryPopulation(columns=columns.APOGEE, star_draws=False, **options)
        return model.fit(apogee, random_state=0, progressbar=False)

    return fitted(), fitted(jitter=JITTER)


@pytest.mark.slow
def test_jitter_mends_the_tutorials_stars(of_apogee):
    plain, jittered = of_apogee
    for name, tolerance in (("mu", 0.1), ("lnsigma", 0.1)):
        before, after = (fit.samples(name).value for fit in of_apogee)
        # periods are known so well in any case that the population stays
        assert abs(before.mean() - after.mean()) < tolerance * before.std()
    gain = jittered.posterior.attrs["log_evidence"] - plain.posterior.attrs["log_evidence"]
    assert gain > 16_000
    before, after = plain.star_table(), jittered.star_table()
    assert np.all(after["chi2_per_dof"] < 1.5)
    for row, mended in zip(before, after, strict=True):
        if row["star"] in BAD:
            assert row["chi2_per_dof"] == pytest.approx(BAD[row["star"]], rel=0.05)
            assert mended["chi2_per_dof"] == pytest.approx(1, abs=0.1)
            # errors that are too small by a factor make that of the period so
            growth = mended["P_sd"] / row["P_sd"] / np.sqrt(row["chi2_per_dof"])
            assert 0.6 < growth < 1.6


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.filterwarnings("ignore:the data press")
def test_a_known_jitter_is_that_much_more_error(model):
    table = example(model)
    inflated = table.copy()
    inflated["rv_error"] = np.hypot(table["rv_error"], 1 * KMS)
    known, plain = fit(model, table, jitter=1 * KMS), fit(model, inflated)
    assert np.all(known.samples("jitter") == 1 * KMS)
    for name in plain.posterior.data_vars:
        np.testing.assert_allclose(known.samples(name), plain.samples(name), rtol=1e-6)
    evidence = [f.posterior.attrs["log_evidence"] for f in (known, plain)]
    assert evidence[0] == pytest.approx(evidence[1], abs=1e-9)


def test_log_prob_changes_with_jitter_as_the_normal_density_says():
    star = SB1Binary(jitter=priors.LogUniform(0.01 * KMS, 10 * KMS), trend=1)
    table = example(SB1Binary)
    fitted = star.fit(table, draws=50, random_state=0, progressbar=False)
    values = {p.name: fitted.samples(p.name).value for p in fitted.parameters}
    data = fitted.fitted_data()
    time = data.time
    for s in (0.01, 0.3, 2.0):
        changed = values | {"jitter": np.full_like(values["jitter"], s)}
        phase = 2 * np.pi * time / values["P"][:, None]
        expected = (
            values["a"][:, None] * np.cos(phase) + values["b"][:, None] * np.sin(phase)
            + values["v0"][:, None] + values["trend1"][:, None] * time / 365.25
        )  # fmt: skip
        sd = np.sqrt(data.rv_error**2 + s**2)
        likelihood = stats.norm.logpdf(data.rv, expected, sd).sum(axis=1)
        prior = (
            stats.uniform.logpdf(values["P"], 1.5, 18.5)
            + stats.norm.logpdf(values["a"], 0, 100) + stats.norm.logpdf(values["b"], 0, 100)
            + stats.norm.logpdf(values["v0"], 0, 150) + stats.norm.logpdf(values["trend1"], 0, 10)
            + stats.loguniform.logpdf(s, 0.01, 10)
        )  # fmt: skip
        np.testing.assert_allclose(fitted.log_prob(data, changed), prior + likelihood, atol=1e-9)


def test_offsets_and_a_trend_are_found():
    # False alarm: 4.5 standard deviations each, 1e-5.
    table = datasets.make_binary(24, rv_error=0.3 * KMS, baseline=500 * u.day, random_state=3)
    table["instrument"] = ["A", "B"] * 12
    table["rv"][1::2] += 3 * KMS
    table["rv"] += (table["time"] * (4 * KMS / u.yr)).to(KMS)
    star = fit(SB1Binary, table, instrument="instrument", trend=1)
    offset, trend = star.samples("offset"), star.samples("trend1")
    assert np.all(offset[:, 0] == 0)
    assert list(star.posterior["instrument"].values) == ["A", "B"]
    for draws, truth in ((offset[:, 1], 3 * KMS), (trend, 4 * KMS / u.yr)):
        assert abs(draws.mean() - truth) < 4.5 * draws.std()
    residual = star.predict()[0] - table["rv"]
    assert residual.std() < 1 * KMS
    # at other times in the first instrument's frame
    at_visits, of_first = star.predict(), star.predict(table["time"])
    shift = (at_visits - of_first).value
    assert np.all(shift[:, ::2] == 0)
    np.testing.assert_allclose(shift[:, 1::2], offset[:, 1:].value.repeat(12, axis=1))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.filterwarnings("ignore:the data press")
def test_all_options_together_are_kept_by_a_file(model, tmp_path):
    table = example(model)
    jitter = priors.LogUniform(0.1 * KMS, 5 * KMS)
    options = {"jitter": jitter, "trend": 1, "instrument": "spectrograph", "v0": -20 * KMS}
    fitted = fit(model, table, **options)
    of_star = ("star",) if model is BinaryPopulation else ()
    assert fitted.posterior["jitter"].dims == ("chain", "draw", *of_star, "instrument")
    assert fitted.posterior["trend1"].attrs["unit"] == "km / (s yr)"
    assert np.all(fitted.samples("v0") == -20 * KMS)
    fitted.save(tmp_path / "saved.nc")
    loaded = model.load(tmp_path / "saved.nc")
    assert loaded.get_params() == fitted.get_params()
    assert np.all(loaded.predict() == fitted.predict())
    assert len(loaded.summary("all")) == len(fitted.summary("all"))
    for draw in ("plot_phase", "plot_data", "plot_graph", "plot_corner"):
        getattr(loaded, draw)()
    if model is BinaryPopulation:
        assert loaded.star_table()["jitter"].shape == (3, 2)


def test_a_population_of_jitters_is_recovered():
    # False alarm: 4.5 standard deviations each, 1e-5.
    rng = np.random.default_rng(4)
    table = datasets.make_binaries(
        12, 10, baseline=40 * u.day, mu=1.5, sigma=0.4, rv_error=0.1 * KMS, random_state=4
    )
    true = np.exp(rng.normal(0, 0.5, 12))
    table["rv"] += rng.normal(0, np.repeat(true, 10)) * KMS
    prior = populations.LogNormalJitter(priors.Normal(-1, 1), priors.Normal(-0.5, 0.5))
    fitted = BinaryPopulation(jitter=prior, period_range=(1 * u.day, 50 * u.day)).fit(
        table, draws=500, random_state=0, progressbar=False
    )
    for name, truth in (("mu_jitter", 0.0), ("lnsigma_jitter", np.log(0.5))):
        draws = fitted.samples(name).value
        assert abs(draws.mean() - truth) < 4.5 * draws.std()
    ln_s = np.log(fitted.samples("jitter").value)
    assert np.all(np.abs(ln_s.mean(axis=0) - np.log(true)) < 4.5 * ln_s.std(axis=0))
    np.testing.assert_allclose(fitted.star_table()["jitter"].value, true, rtol=0.8)


def test_models_are_compared_by_their_evidence():
    table = example(SB1Binary)
    star = SB1Binary(jitter=JITTER)
    found = star.compare(table, trend=1, eccentricity=False)
    assert len(found) == 8
    assert found["probability"].sum() == pytest.approx(1)
    evidence = dict(zip(found["model"], found["log_evidence"], strict=True))
    fitted = star.fit(table, draws=10, random_state=0, progressbar=False)
    own = fitted.posterior.attrs["log_evidence"]
    assert evidence["circular orbit + jitter"] == pytest.approx(own, abs=1e-9)
    # a constant velocity: v0 alone, a normal density with a common covariance
    covariance = np.diag(table["rv_error"].value ** 2) + 150.0**2
    expected = stats.multivariate_normal(np.zeros(9), covariance).logpdf(table["rv"].value)
    assert evidence["constant velocity"] == pytest.approx(expected, abs=1e-6)
    assert evidence["circular orbit"] > evidence["constant velocity"] + 100


def test_a_star_without_an_orbit_is_most_probably_constant():
    rng = np.random.default_rng(0)
    table = example(SB1Binary)
    table["rv"] = rng.normal(20, 0.5, 9) * KMS
    found = SB1Binary().compare(table)
    assert found["model"][np.argmax(found["probability"])] == "constant velocity"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"jitter": priors.Normal(0 * KMS, 1 * KMS)}, priors.PriorError, "allows values below"),
        ({"jitter": priors.HalfNormal(1 * u.day)}, priors.PriorError, "prior of jitter"),
        ({"jitter": "yes"}, priors.PriorError, "jitter='yes' is not a prior"),
        ({"trend": -1}, ValueError, "trend=-1; expected the order"),
        ({"trend": (priors.Normal(0, 1),)}, priors.PriorError, "prior of trend1"),
        ({"instrument": "camera"}, TableError, r"column 'camera' \(instrument\) is not in"),
        ({"instrument": 3}, ValueError, "instrument=3; expected the name of a column"),
        ({"instrument": "spectrograph", "offset": JITTER}, priors.PriorError, "offset=LogUniform"),
    ],
)  # fmt: skip
def test_impossible_options_are_errors_that_say_what_is_accepted(model, options, error, message):
    with pytest.raises(error, match=message):
        fit(model, example(model), **options)


def test_a_known_period_leaves_the_linear_parameters():
    table = example(SB1Binary)
    star = fit(SB1Binary, table, P=7.3 * u.day)
    assert np.all(star.samples("P") == 7.3 * u.day)
    assert star.modes()["probability"][0] == pytest.approx(1)
    star.plot_phase()
    with pytest.raises(ValueError, match="is given: it has no posterior"):
        star.plot_periodogram()
