"""Claims about tables: what is accepted, and what is said of the rest."""

import re

import astropy
import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table, vstack
from astropy.timeseries import TimeSeries
from astropy.utils.exceptions import AstropyUserWarning
from astropy.utils.masked import Masked
from tables import ROLES, VISITS, good, visits

from astro_hier import StarCluster, VelocityDispersion, datasets
from astro_hier import columns as astro_columns
from astro_hier.table import Role, TableError, read_columns


@pytest.mark.parametrize("cls", [Table, QTable])
def test_values_come_in_the_declared_unit(cls):
    table = good(cls)
    table["parallax"] = [1000.0, 2000.0, 3000.0, 4000.0] * u.uas
    data = read_columns(table, ROLES)
    np.testing.assert_allclose(data["parallax"], [1, 2, 3, 4])
    np.testing.assert_array_equal(data["star"], [0, 1, 2, 3])


def test_time_series_is_a_table():
    series = TimeSeries(
        time_start="2020-01-01", time_delta=1 * u.day, n_samples=4, data=dict(good().columns)
    )
    assert len(read_columns(series, ROLES)["parallax"]) == 4


def test_integers_are_numbers():
    table = good()
    table["parallax"] = np.array([1, 2, 3, 4]) * u.mas
    assert read_columns(table, ROLES)["parallax"].dtype == float


def test_negative_parallaxes_are_data():
    table = good()
    table["parallax"] *= -1
    np.testing.assert_allclose(read_columns(table, ROLES)["parallax"], [-1, -2, -3, -4])


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([4, 3, 2, 1], [4, 3, 2, 1]),
        (np.array([b"a  ", b"b", b"c", b"d"]), ["a", "b", "c", "d"]),
        (["a ", "b", "c", "d"], ["a", "b", "c", "d"]),
        (np.array(["a", b"b", "c", "d"], dtype=object), ["a", "b", "c", "d"]),
        (np.array([2**63 - 1, 1, 2, 3]), [2**63 - 1, 1, 2, 3]),
    ],
)
def test_identifiers_are_kept_and_bytes_are_decoded_and_stripped(ids, expected):
    table = good()
    table["star"] = ids
    assert read_columns(table, ROLES)["star"].tolist() == expected


def test_columns_may_have_other_names_and_lack_units():
    table = Table({"plx": [1.0, 2.0], "e": [0.1, 0.1]})
    columns = {"parallax": ("plx", u.mas), "parallax_error": ("e", u.uas)}
    data = read_columns(table, ROLES, columns)
    np.testing.assert_allclose(data["parallax_error"], 1e-4)


def test_the_unit_in_the_table_goes_before_the_unit_of_a_preset():
    table = QTable({"plx": [1.0, 2.0] * u.arcsec, "e": [0.1, 0.1] * u.mas})
    columns = {"parallax": ("plx", u.mas), "parallax_error": "e"}
    np.testing.assert_allclose(read_columns(table, ROLES, columns)["parallax"], [1000, 2000])


def test_a_masked_column_without_masked_values_is_accepted():
    table = Table(good(), masked=True)
    np.testing.assert_allclose(read_columns(table, ROLES)["parallax"], [1, 2, 3, 4])


def broken(change, cls=QTable):
    table = good(cls)
    change(table)
    return table


def with_column(name, values, cls=QTable):
    return broken(lambda table: table.replace_column(name, values), cls)


BAD = {
    "no table": ({"parallax": [1]}, "expected an astropy Table.*got dict"),
    "array": (np.ones(3), "got ndarray.*QTable.read"),
    "empty": (good()[:0], "no rows"),
    "missing column": (
        broken(lambda t: t.remove_column("parallax")),
        r"column 'parallax' .* is not in the table, which has \['parallax_error'\].*columns=",
    ),
    "no unit": (
        with_column("parallax", Table({"a": [1.0, 2, 3, 4]})["a"], Table),
        r"column 'parallax' .* has no unit.*'angle'.*unit = 'mas'.*columns=.*'mas'.}",
    ),
    "wrong unit": (
        with_column("parallax", [1.0, 2, 3, 4] * u.pc),
        "column 'parallax' .* has unit 'pc'.*'length'.*expected.*'angle'",
    ),
    "NaN": (
        with_column("parallax", [1.0, np.nan, 3, np.nan] * u.mas),
        "'parallax' .* has 2 of 4 rows .*row 1: nan or masked, row 3: nan.*on_invalid='drop'",
    ),
    "infinite": (with_column("parallax", [np.inf, 2.0, 3, 4] * u.mas), "row 0: inf"),
    "zero error": (
        with_column("parallax_error", [0.1, 0.0, -1, 0.1] * u.mas),
        "'parallax_error' .* has 2 of 4 rows.*row 1: 0.0, row 2: -1.0.*greater than zero",
    ),
    "masked in QTable": (
        with_column("parallax", Masked([1.0, 2, 3, 4] * u.mas, mask=[0, 0, 1, 0])),
        "'parallax' .* has 1 of 4 rows .*row 2: nan or masked",
    ),
    "masked in Table": (
        with_column("parallax", MaskedColumn([1.0, 2, 3, 4], mask=[1, 0, 0, 0], unit="mas"), Table),
        "'parallax' .* has 1 of 4 rows .*row 0: nan or masked",
    ),
    "text among numbers": (
        with_column("parallax", ["1", "null", "3", "?"], Table),
        r"type <U4.*not a number: row 3: '\?'\)",
    ),
    "unknown unit": (
        broken(
            lambda t: setattr(t["parallax"], "unit", u.Unit("milliarcsec", parse_strict="silent")),
            Table,
        ),
        "'parallax' .* has the unit 'milliarcsec', which astropy does not know.*unit = 'mas'",
    ),
    "two columns without unit": (
        Table({"parallax": [1.0], "parallax_error": [1.0]}),
        "'parallax' .* has no unit.*'parallax_error' .* has no unit",
    ),
    "two numbers a row": (with_column("parallax", np.ones((4, 2)) * u.mas), r"shape \(4, 2\)"),
    "repeated ids": (
        broken(lambda t: t.add_column([7, 8, 7, 9], name="star")),
        "'star' holds 1 identifiers more than once .7 in rows 0, 2.",
    ),
    "repeated ids say what to do": (
        broken(lambda t: t.add_column([7, 8, 7, 9], name="star")),
        r"combine repeated.*weighted by 1 / error\^2.*astropy.table.unique\(table, keys='star'\)",
    ),
    "masked id": (
        broken(lambda t: t.add_column(MaskedColumn([1, 2, 3, 4], mask=[0, 1, 0, 0]), name="star")),
        "'star' .* has 1 of 4 rows .*row 1: empty or masked",
    ),
    "empty ids": (
        broken(lambda t: t.add_column(["a", "", "c", " "], name="star")),
        "'star' .* has 2 of 4 rows .*row 1: empty or masked, row 3",
    ),
    "ids of None": (
        broken(lambda t: t.add_column(np.array(["a", None, "c", "d"], dtype=object), name="star")),
        "'star' .* has 1 of 4 rows .*row 1: empty or masked",
    ),
    "masked ids of several numbers": (
        broken(lambda t: t.add_column(MaskedColumn(np.ones((4, 2)), mask=True), name="star")),
        r"'star' .* shape \(4, 2\).*identifiers",
    ),
    "ids that are no labels": (
        broken(lambda t: t.add_column([0.5, 1, 2, 3], name="star")),
        "'star' .* type float64.*identifiers",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_raises_an_error_that_tells_what_to_do(case):
    table, message = BAD[case]
    with pytest.raises(TableError, match=f"(?s){message}"):
        read_columns(table, ROLES)


def test_unknown_roles_and_missing_named_columns_are_refused():
    with pytest.raises(TableError, match=r"unknown roles \['plx'\]; expected some of \['parallax'"):
        read_columns(good(), ROLES, {"plx": "parallax"})
    with pytest.raises(TableError, match=r"'source_id' .star. is not in .*{'star': None}"):
        read_columns(good(), ROLES, {"star": "source_id"})
    assert read_columns(good(), ROLES, {"star": None})["star"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("columns", ["gaja", ["parallax"], astro_columns])
def test_columns_that_are_no_dict_are_refused(columns):
    with pytest.raises(TableError, match="expected a dict from role to column name"):
        read_columns(good(), ROLES, columns)


@pytest.mark.parametrize("place", [3, ("parallax", "furlongs"), ["parallax", u.mas], (3, u.mas)])
def test_places_that_are_no_name_and_unit_are_refused(place):
    with pytest.raises(TableError, match=r"expected .*a tuple of name and unit"):
        read_columns(good(), ROLES, {"parallax": place})


def test_invalid_rows_are_left_out_only_when_asked_and_counted():
    table = with_column("parallax", [1.0, np.nan, 3, 4] * u.mas)
    table["parallax_error"][2] = 0 * u.mas
    with pytest.warns(AstropyUserWarning, match="2 of 4 rows are left out"):
        data = read_columns(table, ROLES, on_invalid="drop")
    np.testing.assert_allclose(data["parallax"], [1, 4])
    np.testing.assert_array_equal(data["star"], [0, 3])


def test_a_table_without_any_valid_row_is_refused_even_so():
    table = with_column("parallax", np.full(4, np.nan) * u.mas)
    with pytest.raises(TableError, match="no row is left"):
        read_columns(table, ROLES, on_invalid="drop")


def test_on_invalid_has_two_values():
    with pytest.raises(ValueError, match="expected 'raise' or 'drop'"):
        read_columns(good(), ROLES, on_invalid="ignore")


def test_only_the_first_invalid_rows_are_listed():
    table = good(n=40)
    table["parallax"][5:35] = np.nan
    with pytest.raises(TableError, match=r"30 of 40 rows .*row 9: nan or masked, \.\.\."):
        read_columns(table, ROLES)


def test_of_exact_copies_one_is_kept_by_what_the_message_says():
    table = good()
    table["star"] = [7, 8, 9, 10]
    table = vstack([table, table[1:3]])
    with pytest.raises(TableError, match="2 identifiers more than once") as error:
        read_columns(table, ROLES)
    given = {"table": table, "astropy": astropy}
    exec(re.search(r"table = .*\)", str(error.value))[0], given)
    assert read_columns(given["table"], ROLES)["star"].tolist() == [7, 8, 9, 10]


# ---- speeds above that of light


@pytest.mark.parametrize("name", ["rv", "rv_error"])
@pytest.mark.parametrize("value", [299792.458 * u.km / u.s, 4e8 * u.m / u.s, -9999999 * u.km / u.s])
def test_no_speed_is_that_of_light_or_above(name, value):
    if name == "rv_error":
        value = abs(value)
    table = visits()
    table[name][2] = value
    with pytest.raises(TableError, match=rf"'{name}' .* 1 of 6 rows .*row 2: .*slower than light"):
        read_columns(table, VISITS)
    with pytest.warns(AstropyUserWarning, match="1 of 6 rows are left out"):
        assert len(read_columns(table, VISITS, on_invalid="drop")["rv"]) == 5
    table[name][2] = np.sign(value) * 299792.4 * u.km / u.s
    assert abs(read_columns(table, VISITS)[name][2]) == 299792.4


def test_the_unit_is_doubted_where_speeds_are_too_large_only():
    table = visits()
    table["rv"][2] = 4e5 * u.km / u.s
    with pytest.raises(TableError, match=r"is the unit right\?"):
        read_columns(table, VISITS)
    table["rv"][2] = np.nan
    with pytest.raises(TableError) as error:
        read_columns(table, VISITS)
    assert "unit right" not in str(error.value)


def test_errors_that_may_be_zero_may_not_be_negative():
    roles = (Role("extinction_error", u.mag, nonnegative=True),)
    table = QTable({"extinction_error": [0.0, 0.1] * u.mag})
    assert read_columns(table, roles)["extinction_error"].tolist() == [0.0, 0.1]
    table["extinction_error"][1] = -0.1 * u.mag
    with pytest.raises(TableError, match=r"row 1: -0.1; expected finite values, zero or greater"):
        read_columns(table, roles)


def test_redshifts_lie_above_minus_one():
    roles = (Role("redshift", u.one, above=-1.0),)
    table = QTable({"redshift": [-0.99, 0.5, 14.2]})
    assert read_columns(table, roles)["redshift"].tolist() == [-0.99, 0.5, 14.2]
    for wrong in (-1.0, -9.99):
        table["redshift"][1] = wrong
        with pytest.raises(TableError, match=f"row 1: {wrong}; .* values greater than -1"):
            read_columns(table, roles)
    with pytest.raises(TableError, match="values greater than -1"):
        VelocityDispersion().fit(QTable({"redshift": [0.1, -2.0], "redshift_error": [0.1, 0.1]}))


@pytest.mark.parametrize(
    ("role", "other"), [("parallax_error", "parallax"), ("star", "parallax_error")]
)
def test_a_column_is_not_two_things_at_once(role, other):
    table = datasets.make_star_cluster(10, random_state=1)
    with pytest.raises(TableError, match=f"column '{other}' has the roles .*'{role}'"):
        StarCluster(columns={role: other}).read(table)
