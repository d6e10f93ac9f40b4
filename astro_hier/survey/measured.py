"""The visits of many stars as flat arrays, from frames, tables and files; units end here.

Frames hold a star a row, with its visits as a nested column or as lists, or a visit a row. They
state no units, so these are given with the names of their columns.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.table import TableError

ROLES = {"time": u.day, "rv": u.km / u.s, "rv_error": u.km / u.s}


@dataclass(frozen=True)
class Place:
    """Where a role is found, and the factor from its unit to the package's own.

    ``name`` is one of ``names``, the first until it is known which of them there is.
    """

    names: Sequence[str]
    factor: float

    @property
    def name(self) -> str:
        return self.names[0]

    def among(self, available: Iterable[str]) -> "Place":
        """The same with the one of its names that is available."""
        there = [name for name in self.names if name in set(available)]
        return replace(self, names=(there or list(self.names))[:1])


def places(columns: Mapping[str, Any] | None) -> dict[str, Place]:
    """Where the roles are found in a frame.

    Parameters
    ----------
    columns : dict
        A tuple of name and unit for each of ``time``, ``rv`` and ``rv_error``.

    Raises
    ------
    TableError
        If a role has no column or no unit, or a unit of another kind.
    """
    found = {}
    for role, unit in ROLES.items():
        given = (columns or {}).get(role)
        if not isinstance(given, tuple) or len(given) != 2:
            raise TableError(
                f"columns[{role!r}] is {given!r}; frames and files state no units: expected a tuple"
                f" of the column's name and its unit, such as ({role!r}, u.Unit({str(unit)!r}))"
            )
        try:
            factor = float(u.Unit(given[1]).to(unit))
        except (u.UnitConversionError, ValueError, TypeError) as error:
            raise TableError(
                f"columns[{role!r}] has the unit {str(given[1])!r}, which does not convert to"
                f" {str(unit)!r} ({error}); expected one that does"
            ) from None
        names = given[0] if isinstance(given[0], list | tuple) else [given[0]]
        found[role] = Place(tuple(map(str, names)), factor)
    return found


@dataclass(frozen=True)
class Measured:
    """Visits of many stars, those of a star together.

    Attributes
    ----------
    star : sequence
        Labels, shape (star,), in the kind that the source has.
    offsets : ndarray of int
        Where the visits of each star begin, and the end of the last, shape (star + 1,).
    time, rv, rv_error : ndarray
        In d and km/s, shape (visit,). NaN where they are missing.
    """

    star: Any
    offsets: np.ndarray
    time: np.ndarray
    rv: np.ndarray
    rv_error: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for start, end in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            yield self.time[start:end], self.rv[start:end], self.rv_error[start:end]

    def part(self, start: int, stop: int) -> "Measured":
        """The stars from one number to before another."""
        offsets = self.offsets[start : stop + 1]
        inside = slice(int(offsets[0]), int(offsets[-1]))
        flat = (of[inside] for of in (self.time, self.rv, self.rv_error))
        return Measured(self.star[start:stop], offsets - offsets[0], *flat)


def checksum(time: np.ndarray, rv: np.ndarray, rv_error: np.ndarray) -> int:
    """A number that changes if a star's visits do."""
    code = 0
    for values in (time, rv, rv_error):
        code = zlib.crc32(np.ascontiguousarray(values, float).tobytes(), code)
    return code


def of_frame(frame: Any, star: str, visits: str | None, where: Mapping[str, Place]) -> Measured:
    """The visits in a frame of a star a row, nested or as lists, or of a visit a row.

    Parameters
    ----------
    frame : DataFrame
    star : str
        Column of the stars' labels.
    visits : str or None
        The nested column, if there is one.
    where : dict of Place
    """
    where = {role: place.among(frame.columns) for role, place in where.items()}
    names = [visits] if visits else [place.name for place in where.values()]
    missing = [name for name in (star, *names) if name not in frame.columns]
    if missing:
        raise TableError(
            f"the frame has no columns {missing}; it has {list(frame.columns)}: expected star=,"
            " visits= and columns= to name its own"
        )
    if visits:
        return _nested(frame[star], frame[visits], visits, where)
    lists = [_lists(frame[place.name]) for place in where.values()]
    if all(of is not None for of in lists):
        return _of_lists(frame[star], lists, where)
    flat = [_floats(frame[place.name], place) for place in where.values()]
    return grouped(frame[star], *flat)


def grouped(star: Any, time: np.ndarray, rv: np.ndarray, rv_error: np.ndarray) -> Measured:
    """The visits of a table of a visit a row, in the order in which stars first appear."""
    import pandas as pd

    code, labels = pd.factorize(star)
    if np.any(code < 0):
        rows = np.flatnonzero(code < 0)
        raise TableError(
            f"{len(rows)} visits have no star, the first in row {rows[0]}: expected a label in each"
        )
    order = np.argsort(code, kind="stable")
    offsets = np.append(0, np.cumsum(np.bincount(code, minlength=len(labels))))
    return Measured(labels, offsets, time[order], rv[order], rv_error[order])


def _nested(star, column, name, where):
    """From a column of nested visits: of nested-pandas, or Arrow's lists of structures."""
    array = column.array
    if hasattr(array, "list_lengths"):
        fields, lengths = set(array.field_names), np.asarray(array.list_lengths)
        where = _checked(name, fields, where)
        flat = [_floats(column.nest[place.name], place) for place in where.values()]
        return Measured(star, _offsets(lengths), *flat)
    import pyarrow as pa

    arrow = _arrow(column)
    if pa.types.is_struct(arrow.type) and all(map(_is_list, (of.type for of in arrow.type))):
        where = _checked(name, {of.name for of in arrow.type}, where)
        return _of_lists(star, [_list(arrow.field(of.name)) for of in where.values()], where)
    if not _is_list(arrow.type) or not pa.types.is_struct(arrow.type.value_type):
        raise TableError(
            f"the column {name!r} holds {arrow.type}; expected nested visits, or visits=None and"
            " columns= that name columns of lists"
        )
    import pyarrow.compute as pc

    where = _checked(name, {of.name for of in arrow.type.value_type}, where)
    values = pc.list_flatten(arrow)
    flat = [_floats(_numpy(values.field(of.name)), of) for of in where.values()]
    return Measured(star, _offsets(_lengths(arrow)), *flat)


def _checked(name, fields, where):
    """Where the roles are among the fields of a nested column."""
    where = {role: place.among(fields) for role, place in where.items()}
    missing = [place.name for place in where.values() if place.name not in fields]
    if missing:
        raise TableError(
            f"the nested column {name!r} has no {missing}; it has {sorted(fields)}: expected"
            " columns= to name its own"
        )
    return where


def _lists(column):
    """A column of lists as lengths and flat values, or None if it holds numbers."""
    if column.dtype.kind in "iufb" or (len(column) and np.ndim(column.iloc[0]) == 0):
        return None
    arrow = _arrow(column)
    return _list(arrow) if _is_list(arrow.type) else None


def _list(arrow):
    import pyarrow.compute as pc

    return _lengths(arrow), _numpy(pc.list_flatten(arrow))


def _lengths(arrow):
    """Lengths of lists, zero where they are null."""
    import pyarrow.compute as pc

    return pc.fill_null(pc.list_value_length(arrow), 0).to_numpy(zero_copy_only=False)


def _arrow(column):
    import pyarrow as pa

    arrow = pa.array(column)
    return arrow.combine_chunks() if isinstance(arrow, pa.ChunkedArray) else arrow


def _is_list(kind):
    import pyarrow as pa

    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def _of_lists(star, lists, where):
    lengths = [of for of, _ in lists]
    differ = np.flatnonzero((lengths[0] != lengths[1]) | (lengths[0] != lengths[2]))
    if len(differ):
        raise TableError(
            f"the lists of {[p.name for p in where.values()]} differ in length for {len(differ)}"
            f" stars, the first in row {differ[0]}: expected one value of each a visit"
        )
    both = zip(lists, where.values(), strict=True)
    return Measured(star, _offsets(lengths[0]), *(_floats(of, place) for (_, of), place in both))


def _offsets(lengths):
    return np.append(0, np.cumsum(lengths)).astype(int)


def _numpy(arrow):
    """Numbers of an Arrow array, NaN where they are null."""
    import pyarrow as pa

    return arrow.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _floats(values, place):
    """Values in the package's own unit, NaN where they are missing."""
    if hasattr(values, "to_numpy"):
        values = values.to_numpy(dtype=float, na_value=np.nan)
    return np.asarray(values, float) * place.factor
