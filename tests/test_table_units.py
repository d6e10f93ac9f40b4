"""Claims about units that are not understood, and what is meant by them."""

from itertools import product

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Column, QTable, Table
from tables import ROLES, STATED, VISITS, followed, good, visits, with_unit

from astro_hier import priors
from astro_hier.logarithms import factor_between, value_in
from astro_hier.table import Role, TableError, read_columns


@pytest.mark.parametrize("unit", [None, u.one, u.dex])
def test_a_logarithm_is_in_dex_with_or_without_a_unit(unit):
    table = Table({"feh": Column([-1.5, 0.2], unit=unit)})
    assert read_columns(table, (Role("feh", u.dex),))["feh"].tolist() == [-1.5, 0.2]


@pytest.mark.parametrize("unit", [u.mag, u.dex, u.dB])
@pytest.mark.parametrize("other", [u.mag, u.mmag, u.dex, u.dB])
def test_magnitudes_dex_and_decibels_are_never_converted_into_each_other(unit, other):
    table = QTable({"x": [1.0] * other})
    if unit == other or (unit, other) == (u.mag, u.mmag):
        expected = 0.001 if other == u.mmag else 1.0
        np.testing.assert_allclose(read_columns(table, (Role("x", unit),))["x"], expected)
        return
    with pytest.raises(TableError, match=f"has unit '{other}'.*expected {unit}"):
        read_columns(table, (Role("x", unit),))
    with pytest.raises(priors.PriorError, match=f"has unit '{other}', expected .*{unit}"):
        priors.Normal(1 * other, 1 * other).frozen(unit)
    with pytest.raises(priors.PriorError, match="has unit 'none', expected"):
        priors.Normal(1, 1).frozen(u.mag / u.dex)


def test_a_unit_may_be_text_or_one_or_a_magnitude_of_a_system():
    assert factor_between(u.pc, "kpc") == 0.001
    assert factor_between(u.one, 1) == 1
    assert value_in(3 * u.ABmag, u.mag) == 3


@pytest.mark.parametrize("cls", [Table, QTable])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("columns", [None, STATED])
@pytest.mark.parametrize(
    ("name", "text", "unit"),
    [
        ("rv", "M/S", u.m / u.s),
        ("rv", "KM/S", u.km / u.s),
        ("rv", "km/sec", u.km / u.s),
        ("rv_error", "kms", u.km / u.s),
        ("time", "HOURS", u.hour),
        ("time", "days", u.day),
        ("time", "Yrs", u.yr),
        ("time", "BJD", u.day),
        ("time", "D", u.day),
        ("time", "S", u.s),
        ("time", "H", u.hour),
    ],
)
def test_a_misspelt_unit_is_an_error_with_a_cure_that_works(cls, masked, columns, name, text, unit):
    table = with_unit(visits(cls=cls), name, text, masked)
    with pytest.raises(TableError, match=f"column '{name}'.*unit '{text}'") as error:
        read_columns(table, VISITS, columns)
    table = followed(error.value, table)
    assert table[name].unit == unit
    expected = visits()[name].value * unit.to(VISITS[visits().colnames.index(name)].unit)
    if name == "time":
        expected -= expected[0]
    np.testing.assert_allclose(read_columns(table, VISITS, columns)[name], expected, atol=1e-6)


@pytest.mark.parametrize("cls", [Table, QTable])
def test_an_angle_of_unknown_unit_is_an_error_with_a_cure_that_works(cls):
    for text, unit in {"MAS": u.mas, "microarcsec": u.uas, "ARCSEC": u.arcsec}.items():
        table = with_unit(good(cls), "parallax", text)
        with pytest.raises(TableError, match=f"has the unit '{text}', which astropy") as error:
            read_columns(table, ROLES, {"parallax": ("parallax", "mas")})
        assert followed(error.value, table)["parallax"].unit == unit


@pytest.mark.parametrize(
    ("texts", "role"),
    [
        (["mas", "arcsec", "uas", "deg"], u.mas),
        (["km/s", "m/s", "cm s-1", "km/h"], u.km / u.s),
        (["d", "day", "h", "hour", "min", "s", "yr"], u.day),
    ],
)
def test_the_unit_that_is_meant_is_found_whatever_its_case(texts, role):
    for text in texts:
        for letters in product(*({c.lower(), c.upper()} for c in text)):
            unit = u.Unit("".join(letters), parse_strict="silent")
            if not isinstance(unit, u.UnrecognizedUnit) and unit.is_equivalent(role):
                continue
            table = Table({"x": Column([1.0, 2.0], unit=unit)})
            with pytest.raises(TableError) as error:
                read_columns(table, [Role("x", role)])
            assert followed(error.value, table)["x"].unit == u.Unit(text)


def test_a_unit_nobody_knows_is_to_be_set_to_one_that_is_expected():
    table = with_unit(visits(), "rv", "knots?")
    with pytest.raises(TableError, match="any unit of type 'speed/velocity'") as error:
        read_columns(table, VISITS, STATED)
    assert followed(error.value, table)["rv"].unit == u.km / u.s
    roles = (Role("redshift", u.one),)
    table = with_unit(QTable({"redshift": [0.1, 0.2]}), "redshift", "zz")
    with pytest.raises(TableError, match="expected numbers without unit") as error:
        read_columns(table, roles)
    assert followed(error.value, table)["redshift"].unit == u.one


def test_the_unit_of_odd_case_is_called_what_it_means():
    table = with_unit(visits(), "time", "D")
    with pytest.raises(
        TableError, match=r"unit 'D', which means debye .*; for days write 'd'"
    ) as error:
        read_columns(table, VISITS)
    assert "dipole" not in str(error.value)
    table["time"] = table["time"].value
    with pytest.raises(TableError, match=r"columns={'time': \('time', 'd'\)}"):
        read_columns(table, VISITS, {"time": ("time", "D")})


@pytest.mark.parametrize("unit", ["KM/S", u.Unit("KM/S", parse_strict="silent")])
def test_a_stated_unit_that_astropy_does_not_know_is_an_error(unit):
    with pytest.raises(TableError, match=r"'KM/S' is not a unit .* such as \('rv', 'km / s'\)"):
        read_columns(visits(), VISITS, {"rv": ("rv", unit)})
