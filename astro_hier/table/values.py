"""One column as floats in the unit of its role or as labels, and which of them are missing."""

import astropy.units as u
import numpy as np
from astropy.table import Column
from astropy.time import Time, TimeDelta

from astro_hier.table.cures import of_column, to_dates
from astro_hier.table.roles import Epoch, TableError
from astro_hier.table.text import MISSING, WRITE_DATES, not_numbers, read_numbers
from astro_hier.table.units import factor

__all__ = ["read_floats", "read_labels", "since_first"]


def read_labels(column, name, unit, role):
    """Identifiers as integers or strings, and where they are masked or say that there is none."""
    labels = np.asarray(getattr(column, "unmasked", column))
    if labels.ndim != 1 or labels.dtype.kind not in "iuSUO":
        raise TableError(
            f"column {name!r} ({role.name}) has type {labels.dtype} and shape {labels.shape};"
            " expected identifiers, one integer or string per row"
            + "; whole numbers with gaps become floats, which lose digits: read them as integers"
            * (labels.dtype.kind == "f")
        )
    missing = np.broadcast_to(getattr(column, "mask", False), labels.shape)
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
        missing = missing | np.isin(np.char.lower(labels), list(MISSING))
    # files may use the other byte order, in which xarray and pandas cannot look labels up
    return labels.astype(labels.dtype.newbyteorder("=")), missing


def read_floats(column, name, unit, role):
    """Values in the role's unit, and where they are masked, not finite or not allowed."""
    missing = np.broadcast_to(getattr(column, "mask", False), column.shape)
    values = getattr(column, "unmasked", column)
    problem, table = None, of_column(column)
    if values.ndim == 1 and values.dtype.kind in "SUO":
        numbers, absent, wrong = read_numbers(values)
        missing = missing | absent
        wrong = [row for row in wrong if not missing[row]]
        problem = not_numbers(table, name, values, wrong, role.is_time) if wrong else None
    elif values.ndim == 1 and values.dtype.kind in "iuf":
        numbers = np.array(getattr(values, "value", values), dtype=float)
    else:
        problem = _of_shape(table, name, values, role)
    if problem is not None:
        message = (
            f"column {name!r} ({role.name}) has type {values.dtype} and shape {values.shape};"
            f" expected one number per row, {_in_unit(role.unit)}"
        )
        raise TableError(*(message + said for said in problem))
    floats = numbers * factor(column, name, unit, role)
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


def _of_shape(table, name, values, role):
    """What to do, in Python and the shell, about values that are no numbers, or several a row."""
    if role.is_time and values.shape[1:] == (2,):
        parts = "; these are the two parts of a Time, as astropy writes it to FITS"
        return f"{parts}: read the file with QTable.read(path, astropy_native=True)", parts
    if role.is_time and values.ndim == 1:
        return f"; convert dates with {to_dates(table, name)}", WRITE_DATES
    if values.ndim == 2 or values.dtype.kind == "O":
        arrays = "; if each row holds arrays, all that is measured must be arrays of equal lengths"
        return f"{arrays}: see astro_hier.columns.explode", arrays
    return "", ""


def _in_unit(unit):
    return "without unit" if unit == u.dimensionless_unscaled else f"in a unit such as {unit}"
