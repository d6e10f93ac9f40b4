"""Claims about data frames: they are read as astropy tables are, and messages speak of them."""

import datetime
import re
from contextlib import suppress

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from tables import ROLES, VISITS, visits

from astro_hier import (
    BinaryPopulation,
    SamplePopulation,
    StarCluster,
    TableError,
    VelocityDispersion,
    datasets,
)
from astro_hier.survey import sources
from astro_hier.table import of_table, read_columns

LIBRARIES = ["pandas", "pandas with pyarrow", "polars", "pyarrow", "capsule", "narwhals"]
STATED = {"parallax": ("parallax", u.mas), "parallax_error": ("parallax_error", u.mas)}
ID = 2**62 + 1  # which no float holds


class Capsule:
    """Any table that gives its columns by the Arrow PyCapsule interface alone."""

    def __init__(self, frame):
        self.__arrow_c_stream__ = frame.__arrow_c_stream__


def frame_of(library, columns):
    """A data frame of lists by name."""
    if library == "pandas":
        return pd.DataFrame({name: pd.array(values) for name, values in columns.items()})
    pa = pytest.importorskip("pyarrow")
    if library in ("pandas with pyarrow", "pyarrow"):
        table = pa.table(columns)
        return table if library == "pyarrow" else table.to_pandas(types_mapper=pd.ArrowDtype)
    pl = pytest.importorskip("polars")
    if library == "capsule":
        return Capsule(pl.DataFrame(columns))
    if library == "narwhals":
        return pytest.importorskip("narwhals").from_native(pl.DataFrame(columns))
    return pl.DataFrame(columns)


def members(**columns):
    return {"star": [ID, 2, 3], "parallax": [1.0, 2.0, 3.0], "parallax_error": [0.1] * 3, **columns}


@pytest.mark.parametrize("library", LIBRARIES)
def test_frames_are_read_with_units_from_columns(library):
    frame = frame_of(library, members(parallax=[1000, 2000, 3000]))
    rows = read_columns(frame, ROLES, STATED | {"parallax": ("parallax", u.uas)})
    np.testing.assert_allclose(rows["parallax"], [1, 2, 3])
    assert rows["star"].tolist() == [ID, 2, 3]
    model = StarCluster(columns=STATED)
    same = {"star": [ID, 2, 3], "parallax": [1, 2, 3] * u.mas, "parallax_error": [0.1] * 3 * u.mas}
    frame = frame_of(library, members())
    found, expected = (model.initial_values(data) for data in (frame, Table(same)))
    np.testing.assert_array_equal(found["r"].value, expected["r"].value)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", ["star", "parallax"])
def test_what_is_missing_in_a_frame_is_invalid_and_keeps_the_rest_exact(library, name):
    values = [None if i == 1 else value for i, value in enumerate(members()[name])]
    frame = frame_of(library, members(**{name: values}))
    with pytest.raises(TableError, match=f"'{name}' .* has 1 of 3 rows .*row 1: .*masked"):
        read_columns(frame, ROLES, STATED)
    with pytest.warns(UserWarning, match="1 of 3 rows are left out"):
        rows = read_columns(frame, ROLES, STATED, on_invalid="drop")
    assert rows["star"].tolist() == [ID, 3]
    assert rows["parallax"].tolist() == [1, 3]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("zone", [None, datetime.timezone(datetime.timedelta(hours=2))])
def test_dates_are_times_in_utc(library, zone):
    days = [
        datetime.datetime(2016, 12, 31, 12, tzinfo=zone) + datetime.timedelta(i) for i in (0, 1)
    ]
    columns = {"star": ["a", "a"], "time": days, "rv": [1.0, 2.0], "rv_error": [0.1, 0.1]}
    kms = {"rv": ("rv", "km/s"), "rv_error": ("rv_error", "km/s")}
    rows = read_columns(frame_of(library, columns), VISITS, kms)
    first = Time("2016-12-31T10:00" if zone else "2016-12-31T12:00", scale="utc")
    assert abs(rows.epoch.since(first)) < 1e-9
    assert rows["time"][1] == pytest.approx(1 + 1 / 86400)  # with the leap second


@pytest.mark.parametrize("kind", [datetime.date, "object", "duration"])
def test_days_and_durations_are_times(kind):
    day = [datetime.date(2020, 1, 1), datetime.date(2020, 1, 4), datetime.date(2020, 1, 5)]
    column = {"duration": [date - day[0] for date in day]}.get(kind, day)
    frame = pd.DataFrame({"time": column, "rv": [1.0, 2, 3], "rv_error": [1.0, 1, 1]})
    kms = {"rv": ("rv", "km/s"), "rv_error": ("rv_error", "km/s")}
    np.testing.assert_allclose(read_columns(frame, VISITS, kms)["time"], [0, 3, 4])


def test_categories_and_sparse_numbers_are_what_they_stand_for():
    frame = pd.DataFrame(members())
    frame["star"] = pd.Categorical([ID, 3, 7], categories=[7, 3, ID])
    frame["parallax"] = pd.arrays.SparseArray([0.0, 0.0, 3.0], fill_value=0.0)
    rows = read_columns(frame, ROLES, STATED)
    assert rows["star"].tolist() == [ID, 3, 7]
    assert rows["parallax"].tolist() == [0, 0, 3]
    frame["star"] = pd.Categorical(["b", None, "a"])
    with pytest.raises(TableError, match=r"'star' .*row 1: empty or masked"):
        read_columns(frame, ROLES, STATED)


def test_rows_are_counted_by_place_and_the_index_is_not_read():
    frame = pd.DataFrame(members(parallax=[1.0, np.nan, 3.0]), index=[30, 20, 10])
    with pytest.raises(TableError, match="row 1: nan"):
        read_columns(frame, ROLES, STATED)
    frame = pd.DataFrame(members()).set_index("star")
    assert read_columns(frame, ROLES, STATED)["star"].tolist() == [0, 1, 2]
    with pytest.raises(TableError, match=r"give frame.reset_index\('star'\)"):
        read_columns(frame, ROLES, STATED | {"star": "star"})
    assert read_columns(frame.reset_index("star"), ROLES, STATED)["star"][0] == ID


def test_identifiers_that_became_floats_are_refused():
    frame = pd.DataFrame(members(star=[ID, None, 3]))
    with pytest.raises(TableError, match=r"type float64.*lose digits: read them as integers"):
        read_columns(frame, ROLES, STATED)


def test_arrays_in_rows_are_draws():
    pa = pytest.importorskip("pyarrow")
    draws = np.random.default_rng(1).normal(size=(5, 20)).tolist()
    model = SamplePopulation(quantity="x", interim="flat")
    assert model.initial_values(pa.table({"samples": draws}))["x"].shape == (5,)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_messages_speak_of_frames(library):
    frame = frame_of(library, members())
    with pytest.raises(TableError) as error:
        read_columns(frame, ROLES)
    assert "if it is mas, say columns={'parallax': ('parallax', 'mas')}" in str(error.value)
    assert "table[" not in str(error.value)
    repeated = frame_of(library, members(star=[1, 1, 2]))
    with pytest.raises(TableError) as error:
        read_columns(repeated, ROLES, STATED)
    code = re.search(r"frame = frame\.\w+\(.*\)", str(error.value))[0]
    scope = {"frame": repeated}
    exec(code, scope)
    assert read_columns(scope["frame"], ROLES, STATED).size == 2


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_copies_of_rows_have_a_cure_that_works(library):
    table = visits(20)
    columns = {name: [*table[name].value, table[name].value[3]] for name in table.colnames}
    names = {"time": ("time", "d"), "rv": ("rv", "km/s"), "rv_error": ("rv_error", "km/s")}
    frame = frame_of(library, columns)
    finding = of_table(frame, VISITS, names)[1]
    assert finding.failed
    code = re.search(r"frame = frame\.\w+\(.*?\)", str(finding.message()))[0]
    scope = {"frame": frame}
    exec(code, scope)
    assert not of_table(scope["frame"], VISITS, names)[1].failed


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_dates_in_text_have_a_cure_that_works(library):
    dates = ["2020-01-01T12:00:00", "2020-01-03T12:00:00"]
    frame = frame_of(library, {"time": dates, "rv": [1.0, 2], "rv_error": [1.0, 1]})
    kms = {"rv": ("rv", "km/s"), "rv_error": ("rv_error", "km/s")}
    with pytest.raises(TableError) as error:
        read_columns(frame, VISITS, kms)
    scope = {"frame": frame, library: pytest.importorskip(library)}
    exec(re.search(r"frame.* = .*", str(error.value))[0], scope)
    np.testing.assert_allclose(read_columns(scope["frame"], VISITS, kms)["time"], [0, 2])


@pytest.mark.parametrize(
    "data", [{"parallax": [1]}, np.ones(3), None, "members.csv", 3, pd.Series([1.0]), pd.DataFrame]
)
def test_what_is_no_table_is_refused(data):
    with pytest.raises(TableError, match=r"expected an astropy Table.*a data frame of pandas"):
        read_columns(data, ROLES)


def test_frames_without_data_or_with_repeated_names_are_refused():
    pl = pytest.importorskip("polars")
    with pytest.raises(TableError, match=r"got a LazyFrame of polars.*\.collect\(\)"):
        read_columns(pl.DataFrame(members()).lazy(), ROLES)
    with pytest.raises(TableError, match="no rows"):
        read_columns(pd.DataFrame({"parallax": []}), ROLES)
    twice = pd.concat([pd.DataFrame(members())] * 2, axis=1)
    with pytest.raises(TableError, match=r"several columns .'parallax', 'parallax_error', 'star'"):
        read_columns(twice, ROLES)


def test_a_frame_is_fitted_as_its_table():
    table = datasets.make_velocities(30, random_state=1)
    frame = pd.DataFrame({name: np.asarray(table[name]) for name in table.colnames})
    given = {name: (name, table[name].unit) for name in ("velocity", "velocity_error")}
    quick = {"draws": 50, "random_state": 1, "progressbar": False}
    fits = [VelocityDispersion(columns=given).fit(data, **quick) for data in (table, frame)]
    np.testing.assert_array_equal(*(of.samples("sigma_v").value for of in fits))


def test_a_frame_of_pandas_is_a_frame_even_as_a_subclass():
    class Own(pd.DataFrame):
        pass

    assert read_columns(Own(members()), ROLES, STATED).size == 3


def test_columns_of_any_kind_are_read_or_refused():
    pl = pytest.importorskip("polars")
    odd = [[{"a": 1}] * 3, [[1.0], [], [2.0]], [2**70, 1, 2], [b"a", b"", b"b"], [None] * 3]
    odd += [[True, None, False], [datetime.time(1)] * 3, [datetime.timedelta(1)] * 3]
    for values in odd:
        for make in (pl.DataFrame, pd.DataFrame):
            for name in ("parallax", "star"):
                with suppress(TableError):
                    rows = read_columns(make(members(**{name: values})), ROLES, STATED)
                    assert np.all(np.isfinite(rows["parallax"]))


def test_a_table_of_other_objects_is_refused_with_their_kind():
    table = Table({"rv": [1.0, 2.0] * u.km / u.s, "rv_error": [1.0, 1.0] * u.km / u.s})
    table["time"] = SkyCoord([1, 2] * u.deg, [3, 4] * u.deg)
    with pytest.raises(TableError, match=r"'time' .* holds SkyCoord objects; expected times"):
        read_columns(table, VISITS)


def test_surveys_take_frames_and_presets_with_several_spellings(tmp_path):
    pytest.importorskip("pyarrow")
    columns = {"apogee_id": ["a", "a", "b"], "JD": [1.0, 2, 3], "VHELIO": [4.0, 5, 6]}
    frame = pd.DataFrame({**columns, "VRELERR": [0.1, 0.2, 0.3]})
    frame.to_parquet(tmp_path / "visits.parquet")
    for source in (frame, tmp_path / "visits.parquet"):
        found = sources.of(source, BinaryPopulation(columns="apogee"), None, None, None)
        assert found.size == 2
        assert next(iter(found.parts(2))).rv_error.tolist() == [0.1, 0.2, 0.3]
