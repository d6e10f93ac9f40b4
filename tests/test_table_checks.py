"""Claims about tables that can be read and are wrong: rows that stand twice, lost digits."""

import re
import warnings

import astropy
import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table, vstack
from astropy.time import Time
from astropy.timeseries import TimeSeries
from astropy.utils.masked import Masked
from tables import ROLES, VISITS, good, visits

from astro_hier import BinaryPopulation, SB1Binary, StarCluster, VelocityDispersion
from astro_hier.table import Role, of_table

# ---- rows that stand twice


def repeated(table, roles=VISITS, columns=None):
    """What is said of repeated rows, or nothing."""
    return next(f for f in of_table(table, roles, columns) if f.name == "repeated_rows")


@pytest.mark.parametrize("cls", [Table, QTable])
@pytest.mark.parametrize("time", [lambda t: t, lambda t: Time(t.value, format="jd")])
def test_a_visit_that_stands_twice_is_named_and_the_cure_works(cls, time):
    table = cls(visits(20))
    table["time"] = time(u.Quantity(table["time"]))
    whole = vstack([table, table[[3, 5, 5]]])
    finding = repeated(whole)
    assert finding.failed
    assert finding.found == "3 of 23"
    assert "in time, rv, rv_error (rows 3, 20; 5, 21, 22)" in finding.said
    assert "by a factor of up to 1.73" in finding.said
    exec(re.search(r"if they are copies, (.*)$", finding.python)[1], {"table": whole})
    assert not repeated(whole).failed
    assert len(whole) == 20


@pytest.mark.parametrize("time", [lambda t: t, lambda t: Time(t.value, format="jd")])
def test_a_file_appended_to_itself_has_a_cure_that_works(time):
    table = visits(30)
    table["time"] = time(table["time"])
    given = {"table": vstack([table, table]), "astropy": astropy}
    finding = repeated(given["table"])
    assert "rows 0, 30; 1, 31; 2, 32; 3, 33; 4, 34)" in finding.said
    exec(re.search(r"table = .*$", finding.python)[0], given)
    assert len(given["table"]) == 30
    assert not repeated(given["table"]).failed


def test_a_time_series_may_hold_rows_twice():
    table = visits(20)
    table["time"] = Time(table["time"].value, format="jd")
    series = TimeSeries(vstack([table, table[:1]]))
    assert repeated(series).found == "1 of 21"
    exec(re.search(r"if they are copies, (.*)$", repeated(series).python)[1], {"table": series})
    assert not repeated(series).failed


def test_other_columns_do_not_make_a_visit_another_one():
    table = vstack([visits(20), visits(20)[:1]])
    table["number"] = np.arange(21)
    assert repeated(table).failed
    table["star"] = ["A"] * 20 + ["B"]
    assert not repeated(table).failed


def test_other_columns_tell_stars_without_identifiers_apart():
    table = good(n=20)
    table["parallax"] += np.random.default_rng(1).normal(0, 0.1, 20) * u.mas
    table = vstack([table, table[:1]])
    assert repeated(table, ROLES).failed
    table["position"] = SkyCoord(np.arange(21) * u.deg, 0 * u.deg)
    assert not repeated(table, ROLES).failed
    table["position"] = SkyCoord(np.arange(21) % 20 * u.deg, 0 * u.deg)
    assert repeated(table, ROLES).failed
    table["note"] = np.array([None, *"abcdefghijklmnopqrst"], dtype=object)
    assert not repeated(table, ROLES).failed
    table["note"] = MaskedColumn(table["note"].astype(str), mask=[1, *[0] * 19, 1])
    assert repeated(table, ROLES).failed


def test_copies_among_rows_that_are_left_out_do_not_count():
    table = vstack([visits(20), visits(20)[[2, 2]]])
    table["rv"][[2, 20, 21]] = np.nan
    assert repeated(table).found == "0 of 19"


def catalogue(rng, n, digits, constant=False):
    """Parallaxes and errors of so many decimals, and nothing else."""
    error = np.full(n, 0.1) if constant else np.round(0.05 + rng.exponential(0.05, n), digits)
    return QTable(
        {
            "parallax": np.round(rng.normal(2, 0.1, n), digits) * u.mas,
            "parallax_error": error * u.mas,
        }
    )


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("n", [10_000, 1000, 100])
def test_equal_rows_of_a_rounded_catalogue_are_no_copies(n, constant):
    table = catalogue(np.random.default_rng(1), n, 2, constant)
    assert int(repeated(table, ROLES).found.split()[0]) > 5
    assert not repeated(table, ROLES).failed
    table["distance"] = np.round(1 / table["parallax"].value, 2)  # tells nothing new
    table["zero_point"] = -0.03 * u.mas
    assert not repeated(table, ROLES).failed


@pytest.mark.parametrize("constant", [False, True])
def test_a_doubled_catalogue_is_recognised_however_it_is_rounded(constant):
    table = catalogue(np.random.default_rng(1), 1000, 2, constant)
    assert repeated(vstack([table, table]), ROLES).failed


def test_one_copy_is_found_where_chance_makes_none():
    rng = np.random.default_rng(1)
    for n, digits in [(10_000, 6), (100, 4), (20, 3)]:
        table = catalogue(rng, n, digits)
        assert repeated(vstack([table, table[:1]]), ROLES).failed
    table = catalogue(rng, 10_000, 16, constant=True)
    assert not repeated(table, ROLES).failed
    assert repeated(vstack([table, table[:1]]), ROLES).failed


def test_chance_is_rarely_taken_for_a_copy():
    # claimed is less than 5 percent: more than 22 of 300 would then happen once in 30 runs
    rng = np.random.default_rng(3)
    for n, digits in [(10, 2), (50, 3), (200, 4)]:
        blamed = [repeated(catalogue(rng, n, digits), ROLES).failed for _ in range(300)]
        assert sum(blamed) <= 22


@pytest.mark.parametrize("model", [BinaryPopulation, SB1Binary, StarCluster, VelocityDispersion])
def test_nothing_is_said_of_simulated_tables(model):
    for seed in range(20):
        findings = of_table(model.example(random_state=seed), model().roles)
        assert [f.name for f in findings] == ["units", "repeated_rows", "precision"]
        assert not any(f.failed for f in findings)


# ---- numbers of too few digits


def precision(table, roles=VISITS, columns=None):
    return next(f for f in of_table(table, roles, columns) if f.name == "precision")


def as_type(table, name, dtype, unit=None):
    table = table.copy()
    values = table[name].to_value(unit or table[name].unit).astype(dtype)
    table[name] = u.Quantity(values, unit or table[name].unit, dtype=dtype)
    return table


@pytest.mark.parametrize("dtype", ["<f4", ">f4"])
def test_julian_dates_of_single_precision_come_in_steps_that_are_named(dtype):
    table = as_type(visits(), "time", dtype)
    finding = precision(table)
    assert "'time' (time), float32, holds steps of 0.25 d, too long for periods below 12 d" in (
        finding.said
    )
    assert "float64" in finding.python
    assert "double precision" in finding.shell
    # subtracting an epoch before they are stored is a cure
    table = visits()
    table["time"] -= 2459000 * u.day
    assert not precision(as_type(table, "time", dtype)).failed


def test_digits_once_lost_do_not_come_back():
    table = as_type(as_type(visits(), "time", "f4"), "time", "f8")
    assert "with the digits of float32, holds steps of 0.25 d" in precision(table).said
    assert not precision(visits()).failed


@pytest.mark.parametrize(
    ("dtype", "unit", "failed"),
    [("i8", u.day, True), ("i4", u.hour, True), ("i8", u.s, False), ("f4", u.s, True)],
)
def test_steps_of_times_are_counted_in_days(dtype, unit, failed):
    assert precision(as_type(visits(), "time", dtype, unit)).failed == failed


def test_half_precision_and_masks_are_no_hindrance():
    table = visits()
    table["time"] = Masked(np.linspace(0, 100, 6).astype("f2") * u.day, mask=[1, 0, 0, 0, 0, 0])
    assert "float16, holds steps of 0.062 d" in precision(table).said


def test_times_of_astropy_have_enough_digits():
    table = visits()
    table["time"] = Time(table["time"].value, format="jd")
    assert not precision(table).failed
    table["time"] = table["time"] - table["time"][0]
    assert not precision(table).failed


def test_velocities_of_steps_as_large_as_their_errors_are_named():
    table = as_type(visits(), "rv", "i4")
    table["rv_error"][2] = 0.1 * u.km / u.s
    assert "(rv), int32, holds steps of 1 km / s in row 2, where the error is 0.1" in (
        precision(table).said
    )
    assert not precision(as_type(visits(), "rv", "i8", u.m / u.s)).failed
    assert not precision(as_type(visits(), "rv", "f4")).failed
    table["rv_error"] = 2 * u.km / u.s
    assert not precision(table).failed


def test_values_without_an_error_have_no_steps_to_compare_it_with():
    table = QTable({"extinction": [0.1, 0.2] * u.mag, "extinction_error": [0.0, 0.01] * u.mag})
    roles = [Role(name, u.mag) for name in table.colnames]
    findings = of_table(table, roles, None)
    assert not any(finding.failed for finding in findings if finding.name == "precision")


def test_a_fit_warns_of_its_table_once_at_the_callers_line():
    table = as_type(vstack([visits(), visits()[:2]]), "time", "f4")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        star = SB1Binary().fit(table, draws=50, chains=2, random_state=1, progressbar=False)
    said = [w for w in caught if "rows are equal" in str(w.message)]
    said += [w for w in caught if "too few digits" in str(w.message)]
    assert [w.filename for w in said] == [__file__] * 2
    verdicts = {row["check"]: row["verdict"] for row in star.checks()}
    assert verdicts["repeated_rows"] == verdicts["precision"] == "failed"
