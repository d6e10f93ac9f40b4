"""Text in columns, whose layout is found out.

Which character stands between the columns is counted; the line of names may be a comment, and may
be followed by units, dashes or types, as in rdb files of observatories and in tables of VizieR; and
numbers may have decimal commas.
"""

import re
import sys
from dataclasses import dataclass

import numpy as np
from astropy.table import MaskedColumn, QTable

__all__ = ["read_text"]

DELIMITERS = "\t;|,"  # the first that divides lines; else blanks
LOOKED_AT = 100  # lines
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)
WITH_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
DASHES = re.compile(r"-+")
RDB_TYPE = re.compile(r"\d*[NSM]")


@dataclass(frozen=True)
class _Layout:
    """How the lines of a text are divided: names, perhaps units, then values."""

    names: list[str]
    units: list[str]
    first: int  # line of values
    delimiter: str


def read_text(content, delimiter):
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
