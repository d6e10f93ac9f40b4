"""From an astropy table to arrays of floats in declared units, with every check."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.table import Table
from astropy.time import Time, TimeDelta

from astro_hier import checks
from astro_hier.given import choice
from astro_hier.table.arrays import one_row_each
from astro_hier.table.cures import keep_first
from astro_hier.table.frames import as_table
from astro_hier.table.places import find_places, taken_twice
from astro_hier.table.plausible import said_of_unit
from astro_hier.table.roles import ROWS_SHOWN, Role, TableError
from astro_hier.table.rows import Rows
from astro_hier.table.times import check_baseline
from astro_hier.table.values import read_floats, read_labels, since_first

__all__ = ["read_columns"]


def read_columns(
    table: Any, roles: Sequence[Role], columns: Any = None, on_invalid: str = "raise"
) -> Rows:
    """Read and check the columns that a model needs.

    Parameters
    ----------
    table : `~astropy.table.Table` or data frame
        One row per measurement.
    roles : sequence of `Role`
        What the model needs.
    columns : dict or str, optional
        Column name, or (column name, unit where the column has none), by role. A role that is
        left out is read from the column of the same name.
    on_invalid : {"raise", "drop"}
        Whether rows with missing, infinite or impossible values raise an error, or are left out
        with a warning that counts them.

    Returns
    -------
    Rows
        One array per role: floats in the role's unit, or labels. A unique label without a column
        is the row number; other roles that are not required may be absent. Times count from the
        earliest, the epoch.

    Raises
    ------
    TableError
        If the table cannot be used.
    """
    choice("on_invalid", on_invalid, ("raise", "drop"))
    table = open_table(table)
    long = one_row_each(table, roles, columns)
    try:
        return _read(long, roles, columns, on_invalid)
    except TableError as error:
        if long is table:
            raise
        counted = "; rows are counted with one row for each element of the arrays"
        raise TableError(
            f"{error}{counted}, as in astro_hier.columns.explode(table)",
            shell=error.shell + counted,
        ) from None


def _read(table, roles, columns, on_invalid):
    data, invalid, places, epoch = read_rows(table, roles, columns)
    keep = _valid_rows(table, data, invalid, places, roles, on_invalid)
    data = {name: values[keep] for name, values in data.items()}
    rows = np.flatnonzero(keep)
    for role in roles:
        if role.unique and role.name in places:
            _check_unique(table, data[role.name], role, places[role.name][0], rows)
        if role.is_time:
            place, days = places[role.name], data[role.name]
            check_baseline(table[place[0]], place, role, days, epoch, rows, data.get("star"))
            first = data[role.name].min()
            data[role.name] = data[role.name] - first
            epoch = epoch.later(first)
    return Rows(data, epoch)


def read_rows(table, roles, columns=None):
    """All rows of the columns that a model needs, whether they are valid or not.

    Returns
    -------
    data, invalid : dict
        Arrays by role: the values, and whether they are unusable.
    places : dict
        Column name, and unit where the column has none, by role.
    epoch : `Epoch`
        The time from which times count, or None.
    """
    places, problems = find_places(table, roles, columns)
    problems += taken_twice(places)
    data, invalid, epoch = {}, {}, None
    for role in roles:
        if role.name in places:
            name, unit = places[role.name]
            column = table[name]
            read = read_labels if role.unit is None else read_floats
            try:
                _check_kind(column, name, role)
                if role.is_time:
                    epoch, column = since_first(column, name, unit, role)
                data[role.name], invalid[role.name] = read(column, name, unit, role)
            except TableError as error:
                problems.append(error)
        elif role.unique:
            data[role.name] = np.arange(len(table))
    if problems:
        in_shell = [getattr(problem, "shell", problem) for problem in problems]
        raise TableError(_joined(map(str, problems)), _joined(in_shell))
    return data, invalid, places, epoch


def _joined(problems):
    """Problems of several columns in one message; what to do about several of them comes once."""
    parts = [problem.rpartition("; ") for problem in problems]
    later = [{cure for _, _, cure in parts[i + 1 :]} for i in range(len(parts))]
    return "; ".join(
        said if said and cure in others else said + sign + cure
        for (said, sign, cure), others in zip(parts, later, strict=True)
    )


def _check_kind(column, name, role):
    """Raise a TableError unless a column is an array, or holds times where they are expected."""
    if isinstance(column, np.ndarray) or (role.is_time and isinstance(column, Time | TimeDelta)):
        return
    kind = "identifiers" if role.unit is None else "times" if role.is_time else "numbers"
    raise TableError(
        f"column {name!r} ({role.name}) holds {type(column).__name__} objects; expected {kind}"
    )


def open_table(table: Any) -> Table:
    """An astropy table that has rows, from one or from a data frame.

    Raises
    ------
    TableError
        If this is neither, or has no rows.
    """
    table = as_table(table)
    if len(table) == 0:
        raise TableError("the table has no rows; at least one measurement is needed")
    return table


def _valid_rows(table, data, invalid, places, roles, on_invalid):
    """Boolean array of the rows to keep."""
    bad = np.any(list(invalid.values()), axis=0)
    if not bad.any():
        return ~bad
    findings = []
    for role in roles:
        if role.name in invalid and invalid[role.name].any():
            findings.append(
                _invalid(role, places[role.name][0], data[role.name], invalid[role.name])
            )
    message = "; ".join(findings)
    if on_invalid == "raise" or bad.all():
        cure = (
            "no row is left without them"
            if bad.all()
            else "fix or remove these rows, or leave them out with on_invalid='drop'"
        )
        units = _of_units(table, data, invalid, places, roles)
        raise TableError(*(f"{message}; {of_unit}{cure}" for of_unit in units))
    checks.warn(f"{message}; {bad.sum()} of {len(bad)} rows are left out")
    return ~bad


def _of_units(table, data, invalid, places, roles):
    """What to do about units, in Python and the shell, if these explain what is not valid."""
    for role in roles:
        if role.name in invalid and role.unit and role.doubt(data[role.name][invalid[role.name]]):
            cures = said_of_unit(table, role, roles, places, data)
            if any(cures):
                return [f"check the units of the table{cure}; else " for cure in cures]
    return "", ""


def _invalid(role, name, values, rows):
    """The invalid values of a column, for a message."""
    is_label = role.unit is None
    found = ", ".join(
        f"row {i}: {'empty or masked' if is_label else _shown(values[i])}"
        for i in np.flatnonzero(rows)[:ROWS_SHOWN]
    )
    doubt = "" if is_label else role.doubt(values[rows])
    return (
        f"column {name!r} ({role.name}) has {rows.sum()} of {len(rows)} rows that are not valid"
        f" ({found}{', ...' if rows.sum() > ROWS_SHOWN else ''};"
        f" expected {'identifiers' if is_label else role.expected}{doubt})"
    )


def _shown(value):
    return "nan or masked" if np.isnan(value) else str(value)


def _check_unique(table, labels, role, name, rows):
    values, counts = np.unique(labels, return_counts=True)
    if (counts > 1).any():
        repeated = values[counts > 1]
        examples = "; ".join(
            f"{value} in rows {', '.join(str(i) for i in rows[labels == value][:ROWS_SHOWN])}"
            for value in repeated[:ROWS_SHOWN]
        )
        message = (
            f"column {name!r} holds {len(repeated)} identifiers more than once ({examples});"
            f" expected one row per {role.name}: combine repeated measurements of one into their"
            " mean, weighted by 1 / error^2, or keep one of several exact copies"
        )
        raise TableError(f"{message} with {keep_first(table, name)}", shell=message)
