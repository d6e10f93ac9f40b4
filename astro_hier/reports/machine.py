"""Machine-readable tables of the American Astronomical Society, by way of astropy's writer.

That writer knows floats, integers and text, needs every missing value to be masked, drops digits of
columns that span many powers of ten unless they have a format with an exponent, and leaves the
notes to others.
"""

from collections.abc import Sequence
from io import StringIO
from textwrap import wrap
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Column, MaskedColumn, Table
from astropy.time import Time

from astro_hier.reports.letters import all_in_ascii, in_ascii
from astro_hier.reports.values import Values

__all__ = ["of_table", "of_values"]

WIDTH = 80  # of the lines of a header
SPAN = 1e6  # ratio of the largest to the smallest number, from which there are exponents
EXACT = ".8e"
KIND = {"_sd": "standard deviation", "_error": "standard error", "_low": "16 percent",
        "_high": "84 percent", "_p16": "16 percent", "_p50": "median", "_p84": "84 percent",
        "_mean": "mean"}  # fmt: skip


def of_values(found: Values) -> str:
    """Names and units of parameters, medians and both errors, rounded to the smaller error."""
    rows, table = found.rows, Table()
    units = [_cds(row.unit)[0] or row.unit.to_string() for row in rows]
    all_rounded = [row.rounded for row in rows]
    table["Parameter"] = _text([row.name for row in rows], "Name of the parameter")
    table["Unit"] = _text([unit or "---" for unit in units], "Unit of its values")
    for name, about, of in (
        ("Value", "Median", "value"),
        ("e_Value", "Distance from the median to 16 percent", "minus"),
        ("E_Value", "Distance from the median to 84 percent", "plus"),
    ):
        texts = [(getattr(one, of) or "nan", one.power) for one in all_rounded]
        numbers = np.array([float(text) * 10.0**power for text, power in texts])
        table[name] = _numbers(numbers, about)
    table["Meaning"] = _text([row.long_name for row in rows], "What the parameter is")
    return _written(table, f"Results of {found.of}", found.notes)


def of_table(model: Any, found: Table, title: str, notes: Sequence[str]) -> str:
    """Any table of results, with all its columns."""
    about = {p.name: p.long_name for p in model.parameters}
    table = Table()
    names = all_in_ascii(found.colnames)
    for name, shown in zip(found.colnames, names, strict=True):
        for label, column in _parts(shown, found[name]):
            table[label] = _column(column, _about(name, about))
    return _written(table, title, notes)


def _about(name, about):
    """What a column is, as far as the names of parameters tell."""
    for end, kind in KIND.items():
        stem = name.removesuffix(end).removesuffix("_own")
        if name.endswith(end) and stem in about:
            return f"{about[stem].capitalize()}, {kind}"
    return about.get(name, name.replace("_", " ")).capitalize()


def _parts(name, column):
    """A column, or each column of one that has several numbers in a row."""
    if isinstance(column, Time):
        column = MaskedColumn(np.ma.asarray(column.jd), unit=u.day)
    if np.ndim(column) < 2:
        return [(name, column)]
    return [(f"{name}_{i + 1}", column[:, i]) for i in range(np.shape(column)[1])]


def _column(column, about):
    unit = getattr(column, "unit", None)
    cds, left = _cds(unit if isinstance(unit, u.UnitBase) else u.one)
    about = in_ascii(about + (f" ({left})" if left else ""))
    values = np.ma.asarray(getattr(column, "value", column))
    if values.dtype.kind == "f":
        form = getattr(column.info, "format", None)
        if form:  # the digits that the table shows
            values = np.ma.array([float(format(v, form)) for v in values.data], mask=values.mask)
        return _numbers(values, about, cds)
    if values.dtype.kind in "iu":
        return MaskedColumn(values, description=about, unit=cds) if values.mask.any() else Column(
            values.data, description=about, unit=cds)  # fmt: skip
    return _text(values.tolist(), about)


def _cds(unit):
    """A unit that the standard knows, or None, and one that it does not, or None."""
    if unit == u.one:
        return None, None
    try:
        return unit.to_string("cds"), None
    except ValueError:
        return None, unit.to_string()


def _numbers(values, about, unit=None):
    """A column of floats, without a digit lost."""
    values = np.ma.masked_invalid(values)
    size = np.abs(values.compressed())
    size = size[size > 0]
    wide = size.size > 0 and size.max() / size.min() >= SPAN
    unit = None if unit is None else u.Unit(unit, format="cds")
    options = {"description": about, "format": EXACT if wide else None, "unit": unit}
    if np.ma.getmaskarray(values).any():
        return MaskedColumn(values, **options)
    return Column(np.asarray(values), **options)


def _text(values, about):
    """A column of words on one line, of characters that the standard allows."""
    words = all_in_ascii("" if value is None else str(value) for value in values)
    return Column([word or "---" for word in words], description=about)


def _written(table, title, notes):
    """The text of the file, with its title and notes."""
    text = StringIO()
    table.write(text, format="ascii.mrt")
    numbered = [
        "\n".join(wrap(f"Note ({i + 1}): {in_ascii(note)}", WIDTH, subsequent_indent="  "))
        for i, note in enumerate(notes)
    ]
    head, _, rest = text.getvalue().partition("Notes:\n")
    head = head.replace("Title:", f"Title: {in_ascii(title)}", 1)
    return head + "".join(f"{note}\n" for note in numbered) + rest
