"""Any table of results as a table for a paper: columns of values and errors are joined."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table

from astro_hier.posterior import UnitLike, in_units
from astro_hier.reports import latex, machine
from astro_hier.reports.rounding import rounded
from astro_hier.reports.values import notes_of

__all__ = ["Joined", "joined", "table_of", "written"]

# what ``of`` may name, and the methods that make it
TABLES = {
    "stars": "star_table",
    "objects": "object_table",
    "elements": "elements",
    "modes": "modes",
    "explanations": "explanations",
}
ERRORS = "_sd", "_error"  # ends of the names of columns of errors
ENDS = ("_low", "_high"), ("_p16", "_p84")  # of those of the ends of an interval
MIDDLE = "", "_p50"  # of those of the middles of intervals
SHOWN = ".6g"  # numbers without errors and format


def table_of(model: Any, of: str | Table, unit: UnitLike) -> Table:
    """A table of results by name, or as given, in the units asked for."""
    if isinstance(of, Table):
        return in_units(model, of.copy(), unit)
    known = [name for name, method in TABLES.items() if hasattr(model, method)]
    if of not in known:
        raise ValueError(
            f"of={of!r}; expected a table, or one of {known} that {type(model).__name__} has"
        )
    found = getattr(model, TABLES[of])()
    return in_units(model, found, unit)


def written(
    model: Any, found: Table, of: str | Table, form: str, unit: UnitLike = None
) -> str | Table:
    """A table of results, which ``of`` names, in one of the formats."""
    if not len(found):
        raise ValueError("the table has no rows")
    if form == "table":
        return found
    name = type(model).__name__
    caption = f"Results of {name}" + (f": {of}" if isinstance(of, str) else "")
    columns = list(joined(found))
    notes = [*_said(columns), *notes_of(model, unit)[1:]]
    if form == "mrt":
        return machine.of_table(model, found, caption, notes)
    heads = [_head(model, column) for column in columns]
    rows = zip(*(column.latex() for column in columns), strict=True)
    label = f"tab:{name}-{of}" if isinstance(of, str) else f"tab:{name}"
    return latex.tabular(heads, rows, notes, caption, label, form == "aastex")


@dataclass(frozen=True)
class Joined:
    """A column, with the columns of its errors if it has any: distances, or ends of an interval."""

    name: str
    column: Any
    errors: tuple = ()
    ends: tuple = ()

    @property
    def unit(self) -> u.UnitBase:
        """The unit of its values."""
        unit = getattr(self.column, "unit", None)
        return unit if isinstance(unit, u.UnitBase) else u.one

    def rounded(self) -> Iterator[Any]:
        """Values rounded to their errors, None where one is missing."""
        middle = plain(self.column)
        if self.errors:
            low = high = plain(self.errors[0])
        else:
            low, high = middle - plain(self.ends[0]), plain(self.ends[1]) - middle
        for value, minus, plus in zip(middle, low, high, strict=True):
            missing = value is np.ma.masked or not np.isfinite(value)
            known = [None if e is np.ma.masked else max(float(e), 0.0) for e in (minus, plus)]
            yield None if missing else rounded(float(value), *known)

    def latex(self) -> Iterator[str]:
        """The cells in LaTeX."""
        if self.errors or self.ends:
            yield from ("" if of is None else of.latex() for of in self.rounded())
            return
        form = self.column.info.format or SHOWN
        for value in plain(self.column):
            if not isinstance(value, (float, np.floating)):
                yield "" if value is np.ma.masked else latex.escaped(value)
            elif not np.isfinite(value):
                yield ""
            else:
                yield _number(format(value, form))


def plain(column: Any) -> np.ndarray:
    """A column's values without their unit, masked where they are missing."""
    return np.ma.asarray(getattr(column, "value", column))


def joined(table: Table) -> Iterator[Joined]:
    """The columns of a table, those of errors with the values that they belong to."""
    names: list[str] = table.colnames
    taken: set[str] = set()
    for name in names:
        found = _errors_of(name, names)
        if found is not None and not taken & set(found[1]):
            kind, others = found
            taken |= set(others)
            yield Joined(name, table[name], **{kind: tuple(table[other] for other in others)})
        elif name not in taken and not _is_error(name, names):
            yield Joined(name, table[name])


def _errors_of(name, names):
    """The columns of a column's errors."""
    stems = [name.removesuffix(end) for end in MIDDLE if name.endswith(end)]
    for stem in stems:
        for pair in ENDS:
            others = [stem + end for end in pair]
            if set(others) <= set(names):
                return "ends", others
    for end in ERRORS:
        if name + end in names:
            return "errors", [name + end]
    return None


def _is_error(name, names):
    """Whether a column is the error of another one."""
    ends = (*ERRORS, *(end for pair in ENDS for end in pair))
    stems = (name.removesuffix(end) for end in ends if name.endswith(end))
    return any(stem + end in names for stem in stems for end in MIDDLE)


def _said(columns):
    """What the errors are."""
    said = []
    if any(column.errors for column in columns):
        said.append("Errors are standard deviations.")
    if any(column.ends for column in columns):
        said.append("Medians and central 68 percent.")
    return said


def _head(model, column):
    """The name of a column and its unit in LaTeX."""
    symbols = {p.name: p.symbol for p in model.parameters}
    symbol = symbols.get(column.name)
    head = f"${symbol}$" if symbol else latex.escaped(column.name)
    return head, latex.unit_cell(column.unit)


def _number(text):
    """A number in math mode, an exponent as a power of ten."""
    mantissa, _, power = text.partition("e")
    return f"${mantissa}$" if not power else rf"${mantissa} \times 10^{{{int(power)}}}$"
