"""Text in columns, whose layout is found out.

Which character stands between the columns is counted; the line of names may be a comment, and may
be followed by units, dashes or types, as in rdb files of observatories and in tables of VizieR; and
numbers may have decimal commas.
"""

import codecs
import re
import sys
from contextlib import suppress
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import MaskedColumn, QTable

__all__ = ["TextError", "as_text", "check_names", "read_text"]

DELIMITERS = "\t;|,"  # the first that divides lines; else blanks
LOOKED_AT = 100  # lines
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)
MINUS = re.compile("^[\u2212\u2010-\u2013\ufe63\uff0d]")
EXPONENT = re.compile(r"([\d.])[dD]([+-]?\d+)$")
MISSING = re.compile(r"[+-]?[\d.,]+([eEdD][+-]?\d+)?|nan|null|none|n/?a|masked", re.IGNORECASE)
LONGEST_UNIT = 30  # characters
DASHES = re.compile(r"-+")
RDB_TYPE = re.compile(r"\d*[NSM]")
# what Python takes for ends of lines besides \n, so that one row would become two
STRAY = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
UTF_16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE


class TextError(ValueError):
    """A text that is no table whatever its format is said to be; the message has the cure."""


@dataclass(frozen=True)
class _Layout:
    """How the lines of a text are divided: names, perhaps units, then values."""

    names: list[str]
    units: list[str]
    first: int  # line of values
    delimiter: str


def as_text(content: bytes) -> str:
    """Bytes as text, in which rows end with a line feed and with nothing else.

    Raises
    ------
    TextError
        If there are NUL bytes, at which astropy would divide a number in two.
    """
    coding = "utf-16" if content.startswith(UTF_16) else "utf-8-sig"
    text = re.sub("\r+\n", "\n", content.decode(coding, errors="replace"))
    is_stray = 0 < text.count("\r") < text.count("\n")
    text = STRAY.sub(" ", text.replace("\r", " " if is_stray else "\n"))
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise TextError(
            f"line {line} holds a NUL byte, as in damaged files and in UTF-16: correct it, or save"
            " the file as UTF-8"
        )
    return text


def check_names(names: list[str], text: str) -> None:
    """Raise a TextError if columns share a name.

    Astropy numbers such columns: a number that the text does not hold is one of these.
    """
    for name in names:
        first, _, number = name.rpartition("_")
        if first in names and number.isdigit() and name not in text:
            raise TextError(f"several columns are named {first!r}: give them different names")


def read_text(text, delimiter):
    """A table from lines of text, of which the first holds the names of the columns."""
    comments, lines = _without_comments(text)
    if delimiter is None:
        delimiter = _delimiter(lines)
    layout = _layout(comments, lines, delimiter)
    kind = {"format": "ascii.basic" if delimiter == " " else "ascii.csv", "guess": False}
    named = text  # astropy knows of line breaks within quotes
    if layout.first != 1 or comments:
        named = [_line(layout.names, delimiter), *lines[layout.first :]]
    try:
        table = QTable.read(named, delimiter=delimiter, **kind)
    except Exception as error:  # of several kinds, of which none names the line as an editor does
        if said := _ragged(text, layout, delimiter):
            raise TextError(said) from error
        raise
    check_names(table.colnames, text)
    for name, unit in zip(table.colnames, layout.units, strict=False):
        if unit and table[name].dtype.kind in "if":
            table[name].unit = unit
    _read_numbers(table)
    return table


def _ragged(text: str, layout: _Layout, delimiter: str) -> str | None:
    """What is wrong with the first of a few lines that have more cells than there are names."""
    n, quoted = len(layout.names), re.compile('"[^"]*"')
    lines = ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
    longer = [
        (number, cells)
        for number, line in lines
        if not line.lstrip().startswith("#")
        and (cells := len(_split(quoted.sub("x", line), delimiter))) > n
    ]
    if not longer or len(longer) > text.count("\n") / 2:
        return None
    number, cells = longer[0]
    more = f" and {len(longer) - 1} more lines" if len(longer) > 1 else ""
    return (
        f"line {number} has {cells} cells, and the line of names has {n}: correct this line{more};"
        f" a text that holds {delimiter!r} is to stand in quotes"
    )


def _line(words, delimiter):
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    return delimiter.join(quoted)


def _without_comments(text):
    """The lines that are comments, and the others without blank ones."""
    lines = [line for line in text.split("\n") if line.strip()]
    comments = [line for line in lines if line.lstrip().startswith("#")]
    return comments, [line for line in lines if not line.lstrip().startswith("#")]


def _delimiter(lines):
    """The character that divides the first line and most others, which may be parts of a text."""
    some = lines[:LOOKED_AT]
    for delimiter in DELIMITERS:
        divided = [delimiter in line for line in some]
        if divided and divided[0] and sum(divided) > len(some) / 2:
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
    numbers = [bool(NUMBER.fullmatch(_plain(word))) for word in names]
    named = _split(comments[-1].lstrip("# \t"), delimiter) if comments else []
    if any(numbers) and len(named) == len(names):
        names, first = named, 0
    elif all(numbers):
        raise ValueError("the first line holds numbers, not names of columns")
    elif len(lines) == 1 or len(names) < 2:
        raise ValueError("there are no columns with values below a line of names")
    rows = [_split(line, delimiter) for line in lines[first : first + 2]]
    is_typed = delimiter == "\t" and _all(RDB_TYPE, rows[0] if rows else [])
    if len(rows) == 2 and not is_typed and (units := _units(*rows)):
        return _Layout(names, units, first + 1, delimiter)
    for i, row in enumerate(rows):
        if _all(DASHES, row) or (delimiter == "\t" and _all(RDB_TYPE, row)):
            return _Layout(names, rows[0] if i else [], first + i + 1, delimiter)
    return _Layout(names, [], first, delimiter)


def _units(row: list[str], below: list[str]) -> list[str]:
    """The units that a row holds, if it is one of units above a row of values.

    What astropy does not know, such as BJD, is left out, so that the unit can be given.
    """
    words = [word.strip("()[] ") for word in row]
    if len(row) != len(below) or any(MISSING.fullmatch(word) for word in words):
        return []
    pairs = list(zip(words, below, strict=True))
    known = [_is_unit(word) for word, value in pairs if word and NUMBER.fullmatch(_plain(value))]
    others = [word for word, value in pairs if not NUMBER.fullmatch(_plain(value))]
    if not any(known) or not all(not word or _is_unit(word) for word in others):
        return []
    return [word if _is_unit(word) and not DASHES.fullmatch(word) else "" for word in words]


def _is_unit(word: str) -> bool:
    """Whether a word is a unit, or the dashes of a column that has none."""
    if DASHES.fullmatch(word) or word[:1].isdigit():
        return not word[:1].isdigit()
    with suppress(ValueError, TypeError, ArithmeticError):
        return len(word) <= LONGEST_UNIT and u.Unit(word) != u.one
    return False


def _plain(word: str) -> str:
    """A number with the signs that Python knows: minus signs of print, D of Fortran."""
    return EXPONENT.sub(r"\1e\2", MINUS.sub("-", word.strip()).replace(",", "."))


def _all(pattern, words):
    return bool(words) and all(pattern.fullmatch(word) for word in words)


def _read_numbers(table):
    """Make numbers of text such as 12,5 or 1.5D+00, where a whole column holds nothing else."""
    changed = []
    for name in table.colnames:
        column = table[name]
        if column.dtype.kind != "U":
            continue
        masked = np.broadcast_to(getattr(column, "mask", False), len(column))
        words = [str(word).strip() for word in column]
        filled = [word for word, empty in zip(words, masked, strict=True) if not empty and word]
        if not filled or not all(NUMBER.fullmatch(_plain(word)) for word in filled):
            continue
        empty = [bool(hidden) or not word for word, hidden in zip(words, masked, strict=True)]
        numbers = [
            np.nan if hidden else float(_plain(word))
            for word, hidden in zip(words, empty, strict=True)
        ]
        table[name] = MaskedColumn(numbers, mask=empty) if any(empty) else numbers
        if any("," in word for word in filled):
            changed.append(name)
    if changed:
        print(f"astro-hier: read decimal commas in {', '.join(changed)}", file=sys.stderr)
