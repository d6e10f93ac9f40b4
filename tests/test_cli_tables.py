"""Claims about the files that the command reads."""

import bz2
import gzip
import lzma
from contextlib import suppress

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from astropy.time import Time

from astro_hier.cli import main
from astro_hier.cli.tables import read_table

TIMES, VELOCITIES, ERRORS = [2450000.25, 2450003.5, 2450010.125], [-3.5, 1.25, 12.0], [0.1] * 3
NAMES = "time", "rv", "rv_error"
ROWS = [[str(value) for value in row] for row in zip(TIMES, VELOCITIES, ERRORS, strict=True)]


def text(delimiter, *below, names=NAMES, rows=ROWS, before=""):
    """Lines of a table; ``below`` stands between the names and the values."""
    return before + "".join(f"{delimiter.join(line)}\n" for line in [names, *below, *rows])


def with_commas(rows):
    return [[word.replace(".", ",") for word in row] for row in rows]


LAYOUTS = {
    "commas.csv": text(","),
    "semicolons.csv": text(";"),
    "semicolons.txt": text(";"),
    "decimal_commas.csv": text(";", rows=with_commas(ROWS)),
    "decimal_commas.dat": text("  ", rows=with_commas(ROWS)),
    "decimal_commas.tsv": text("\t", rows=with_commas(ROWS)),
    "blanks.txt": text("   "),
    "blanks.csv": text(" "),
    "blanks": text(" "),
    "tabs.tsv": text("\t"),
    "bars.txt": text("|"),
    "eso.rdb": text("\t", ["----", "--", "--------"]),
    "starbase.rdb": text("\t", ["12N", "8N", "N"]),
    "commented.dat": "# " + text(" "),
    "commented.csv": "#" + text(","),
    "remarks.csv": text(",", before="# from the archive\n#\n"),
    "vizier.tsv": text(";", ["d", "km/s", "km/s"], ["---", "---", "---"], before="#RESOURCE=x\n\n"),
    "windows.csv": text(";").replace("\n", "\r\n"),
    "mark.csv": "\ufeff" + text(";"),
    "units.csv": text(",", ["d", "km/s", "km/s"]),
    "units.txt": text(" ", ["[d]", "(km/s)", "(km/s)"]),
    "fortran.dat": text(" ", rows=[[f"{word}D+00" for word in row] for row in ROWS]),
    "printed.csv": text(",", rows=[[word.replace("-", "\u2212") for word in row] for row in ROWS]),
    "quoted.csv": text(";", names=['"time"', '"rv"', '"rv_error"']),
    "long_words.csv": text(
        ",",
        names=(*NAMES, "notes"),
        rows=[[*row, f'"two\nlines; {row[0]}"'] for row in ROWS],
    ),
    "no_end.csv": text(";").rstrip("\n"),
}


def assert_is_read(table):
    assert table.colnames[:3] == list(NAMES)
    assert len(table) == len(ROWS)
    for name, expected in zip(NAMES, (TIMES, VELOCITIES, ERRORS), strict=True):
        assert np.array_equal(np.asarray(table[name]), expected)


@pytest.mark.parametrize("name", LAYOUTS)
def test_text_in_columns_is_read_whatever_is_between_them(tmp_path, name):
    path = tmp_path / name
    path.write_text(LAYOUTS[name], encoding="utf-8", newline="")
    table = read_table(path)
    assert_is_read(table)
    has_units = name in ("vizier.tsv", "units.csv", "units.txt")
    assert table["rv"].unit == (u.km / u.s if has_units else None)


@pytest.mark.parametrize("coding", ["utf-16", "utf-8-sig"])
def test_text_is_read_in_the_coding_that_it_names(tmp_path, coding):
    path = tmp_path / "excel.txt"
    path.write_text(text("\t"), encoding=coding)
    assert_is_read(read_table(path))


def test_a_unit_that_astropy_does_not_know_is_left_to_be_given(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text(text(",", ["BJD", "km/s", "-"]))
    table = read_table(path)
    assert_is_read(table)
    assert [table[name].unit for name in NAMES] == [None, u.km / u.s, None]


def test_a_row_of_words_is_no_row_of_units(tmp_path):
    """Bands and labels may have the names of units; a missing number is none."""
    path = tmp_path / "bands.csv"
    for first in ("V,d,nan", "V,d,1.5", "star 1,d,null"):
        path.write_text(f"band,star,rv\n{first}\nR,x,2.5\n")
        assert len(read_table(path)) == 2


@pytest.mark.parametrize("letter", "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r\0")
def test_a_number_is_never_two(tmp_path, letter):
    path = tmp_path / "split.csv"
    content = f"v,e,n\n10{letter}.5,0.5,a\n2,0.5,b\n3,0.5,c\n"
    path.write_text(content, encoding="utf-8", newline="")
    if letter == "\0":
        with pytest.raises(ValueError, match="line 2 holds a NUL byte"):
            read_table(path)
    else:
        assert list(read_table(path)["v"]) == ["10 .5", "2", "3"]


REPEATED = {
    "a.csv": "v,v,e\n1,100,1\n2,200,1\n",
    "b.txt": "v v_1 e v\n1 100 1 5\n2 200 1 5\n",
    "c.ecsv": "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: v, datatype: float64}\n"
    "# - {name: v, datatype: float64}\n# schema: astropy-2.0\nv v\n1 2\n3 4\n",
    "d.vot": '<?xml version="1.0"?><VOTABLE version="1.3"><RESOURCE><TABLE>'
    + '<FIELD name="v" datatype="double"/>' * 2
    + "<DATA><TABLEDATA><TR><TD>1</TD><TD>9</TD></TR></TABLEDATA></DATA>"
    "</TABLE></RESOURCE></VOTABLE>",
}


@pytest.mark.parametrize("name", REPEATED)
@pytest.mark.filterwarnings("ignore::astropy.io.votable.exceptions.VOWarning")
def test_names_that_several_columns_have_are_an_error(tmp_path, name):
    (tmp_path / name).write_text(REPEATED[name])
    with pytest.raises(ValueError, match="several columns are named 'v'"):
        read_table(tmp_path / name)


def test_the_format_and_what_is_between_columns_go_together(tmp_path):
    path = tmp_path / "bare.txt"
    path.write_text("1;2\n3;4\n")
    table = read_table(path, format="ascii.no_header", delimiter=";")
    assert (table.colnames, len(table)) == (["col1", "col2"], 2)


@pytest.mark.parametrize("format", ["ascii.mrt", "ascii.latex", "ascii.aastex"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_tables_of_journals_are_recognised(tmp_path, format):
    path = tmp_path / "table.txt"
    QTable([TIMES, VELOCITIES, ERRORS], names=NAMES).write(path, format=format)
    assert_is_read(read_table(path))


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("suffix", ["csv", "ecsv", "fits", "vot"])
def test_compressed_files_are_read(tmp_path, compress, suffix):
    path = tmp_path / f"table.{suffix}"
    QTable([TIMES, VELOCITIES, ERRORS], names=NAMES).write(
        path, **({"format": "votable"} if suffix == "vot" else {})
    )
    packed = tmp_path / f"table.{suffix}.packed"
    packed.write_bytes(compress(path.read_bytes()))
    if suffix != "csv":
        assert_is_read(read_table(packed))
    packed.rename(tmp_path / "table.csv.gz")
    assert_is_read(read_table(tmp_path / "table.csv.gz"))


def test_a_delimiter_and_an_extension_may_be_named(tmp_path, capsys):
    odd = tmp_path / "odd.csv"
    odd.write_text(text("!"))
    assert_is_read(read_table(odd, delimiter="!"))
    two = tmp_path / "two.fits"
    from astropy.io import fits

    first, second = (
        fits.table_to_hdu(QTable([TIMES[:n], VELOCITIES[:n], ERRORS[:n]], names=NAMES))
        for n in (2, 3)
    )
    second.name = "VISITS"
    fits.HDUList([fits.PrimaryHDU(), first, second]).writeto(two)
    for name in ("2", "VISITS"):
        assert main(["binary", str(two), "--hdu", name]) == 1
        assert "column 'time' (time) has no unit" in capsys.readouterr().err
    assert_is_read(read_table(two, hdu="VISITS"))
    with pytest.raises(ValueError, match="by its number or name, with --hdu"):
        read_table(two, hdu="STARS")


def test_times_of_fits_files_are_times(tmp_path):
    times = Time(TIMES, format="jd", scale="tdb")
    path = tmp_path / "visits.fits"
    QTable([times, VELOCITIES * u.km / u.s], names=("time", "rv")).write(path)
    read = read_table(path)
    assert isinstance(read["time"], Time)
    assert np.array_equal(read["time"].tdb.jd, TIMES)
    assert read["rv"].unit == u.km / u.s


def test_masked_numbers_with_decimal_commas_stay_masked(tmp_path, capsys):
    path = tmp_path / "gap.csv"
    path.write_text("star;rv\na;1,5\nb;\nc;-2\n")
    table = read_table(path)
    assert list(table["rv"].mask) == [False, True, False]
    assert table["rv"][0] == 1.5
    assert "read decimal commas in rv" in capsys.readouterr().err
    assert list(table["star"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("numbers.dat", b"1 2 3\n4 5 6\n", [], "first line holds numbers, not names"),
        ("empty.csv", b"", [], "no line with values"),
        (
            "ragged.csv",
            b"time;rv\n1;2\n3\n4;5;6\n",
            [],
            "line 4 has 3 cells",
        ),
        ("a.zip", b"PK\x03\x04", [], "is a zip archive or a spreadsheet: unpack it"),
        ("a.vot", b"<VOTABLE><RESOURCE>", [], "as votable (1:19: no element found): it is damaged"),
        ("t.fits", b"", ["--delimiter", ";"], "--delimiter is for text, and"),
        ("notes.txt", b"dear diary\n", [], "name another format, --format ascii.csv"),
        ("photo.jpg", b"\xff\xd8\xff\xe0", [], "does not recognise this format"),
        ("half.fits", b"SIMPLE  =", [], "could not be read as fits"),
        ("half.csv.gz", b"\x1f\x8b\x08", [], "is a damaged gzip file"),
        ("page.csv", b"<html></html>", [], "--format ascii.csv"),
        ("t.csv", b"time,rv\n1,2\n", ["--format", "parquet"], "--format"),
        ("t.csv", b"time,rv\n1,2\n", ["--format", "fits"], "could not be read as fits"),
        ("t.csv", b"time,rv\n1,2\n", ["--format", "votable"], "could not be read as votable"),
        ("t.csv", b"time,rv\n1,2\n", ["--format", "hdf5"], "could not be read as hdf5"),
        ("t.csv", b"time,rv\n1,2\n", ["--format", "nonsense"], "is none that astropy can read"),
        ("t.csv", b"time,rv\n1,2\n", ["--hdu", "1"], "--hdu is for FITS files"),
    ],
)
def test_what_is_no_table_is_said_with_the_option_to_use(
    tmp_path, capsys, name, content, options, message
):
    path = tmp_path / name
    path.write_bytes(content)
    if name == "t.fits":
        QTable([TIMES], names=["time"]).write(path, overwrite=True)
    with suppress(SystemExit):
        assert main(["binary", str(path), *options]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) <= 2
    assert "should not happen" not in said


def test_a_format_whose_package_is_missing_is_said(tmp_path, capsys, monkeypatch):
    path = tmp_path / "table.parquet"
    path.write_bytes(b"PAR1")

    def read(*args, **options):
        raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")

    monkeypatch.setattr("astro_hier.cli.tables.QTable.read", read)
    assert main(["binary", str(path)]) == 1
    assert "this format needs pyarrow" in capsys.readouterr().err
