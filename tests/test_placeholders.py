"""Claims about values that stand for none: which are named, and that real ones are not."""

import re

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from astro_hier import (
    BinaryPopulation,
    PeriodLuminosity,
    SamplePopulation,
    SB1Binary,
    StarCluster,
    TableError,
    VelocityDispersion,
    datasets,
    populations,
    priors,
)
from astro_hier.table import Role, of_table
from astro_hier.table.placeholders import standing_out

KMS = u.km / u.s
PLAIN, POSITIVE = Role("x", u.km), Role("x", u.km, positive=True)
FILLS = -99, -999, -9999, 99, 99.99, -99.9, 999.999, 1e20, -1e30, -32768


def with_value(table, name, row, value):
    table = table.copy()
    values = np.array(table[name].value, dtype=float)
    values[row] = value
    table[name] = values * table[name].unit
    return table


def said(model, table):
    """What is said of placeholders, or nothing."""
    findings = model.check_table(table, model.read(table))
    return next(f.said for f in findings if f.name == "placeholders")


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("name", ["feh", "magnitude", "parallax", "period", "feh_error"])
def test_a_placeholder_in_any_column_is_named_with_its_row(name, fill):
    table = datasets.make_period_luminosity(8, random_state=1)
    assert said(PeriodLuminosity(), table) == ""
    if fill < 0 and name in ("period", "feh_error"):
        with pytest.raises(TableError, match=f"{name}.*row 3: {re.escape(str(fill))}"):
            PeriodLuminosity().read(with_value(table, name, 3, fill))
        return
    message = said(PeriodLuminosity(), with_value(table, name, 3, fill))
    assert f"column '{name}' ({name}), row 3: {fill:.7g}, all others from" in message


@pytest.mark.parametrize(
    ("model", "table", "name"),
    [
        (StarCluster(), datasets.make_star_cluster(6, random_state=1), "parallax"),
        (SB1Binary(), datasets.make_binary(6, random_state=1), "rv"),
        (BinaryPopulation(), datasets.make_binaries(3, random_state=1), "rv"),
        (VelocityDispersion(), datasets.make_velocities(4, random_state=1), "velocity"),
    ],
)
def test_all_models_name_placeholders(model, table, name):
    assert said(model, table) == ""
    assert "row 2: -9999, all others" in said(model, with_value(table, name, 2, -9999))


def test_placeholders_are_known_in_the_unit_they_are_written_in_and_however_many_they_are():
    table = QTable({"x": np.r_[np.arange(1, 5.0), np.full(9, -999.0)] * u.m})
    finding = of_table(table, (PLAIN,))[1]
    assert "row 4: -999, row 5: -999" in finding.said
    assert "(9 in all), all others from 1 to 4" in finding.said
    times = QTable({"t": [2.0, 9.0, -9999.0, 4.0] * u.day})
    assert "row 2: -9999" in of_table(times, (Role("t", u.day, is_time=True),))[1].said


@pytest.mark.parametrize("n", [4, 30, 1000])
def test_real_values_are_no_placeholders(n):
    """Heavy tails, many decades, whole numbers: at most 1 in 100 samples is named."""
    rng = np.random.default_rng(n)
    named = np.zeros(5)
    for _ in range(100):
        samples = (
            (rng.normal(10, 5, n), PLAIN),
            (30 * rng.standard_t(3, n), PLAIN),
            (10 ** rng.normal(0, 2, n), POSITIVE),
            (rng.integers(0, 100, n).astype(float), PLAIN),
            (np.round(rng.exponential(20, n), 1), PLAIN),
        )
        named += [standing_out(values, role).any() for values, role in samples]
    assert named.max() <= 1
    eccentric = np.r_[np.full(20, 10.0) + rng.normal(0, 0.03, 20), 99.9]
    assert not standing_out(np.r_[eccentric, 60.0], PLAIN).any()


@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero", "ignore:overflow")
@pytest.mark.parametrize(
    ("model", "table", "name", "value"),
    [
        (StarCluster(), datasets.make_star_cluster(8, random_state=1), "parallax", 1e20),
        (
            StarCluster(error_scale=priors.LogNormal(0, 0.5)),
            datasets.make_star_cluster(8, random_state=1),
            "parallax_error",
            1e-50,
        ),
        (SB1Binary(eccentricity=True), datasets.make_binary(8, random_state=1), "rv_error", 1e-9),
    ],
)
def test_a_fit_that_breaks_down_names_the_row_and_no_hook(model, table, name, value):
    table = with_value(table, name, 0, value)
    with pytest.raises(
        TableError, match=f"column '{name}'.*row 0: {value:.1g}".replace("+", r"\+")
    ) as error:
        model.fit(table, draws=10, random_state=1, progressbar=False)
    assert not any(word in str(error.value) for word in ("log_marginal", "zero-size", "hooks"))
    assert "--on-invalid drop" in error.value.shell


@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero", "ignore:overflow")
@pytest.mark.parametrize(
    "model", [BinaryPopulation(), BinaryPopulation(jitter=populations.LogNormalJitter())]
)
def test_a_star_whose_velocity_is_absurd_is_named_with_its_visit(model):
    table = with_value(datasets.make_binaries(3, random_state=1), "rv", 0, 2.9e5)
    with pytest.raises(ValueError, match=r"star-0000.*the farthest is 290000, of visit 0"):
        model.fit(table, draws=10, random_state=1, progressbar=False)


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize("value", [-1e20, 1e90])
def test_a_grid_that_no_memory_holds_is_refused_with_the_row(value):
    table = QTable({"value": [value, 1, 2, 3, 2.5, 1.5] * u.Msun, "error": [0.1] * 6 * u.Msun})
    with pytest.raises(TableError, match=r"a grid would have .* points.*row 0: -?1e\+") as error:
        SamplePopulation().fit(table, draws=10, random_state=1, progressbar=False)
    assert "Maximum allowed dimension" not in str(error.value)


@pytest.mark.parametrize("eccentricity", [False, True])
def test_a_period_of_zero_is_an_error_about_the_period(eccentricity):
    model = SB1Binary(P=0 * u.day, eccentricity=eccentricity)
    with pytest.raises(priors.PriorError, match=r"P=.* expected a period above zero"):
        model.fit(datasets.make_binary(8, random_state=1), progressbar=False)


@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero", "ignore:overflow")
def test_errors_too_small_for_eccentric_orbits_are_said_as_for_circles():
    table = datasets.make_binary(8, random_state=1)
    table["rv_error"] *= 1e-12
    with pytest.raises(ValueError, match=r"rounding hides it .*smallest error is 3e-13"):
        SB1Binary(eccentricity=True).fit(table, draws=10, random_state=1, progressbar=False)
