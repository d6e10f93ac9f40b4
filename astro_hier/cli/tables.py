"""Tables from files: those that astropy knows, and text whose layout is found out.

FITS, VOTable, ECSV and other formats that say what they are are left to astropy, which is told to
read times as times. Text in columns is looked at first: which character stands between the columns,
whether the line of names is followed by units, dashes or types, as in rdb files of observatories
and in tables of VizieR, and whether numbers have decimal commas.
"""

import bz2
import gzip
import io
import lzma
import re
import sys
import zlib
from dataclasses import dataclass

import numpy as np
from astropy.io.registry import IORegistryError
from astropy.table import MaskedColumn, QTable

from astro_hier.cli.speech import UsageError

__all__ = ["read_table"]

COMPRESSED = {b"\x1f\x8b": gzip, b"BZh": bz2, b"\xfd7zXZ\x00": lzma}
SUFFIXES = (".gz", ".bz2", ".xz")
FITS = b"SIMPLE  ="
# what formats that astropy reads and that are not plain columns start with
MARKS = {
    b"# %ECSV": "ascii.ecsv",
    FITS: "fits",
    b"<?xml": "votable",
    b"<VOTABLE": "votable",
    b"Title: ": "ascii.mrt",
    b"|": "ascii.ipac",
    b"\\": "ascii.ipac",
}
OTHERS = (b"\x89HDF", b"PAR1", b"#ASDF", b"<html", b"<!DOCTYPE", b"\\begin", b"\\document")
TEXT = ("", ".csv", ".txt", ".dat", ".rdb", ".tsv", ".tab", ".ssv", ".data", ".tbl", ".ascii")
DELIMITERS = "\t;|,"  # the first that stands in all lines; else blanks
LONGEST_MARK = 1000  # bytes, with blanks before it
LOOKED_AT = 100  # lines
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)
WITH_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
DASHES = re.compile(r"-+")
RDB_TYPE = re.compile(r"\d*[NSM]")
NAMES = "such as ascii.csv, ascii.ecsv, ascii.rdb, ascii.no_header, fits, votable"


def read_table(path, format=None, delimiter=None, hdu=None):
    """A table from a file of any kind.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.
    format : str, optional
        Astropy's name of its format.
    delimiter : str, optional
        What stands between the columns of text.
    hdu : int or str, optional
        Which table of a FITS file.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no table, or of a format that is not recognised; the message says what to type.
    """
    content = _content(path)
    start = content[:LONGEST_MARK].lstrip(b"\xef\xbb\xbf \t\r\n")
    known = format or next((name for mark, name in MARKS.items() if start.startswith(mark)), None)
    if hdu is not None and known != "fits":
        raise UsageError(f"--hdu is for FITS files, and {str(path)!r} is not one")
    try:
        if known == "fits":
            return _read_fits(content, {} if hdu is None else {"hdu": hdu})
        if delimiter is None and format is not None:
            return QTable.read(path, format=format)
        if delimiter is None and known is not None:
            return QTable.read(io.BytesIO(content), format=known)
        if delimiter is not None or _is_text(path, content):
            return _read_text(content, delimiter)
        return QTable.read(path)
    except IORegistryError as error:
        raise ValueError(_unknown(path, format, error)) from error
    except (OSError, MemoryError, UsageError):
        raise
    except Exception as error:  # of astropy, or of any package that it uses to read a file
        raise ValueError(_unreadable(path, format, error)) from error


def _content(path):
    """All bytes of a file, decompressed."""
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; expected a file with a table")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {str(path)!r}") from None
    for mark, module in COMPRESSED.items():
        if content.startswith(mark):
            try:
                return module.decompress(content)
            except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
                raise OSError(
                    f"{str(path)!r} is a damaged {module.__name__} file: {error}"
                ) from None
    return content


def _read_fits(content, which):
    """A table of a FITS file, with times as times where they can be understood as such."""
    try:
        return QTable.read(io.BytesIO(content), format="fits", astropy_native=True, **which)
    except (OSError, KeyError, IndexError):
        raise
    except Exception:
        return QTable.read(io.BytesIO(content), format="fits", **which)


def _is_text(path, content):
    """Whether a file holds plain text, to judge by its name and its first bytes."""
    name = path.name.lower()
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    known = "." + name.rpartition(".")[2] if "." in name else ""
    return known in TEXT and b"\0" not in content and not content.lstrip().startswith(OTHERS)


def _unknown(path, format, error):
    """The message for a format that astropy does not recognise, or that does not exist."""
    first = str(error).partition("\n")[0].strip()
    if format is not None:
        return f"{path}: --format {format} is not a format that astropy can read ({first}): {NAMES}"
    return (
        f"{path}: astropy does not recognise this format ({first}); name it with --format, {NAMES}"
    )


def _unreadable(path, format, error):
    """The message for a file that could not be read."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = (lines or [type(error).__name__])[0][:200].rstrip(".")
    if isinstance(error, ImportError) or re.search("required to (read|write)", said):
        missing = getattr(error, "name", None) or "a package that is not installed"
        return (
            f"{path}: this format needs {missing} ({said}): install it, or write the table in"
            " another format, such as fits or ascii.ecsv"
        )
    of = f" as {format}" if format else ""
    return (
        f"{path}: could not be read{of} ({said}); expected columns with their names in the first"
        f" line: name another format with --format, {NAMES}, or what stands between columns with"
        " --delimiter, such as --delimiter ';'"
    )


# ---- text in columns


@dataclass(frozen=True)
class _Layout:
    """How the lines of a text are divided: names, perhaps units, then values."""

    names: list[str]
    units: list[str]
    first: int  # line of values
    delimiter: str


def _read_text(content, delimiter):
    """A table from lines of text, of which the first holds the names of the columns."""
    text = content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    comments, lines = _without_comments(text)
    if delimiter is None:
        delimiter = _delimiter(lines)
    layout = _layout(comments, lines, delimiter)
    kind = {"format": "ascii.basic" if delimiter == " " else "ascii.csv", "guess": False}
    if layout.first == 1 and not comments:  # astropy knows of line breaks within quotes
        table = QTable.read(text, delimiter=delimiter, **kind)
    else:
        named = [_line(layout.names, delimiter), *lines[layout.first :]]
        table = QTable.read(named, delimiter=delimiter, **kind)
    for name, unit in zip(table.colnames, layout.units, strict=False):
        if unit and table[name].dtype.kind in "if":
            table[name].unit = unit
    _read_decimal_commas(table)
    return table


def _line(words, delimiter):
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    return delimiter.join(quoted)


def _without_comments(text):
    """The lines that are comments, and the others without blank ones."""
    lines = [line for line in text.split("\n") if line.strip()]
    comments = [line for line in lines if line.lstrip().startswith("#")]
    return comments, [line for line in lines if not line.lstrip().startswith("#")]


def _delimiter(lines):
    """The character that divides all lines, or as many as there are after the names and units."""
    some = lines[:LOOKED_AT]
    for delimiter in DELIMITERS:
        counts = [line.count(delimiter) for line in some]
        if counts and min(counts) > 0:
            return delimiter
    return " "


def _split(line, delimiter):
    words = line.split() if delimiter == " " else line.strip("\n").split(delimiter)
    return [word.strip().strip('"') for word in words]


def _layout(comments, lines, delimiter):
    """Where names, units and values are."""
    if not lines:
        raise ValueError("there is no line with values")
    names, first = _split(lines[0], delimiter), 1
    numbers = [bool(NUMBER.fullmatch(word) or WITH_COMMA.fullmatch(word)) for word in names]
    named = _split(comments[-1].lstrip("# \t"), delimiter) if comments else []
    if any(numbers) and len(named) == len(names):
        names, first = named, 0
    elif all(numbers):
        raise ValueError("the first line holds numbers, not names of columns")
    elif len(lines) == 1 or len(names) < 2:
        raise ValueError("there are no columns with values below a line of names")
    rows = [_split(line, delimiter) for line in lines[first : first + 2]]
    for i, row in enumerate(rows):
        if _all(DASHES, row) or (delimiter == "\t" and _all(RDB_TYPE, row)):
            return _Layout(names, rows[0] if i else [], first + i + 1, delimiter)
    return _Layout(names, [], first, delimiter)


def _all(pattern, words):
    return bool(words) and all(pattern.fullmatch(word) for word in words)


def _read_decimal_commas(table):
    """Make numbers of text such as 12,5, where a whole column holds nothing else."""
    changed = []
    for name in table.colnames:
        column = table[name]
        if column.dtype.kind != "U":
            continue
        masked = np.broadcast_to(getattr(column, "mask", False), len(column))
        words = [str(word).strip() for word in column]
        filled = [word for word, empty in zip(words, masked, strict=True) if not empty and word]
        is_number = [WITH_COMMA.fullmatch(word) or NUMBER.fullmatch(word) for word in filled]
        if not (filled and all(is_number) and any("," in word for word in filled)):
            continue
        empty = [bool(hidden) or not word for word, hidden in zip(words, masked, strict=True)]
        numbers = [
            np.nan if hidden else float(word.replace(",", "."))
            for word, hidden in zip(words, empty, strict=True)
        ]
        table[name] = MaskedColumn(numbers, mask=empty) if any(empty) else numbers
        changed.append(name)
    if changed:
        print(f"astro-hier: read decimal commas in {', '.join(changed)}", file=sys.stderr)
