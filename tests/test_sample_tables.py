"""Claims about tables of draws, densities and values: every form of one reads as the same rows."""

import re

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.utils.exceptions import AstropyUserWarning
from astropy.utils.masked import Masked

from astro_hier.models.sample_population.reading import read_samples
from astro_hier.models.sample_population.roles import roles_of
from astro_hier.table import TableError

LABELS = ["b", "a", "c"]
COUNTS = [3, 2, 4]
MASSES = np.random.default_rng(1).normal(1.4, 0.1, (3, 4))
PADDING = np.arange(4) >= np.array(COUNTS)[:, None]
OBJECT = np.repeat(LABELS, COUNTS)
NAN = np.where(PADDING, np.nan, MASSES)
ANY = {"mass": None}
BOTH = ("mass", "q")


def read(data, units=ANY, *, cls=Table, names=("mass",), **options):
    return read_samples(cls(data), names, units, **options)


def objects(*rows):
    """A column of objects, one in each row."""
    column = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        column[i] = row
    return column


def ragged(of=list):
    return objects(*(of(row[:n]) for row, n in zip(MASSES, COUNTS, strict=True)))


def refused(message, data, *args, **options):
    with pytest.raises(TableError, match=message):
        read(data, *args, **options)


# ---- forms of draws

FORMS = {
    "masked": lambda: Masked(MASSES, mask=PADDING) * u.Msun,
    "masked column": lambda: MaskedColumn(MASSES, mask=PADDING, unit=u.Msun),
    "column of arrays": lambda: Column(ragged(np.array), unit=u.Msun),
    "column of lists": lambda: Column(ragged(), unit=u.Msun),
    "Quantities": lambda: ragged(lambda row: row * u.Msun),
    "lists of Quantities": lambda: ragged(lambda row: [x * u.Msun for x in row]),
    "several units": lambda: objects(
        MASSES[0, :3] * u.Msun, (MASSES[1, :2] * u.Msun).to(u.kg), MASSES[2] * u.Msun
    ),
    "masked arrays in rows": lambda: Column(
        objects(*(np.ma.array(row, mask=hide) for row, hide in zip(MASSES, PADDING, strict=True))),
        unit=u.Msun,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_draws_gives_the_same_rows(form):
    rows, units = read({"object": LABELS, "samples": FORMS[form]()})
    assert rows["object"].tolist() == OBJECT.tolist()
    np.testing.assert_allclose(rows["samples"], MASSES[~PADDING], rtol=1e-14)
    assert units == {"mass": u.Msun}


def test_one_draw_in_each_row_is_sorted_by_first_appearance():
    object_ = ["b", "a", "b", "c", "c", "a", "b"]
    rows, _ = read({"object": object_, "mass": np.arange(7.0) * u.Msun, "weight": np.arange(7)})
    assert rows["object"].tolist() == ["b"] * 3 + ["a"] * 2 + ["c"] * 2
    assert rows["samples"].tolist() == rows["weight"].tolist() == [0, 2, 6, 1, 5, 3, 4]


def test_densities_and_weights_have_the_form_of_the_draws():
    per = np.where(PADDING, np.nan, 1 / MASSES)
    rows, _ = read(
        {
            "samples": Masked(MASSES, mask=PADDING) * u.Msun,
            "interim": Masked(per, mask=PADDING) / u.kg,
            "weight": np.where(PADDING, -1, 1),
        },
        {"mass": u.g},
    )
    np.testing.assert_allclose(rows["samples"], MASSES[~PADDING] * u.Msun.to(u.g))
    np.testing.assert_allclose(rows["interim"], 1e-3 / MASSES[~PADDING])
    assert rows["weight"].tolist() == [1] * 9
    assert rows["object"].tolist() == np.repeat([0, 1, 2], COUNTS).tolist()


def test_numbers_without_unit_are_in_the_given_one():
    rows, units = read({"mass": MASSES, "interim": MASSES}, {"mass": u.kg})
    assert units == {"mass": u.kg}
    assert rows["interim"].tolist() == rows["samples"].tolist() == MASSES.ravel().tolist()
    assert read({"mass": MASSES})[1] == {"mass": u.one}
    rows, units = read({"m": MASSES}, {"mass": u.g}, columns={"samples": ("m", "kg")})
    np.testing.assert_allclose(rows["samples"], 1000 * MASSES.ravel())
    assert read({"m": MASSES}, columns={"samples": ("m", "kg")})[1] == {"mass": u.kg}


def test_magnitudes_are_numbers_of_mag():
    rows, units = read({"mass": MASSES * u.ABmag})
    assert units == {"mass": u.mag}
    assert rows["samples"].tolist() == MASSES.ravel().tolist()
    rows, units = read({"mass": MASSES[0] * u.ABmag, "mass_error": MASSES[0] * u.mag})
    assert units == {"mass": u.mag}


def test_two_quantities_are_read_together():
    columns = {"mass": MASSES * u.Msun, "samples_q": MASSES, "interim": MASSES / u.kg}
    rows, units = read(columns, {"mass": u.kg}, names=BOTH)
    assert set(rows) == {"object", "samples_mass", "samples_q", "interim"}
    assert units == {"mass": u.kg, "q": u.one}
    np.testing.assert_allclose(rows["interim"], MASSES.ravel())


# ---- files and frames


def test_fits_files_are_read(tmp_path):
    table = QTable({"object": LABELS, "samples": MASSES * u.Msun})
    table.write(tmp_path / "two.fits")
    again = read_samples(QTable.read(tmp_path / "two.fits"), ("mass",), ANY)[0]
    assert again["samples"].tolist() == MASSES.ravel().tolist()
    draws = fits.Column("samples", "PD()", unit="solMass", array=ragged(np.array))
    ids = fits.Column("object", "A1", array=np.array(LABELS))
    fits.BinTableHDU.from_columns([ids, draws]).writeto(tmp_path / "many.fits")
    rows, units = read_samples(Table.read(tmp_path / "many.fits"), ("mass",), ANY)
    assert rows["samples"].tolist() == MASSES[~PADDING].tolist()
    assert rows["object"].tolist() == OBJECT.tolist()
    assert units == {"mass": u.Msun}


def test_what_astropy_masks_in_fits_files_is_padding(tmp_path):
    draws = fits.Column("samples", "4D", unit="solMass", array=NAN)
    fits.BinTableHDU.from_columns([draws]).writeto(tmp_path / "nan.fits")
    rows, _ = read_samples(QTable.read(tmp_path / "nan.fits"), ("mass",), ANY)
    assert rows["samples"].tolist() == MASSES[~PADDING].tolist()
    # but not in files that it wrote itself, where masks are columns
    QTable({"samples": NAN * u.Msun}).write(tmp_path / "own.fits")
    refused("3 of 12 draws that are not valid", QTable.read(tmp_path / "own.fits"))


def test_parquet_files_are_read(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="astropy reads Parquet with pyarrow")
    from pyarrow import parquet

    frame = {"object": [3, 1, 2], "samples": [list(row) for row in ragged()]}
    parquet.write_table(pyarrow.table(frame), tmp_path / "many.parquet")
    rows, _ = read_samples(Table.read(tmp_path / "many.parquet"), ("mass",), ANY)
    assert rows["samples"].tolist() == MASSES[~PADDING].tolist()
    QTable({"samples": MASSES * u.Msun}).write(tmp_path / "two.parquet")
    rows, units = read_samples(QTable.read(tmp_path / "two.parquet"), ("mass",), ANY)
    assert rows["samples"].tolist() == MASSES.ravel().tolist()
    assert units == {"mass": u.Msun}


@pytest.mark.parametrize("of", [list, np.array])
def test_nested_frames_are_read(of):
    pandas = pytest.importorskip("pandas", reason="pandas makes the frames")
    frame = pandas.DataFrame({"object": LABELS, "samples": list(ragged(of))})
    rows, units = read_samples(
        Table.from_pandas(frame, units={"samples": u.Msun} if of is np.array else None),
        ("mass",),
        {"mass": u.Msun},
    )
    assert rows["samples"].tolist() == MASSES[~PADDING].tolist()
    assert rows["object"].tolist() == OBJECT.tolist()
    assert units == {"mass": u.Msun}


# ---- densities and values

GRID = [1.0, 2.0, 4.0, 5.0]


@pytest.mark.parametrize("form", [lambda x: x, lambda x: objects(*x)])
def test_densities_are_read_with_their_grid(form):
    rows, units = read(
        {"object": LABELS, "density": form(MASSES), "interim": form(2 * MASSES)}, grid=GRID * u.Msun
    )
    assert units == {"mass": u.Msun}
    assert rows["object"].tolist() == np.repeat(LABELS, 4).tolist()
    assert rows["grid"].tolist() == 3 * GRID
    assert (2 * rows["density"]).tolist() == rows["interim"].tolist()
    assert rows["density"].tolist() == MASSES.ravel().tolist()


def test_densities_have_the_inverse_of_the_unit():
    rows, _ = read({"density": MASSES / u.kg}, {"mass": u.g}, grid=GRID * u.kg)
    np.testing.assert_allclose(rows["density"], MASSES.ravel() / 1000)
    assert rows["grid"].tolist() == [1000 * x for x in 3 * GRID]
    rows, _ = read({"density": MASSES}, {"mass": u.g}, grid=GRID)
    assert rows["grid"].tolist() == 3 * GRID


@pytest.mark.parametrize(
    "names", [("value", "error"), ("mass", "mass_error"), ("value", "mass_error")]
)
def test_values_are_read_with_their_errors(names):
    table = {names[0]: [1.0, 2.0] * u.kg, names[1]: [100, 200] * u.g, "object": ["b", "a"]}
    rows, units = read(table)
    assert units == {"mass": u.kg}
    assert {role: of.tolist() for role, of in rows.items()} == {
        "object": ["b", "a"], "value": [1, 2], "error": [0.1, 0.2]
    }  # fmt: skip


def test_values_without_unit_are_in_the_given_one():
    rows, _ = read({"mass": [1, 2], "mass_error": [100, 200] * u.g}, {"mass": u.kg})
    assert rows["error"].tolist() == [0.1, 0.2]
    rows, _ = read({"mass": [1, 2], "mass_error": [1, 2]}, {"mass": u.kg})
    assert rows["error"].tolist() == [1, 2]
    refused(
        "'mass_error' .error. has no unit", {"mass": [1] * u.kg, "mass_error": [1]}, {"mass": u.g}
    )


@pytest.mark.parametrize(
    ("kind", "names"),
    [("draws", ("mass",)), ("draws", BOTH), ("density", ("mass",)), ("value", ("mass",))],
)
def test_rows_have_the_roles_of_their_kind(kind, names):
    columns = {
        "draws": {"mass": MASSES, "q": MASSES, "interim": MASSES, "weight": MASSES},
        "density": {"density": MASSES, "interim": MASSES},
        "value": {"value": [1], "error": [1]},
    }[kind]
    units = {"mass": u.kg, "q": u.s}
    rows, units = read(columns, units, names=names, grid=GRID if kind == "density" else None)
    roles = roles_of(kind, names, units)
    assert set(rows) == {role.name for role in roles}
    assert {len(of) for of in rows.values()} == {rows.size}
    interim = next((role for role in roles if role.name == "interim"), None)
    assert interim is None or interim.unit == (1 / u.kg if len(names) == 1 else 1 / (u.kg * u.s))


# ---- which columns are read


def test_columns_that_are_named_are_read_whatever_else_is_there():
    table = {"samples": MASSES, "value": [1, 2, 3], "error": [1, 2, 3], "pi": 1 / MASSES}
    refused("several kinds: draws .'samples'.; value .'value', 'error'.; .*columns=", table)
    assert "value" in read(table, columns={"samples": None})[0]
    assert "samples" in read(table, columns={"value": None})[0]
    assert "samples" in read(table, columns={"samples": "samples"})[0]
    rows, _ = read(table, columns={"samples": "samples"}, interim_column="pi")
    assert rows["interim"].tolist() == (1 / MASSES).ravel().tolist()
    with pytest.raises(ValueError, match=r"interim='pi' and .* are two columns"):
        read(table, columns={"interim": "x"}, interim_column="pi")


def test_one_number_in_each_row_is_a_draw_if_it_has_no_error():
    table = {"object": ["a", "a"], "mass": [1.0, 2.0], "mass_error": [1.0, 1.0]}
    refused(
        "'object' holds 1 identifiers more than once .a in rows 0, 1.; expected one row per obj",
        table,
    )
    assert "samples" in read(table, columns={"error": None})[0]


@pytest.mark.parametrize(
    ("message", "columns"),
    [
        (r"has the columns \['x'\], none with results of mass; expected 'samples' or 'mass', draws "
         "of shape .*'density', with the argument grid; or 'value' or 'mass' with 'error'",
         {"x": [1]}),
        ("one draw in each row, and no column 'object'.*columns={'value'", {"mass": [1.0, 2.0]}),
        ("no identifier of column 'object' is in two rows", {"mass": [1.0, 2.0], "object": [1, 2]}),
        ("1 identifiers more than once .1 in rows 0, 2.*join the arrays",
         {"mass": MASSES, "object": [1, 2, 1]}),
        ("has 1 of 3 rows that are empty or masked .rows 1;",
         {"mass": MASSES, "object": ["a", "", "b"]}),
        ("column 'interim' .interim. has one number in each row; expected one number for each of "
         "column 'mass'", {"mass": MASSES, "interim": [1.0, 2, 3]}),
        ("has 3 numbers in row 1, where samples has 2",
         {"samples": ragged(), "weight": objects([1, 1, 1], [1, 1, 1], [1, 1, 1, 1])}),
        ("interim.* does not go with column 'value'.*has no prior; ignore it",
         {"value": [1], "error": [1], "interim": [1]}),
        ("no column 'error' or 'mass_error'|none with results", {"value": [1.0]}),
        ("type float64 and shape .3, 2, 2.*column.reshape", {"mass": MASSES.reshape(3, 2, 2)}),
        ("type <U1 and shape", {"mass": ["a"], "object": [1]}),
        ("1 of 2 rows without an array of numbers .row 1: 'x'", {"mass": objects([1.0], "x")}),
        ("1 of 2 rows without an array of numbers .row 0: an array of type float64 and shape .2, 2",
         {"mass": objects(np.ones((2, 2)), [1.0])}),
        ("1 of 2 rows without a unit .row 1", {"mass": objects([1, 2] * u.kg, [1.0])}),
        ("unit 'km' in row 1; expected .* to 'kg'", {"mass": objects([1, 2] * u.kg, [1] * u.km)}),
        (r"too few draws of 1 of 2 objects \(object 1: 1\); expected at least 2",
         {"mass": objects([1.0, 2.0], [1.0])}),
        (r"'weight' .weight. is zero for all draws of 1 of 3 objects \(object 2\)",
         {"mass": MASSES, "weight": MASSES * [[1], [1], [0]]}),
        (r"4 of 12 draws that are not valid \(object 1: 4; expected finite numbers of zero or more",
         {"mass": MASSES, "weight": MASSES * [[1], [-1], [1]]}),
        (r"4 of 12 draws that are not valid \(object 0: 4; expected finite densities greater than",
         {"mass": MASSES, "interim": MASSES * [[0], [1], [1]]}),
        (r"3 of 12 draws that are not valid \(object 0: 1, 1: 2; expected finite numbers\); corr",
         {"mass": NAN}),
        (r"2 of 3 rows that are not valid \(row 1: inf, row 2: nan or masked",
         {"value": [1, np.inf, np.nan], "error": [1, 1, 1]}),
        (r"row 1: 0.0; expected finite values greater than zero",
         {"mass": [1, 2], "mass_error": [1, 0.0]}),
        ("unit 'km' of physical type 'length'; expected kg",
         {"value": [1] * u.kg, "error": [1] * u.km}),
        ("needs the argument grid", {"density": MASSES}),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(message, columns):
    refused(message, columns)


def test_units_that_do_not_fit_are_said():
    refused(
        "unit 'kg' of physical type 'mass'; expected km", {"mass": MASSES * u.kg}, {"mass": u.km}
    )
    refused(
        "'interim' .interim. has unit '1 / km'", {"mass": MASSES * u.kg, "interim": MASSES / u.km}
    )
    with pytest.warns(u.UnitsWarning, match="Msunn"):
        unknown = u.Unit("Msunn", parse_strict="warn")
    table = {"mass": Column(MASSES, unit=unknown)}
    refused(re.escape("correct it with table['mass'].unit = 'UNIT'"), table)
    refused(re.escape("table['mass'].unit = 'solMass'"), table, {"mass": u.Msun})


def test_two_quantities_need_draws_of_both():
    refused(r"no column 'samples_q' or 'q' \(samples_q\)", {"mass": MASSES}, names=BOTH)
    refused(
        r"two quantities \['mass', 'q'\].*expected draws of both",
        {"value": [1], "error": [1]},
        names=BOTH,
    )
    refused("none with results of mass and q", {"x": [1]}, names=BOTH)
    columns = {"mass": MASSES, "q": MASSES[:, :3]}
    refused("'q' .samples_q. has 3 numbers in row 0, where samples_mass has 4", columns, names=BOTH)


def test_one_column_has_one_role():
    refused(
        r"'weight' has the roles \['samples', 'weight'\]", {"weight": MASSES}, {}, names=("weight",)
    )
    rows, _ = read({"weight": MASSES}, {}, names=("weight",), columns={"weight": None})
    assert set(rows) == {"object", "samples"}


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (GRID[:3], "has 4 numbers in row 0; expected 3, one for each point of grid"),
        ([1, 2, 2, 3], "does not rise from point 1 to point 2, 2 to 2"),
        ([GRID], "expected an array of two or more finite"),
        ("z", "expected an array of two or more finite"),
        ([1, 2, 3, np.nan], "expected an array of two or more finite"),
        (GRID * u.km, "grid has the unit 'km'; expected one that converts to 'solMass'"),
    ],
)
def test_grids_that_cannot_be_used_are_said(grid, message):
    refused(message, {"density": MASSES}, {"mass": u.Msun}, grid=grid)


def test_a_grid_goes_with_densities_only():
    refused("grid is given, but not used with the columns .'mass'", {"mass": MASSES}, grid=GRID)
    refused(
        "has the unit '1 / kg', but the quantity has none", {"density": MASSES / u.kg}, grid=GRID
    )
    refused("density.* has 1 numbers in row 0", {"density": [1.0, 2.0]}, grid=GRID)
    refused("'weight' .weight. does not go with", {"density": MASSES, "weight": MASSES}, grid=GRID)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [(-1, "of zero or more"), (np.nan, "of zero or more"), (np.zeros(4), "some greater than zero")],
)
def test_densities_that_cannot_be_used_are_said(wrong, expected):
    table = {"density": MASSES.copy(), "object": LABELS}
    table["density"][1, : np.size(wrong)] = wrong
    refused(rf"1 of 3 rows that are not valid \(object a; expected .*{expected}", table, grid=GRID)
    with pytest.warns(AstropyUserWarning, match="1 of 3 rows are left out"):
        rows, _ = read(table, grid=GRID, on_invalid="drop")
    assert rows["density"].tolist() == MASSES[[0, 2]].ravel().tolist()
    assert rows["object"].tolist() == np.repeat(["b", "c"], 4).tolist()


# ---- what is left out


def test_draws_that_are_not_valid_can_be_left_out():
    table = {"mass": NAN * u.Msun, "object": LABELS}
    with pytest.warns(AstropyUserWarning, match=r"object b: 1, a: 2.*3 of 12 draws are left out"):
        rows, _ = read(table, on_invalid="drop")
    assert rows["samples"].tolist() == MASSES[~PADDING].tolist()
    assert rows["object"].tolist() == OBJECT.tolist()
    table["mass"][2] = np.nan
    with pytest.warns(AstropyUserWarning, match="7 of 12"):
        refused(r"too few draws .*\(object c: 0, without those that", table, on_invalid="drop")


def test_masked_draws_are_padding_in_arrays_and_missing_in_rows():
    long = Masked(MASSES[:2].ravel(), mask=[True] + [False] * 7)
    refused(
        r"1 of 8 draws that are not valid \(object a: 1", {"object": ["a", "b"] * 4, "mass": long}
    )
    some = {"mass": Masked(MASSES, mask=PADDING), "q": MASSES}
    refused("3 of 12 draws that are not valid", some, names=BOTH)


def test_objects_without_label_can_be_left_out():
    table = {"mass": MASSES, "object": MaskedColumn(LABELS, mask=[False, True, False])}
    with pytest.warns(AstropyUserWarning, match="1 of 3 rows are left out"):
        rows, _ = read(table, on_invalid="drop")
    assert rows["object"].tolist() == ["b"] * 4 + ["c"] * 4
    table = {"value": [1, 2, 3], "error": [1, 0, 1], "object": LABELS}
    with pytest.warns(AstropyUserWarning, match="1 of 3 rows are left out"):
        rows, _ = read(table, on_invalid="drop")
    assert rows["value"].tolist() == [1, 3]


def test_other_ways_with_invalid_numbers_are_refused():
    with pytest.raises(ValueError, match="on_invalid='no'; expected 'raise' or 'drop'"):
        read({"mass": MASSES}, on_invalid="no")
    with pytest.raises(TableError, match=r"got dict; read a file with .*QTable.read"):
        read_samples({"mass": MASSES}, ("mass",), ANY)


def test_draws_that_look_like_placeholders_are_warned_of_before_the_fit():
    draws = MASSES.ravel().copy()
    draws[5] = -999
    said = r"draws in column 'mass' .* far from all others, .* to .*: -999 of object a: if they"
    with pytest.warns(AstropyUserWarning, match=said):
        read({"object": np.repeat(["b", "a", "c"], 4), "mass": draws * u.Msun}, cls=QTable)
