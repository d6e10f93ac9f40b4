"""Claims about Arrow tables and pandas' dates: cures that work, and columns that nobody reads."""

import re

import numpy as np
import pandas as pd
import pytest
from tables import VISITS

from astro_hier.table import Role, TableError, as_table, of_table, read_columns

pa = pytest.importorskip("pyarrow")
KMS = {"rv": ("rv", "km/s"), "rv_error": ("rv_error", "km/s")}
STAR = (*VISITS[:3], Role("star", None, unique=True))


def arrow(time=(1.0, 2.0, 4.0), **columns):
    size = len(time)
    return pa.table({"time": list(time), "rv": [*np.arange(1.0, size + 1)],
                     "rv_error": [1.0] * size, **columns})  # fmt: skip


def followed(message, table):
    """The table after the assignment that a message recommends."""
    scope = {"table": table, "pandas": pd, "pyarrow": pa}
    exec(re.search(r"table = [^;]*", message)[0], scope)
    return scope["table"]


@pytest.mark.parametrize("library", ["pandas", "pyarrow"])
@pytest.mark.parametrize(
    "dates",
    [
        ["2020-01-01", "2020-01-03T12:00:00.5"],
        ["2020-01-01T01:00:00+01:00", "2020-01-03T12:00:00.5"],
    ],
)
def test_dates_of_several_forms_have_a_cure_that_works(library, dates):
    table = arrow(dates)
    given = table if library == "pyarrow" else table.to_pandas()
    with pytest.raises(TableError) as error:
        read_columns(given, VISITS, KMS)
    scope = {"table": given, "frame": given, "pandas": pd}
    exec(re.search(r"(?:frame|table).* = .*", str(error.value))[0].split("with ")[-1], scope)
    given = scope["table" if library == "pyarrow" else "frame"]
    np.testing.assert_allclose(
        read_columns(given, VISITS, KMS)["time"], [0, 2.5 + 0.5 / 86400], atol=1e-9
    )


def test_decimal_commas_and_repeated_identifiers_and_rows_have_cures_that_work():
    days = {"time": ("time", "d"), **KMS}
    commas = arrow(rv=["1,5", "2,5", "3,5"])
    with pytest.raises(TableError, match="decimal commas") as error:
        read_columns(commas, VISITS, days)
    assert read_columns(followed(str(error.value), commas), VISITS, days)["rv"][1] == 2.5
    repeated = arrow(star=["a", "b", "a"])
    with pytest.raises(TableError, match="more than once") as error:
        read_columns(repeated, STAR, days)
    assert read_columns(followed(str(error.value), repeated), STAR, days).size == 2
    twice = pa.concat_tables([arrow(np.arange(9.0)), arrow(np.arange(9.0))])
    finding = of_table(twice, VISITS, days)[0]
    assert followed(finding.python, twice).num_rows == 9


@pytest.mark.parametrize(
    "column",
    [
        lambda: pa.array([(1, 2, 3)] * 3, type=pa.month_day_nano_interval()),
        lambda: pa.RunEndEncodedArray.from_arrays([2, 3], [1.0, 2.0]),
        lambda: pa.UnionArray.from_sparse(
            pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]
        ),
    ],
)
def test_columns_of_any_type_that_are_not_read_do_no_harm(column):
    table = arrow(other=column())
    days = {"time": ("time", "d"), **KMS}
    assert read_columns(table, VISITS, days)["rv"].tolist() == [1, 2, 3]


def test_numbers_that_arrow_encodes_by_runs_are_read():
    table = arrow(rv=pa.RunEndEncodedArray.from_arrays([2, 3], [1.0, 2.0]))
    rows = read_columns(table, VISITS, {"time": ("time", "d"), **KMS})
    assert rows["rv"].tolist() == [1, 1, 2]


def test_a_data_set_of_xarray_is_told_how_to_become_a_frame():
    xr = pytest.importorskip("xarray")
    with pytest.raises(TableError, match=r"a Dataset of xarray.*\.to_dataframe\(\)\.reset_index"):
        as_table(xr.Dataset({"rv": ("visit", [1.0])}))
