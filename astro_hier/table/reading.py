"""From an astropy table to arrays of floats in declared units, with every check."""

from collections.abc import Mapping

import astropy.units as u
import numpy as np
from astropy.table import Column, Table
from astropy.time import Time, TimeDelta

from astro_hier import checks
from astro_hier.table.roles import ROWS_SHOWN, Epoch, TableError
from astro_hier.table.rows import Rows
from astro_hier.table.times import check_baseline
from astro_hier.table.units import factor, meant

__all__ = ["read_columns"]


def read_columns(table, roles, columns=None, on_invalid="raise"):
    """Read and check the columns that a model wants.

    Parameters
    ----------
    table : `~astropy.table.Table`
        One row per measurement.
    roles : sequence of `Role`
        What the model wants.
    columns : dict, optional
        Column name, or (column name, unit where the column has none), by role. Roles left out
        are read from the column of their own name.
    on_invalid : {"raise", "drop"}
        Whether rows that hold missing, infinite or impossible values raise or are left out with
        a warning that counts them.

    Returns
    -------
    Rows
        One array per role: floats in the role's unit, or labels. A unique label that the table
        does not hold is the row number; other roles that are not required may be absent. Times
        count from the earliest, the epoch.

    Raises
    ------
    TableError
        Where the table cannot be used.
    """
    if on_invalid not in ("raise", "drop"):
        raise ValueError(f"on_invalid={on_invalid!r}; accepted are 'raise' and 'drop'")
    data, invalid, places, epoch = read_rows(table, roles, columns)
    keep = _valid_rows(data, invalid, places, roles, on_invalid)
    data = {name: values[keep] for name, values in data.items()}
    rows = np.flatnonzero(keep)
    for role in roles:
        if role.unique and role.name in places:
            _check_unique(data[role.name], places[role.name][0], rows)
        if role.is_time:
            place, days = places[role.name], data[role.name]
            check_baseline(table[place[0]], place, role, days, epoch, rows, data.get("star"))
            first = data[role.name].min()
            data[role.name] = data[role.name] - first
            epoch = epoch.later(first)
    return Rows(data, epoch)


def read_rows(table, roles, columns=None):
    """All rows of the columns that a model wants, whether they are valid or not.

    Returns
    -------
    data, invalid : dict
        Arrays by role: values, and whether they cannot be used.
    places : dict
        Column name, and unit where the column has none, by role.
    epoch : `Epoch`
        That from which times count, or None.
    """
    if not isinstance(table, Table):
        raise TableError(
            f"expected an astropy Table, QTable or TimeSeries, got {type(table).__name__}; read a"
            " file with astropy.table.QTable.read(path), convert columns with QTable({...}) or a"
            " pandas frame with QTable.from_pandas(frame)"
        )
    if len(table) == 0:
        raise TableError("the table has no rows; at least one measurement is needed")
    places, problems = _places(table, roles, columns)
    data, invalid, epoch = {}, {}, None
    for role in roles:
        if role.name in places:
            name, unit = places[role.name]
            column = table[name]
            read = _read_labels if role.unit is None else _read_floats
            try:
                if role.is_time:
                    epoch, column = _since_first(column, name, unit, role)
                if not isinstance(column, np.ndarray):
                    kind = "identifiers" if role.unit is None else "numbers"
                    raise TableError(
                        f"column {name!r} ({role.name}) holds {type(column).__name__} objects;"
                        f" accepted are {kind}"
                    )
                data[role.name], invalid[role.name] = read(column, name, unit, role)
            except TableError as error:
                problems.append(str(error))
        elif role.unique:
            data[role.name] = np.arange(len(table))
    if problems:
        raise TableError("; ".join(problems))
    return data, invalid, places, epoch


def _places(table, roles, columns):
    """Column name and fallback unit by role, for the roles that the table holds, and problems."""
    if not isinstance(columns, Mapping | None):
        raise TableError(
            f"columns={columns!r}; accepted is a dict from role to column name, or to a pair of"
            " name and unit, such as astro_hier.columns.GAIA"
        )
    columns = dict(columns or {})
    names = [role.name for role in roles]
    unknown = sorted(set(columns) - set(names))
    if unknown:
        raise TableError(f"columns names the unknown roles {unknown}; accepted are {names}")
    places, problems = {}, []
    for role in roles:
        given = columns.get(role.name, role.column or role.name)
        if given is None and not role.required:
            continue
        name, unit = _name_and_unit(role, given)
        if name in table.colnames:
            places[role.name] = name, unit
        elif role.required or role.name in columns:
            problems.append(
                f"column {name!r} ({role.name}) is not in the table, which has {table.colnames};"
                f" say which column it is with columns={{{role.name!r}: 'NAME'}}"
                + ("" if role.required else f", or do without: {{{role.name!r}: None}}")
            )
    return places, problems


def _name_and_unit(role, given):
    name, unit = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if role.unit is None and unit is not None:
        raise TableError(
            f"columns={{{role.name!r}: {given!r}}}; accepted is a column name alone, for"
            " identifiers have no unit"
        )
    try:
        unit = None if unit is None else u.Unit(unit)
        known = not isinstance(unit, u.UnrecognizedUnit)
    except (TypeError, ValueError):
        known = False
    if not known:
        likely = meant(str(unit), role.unit) or role.unit
        raise TableError(
            f"columns={{{role.name!r}: {given!r}}}; {str(unit)!r} is not a unit that astropy knows:"
            f" expected is a tuple of name and unit, such as ({name!r}, '{likely}')"
        )
    if not isinstance(name, str):
        raise TableError(
            f"columns={{{role.name!r}: {given!r}}}; accepted is a column name, or a tuple of"
            f" name and unit, such as ({role.name!r}, u.{role.unit or 'mas'})"
        )
    return name, unit


def _read_labels(column, name, unit, role):
    """Identifiers as integers or strings, and where they are masked."""
    missing = np.broadcast_to(getattr(column, "mask", False), len(column))
    labels = np.asarray(getattr(column, "unmasked", column))
    if labels.ndim != 1 or labels.dtype.kind not in "iuSUO":
        raise TableError(
            f"column {name!r} ({role.name}) has type {labels.dtype} and shape {labels.shape};"
            " accepted are identifiers, one integer or string a row"
        )
    if labels.dtype.kind == "O":
        missing = missing | np.array([v is None for v in labels], dtype=bool)
    try:
        if labels.dtype.kind == "S":
            labels = np.char.decode(labels, "utf-8")
        elif labels.dtype.kind == "O":
            labels = np.array([v.decode() if isinstance(v, bytes) else str(v) for v in labels])
    except UnicodeDecodeError as error:
        raise TableError(
            f"column {name!r} ({role.name}) holds identifiers that are no text ({error}); accepted"
            " are integers and strings, or bytes in UTF-8"
        ) from None
    if labels.dtype.kind == "U":
        labels = np.char.strip(labels)
        missing = missing | (labels == "")
    # files may hold the other byte order, which xarray and pandas do not look labels up in
    return labels.astype(labels.dtype.newbyteorder("=")), missing


def _read_floats(column, name, unit, role):
    """Values in the role's unit, and where they are masked, not finite or not allowed."""
    missing = np.broadcast_to(getattr(column, "mask", False), column.shape)
    values = getattr(column, "unmasked", column)
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise TableError(
            f"column {name!r} ({role.name}) has type {values.dtype} and shape {values.shape};"
            f" accepted is one number a row, {_in_unit(role.unit)}{_no_numbers(values)}"
            + (f"; dates are read by table[{name!r}] = Time(table[{name!r}])" * role.is_time)
        )
    scale = factor(column, name, unit, role)
    floats = np.array(getattr(values, "value", values), dtype=float) * scale
    floats[missing] = np.nan
    return floats, missing | ~role.allows(floats)


def _since_first(column, name, unit, role):
    """The epoch of the first row, and the times as a column of days since."""
    if isinstance(column, TimeDelta):
        column = Column(column.to_value(u.day), unit=u.day)
    if isinstance(column, Time):
        missing = np.broadcast_to(column.mask, column.shape)
        present = np.flatnonzero(~missing)
        if column.ndim != 1 or not present.size:
            raise TableError(f"column {name!r} ({role.name}) holds no time in any row")
        first = column[present[0]]
        epoch = Epoch(float(first.jd1), float(first.jd2), column.scale)
        days = np.full(len(column), np.nan)
        days[present] = (column[present] - first).to_value(u.day)
        return epoch, Column(days, unit=u.day)
    floats, invalid = _read_floats(column, name, unit, role)
    day = floats[~invalid][0] if not invalid.all() else 0.0
    return Epoch(float(day), 0.0, None), Column(floats - day, unit=u.day)


def _no_numbers(values):
    """Where a column of text holds no numbers, for its error message."""
    if values.ndim != 1 or values.dtype.kind not in "SU":
        return ""
    found = []
    for i, value in enumerate(np.asarray(values)):
        try:
            float(value)
        except ValueError:
            found.append(f"row {i}: {str(value)!r}")
    return f" (text that is no number: {', '.join(found[:ROWS_SHOWN])})" if found else " (not text)"


def _in_unit(unit):
    return "without unit" if unit == u.dimensionless_unscaled else f"in a unit such as {unit}"


def _valid_rows(data, invalid, places, roles, on_invalid):
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
            else "mend or remove these rows, or leave them out with on_invalid='drop'"
        )
        raise TableError(f"{message}; {cure}")
    checks.warn(f"{message}; {bad.sum()} of {len(bad)} rows are left out")
    return ~bad


def _invalid(role, name, values, rows):
    """Which values of a column are not valid, for a message."""
    is_label = role.unit is None
    found = ", ".join(
        f"row {i}: {'empty or masked' if is_label else _shown(values[i])}"
        for i in np.flatnonzero(rows)[:ROWS_SHOWN]
    )
    doubt = "" if is_label or not role.outruns_light(values[rows]) else "; is the unit right?"
    return (
        f"column {name!r} ({role.name}) has {rows.sum()} of {len(rows)} rows that are not valid"
        f" ({found}{', ...' if rows.sum() > ROWS_SHOWN else ''};"
        f" expected are {'identifiers' if is_label else role.expected}{doubt})"
    )


def _shown(value):
    return "nan or masked" if np.isnan(value) else str(value)


def _check_unique(labels, name, rows):
    values, counts = np.unique(labels, return_counts=True)
    if (counts > 1).any():
        repeated = values[counts > 1]
        examples = "; ".join(
            f"{value} in rows {', '.join(str(i) for i in rows[labels == value][:ROWS_SHOWN])}"
            for value in repeated[:ROWS_SHOWN]
        )
        raise TableError(
            f"column {name!r} holds {len(repeated)} identifiers more than once ({examples});"
            " expected is one row a star: combine repeated measurements of a star into their mean,"
            " weighted by 1 / error^2; of exact copies keep one with table ="
            f" astropy.table.unique(table, keys={name!r})"
        )
