"""Claims about numbers of a size that no star has: the unit is what a user is to look at first."""

import re
import warnings

import astropy.units as u
import pytest
from astropy.table import QTable, Table

from astro_hier import (
    BinaryPopulation,
    PeriodLuminosity,
    SB1Binary,
    StarCluster,
    TableError,
    VelocityDispersion,
    datasets,
)
from astro_hier.checks import CheckWarning
from astro_hier.cli.speech import in_shell
from astro_hier.table import of_table

VISITS = datasets.make_binary(
    12, v0=-5.5 * u.km / u.s, K=0.05 * u.km / u.s, rv_error=1 * u.m / u.s, random_state=1
)
TABLES = {
    SB1Binary: VISITS,
    BinaryPopulation: datasets.make_binaries(3, random_state=1),
    VelocityDispersion: datasets.make_velocities(40, random_state=1),
    StarCluster: datasets.make_star_cluster(40, random_state=1),
    PeriodLuminosity: datasets.make_period_luminosity(40, random_state=1),
}
CASES = [
    (SB1Binary, "rv", "m/s"),
    (BinaryPopulation, "rv", "m/s"),
    (VelocityDispersion, "velocity", "m/s"),
    (StarCluster, "parallax", "arcsec"),
    (StarCluster, "parallax", "uas"),
    (PeriodLuminosity, "parallax", "uas"),
    (PeriodLuminosity, "period", "s"),
    (PeriodLuminosity, "magnitude", "mmag"),
]


def misread(model, name, unit):
    """A table with numbers in that unit, which are said to be in the unit of the model."""
    table = QTable(TABLES[model])
    own = {role.name: role.unit for role in model().roles if role.unit}
    for column in {name, f"{name}_error"} & set(table.colnames):
        table[column] = table[column].to_value(unit) * own[column]
    return table


def unit_of(table, roles, columns=None):
    return next(f for f in of_table(table, roles, columns) if f.name == "units")


@pytest.mark.parametrize(("model", "name", "unit"), CASES)
def test_the_unit_that_is_meant_is_named_with_the_code_that_mends_the_table(model, name, unit):
    table, roles = misread(model, name, unit), model().roles
    for kind in (QTable, Table):
        given = kind(table)
        finding = unit_of(given, roles)
        assert finding.failed
        assert f"these numbers may be {u.Unit(unit)}: if so, " in finding.python
        exec(finding.python.partition("if so, ")[2], {"table": given, "u": u})
        assert not unit_of(given, roles).failed
        for column in {name, f"{name}_error"} & set(table.colnames):
            assert u.allclose(u.Quantity(given[column]), TABLES[model][column], rtol=1e-12)


@pytest.mark.parametrize(("model", "name", "unit"), CASES)
def test_columns_without_units_are_mended_with_columns(model, name, unit):
    table, roles = misread(model, name, unit), model().roles
    bare = Table({of: getattr(column, "value", column) for of, column in table.items()})
    wrong = {r.name: (r.name, r.unit) for r in roles if r.unit and r.name in bare.colnames}
    finding = unit_of(bare, roles, wrong)
    right = wrong | eval(re.search(r"columns=(\{.*\})", finding.python)[1])
    assert right[name] == (name, str(u.Unit(unit)))
    assert not unit_of(bare, roles, right).failed
    assert f"--columns {name}={name}:{unit}" in in_shell(finding.message(shell=True))


def test_the_unit_is_the_first_warning_of_a_fit():
    table = misread(SB1Binary, "rv", "m/s")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        star = SB1Binary().fit(table, draws=20, random_state=1, progressbar=False)
    assert issubclass(caught[0].category, CheckWarning)
    assert "rv is about 5.5e+03 km / s (expected at most 1000)" in str(caught[0].message)
    assert star.checks()["check"][0] == "units"


def test_velocities_faster_than_light_have_the_same_cure():
    table = misread(SB1Binary, "rv", "m/s")
    table["rv"] -= 4e5 * u.km / u.s
    with pytest.raises(TableError, match=r"check the units .* 'm / s'\).*; else no row is left"):
        SB1Binary().read(table)
    table["rv"][:-1] = 1 * u.km / u.s
    with pytest.raises(TableError, match=r"is the unit right\?\); fix or remove these rows"):
        SB1Binary().read(table)


def test_placeholders_and_galaxies_have_no_wrong_unit():
    table = QTable(VISITS)
    table["rv"][::6] = -9999 * u.km / u.s
    assert not unit_of(table, SB1Binary().roles).failed
    table = QTable(TABLES[VelocityDispersion])
    table["velocity"] = 3e4 * u.km / u.s + 200 * (table["velocity"] - 100 * u.km / u.s)
    assert not unit_of(table, VelocityDispersion().roles).failed


def test_sizes_that_no_unit_explains_are_said_without_a_guess():
    table = QTable(TABLES[StarCluster])
    table["parallax"], table["parallax_error"] = 900 * u.mas, 0.5 * u.mas  # too precise for 900 uas
    finding = unit_of(table, StarCluster().roles)
    assert finding.failed
    assert finding.python == "check the units of the table"
