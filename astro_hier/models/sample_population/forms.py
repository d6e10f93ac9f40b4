"""Columns that hold many numbers a row, in any of the forms that tables and files have for them.

Two-dimensional columns have as many numbers in each row; those of objects hold arrays, lists or
Quantities of any length, which is also how astropy reads nested columns of pandas and Parquet, and
FITS arrays of variable length. All become one long array.
"""

from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.logarithms import factor_between
from astro_hier.table import TableError
from astro_hier.table.roles import ROWS_SHOWN
from astro_hier.table.units import plain

__all__ = ["Entries", "is_single", "read_entries"]


@dataclass(frozen=True, eq=False)
class Entries:
    """The numbers of all rows, row after row.

    Attributes
    ----------
    values : ndarray
        Shape (entry,), in the unit.
    absent : ndarray
        Which are masked, shape (entry,).
    counts : ndarray
        How many are each row's, shape (row,).
    unit : `~astropy.units.Unit` or None
        The column's own unit.
    single : bool
        Whether the column has one number a row, in one dimension.
    """

    values: np.ndarray
    absent: np.ndarray
    counts: np.ndarray
    unit: u.UnitBase | None
    single: bool = False

    @property
    def of(self) -> np.ndarray:
        """The row of each number, shape (entry,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


def is_single(column: Any) -> bool:
    """Whether a column has one number a row."""
    return getattr(column, "ndim", 0) == 1 and column.dtype.kind != "O"


def read_entries(column: Any, place: str) -> Entries:
    """All numbers of a column; ``place`` is the column in words, for messages.

    Raises
    ------
    TableError
        If it holds something else than numbers, or units that do not go together.
    """
    if not isinstance(column, np.ndarray):
        raise TableError(f"{place} holds {type(column).__name__} objects; expected numbers")
    unit = plain(getattr(column, "unit", None))
    if column.ndim == 1 and column.dtype.kind == "O":
        return _ragged(column, unit, place)
    if column.ndim not in (1, 2) or column.dtype.kind not in "iuf":
        raise TableError(
            f"{place} has type {column.dtype} and shape {column.shape}; expected numbers of shape"
            " (row, number), or an array of any length in each row"
            + "; join the axes with column.reshape(len(table), -1)"
            * (column.ndim > 2)
        )
    values = _numbers(column).reshape(len(column), -1)
    absent = _mask(column).reshape(values.shape)
    counts = np.full(len(values), values.shape[1])
    return Entries(values.ravel(), absent.ravel(), counts, unit, column.ndim == 1)


def _ragged(column, unit, place):
    """The numbers of arrays, one in each row."""
    missing = np.broadcast_to(getattr(column, "mask", False), column.shape)
    items = np.asarray(getattr(column, "unmasked", column))
    rows, wrong, units = [], [], []
    for i, item in enumerate(items):
        found = None if missing[i] else _item(item)
        if found is None:
            wrong.append(f"row {i}: {'masked' if missing[i] else _described(item)}")
        else:
            rows.append(found)
            units.append(plain(getattr(found, "unit", None)))
    if wrong:
        raise TableError(
            f"{place} has {len(wrong)} of {len(items)} rows without an array of numbers"
            f" ({_listed(wrong)}); expected arrays of one dimension, lists or Quantities"
        )
    unit = _common(units, unit, place)
    values = [
        _numbers(row) * (1.0 if own is None else _factor(own, unit, i, place))
        for i, (row, own) in enumerate(zip(rows, units, strict=True))
    ]
    counts = np.array([len(row) for row in values])
    absent = np.concatenate([_mask(row) for row in rows])
    return Entries(np.concatenate(values), absent, counts, unit)


def _item(item):
    """One row's array of numbers, or None if it is something else."""
    if isinstance(item, list | tuple):
        try:
            if any(isinstance(one, u.Quantity) for one in item):
                item = u.Quantity(item)
            else:  # None is missing: not a number
                item = np.array(item, dtype=float)
        except (TypeError, ValueError):
            return None
    fits = isinstance(item, np.ndarray) and item.ndim == 1
    if fits and item.dtype.kind == "O":
        return _item(list(item))
    return item if fits and item.dtype.kind in "iuf" else None


def _common(units, unit, place):
    """The unit of all rows' arrays: the column's own, or that of the first row that has one."""
    bare = [f"row {i}" for i, own in enumerate(units) if own is None]
    if unit is None and 0 < len(bare) < len(units):
        raise TableError(
            f"{place} has {len(bare)} of {len(units)} rows without a unit ({_listed(bare)}) and"
            " others with one; expected a unit in all rows or in none"
        )
    return next((own for own in units if own is not None), None) if unit is None else unit


def _factor(own, unit, row, place):
    try:
        return factor_between(own, unit)
    except u.UnitConversionError:
        raise TableError(
            f"{place} has the unit '{own}' in row {row}; expected one that can be converted to"
            f" '{unit}', as that of other rows"
        ) from None


def _numbers(column):
    """Plain floats in native byte order, whatever is masked."""
    column = getattr(column, "unmasked", column)
    return np.array(getattr(column, "value", column), dtype=float)


def _mask(column):
    return np.array(np.broadcast_to(getattr(column, "mask", False), column.shape))


def _described(item):
    if isinstance(item, np.ndarray):
        return f"an array of type {item.dtype} and shape {item.shape}"
    return f"{item!r:.40}"


def _listed(found):
    return ", ".join(found[:ROWS_SHOWN]) + (", ..." if len(found) > ROWS_SHOWN else "")
