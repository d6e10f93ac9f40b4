"""Tables of a row for each star, with arrays of its visits, as tables of a row for each visit."""

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.time import Time

from astro_hier.table.frames import as_table, library_of
from astro_hier.table.places import find_places
from astro_hier.table.roles import ROWS_SHOWN, Role, TableError

__all__ = ["explode", "holds_arrays", "one_row_each"]


def explode(table: Any, names: Sequence[str] | None = None) -> Table:
    """One row for each element of columns that hold an array in each row.

    Models of orbits do so when they read a table whose times, velocities and errors are arrays.

    Parameters
    ----------
    table : `~astropy.table.Table` or data frame
        Such as one row for each star. Arrays are two-dimensional columns, or arrays, lists or
        Quantities of any length in each row.
    names : sequence of str, optional
        Columns whose arrays belong together, element by element; by default all that hold arrays.
        Other columns are repeated.

    Returns
    -------
    `~astropy.table.Table`
        Of the same kind, or a Table. Elements that are masked, or not a number, in all of these
        columns are padding and are left out.

    Raises
    ------
    TableError
        If a column is missing, or arrays in a row have different lengths.

    Examples
    --------
    >>> import astropy.units as u
    >>> import numpy as np
    >>> from astropy.table import Table
    >>> from astro_hier import columns
    >>> stars = Table({"source_id": [7, 8]})
    >>> stars["rv_obs_time"] = [[1700.1, 1730.4], [1699.0, np.nan]] * u.day
    >>> stars["radial_velocity"] = [[4.5, -3.2], [11.9, np.nan]] * u.km / u.s
    >>> print(columns.explode(stars))
    source_id rv_obs_time radial_velocity
                   d           km / s
    --------- ----------- ---------------
            7      1700.1             4.5
            7      1730.4            -3.2
            8      1699.0            11.9
    """
    table = as_table(table)
    if names is None:
        names = [name for name in table.colnames if holds_arrays(table[name])]
    wrong = [name for name in names if name not in table.colnames or not holds_arrays(table[name])]
    if wrong or not names:
        raise TableError(
            f"the columns {wrong or table.colnames} do not hold an array in each row; expected"
            " columns of shape (row, element), or arrays, lists or Quantities in each row"
        )
    flat = {name: _flattened(table[name]) for name in names}
    lengths = _common_lengths({name: of for name, (_, of) in flat.items()})
    row = np.repeat(np.arange(len(table)), lengths)
    long = QTable() if isinstance(table, QTable) else Table()
    long.meta.update(table.meta)
    for name in table.colnames:
        long[name] = flat[name][0] if name in flat else table[name][row]
    return long[~_is_padding([flat[name][0] for name in names])]


def holds_arrays(column: Any) -> bool:
    """Whether a column holds an array in each row, in two dimensions or of any length."""
    shape = np.shape(column)
    if len(shape) != 1 or not isinstance(column, np.ndarray) or column.dtype.kind != "O":
        return len(shape) == 2
    present = [value for value in np.asarray(column) if not _is_none(value)]
    return bool(present) and all(
        isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value) == 1 for value in present
    )


def one_row_each(table: Table, roles: Sequence[Role], columns: Any) -> Table:
    """The table as it is, or its visits one by one if all that is measured comes in arrays."""
    if not any(role.is_time for role in roles):
        return table
    places, _ = find_places(table, roles, columns)
    measured = [places[role.name][0] for role in roles if role.unit is not None
                and role.name in places]  # fmt: skip
    if not measured or not all(holds_arrays(table[name]) for name in measured):
        return table
    own = list(dict.fromkeys(name for name, _ in places.values()))
    arrays = [name for name in own if holds_arrays(table[name])]
    long = explode(table[own], arrays)
    long.library = library_of(table)  # for messages
    return long


def _is_none(value):
    """Whether a row has no array, masked or absent."""
    return value is None or value is np.ma.masked or (np.ndim(value) == 0 and str(value) == "<NA>")


def _flattened(column):
    """All elements, one after another, and how many there are in each row."""
    if isinstance(column, Time) or np.ndim(column) == 2:
        lengths = np.full(len(column), column.shape[1])
        if isinstance(column, Column):  # with or without a mask
            data = np.ma.asarray(column) if isinstance(column, MaskedColumn) else column.data
            return type(column)(data.reshape(-1), unit=column.unit), lengths
        return column.reshape(-1), lengths
    arrays = [_elements(value) for value in np.asarray(column)]
    lengths = np.array([len(array) for array in arrays])
    unit = next((array.unit for array in arrays if isinstance(array, u.Quantity)), None)
    if unit is not None:
        return np.concatenate([u.Quantity(array, unit) for array in arrays if len(array)]), lengths
    joined = np.ma.concatenate([array for array in arrays if len(array)] or [np.empty(0)])
    if joined.dtype.kind == "M":
        return Time(joined.filled(np.datetime64("NaT")), format="datetime64", scale="utc"), lengths
    return MaskedColumn(joined, unit=getattr(column, "unit", None)), lengths


def _elements(value):
    """The array of one row; elements that are None are not a number."""
    if _is_none(value):
        return np.empty(0)
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return value
    return np.array([np.nan if _is_none(element) else element for element in value])


def _common_lengths(lengths):
    """The number of elements in each row, if all columns agree."""
    names = list(lengths)
    for name in names[1:]:
        differ = np.flatnonzero(lengths[name] != lengths[names[0]])
        if differ.size:
            shown = ", ".join(
                f"row {i}: {lengths[names[0]][i]} and {lengths[name][i]}"
                for i in differ[:ROWS_SHOWN]
            )
            raise TableError(
                f"the arrays of columns {names[0]!r} and {name!r} have different lengths in"
                f" {differ.size} of {len(lengths[name])} rows ({shown}); expected the same number"
                " of elements in each row of columns that belong together"
            )
    return lengths[names[0]]


def _is_padding(columns):
    """Which elements are missing in all columns that can say so."""
    missing = []
    for column in columns:
        absent = np.broadcast_to(getattr(column, "mask", False), column.shape)
        values = getattr(column, "unmasked", column)
        if isinstance(column, Time):
            missing.append(absent)
        elif values.dtype.kind == "f":
            missing.append(absent | np.isnan(np.asarray(getattr(values, "value", values))))
        elif np.any(absent):
            missing.append(absent)
    return np.all(missing, axis=0) if missing else np.zeros(len(columns[0]), dtype=bool)
