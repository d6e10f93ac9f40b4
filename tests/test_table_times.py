"""Claims about times that count from different days, and baselines of centuries."""

import re
import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, Table, vstack
from astropy.time import Time
from astropy.utils.masked import Masked
from tables import VISITS, visits

from astro_hier.table import TableError, read_columns


def mixed(visits, kind, rows, unit=u.day):
    """Visits of which some count from another epoch than JD 0, in another unit."""
    days = visits["time"].to_value(u.day)
    days[rows] -= kind
    visits["time"] = (days * u.day).to(unit)
    return visits


@pytest.mark.parametrize("kind", [2400000.5, 2457000.0, 2454833.0])
@pytest.mark.parametrize("unit", [u.day, u.yr, u.s])
def test_two_kinds_of_julian_dates_are_an_error_that_names_both(kind, unit):
    table = mixed(visits(), kind, [1, 4], unit)
    with pytest.raises(TableError, match=r"'time' .time.: times span 6,\d\d\d years.*at most 150"):
        read_columns(table, VISITS)
    with pytest.raises(TableError, match=r": row 1: \S+ \w+, row 4: [^;]*; row 0: \S+ \w+, row 2"):
        read_columns(table, VISITS)


def test_mjd_beside_the_days_of_tess_are_an_error():
    table = visits()
    table["time"] -= 2400000.5 * u.day
    with pytest.raises(TableError, match=r"span 156 years.*such as MJD = JD - 2400000\.5"):
        read_columns(mixed(table, 57000, slice(3)), VISITS)


@pytest.mark.parametrize("unit", [u.day, u.hour])
@pytest.mark.parametrize("kind", ["Table", "QTable", "masked", "masked Quantity", "no unit"])
def test_jd_beside_mjd_has_a_cure_that_works(kind, unit):
    table = mixed(visits(), 2400000.5, [1, 4], unit)
    masked, columns = [1, 0, 0, 0, 0, 0], None
    if "Q" not in kind:
        table = Table(table)
    if kind == "masked":
        table["time"] = MaskedColumn(table["time"], mask=masked)
    if kind == "masked Quantity":
        table["time"] = Masked(table["time"], mask=masked)
    if kind == "no unit":
        table["time"].unit = None
        columns = {"time": ("time", unit)}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*left out")
        with pytest.raises(TableError) as error:
            read_columns(table, VISITS, columns, on_invalid="drop")
        exec(re.search(r"make all MJD with (.*)$", str(error.value))[1], {"u": u, "table": table})
        days = read_columns(table, VISITS, columns, on_invalid="drop")["time"]
    expected = visits()["time"].value[-len(days) :]
    np.testing.assert_allclose(days, expected - expected[0], atol=1e-6)
    assert len(days) == 6 - ("masked" in kind)


def test_the_star_with_two_kinds_of_dates_is_named_and_stars_may_differ():
    table = vstack([visits(), visits(), visits()])
    table["star"] = np.repeat(["A", "B", "C"], 6)
    mixed(table, 2400000.5, table["star"] == "B")  # each star counts from its first visit
    read_columns(table, VISITS)
    mixed(table, 2400000.5, [15])
    with pytest.raises(TableError, match=r"times of star C span .*row 15: .*; row 12: "):
        read_columns(table, VISITS)


def test_a_baseline_of_plates_is_no_error_and_a_placeholder_is():
    table = visits()
    table["time"][0] = table["time"][5] - 145 * u.yr
    assert read_columns(table, VISITS)["time"].max() > 52000
    table["time"][0] = 0 * u.day
    with pytest.raises(TableError, match=r"row 0: 0.0 d; row 1: .*placeholders"):
        read_columns(table, VISITS)


def test_times_that_span_centuries_without_a_gap_may_be_of_another_unit():
    table = visits()
    table["time"] = np.linspace(0, 6e4, 6) * u.day  # seconds, in truth
    with pytest.raises(
        TableError, match=r"span 164 years, .*row 4: [^;]*, \.\.\.; is the unit righ"
    ):
        read_columns(table, VISITS)


def test_times_of_astropy_span_a_century_and_a_half_at_most():
    table = visits()
    table["time"] = Time(table["time"].value, format="jd", scale="tdb")
    read_columns(table, VISITS)
    table["time"] = Time([58000.0, *table["time"][:5].jd], format="jd", scale="tdb")
    with pytest.raises(TableError, match=r"column 'time' .*row 0: 58000\.0; row 1: 2459"):
        read_columns(table, VISITS)
