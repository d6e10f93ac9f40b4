"""Claims about text in tables, and about files that were read in another form than theirs."""

import re

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time
from astropy.utils.exceptions import AstropyUserWarning
from tables import ROLES, VISITS, good

from astro_hier.table import TableError, of_table, read_columns


def with_text(parallax):
    table = good(Table)
    table["parallax"] = MaskedColumn(parallax, unit=u.mas)
    return table


@pytest.mark.parametrize("kind", [str, bytes, object])
def test_text_is_read_as_the_numbers_that_it_is(kind):
    text = ["1", " 2.5", "-3e0", "4"]
    table = with_text(np.array([t.encode() for t in text] if kind is bytes else text, dtype=kind))
    np.testing.assert_allclose(read_columns(table, ROLES)["parallax"], [1, 2.5, -3, 4])
    assert not any(finding.failed for finding in of_table(table, ROLES))


@pytest.mark.parametrize("word", ["null", "NULL", "NaN", "N/A", "NA", "", " ", "None", "--", "-"])
@pytest.mark.parametrize("name", ["parallax", "star"])
def test_words_for_what_is_missing_are_invalid_rows(word, name):
    table = good(Table)
    table["star"] = ["a", "b", "c", "d"]
    text = [str(value) for value in table[name]]
    text[2] = word
    table[name] = MaskedColumn(text, unit=table[name].unit)
    with pytest.raises(TableError, match=rf"'{name}' .* has 1 of 4 rows .*row 2: .*on_invalid="):
        read_columns(table, ROLES)
    with pytest.warns(AstropyUserWarning, match="1 of 4 rows are left out"):
        rows = read_columns(table, ROLES, on_invalid="drop")
    assert rows["star"].tolist() == ["a", "b", "d"]
    assert rows["parallax"].tolist() == [1, 2, 4]


@pytest.mark.parametrize("text", ["1_0", "0x10", "1;5", "one", "1.5 mas", "True"])
def test_text_that_is_no_number_is_refused(text):
    table = with_text(["1", "null", "3", text])
    for on_invalid in ("raise", "drop"):
        with pytest.raises(TableError, match=rf"not a number: row 3: '{text}'"):
            read_columns(table, ROLES, on_invalid=on_invalid)


def test_whole_numbers_beyond_all_floats_are_no_numbers():
    table = with_text(np.array([1.0, 2.0, 10**400, 4.0], object))
    with pytest.raises(TableError, match="not a number: row 2"):
        read_columns(table, ROLES)


def test_decimal_commas_have_a_cure_that_works():
    table = with_text(["1,5", "2", "-3,25", "4"])
    with pytest.raises(TableError, match=r"row 0: '1,5', row 2: .*decimal commas") as error:
        read_columns(table, ROLES)
    exec(re.search(r"table\['parallax'\] = .*\]", str(error.value))[0], {"table": table})
    table["parallax"].unit = u.mas
    np.testing.assert_allclose(read_columns(table, ROLES)["parallax"], [1.5, 2, -3.25, 4])


TIMES = Time([2459000.5, 2459010.25, 2459020.125], format="jd", scale="tdb")


def with_times():
    kms = u.km / u.s
    return QTable({"time": TIMES, "rv": [1.0, 2.0, 3.0] * kms, "rv_error": [0.1] * 3 * kms})


def test_times_from_fits_have_a_cure_that_works(tmp_path):
    path = tmp_path / "visits.fits"
    with_times().write(path)
    with pytest.raises(TableError, match="two parts of a Time") as error:
        read_columns(QTable.read(path), VISITS)
    call = re.search(r"QTable\.read\(.*\)", str(error.value))[0]
    rows = read_columns(eval(call, {"QTable": QTable, "path": path}), VISITS)
    np.testing.assert_allclose(rows["time"], [0, 9.75, 19.625])
    assert rows.epoch.scale == "tdb"


def test_times_in_two_columns_or_in_words_have_a_cure_that_works():
    table = with_times()
    for part in ("jd1", "jd2"):
        table[f"time.{part}"] = getattr(TIMES, part)
    del table["time"]
    for added in ({}, {"time": TIMES.isot}):
        table = QTable({**table.columns, **added})
        with pytest.raises(TableError) as error:
            read_columns(table, VISITS)
        code = re.search(r"table\['time'\] = Time\([^;]*\)(?=,|$)", str(error.value))[0]
        exec(code, {"table": table, "Time": Time, "SCALE": "tdb"})
        np.testing.assert_allclose(read_columns(table, VISITS)["time"], [0, 9.75, 19.625])


FILES = {
    ";": "time;rv;rv_error\n1;2;0.3\n2;3;0.3\n",
    "|": "time|rv|rv_error\n1|2|0.3\n2|3|0.3\n",
    "tab": "time\trv\trv_error\n1\t2\t0.3\n2\t3\t0.3\n",
    "blanks": "time  rv rv_error\n1     2  0.3\n2     3  0.3\n",
    "rdb": "time\trv\trv_error\n----\t--\t--\n1\t2\t0.3\n2\t3\t0.3\n",
    "no header": "1,2,0.3\n2,3,0.3\n",
}


def misread(kind, library, package, path):
    """A file of this kind as who does not look into it reads it."""
    if library == "astropy":
        other = {"rdb": "ascii.tab", "no header": "ascii.no_header"}
        delimiter = {"no header": {"delimiter": ","}}
        return Table.read(path, format=other.get(kind, "ascii.csv"), **delimiter.get(kind, {}))
    options = {"pandas": {"sep": "\t"}, "polars": {"separator": "\t"}}[library]
    table = package.read_csv(path, **options if kind == "rdb" else {})
    if kind == "no header":
        table.columns = [f"column_{i}" for i in range(3)]
    return table


@pytest.mark.parametrize("library", ["astropy", "pandas", "polars"])
@pytest.mark.parametrize("kind", FILES)
def test_files_of_other_forms_have_a_cure_that_works(kind, library, tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text(FILES[kind])
    stated = {"time": ("time", "d"), "rv": ("rv", "km/s"), "rv_error": ("rv_error", "km/s")}
    package = pytest.importorskip(library)
    table = misread(kind, library, package, path)
    with pytest.raises(TableError) as error:
        read_columns(table, VISITS, stated)
    assert str(error.value).count(" of the file ") + str(error.value).count("the file names") == 1
    call = re.search(r"(QTable\.read|polars\.from|\w+\.read_csv).*?\)(?=$|;)", str(error.value))[0]
    call = call.replace("[...]", "['time', 'rv', 'rv_error']")
    found = eval(call, {"QTable": QTable, "path": path, "pandas": pd, library: package})
    np.testing.assert_allclose(read_columns(found, VISITS, stated)["rv"], [2, 3])
