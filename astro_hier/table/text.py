"""Columns of text: numbers, words for values that are missing, and what to do about the rest."""

from collections.abc import Iterable
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from astro_hier.table.cures import read_call, replace_text, to_dates
from astro_hier.table.roles import ROWS_SHOWN

__all__ = ["MISSING", "WRITE_DATES", "is_missing", "not_numbers", "read_numbers"]

# in any case; what programs write where there is no value
MISSING = frozenset({"", "-", "--", "...", "<na>", "n/a", "na", "nan", "nat", "none", "null"})


WRITE_DATES = (
    "; write dates to the file as Julian dates, or the table as ECSV with a column of Time"
)


CORRECT = "; correct these rows, leave them empty where there is no number, or name another column"


def is_missing(text: str) -> bool:
    """Whether a text says that there is no value."""
    return text.strip().casefold() in MISSING


def read_numbers(values: Iterable[Any]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Floats from text, or from numbers of any kind.

    Returns
    -------
    floats : ndarray
        NaN where there is no number.
    missing : ndarray of bool
        Where there is none, or a word that says so.
    wrong : list of int
        Rows that hold something else.
    """
    values = list(values)
    floats, missing = np.full(len(values), np.nan), np.zeros(len(values), dtype=bool)
    wrong = []
    for i, value in enumerate(values):
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if text is None or str(text) in ("<NA>", "--") or _is_word(text):
            missing[i] = True
        elif _is_number(text):
            floats[i] = float(text)
        else:
            wrong.append(i)
    return floats, missing, wrong


def _is_word(value):
    return isinstance(value, str) and is_missing(value)


def _is_number(value):
    """Whether this is a number, or text that is one; Python's digits with underscores are not."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (str, Real, Decimal)):
        return False
    try:
        return float(value) is not None and "_" not in str(value)
    except (ValueError, OverflowError):  # an integer that is too large for a float
        return False


def not_numbers(
    table: Any, name: str, values: Any, wrong: list[int], is_time: bool
) -> tuple[str, str]:
    """Which rows do not hold numbers, and what to do in Python and in the shell; for a message."""
    found = [_said(values[i]) for i in wrong[:ROWS_SHOWN]]
    rows = ", ".join(f"row {i}: {text!r}" for i, text in zip(wrong, found, strict=False))
    more = ", ..." if len(wrong) > ROWS_SHOWN else ""
    cure, in_shell = _cures(table, name, values, wrong, is_time)
    said = f" (not a number: {rows}{more})"
    return said + cure, said + in_shell


def _cures(table, name, values, wrong, is_time):
    first = _said(values[wrong[0]]).strip()
    if wrong == [0] and set(first) == {"-"}:
        line = "; the second line of the file underlines its header, as in rdb files"
        return f"{line}: read it with {read_call(table, 'rdb')}", f"{line}: remove it"
    if all(_has_decimal_comma(_said(values[i])) for i in wrong):
        commas = "; these are decimal commas"
        return f"{commas}: {replace_text(table, name)}", f"{commas}: write points to the file"
    return (
        (f"; convert dates with {to_dates(table, name)}", WRITE_DATES)
        if is_time
        else (CORRECT, CORRECT)
    )


def _has_decimal_comma(text):
    try:
        float(text.replace(",", ".", 1))
    except ValueError:
        return False
    return text.count(",") == 1


def _said(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
