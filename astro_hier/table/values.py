"""One column as floats in the unit of its role or as labels, and which of them are missing."""

import astropy.units as u
import numpy as np
from astropy.table import Column
from astropy.time import Time, TimeDelta

from astro_hier.table.roles import ROWS_SHOWN, Epoch, TableError
from astro_hier.table.units import factor

__all__ = ["read_floats", "read_labels", "since_first"]


def read_labels(column, name, unit, role):
    """Identifiers as integers or strings, and where they are masked."""
    missing = np.broadcast_to(getattr(column, "mask", False), len(column))
    labels = np.asarray(getattr(column, "unmasked", column))
    if labels.ndim != 1 or labels.dtype.kind not in "iuSUO":
        raise TableError(
            f"column {name!r} ({role.name}) has type {labels.dtype} and shape {labels.shape};"
            " expected identifiers, one integer or string per row"
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
            f"column {name!r} ({role.name}) holds identifiers that are not text ({error});"
            " expected integers, strings, or bytes in UTF-8"
        ) from None
    if labels.dtype.kind == "U":
        labels = np.char.strip(labels)
        missing = missing | (labels == "")
    # files may use the other byte order, in which xarray and pandas cannot look labels up
    return labels.astype(labels.dtype.newbyteorder("=")), missing


def read_floats(column, name, unit, role):
    """Values in the role's unit, and where they are masked, not finite or not allowed."""
    missing = np.broadcast_to(getattr(column, "mask", False), column.shape)
    values = getattr(column, "unmasked", column)
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        message = (
            f"column {name!r} ({role.name}) has type {values.dtype} and shape {values.shape};"
            f" expected one number per row, {_in_unit(role.unit)}{_no_numbers(values)}"
        )
        cures = (
            f"; convert dates with table[{name!r}] = Time(table[{name!r}])",
            "; write dates to the file as Julian dates, or the table as ECSV with a column of Time",
        )
        raise TableError(*(message + cure * role.is_time for cure in cures))
    scale = factor(column, name, unit, role)
    floats = np.array(getattr(values, "value", values), dtype=float) * scale
    floats[missing] = np.nan
    return floats, missing | ~role.allows(floats)


def since_first(column, name, unit, role):
    """The epoch of the first row, and the times as a column of days since then."""
    if isinstance(column, TimeDelta):
        column = Column(column.to_value(u.day), unit=u.day)
    if isinstance(column, Time):
        missing = np.broadcast_to(column.mask, column.shape)
        present = np.flatnonzero(~missing)
        if column.ndim != 1 or not present.size:
            raise TableError(f"column {name!r} ({role.name}) does not hold a time in any row")
        first = column[present[0]]
        epoch = Epoch(float(first.jd1), float(first.jd2), column.scale)
        days = np.full(len(column), np.nan)
        days[present] = (column[present] - first).to_value(u.day)
        return epoch, Column(days, unit=u.day)
    floats, invalid = read_floats(column, name, unit, role)
    day = floats[~invalid][0] if not invalid.all() else 0.0
    return Epoch(float(day), 0.0, None), Column(floats - day, unit=u.day)


def _no_numbers(values):
    """Where a column of text does not hold numbers, for its error message."""
    if values.ndim != 1 or values.dtype.kind not in "SU":
        return ""
    found = []
    for i, value in enumerate(np.asarray(values)):
        try:
            float(value)
        except ValueError:
            found.append(f"row {i}: {str(value)!r}")
    return f" (not a number: {', '.join(found[:ROWS_SHOWN])})" if found else " (not text)"


def _in_unit(unit):
    return "without unit" if unit == u.dimensionless_unscaled else f"in a unit such as {unit}"
