"""Claims about the orbits of single stars of a catalogue, which are found without draws."""

import json
import pickle
import warnings

import astropy.units as u
import numpy as np
import pytest

from astro_hier import SB1Binary, datasets, priors
from astro_hier.core import linear

KMS = u.km / u.s
SEARCHED = priors.LogUniform(2 * u.day, 200 * u.day)
JITTER = priors.LogUniform(0.05 * KMS, 5 * KMS)
SCALED = priors.PeriodScaled(30 * KMS)
ELLIPSE = {"eccentricity": priors.Beta(1, 3, upper=0.9), "amplitude": SCALED}
OFFSET = {"instrument": "spectrograph", "offset": priors.Normal(0 * KMS, 2 * KMS)}
MODELS = {
    "circle": (7, {}),
    "circle, scaled amplitude, trend": (9, {"amplitude": SCALED, "trend": 1}),
    "circle, jitter": (9, {"jitter": JITTER}),
    "circle, jitters of instruments": (14, {"jitter": JITTER, **OFFSET}),
    "circle, known jitter": (9, {"jitter": 0.5 * KMS}),
    "ellipse": (10, ELLIPSE),
    "ellipse, jitter": (12, {"jitter": JITTER, "eccentricity": 0.3, "amplitude": SCALED}),
    "ellipse, jitters of instruments": (16, {"jitter": JITTER, **OFFSET, **ELLIPSE}),
}


def table_of(n, **options):
    table = datasets.make_binary(
        n, P=12.3 * u.day, K=8 * KMS, baseline=90 * u.day, rv_error=1.2 * KMS, random_state=5
    )
    table["spectrograph"] = np.where(np.arange(n) % 3 == 0, "fibre", "slit")
    return table


def described(model, table, **options):
    named = model.instrument is not None
    spec = model.survey_spec(["fibre", "slit"] if named else None)
    floats = [table[name].value for name in ("time", "rv", "rv_error")]
    visits = spec.visits(*floats, np.asarray(table["spectrograph"]) if named else None)
    return spec.describe(visits, **options)


@pytest.fixture(scope="module", params=MODELS)
def pair(request):
    """A star described without draws, its model fitted to the same visits, and its spec."""
    n, options = MODELS[request.param]
    table, model = table_of(n), SB1Binary(P=SEARCHED, **options)
    found = described(model, table, compiled=False)
    with warnings.catch_warnings(action="ignore"):  # of several periods, and the like
        model.fit(table, draws=500, random_state=1, progressbar=False)
    return found, model


def test_modes_and_evidences_are_those_of_a_fit(pair):
    found, model = pair
    modes, attrs = model.modes(), model.posterior.attrs
    assert len(found["modes_P"]) == min(len(modes), 8)
    for name in modes.colnames:
        expected = np.asarray(modes[name])[:8]
        np.testing.assert_allclose(found[f"modes_{name}"], expected, rtol=1e-3, err_msg=name)
    assert found["n_modes"] == attrs["n_modes"]
    for name in ("log_evidence", "ln_bayes_factor", "period_information"):
        np.testing.assert_allclose(found[name], attrs[name], rtol=1e-9, err_msg=name)


def test_elements_are_those_of_draws_in_the_best_mode(pair):
    found, model = pair
    elements = model.elements(mode=0)
    # of some 1000 draws quantiles are good to 0.05 half widths: 30 false alarms in a million each
    for name in ("P", "K", *(["e"] if "e" in found else [])):
        median, low, high = elements[name].value
        allowed = 0.1 * (high - low) + 1e-12
        for end, expected in (("_low", low), ("_high", high)):
            assert abs(found[name + end] - expected) < allowed, name + end
        if name != "K":  # that of a circle is the best orbit's
            assert abs(found[name] - median) < allowed
    for name in ("v0", "T_conj"):
        median, low, high = elements[name].value
        assert abs(found[name.lower()] - median) < 1.5 * (high - low), name
    upper = model.posterior.attrs["K_upper"]
    assert abs(found["K_upper"] - upper) < 0.05 * upper


def test_the_fit_of_the_best_orbit_is_judged_alike(pair):
    found, model = pair
    dof, attrs = model.fitted_data().degrees_of_freedom, model.posterior.attrs
    # the best of 2000 draws is off the best orbit by less than 1 in chi2
    assert abs(found["chi2_per_dof"] - attrs["chi2_per_dof"]) * dof < 1.5
    if not model.scatter.is_known:
        jitter = np.ravel(model.samples("jitter").value.mean(axis=0))
        spread = np.ravel(model.samples("jitter").value.std(axis=0))
        assert np.all(np.abs(found["jitter"] - jitter) < 2 * spread)


def test_numbers_of_a_mode_are_averages_over_its_periods():
    model, table = SB1Binary(P=SEARCHED), table_of(12)
    found, spec = described(model, table, compiled=False), model.survey_spec()
    visits = spec.visits(*(table[name].value for name in ("time", "rv", "rv_error")))
    mean, sd = found["modes_P"][0], found["modes_P_sd"][0]
    P = np.linspace(mean - 7 * sd, mean + 7 * sd, 4001)
    best = linear.Solution(visits, 1 / P)
    height = best.log_marginal() - np.log(P)
    weight = np.exp(height - height.max())
    K = np.hypot(*best.linear()[:2])
    assert mean == pytest.approx(np.average(P, weights=weight), abs=0.01 * sd)
    assert sd == pytest.approx(np.sqrt(np.average((P - mean) ** 2, weights=weight)), rel=0.01)
    assert found["modes_K"][0] == pytest.approx(np.average(K, weights=weight), rel=1e-3)
    assert found["K"] == pytest.approx(K[np.argmax(best.log_marginal())], rel=1e-2)
    below = np.interp([0.16, 0.5, 0.84], np.cumsum(weight) / weight.sum(), P)
    quantiles = [found[name] for name in ("P_low", "P", "P_high")]
    np.testing.assert_allclose(quantiles, below, rtol=0, atol=0.02 * sd)


def test_names_are_those_that_are_promised(pair):
    found, model = pair
    named = model.instrument is not None
    spec = model.survey_spec(["slit", "fibre"] if named else None)
    assert list(found) == list(spec.columns)
    for name, of in found.items():
        if name == "jitter" or name.startswith("modes_"):
            assert isinstance(of, list)
        else:
            assert isinstance(of, (str, int, float)), name


def test_a_spec_is_pickled_and_says_what_changes_its_results():
    model = SB1Binary(P=SEARCHED, jitter=JITTER, trend=1, **ELLIPSE)
    spec = model.survey_spec()
    again = pickle.loads(pickle.dumps(spec))
    assert again == spec
    assert repr(again) == repr(spec)
    assert json.loads(str(spec))["arguments"]["trend"] == 1
    slightly = priors.LogUniform(2 * u.day, np.nextafter(200, 201) * u.day)
    assert SB1Binary(P=slightly, jitter=JITTER, trend=1, **ELLIPSE).survey_spec() != spec
    renamed = model.set_params(columns={"rv": "velocity"})
    assert renamed.survey_spec() == spec, "where velocities come from does not matter"


def test_a_pickled_spec_describes_the_same():
    table, model = table_of(8), SB1Binary(P=SEARCHED, amplitude=SCALED)
    spec = pickle.loads(pickle.dumps(model.survey_spec()))
    visits = spec.visits(*(table[name].value for name in ("time", "rv", "rv_error")))
    assert spec.describe(visits, compiled=False) == described(model, table, compiled=False)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_visits_are_described(n):
    found = described(SB1Binary(P=SEARCHED), table_of(n), compiled=False)
    assert found["n_visits"] == n
    assert np.isnan(found["chi2_per_dof"])
    assert 2 <= found["P_low"] <= found["P"] <= found["P_high"] <= 200
    assert np.isfinite([found[name] for name in ("K_upper", "v0", "ln_bayes_factor")]).all()


def test_a_known_period_is_described():
    found = described(SB1Binary(P=12.3 * u.day), table_of(9), compiled=False)
    assert found["P"] == found["P_low"] == found["P_high"] == pytest.approx(12.3)
    assert found["modes_probability"] == [1.0]
    assert found["period_information"] == 0


def test_instruments_must_be_known():
    model = SB1Binary(P=SEARCHED, **OFFSET)
    with pytest.raises(ValueError, match="instruments=None and instrument='spectrograph'"):
        model.survey_spec()
    some = np.arange(4.0)
    with pytest.raises(
        ValueError, match=r"\['slits'\] are not among those given, \['fibre', 'slit'\]"
    ):
        model.survey_spec(["slit", "fibre"]).visits(some, some, some + 1, ["slits"] * 4)


def test_an_instrument_that_did_not_visit_a_star_is_not_fitted():
    table, model = table_of(14), SB1Binary(P=SEARCHED, **OFFSET)
    alone = table[table["spectrograph"] == "slit"]
    floats = [alone[name].value for name in ("time", "rv", "rv_error")]
    spec = model.survey_spec(["fibre", "slit"])
    visits = spec.visits(*floats, np.asarray(alone["spectrograph"]))
    assert spec.n_fitted(visits) == SB1Binary().survey_spec().n_fitted(visits) == 4
