"""Units in: from an astropy table to arrays of floats in declared units, with every check."""

import warnings
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

__all__ = ["Role", "TableError", "read_columns"]

ROWS_SHOWN = 5


class TableError(ValueError):
    """A table that cannot be used as given; the message names the column, the rows and the cure."""


@dataclass(frozen=True)
class Role:
    """What a model wants of one column.

    Attributes
    ----------
    name : str
        Name of the role, and default name of the column.
    unit : `~astropy.units.Unit` or None
        Unit of the floats that the model computes with; None for labels, which are kept as they
        are.
    positive : bool
        Whether values must exceed zero.
    required : bool
        Whether a table without this column is refused.
    unique : bool
        Whether two rows may not hold the same value.
    observed : bool
        Whether the model describes how these values came about, or takes them as given.
    """

    name: str
    unit: u.UnitBase | None
    positive: bool = False
    required: bool = True
    unique: bool = False
    observed: bool = False


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
    dict
        One array per role: floats in the role's unit, or labels. A unique label that the table
        does not hold is the row number; other roles that are not required may be absent.

    Raises
    ------
    TableError
        Where the table cannot be used.
    """
    if not isinstance(table, Table):
        raise TableError(
            f"expected an astropy Table, QTable or TimeSeries, got {type(table).__name__}; convert"
            " with astropy.table.QTable(...) or, from pandas, QTable.from_pandas(...)"
        )
    if on_invalid not in ("raise", "drop"):
        raise ValueError(f"on_invalid={on_invalid!r}; accepted are 'raise' and 'drop'")
    if len(table) == 0:
        raise TableError("the table has no rows; at least one measurement is needed")
    places = _places(table, roles, columns)
    data, invalid = {}, {}
    for role in roles:
        if role.name in places:
            name, unit = places[role.name]
            read = _read_labels if role.unit is None else _read_floats
            data[role.name], invalid[role.name] = read(table[name], name, unit, role)
        elif role.unique:
            data[role.name] = np.arange(len(table))
    keep = _valid_rows(data, invalid, places, roles, on_invalid)
    data = {name: values[keep] for name, values in data.items()}
    for role in roles:
        if role.unique and role.name in places:
            _check_unique(data[role.name], places[role.name][0], np.flatnonzero(keep))
    return data


def _places(table, roles, columns):
    """Column name and fallback unit by role, for the roles that the table holds."""
    columns = dict(columns or {})
    names = [role.name for role in roles]
    unknown = sorted(set(columns) - set(names))
    if unknown:
        raise TableError(f"columns names the unknown roles {unknown}; accepted are {names}")
    places = {}
    for role in roles:
        given = columns.get(role.name, role.name)
        name, unit = given if isinstance(given, tuple) else (given, None)
        if name in table.colnames:
            places[role.name] = name, unit
        elif role.required or role.name in columns:
            raise TableError(
                f"column {name!r} ({role.name}) is not in the table, which has {table.colnames};"
                f" say which column it is with columns={{{role.name!r}: 'NAME'}}"
            )
    return places


def _read_labels(column, name, unit, role):
    """Identifiers as integers or strings, and where they are masked."""
    missing = np.broadcast_to(getattr(column, "mask", False), len(column))
    labels = np.asarray(getattr(column, "unmasked", column))
    if labels.ndim != 1 or labels.dtype.kind not in "iuSUO":
        raise TableError(
            f"column {name!r} ({role.name}) has type {labels.dtype} and shape {labels.shape};"
            " accepted are identifiers, one integer or string a row"
        )
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8")
    if labels.dtype.kind == "O":
        labels = np.array([v.decode() if isinstance(v, bytes) else str(v) for v in labels])
    if labels.dtype.kind == "U":
        labels = np.char.strip(labels)
    return labels, missing


def _read_floats(column, name, unit, role):
    """Values in the role's unit, and where they are masked, not finite or not allowed."""
    missing = np.broadcast_to(getattr(column, "mask", False), column.shape)
    values = getattr(column, "unmasked", column)
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise TableError(
            f"column {name!r} ({role.name}) has type {values.dtype} and shape {values.shape};"
            f" accepted is one number a row, {_in_unit(role.unit)}"
        )
    unit = column.unit or unit
    if unit is None and role.unit != u.dimensionless_unscaled:
        raise TableError(
            f"column {name!r} ({role.name}) has no unit; accepted is any unit of physical type"
            f" {str(role.unit.physical_type)!r}: set table[{name!r}].unit = '{role.unit}', or"
            f" columns={{{role.name!r}: ({name!r}, u.{role.unit})}}, if that is what it is"
        )
    try:
        factor = (unit or u.one).to(role.unit)
    except u.UnitConversionError:
        raise TableError(
            f"column {name!r} ({role.name}) has unit '{unit}' of physical type"
            f" {str(unit.physical_type)!r}; accepted is any unit of physical type"
            f" {str(role.unit.physical_type)!r}, such as '{role.unit}'"
        ) from None
    floats = np.array(getattr(values, "value", values), dtype=float) * factor
    allowed = np.isfinite(floats)
    if role.positive:
        allowed &= floats > 0
    return floats, missing | ~allowed


def _in_unit(unit):
    return "without unit" if unit == u.dimensionless_unscaled else f"in a unit such as {unit}"


def _valid_rows(data, invalid, places, roles, on_invalid):
    """Boolean array of the rows to keep."""
    bad = np.any(list(invalid.values()), axis=0)
    if not bad.any():
        return ~bad
    accepts = {r.name: "finite values greater than zero" if r.positive else "finite values"
               for r in roles if r.unit is not None}  # fmt: skip
    findings = []
    for role, rows in invalid.items():
        if rows.any():
            found = ", ".join(
                f"row {i}: {data[role][i]}" if role in accepts else f"row {i}"
                for i in np.flatnonzero(rows)[:ROWS_SHOWN]
            )
            findings.append(
                f"column {places[role][0]!r} ({role}) has {rows.sum()} of {len(rows)} rows masked"
                f" or not valid ({found}{', ...' if rows.sum() > ROWS_SHOWN else ''}; accepted are"
                f" {accepts.get(role, 'identifiers')})"
            )
    message = "; ".join(findings)
    if on_invalid == "raise" or bad.all():
        cure = (
            "no row is left without them"
            if bad.all()
            else "mend or remove these rows, or leave them out with on_invalid='drop'"
        )
        raise TableError(f"{message}; {cure}")
    warnings.warn(
        f"{message}; {bad.sum()} of {len(bad)} rows are left out", AstropyUserWarning, stacklevel=5
    )
    return ~bad


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
            " accepted is one row a star: remove the repeated rows"
        )
