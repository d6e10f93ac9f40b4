"""Claims about what cannot be used: one message of the package's own, before hours are spent."""

import re

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from scipy import stats
from tables import visits

from astro_hier import (
    BinaryPopulation,
    PeriodLuminosity,
    SamplePopulation,
    SB1Binary,
    StarCluster,
    TableError,
    VelocityDispersion,
    datasets,
    given,
    outliers,
    populations,
    priors,
)
from astro_hier.core import period_nodes
from astro_hier.inference import weights
from astro_hier.model.extremes import in_words
from astro_hier.table import Role, Rows

KMS = u.km / u.s
FEW = {"draws": 5, "random_state": 1, "progressbar": False}
ODD = [None, -1, 2.5, np.nan, "x", [], {}, np.zeros(2), [1, 2] * u.d, 5 * u.d, QTable(), object]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_argument_of_any_kind_is_taken_or_refused_in_words(odd):
    for check in (
        lambda: given.choice("name", odd, ("auto", True, False)),
        lambda: given.switch("name", odd),
        lambda: given.whole("name", odd, 1),
    ):
        with pytest.raises(ValueError, match=r"(?s)name=.*; expected "):
            check()
    if odd is not None:
        assert not given.same(odd, populations.Normal())


def test_switches_and_numbers_of_numpy_are_taken():
    assert given.switch("name", np.True_) is True
    assert given.whole("name", np.int32(3), 1) == 3
    for source in (None, 3, np.int64(3), [1, 2], np.random.default_rng(1), np.random.PCG64(1)):
        assert isinstance(given.generator(source), np.random.Generator)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"method": []}, r"method=\[\] does not exist; expected one of \['marginal', 'nuts'\]"),
        ({"draws": True}, "draws=True; expected a whole number of at least 1"),
        ({"max_evaluations": -5}, "max_evaluations=-5; expected a whole number of at least 1"),
        ({"certify": 5 * u.d}, "certify=.*; expected True or False"),
        ({"surrogate": "no"}, "surrogate='no'; expected True or False"),
        ({"progressbar": np.zeros(2)}, "progressbar=.*; expected True or False"),
        ({"random_state": "a"}, "random_state='a'; expected None, a whole number of at least 0"),
        ({"random_state": True}, "random_state=True; expected"),
        ({"method": "nuts", "tune": 0.5}, "tune=0.5; expected a whole number of at least 0"),
        ({"method": "nuts", "target_accept": "x"}, "target_accept='x'; expected a number"),
    ],
)
def test_arguments_of_fit_are_checked_before_the_table(argument, message):
    with pytest.raises(ValueError, match=message):
        StarCluster().fit(None, **argument)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (StarCluster(star_draws=np.zeros(2)), "star_draws=.*; expected 'auto', True or False"),
        (StarCluster(on_invalid=[1, 2] * u.d), "on_invalid=.*; expected 'raise' or 'drop'"),
        (SamplePopulation(on_invalid=np.zeros(2)), "on_invalid=.*; expected 'raise' or 'drop'"),
        (SB1Binary(shared_jitter=5 * u.d), "shared_jitter=.*; expected True or False"),
        (PeriodLuminosity(trends=[1, 2] * u.d), "trends=.*; expected True or False"),
        (BinaryPopulation(n_jobs=0), "n_jobs=0; expected a whole number, or -1"),
        (BinaryPopulation(n_jobs="all"), "n_jobs='all'; expected a whole number, or -1"),
    ],
)
def test_arguments_of_models_are_checked_whatever_they_are(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(model.example(random_state=1), **FEW)


def test_a_base_of_backgrounds_says_what_to_use():
    with pytest.raises(TypeError, match=r"is a base: expected outliers\.ParallaxBackground"):
        outliers.Background(0.1, 1, 2)


def test_roles_of_any_kind_are_refused(small_table):
    with pytest.raises(TableError, match="columns names the unknown roles"):
        StarCluster(columns={3: "x", None: "y", "z": 1}).read(small_table)


def test_a_column_of_times_may_hold_anything():
    table = visits()
    table["time"] = SkyCoord(np.arange(6) * u.deg, np.arange(6) * u.deg)
    with pytest.raises(TableError, match=r"'time' \(time\) holds SkyCoord objects; expected times"):
        SB1Binary().fit(table)


@pytest.mark.parametrize(("value", "row"), [(1e-160, 2), (1e-300, 4), (1e150, 1)])
def test_sizes_whose_squares_are_no_numbers_name_the_rows(small_table, value, row):
    small_table["parallax_error"][row] = value * u.mas
    with pytest.raises(TableError, match=f"row {row}: {re.escape(str(value))}; .*is the unit"):
        StarCluster().fit(small_table)
    small_table["parallax_error"] = np.full(len(small_table), value) * u.mas
    with pytest.raises(TableError, match="no row is left without them"):
        StarCluster(on_invalid="drop").fit(small_table)


def test_an_argument_of_the_model_given_to_fit_is_said(small_table):
    with pytest.raises(ValueError, match=r"\['on_invalid'\] are arguments of StarCluster\(\)"):
        StarCluster().fit(small_table, on_invalid="drop")


def test_a_cluster_may_have_parallaxes_next_to_nothing(small_table):
    small_table["parallax"] = np.full(len(small_table), 1e-310) * u.mas
    rows = StarCluster().read(small_table)
    assert np.all(np.isfinite(StarCluster().initial(StarCluster().prepare(rows, False))["r"]))


def test_redshifts_end_where_light_was_last_scattered():
    table = datasets.make_velocities(5, redshift=True, random_state=1)
    table["redshift"][3] = 9e18
    with pytest.raises(TableError, match=r"row 3: 9e\+18; .* greater than -1, up to 1100"):
        VelocityDispersion().fit(table)


def test_errors_that_no_orbit_can_follow_are_a_message_that_names_star_and_error():
    table = visits()
    table["rv_error"][2] = 1e-9 * KMS
    with pytest.raises(ValueError, match=r"not resolved .*the smallest error is 1e-09, where"):
        SB1Binary().fit(table, **FEW)
    table["rv_error"] = np.full(6, 1e-9) * KMS
    table["star"] = "HD 1"
    with pytest.raises(ValueError, match="star HD 1: the posterior of the period is not resolved"):
        BinaryPopulation().fit(table, **FEW)


def test_jitters_whose_costs_multiply_are_refused_with_an_estimate():
    table = visits(40)
    table["star"], table["instrument"] = "HD 1", list("abcd") * 10
    jitter = priors.LogUniform(0.01 * KMS, 5 * KMS)
    message = r"own jitters of 4 instruments take 3e\+04 combinations, some 0\.\d+ hours: share"
    for model in (SB1Binary, BinaryPopulation):
        with pytest.raises(ValueError, match="star HD 1: " + message):
            model(jitter=jitter, instrument="instrument").fit(table, **FEW)


class Noise:
    """A likelihood that is nothing but rounding."""

    time = np.array([0.0, 10.0])

    def __init__(self):
        self.rng, self.evaluations = np.random.default_rng(1), 0

    def at(self, frequency):
        self.evaluations += len(frequency)
        return self.rng.normal(size=len(frequency))

    def grid(self, start, step, count):
        return self.at(np.empty(count))

    def special(self, low, high):
        return np.array([]), np.inf


def test_a_search_for_periods_in_noise_ends():
    likelihood = Noise()
    with pytest.raises(ValueError, match="because rounding hides it"):
        period_nodes.period_nodes(likelihood, stats.uniform(1, 100))
    assert likelihood.evaluations < 10 * period_nodes.LEAST_MOST


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_density_that_is_no_number_is_an_error(small_table, monkeypatch, wrong):
    model = StarCluster().fit(small_table, **FEW)
    before = model.inference_data

    def log_prob(self, data, values, log_marginal=None):
        return np.where(np.arange(20) == 7, wrong, 0.0)

    monkeypatch.setattr(StarCluster, "log_prob", log_prob)
    with pytest.raises(ValueError, match=f"log_prob is {wrong} in 1 of 20 .* try method='nuts'"):
        model.fit(small_table, **FEW)
    assert model.inference_data is before


ROWS = Rows({"x": np.array([1.0, 1e30, 2.0]), "star": np.array(["a", "b", "c"])})
ROLES = (Role("x", u.mas), Role("star", None))


@pytest.mark.parametrize(
    "breakdown",
    [
        lambda: np.linalg.cholesky(-np.eye(2)),
        lambda: np.max([]),
        lambda: 1 / 0,
        lambda: stats.norm.interval(10**400, 0, 1),
    ],
)
def test_a_breakdown_of_arithmetic_names_the_extreme_rows(breakdown):
    with (
        pytest.raises(ValueError, match=r"Model cannot be computed .* \(row 0\) to 1e\+30 mas"),
        in_words("Model", ROWS, ROLES),
    ):
        breakdown()


def test_errors_of_users_and_of_models_stay_as_they_are():
    own = ValueError("of a user's own population")
    with pytest.raises(ValueError, match="own population") as caught, in_words("M", ROWS, ROLES):
        raise own
    assert caught.value is own


def test_weights_that_are_all_equal_have_no_tail():
    assert weights.pareto_k(np.zeros(1000)) == np.inf


def test_a_prior_without_a_distribution_is_refused():
    with pytest.raises(priors.PriorError, match="is not a prior"):
        StarCluster(mu_r=priors.Prior()).fit(datasets.make_star_cluster(5, random_state=1))


def test_columns_that_are_not_there_are_not_among_the_extremes():
    roles = [Role("rv", KMS), Role("rv_error", KMS)]
    with (
        pytest.raises(ValueError, match=r"rv is from 1 .* to 2"),
        in_words("Model", Rows({"rv": np.array([1.0, 2.0])}), roles),
    ):
        raise ZeroDivisionError("weights")
