"""Claims about tables with one row for each star and arrays of its visits."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.time import Time
from astropy.utils.masked import Masked
from tables import VISITS

from astro_hier import BinaryPopulation, columns, datasets
from astro_hier.injections import make_injections
from astro_hier.table import TableError, of_table, read_columns

KMS = u.km / u.s
NAMES = ["time", "rv", "rv_error"]
UNITS = {"time": u.day, "rv": KMS, "rv_error": KMS}
STATED = {name: (name, unit) for name, unit in UNITS.items()}


def long_table():
    """Visits to three stars, of which the second has fewer than the others."""
    table = datasets.make_binaries(3, 4, random_state=1)["star", "time", "rv", "rv_error"]
    table.meta.clear()
    table["star"] = np.repeat(["A", "B", "C"], 4)
    return table[np.delete(np.arange(12), [6, 7])]


def padded(kind, long):
    """The same with a row for each star; arrays of the second star are padded."""
    table = QTable({"star": ["A", "B", "C"]})
    for name in NAMES:
        values = np.full((3, 4), np.nan)
        for i, star in enumerate(np.unique(long["star"])):
            own = long[name][long["star"] == star].value
            values[i, : len(own)] = own
        mask = np.isnan(values)
        table[name] = {
            "NaN": values * UNITS[name],
            "masked": Masked(np.nan_to_num(values) * UNITS[name], mask),
            "column": MaskedColumn(np.nan_to_num(values), mask=mask, unit=UNITS[name]),
        }[kind]
    return table


def ragged(kind, long):
    """The same with arrays of different lengths."""
    make = {
        "arrays": lambda x: np.asarray(x.value),
        "lists": lambda x: x.value.tolist(),
        "quantities": lambda x: x,
        "masked arrays": lambda x: np.ma.array(x.value),
    }[kind]
    table = Table({"star": ["A", "B", "C"]})
    for name in NAMES:
        rows = np.empty(3, dtype=object)
        for i, star in enumerate(np.unique(long["star"])):
            rows[i] = make(long[name][long["star"] == star])
        table[name] = Column(rows, unit=None if kind == "quantities" else UNITS[name])
    return table


FORMS = {
    **{kind: padded for kind in ("NaN", "masked", "column")},
    **{kind: ragged for kind in ("arrays", "lists", "quantities", "masked arrays")},
}


@pytest.mark.parametrize("kind", FORMS)
def test_arrays_are_read_as_the_visits_that_they_hold(kind):
    long = long_table()
    rows, expected = (BinaryPopulation().read(table) for table in (FORMS[kind](kind, long), long))
    assert rows["star"].tolist() == ["A"] * 4 + ["B"] * 2 + ["C"] * 4
    for name in NAMES:
        np.testing.assert_array_equal(rows[name], expected[name])


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_lists_in_data_frames_are_arrays(library):
    package = pytest.importorskip(library)
    table = ragged("lists", long_table())
    data = {name: table[name].tolist() for name in table.colnames}
    frame = package.table(data) if library == "pyarrow" else package.DataFrame(data)
    rows = BinaryPopulation(columns=STATED).read(frame)
    np.testing.assert_array_equal(rows["rv"], BinaryPopulation().read(long_table())["rv"])


@pytest.mark.parametrize("form", ["fits", "votable"])
def test_arrays_in_files_are_read(form, tmp_path):
    path = tmp_path / "stars"
    padded("column", long_table()).write(path, format=form)
    table = Table.read(path, format=form)
    rows = BinaryPopulation(columns=STATED).read(table)
    np.testing.assert_array_equal(rows["rv"], BinaryPopulation().read(long_table())["rv"])


def test_times_may_be_arrays_of_dates():
    table = padded("NaN", long_table())[:1]
    table["time"] = Time("2020-01-01", scale="tdb") + table["time"]
    rows = read_columns(table, VISITS)
    assert rows.epoch.scale == "tdb"
    expected = read_columns(padded("NaN", long_table())[:1], VISITS)["time"]
    np.testing.assert_allclose(rows["time"], expected, atol=1e-9)


def test_gaias_epochs_of_one_source_a_row_are_a_preset():
    table = padded("NaN", long_table())
    names = ["source_id", "rv_obs_time", "radial_velocity", "radial_velocity_error"]
    table.rename_columns(table.colnames, names)
    rows = BinaryPopulation(columns="gaia_epochs").read(table)
    np.testing.assert_array_equal(rows["rv"], BinaryPopulation().read(long_table())["rv"])


def test_other_columns_are_repeated_and_rows_without_visits_vanish():
    table = ragged("arrays", long_table())
    table["ra"] = [1.0, 2.0, 3.0] * u.deg
    table["rv"][1] = table["time"][1] = table["rv_error"][1] = None
    long = columns.explode(table)
    assert long["star"].tolist() == ["A"] * 4 + ["C"] * 4
    assert long["ra"].tolist() == [1] * 4 + [3] * 4
    assert long["ra"].unit == u.deg


def test_what_is_missing_in_some_columns_only_is_an_invalid_visit():
    table = padded("NaN", long_table())
    table["rv"][0, 2] = np.nan * KMS
    with pytest.raises(TableError, match=r"'rv' .* has 1 of 10 rows .*row 2: .*columns\.explode"):
        read_columns(table, VISITS)
    with pytest.warns(UserWarning, match="1 of 10 rows are left out"):
        assert read_columns(table, VISITS, on_invalid="drop").size == 9


def test_arrays_of_different_lengths_are_an_error_that_names_them():
    table = ragged("arrays", long_table())
    table["rv"][2] = table["rv"][2][:3]
    with pytest.raises(TableError, match=r"'time' and 'rv' .* in 1 of 3 rows .row 2: 4 and 3."):
        read_columns(table, VISITS)
    assert len(columns.explode(table, ["time", "rv_error"])) == 10


def test_arrays_beside_single_numbers_are_an_error():
    table = padded("NaN", long_table())
    table["rv_error"] = [0.1, 0.1, 0.1] * KMS
    with pytest.raises(TableError, match=r"'rv' .*must be arrays of equal lengths"):
        read_columns(table, VISITS)
    with pytest.raises(TableError, match=r"\['rv_error'\] do not hold an array"):
        columns.explode(table, ["rv", "rv_error"])


def test_checks_and_injections_see_the_visits():
    table = padded("masked", long_table())
    assert not any(of.failed for of in of_table(table, VISITS))
    seen = []
    found = make_injections(
        table, lambda star: seen.append(len(star)) or True, 5, random_state=1,
        period_range=(1 * u.day, 10 * u.day), progressbar=False,
    )  # fmt: skip
    assert len(found) == 5
    assert set(seen) <= {2, 4}
