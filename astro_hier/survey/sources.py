"""The stars of a survey, some at a time: from tables, FITS and Parquet files and folders of these.

Tables of a visit a row are taken in the order in which stars first appear. If visits of a star lie
apart, such as in a table that is sorted by time, all columns are read at once; else only the
labels.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table
from astropy.time import Time

from astro_hier.given import path as as_path
from astro_hier.survey import measured
from astro_hier.survey.files import found
from astro_hier.survey.measured import ROLES, Measured, Place
from astro_hier.table import TableError, as_table, named
from astro_hier.table.places import find_places

BATCH = 50_000  # rows of nested Parquet files that are read at a time


@dataclass(frozen=True)
class Source:
    """Stars that are read some at a time.

    Attributes
    ----------
    size : int
        Number of stars.
    parts : callable
        ``parts(n)`` iterates over their visits, `Measured` of n stars each, fewer in the last.
    """

    size: int
    parts: Callable[[int], Iterator[Measured]]


def of(
    source: Any, model: Any, star: str | None, visits: str | None, columns: Mapping | None
) -> Source:
    """The stars of a table, a file or a folder.

    Raises
    ------
    TableError
        If it does not have what the model needs.
    """
    if not isinstance(source, (str, PathLike)):
        _check_not_given(model, star=star, visits=visits, columns=columns)
        return _of_table(as_table(source), model)
    path = as_path("source", source)
    if not path.exists():
        raise FileNotFoundError(
            f"{str(path)!r} does not exist; expected a table, a file or a folder"
        )
    if path.is_dir() or path.suffix in (".parquet", ".pq"):
        columns = dict(model.columns_in_use() or {}) | dict(columns or {})
        return _of_parquet(path, star, visits, columns)
    _check_not_given(model, star=star, visits=visits, columns=columns)
    if ".fits" in path.suffixes or ".fit" in path.suffixes:
        return _of_fits(path, model)
    return _of_table(Table.read(path), model)


def _check_not_given(model: Any, **given: Any) -> None:
    """Raise a ValueError if columns are named by what only Parquet files need."""
    names = [f"{name}=" for name, value in given.items() if value is not None]
    if names:
        raise ValueError(
            f"{', '.join(names)} are for Parquet files: name the columns of a table by those of the"
            f" model, as in {type(model).__name__}(columns={{'star': 'NAME'}})"
        )


def _name(place):
    """The name of a column, which may come with a unit."""
    return place[0] if isinstance(place, tuple) else place or "star"


def _spelt(place, names):
    """A place with the one of its spellings that is among these names, such as a preset's."""
    own = named(Table(names=names), place)
    return place if own is None else (own, *place[1:]) if isinstance(place, tuple) else own


def _of_table(table, model):
    places = _places(table, model)
    values = [_values(table[places[role][0]], places[role][1], role) for role in ROLES]
    return _of_long(
        np.asarray(_labels(table[places["star"][0]])), lambda rows: (v[rows] for v in values)
    )


def _places(table, model):
    """Names and units of columns by role, or a TableError."""
    places, problems = find_places(table, model.roles, model.columns_in_use())
    if problems:
        raise TableError("\n".join(problems))
    return places


def _labels(column):
    """Labels as a table has them, bytes decoded and in the order of bytes of this computer."""
    labels = np.asarray(column)
    if labels.dtype.kind == "S":
        return np.char.strip(np.char.decode(labels))
    return labels.astype(labels.dtype.newbyteorder("="))


def _values(column, unit, role):
    """Values in d or km/s, NaN where they are masked."""
    if isinstance(column, Time):
        values, factor = column.jd, 1.0
    else:
        own = unit if unit is not None else getattr(column, "unit", None)
        if own is None:
            raise TableError(
                f"the column of {role} has no unit; expected columns={{{role!r}: (name, unit)}}"
            )
        values, factor = getattr(column, "value", column), u.Unit(own).to(ROLES[role])
    if hasattr(values, "unmasked"):
        return np.where(values.mask, np.nan, values.unmasked) * factor
    return np.ma.filled(np.ma.asarray(values).astype(float), np.nan) * factor


def _of_fits(path, model):
    from astropy.io import fits

    with fits.open(path, memmap=True) as file:
        header = next((hdu for hdu in file if isinstance(hdu, fits.BinTableHDU)), None)
        if header is None:
            raise TableError(f"{str(path)!r} holds no table")
        first = Table(header.data[:0])
        for column in header.columns:
            if column.unit and column.name in first.colnames:
                first[column.name].unit = u.Unit(column.unit, parse_strict="silent")
        places = _places(first, model)
        star = _labels(np.array(header.data[places["star"][0]]))
    units = {role: places[role][1] or first[places[role][0]].unit for role in ROLES}

    def read(rows):
        with fits.open(path, memmap=True) as file:
            data = next(hdu for hdu in file if isinstance(hdu, fits.BinTableHDU)).data[rows]
            for role in ROLES:
                column = np.array(data[places[role][0]], float)
                yield _values(column, units[role], role)

    return _of_long(star, read)


def _of_long(star, read):
    """From the labels of all visits, and a function that reads the visits of some rows."""
    starts = (
        np.flatnonzero(np.append(True, star[1:] != star[:-1])) if len(star) else np.array([], int)
    )
    if len(np.unique(star[starts])) < len(starts):  # the visits of some star lie apart
        whole = measured.grouped(star, *read(slice(None)))
        return Source(len(whole), lambda size: _parts_of(whole, size))

    def parts(size):
        ends = np.append(starts, len(star))
        for k in range(0, len(starts), size):
            some = ends[k : k + size + 1]
            rows = slice(int(some[0]), int(some[-1]))
            yield Measured(star[some[:-1]], some - some[0], *read(rows))

    return Source(len(starts), parts)


def _parts_of(whole, size):
    for start in range(0, len(whole), size):
        yield whole.part(start, min(start + size, len(whole)))


def _of_parquet(path, star, visits, columns):
    import pyarrow.dataset as ds

    files = [path] if path.is_file() else _of_folder(path)
    dataset = ds.dataset(files, format="parquet")
    columns = {role: _spelt(place, dataset.schema.names) for role, place in columns.items()}
    star = star or _name(columns.get("star"))
    where = measured.places(columns)
    needed = [visits] if visits else [place.name for place in where.values()]
    missing = [name for name in (star, *needed) if name not in dataset.schema.names]
    if missing:
        raise TableError(
            f"{str(path)!r} has no columns {missing}; it has {dataset.schema.names}: expected"
            " star=, visits= and columns= to name its own"
        )
    import pyarrow.types as kinds

    kind = dataset.schema.field(needed[0]).type
    if visits or kinds.is_list(kind) or kinds.is_large_list(kind):
        size = dataset.count_rows()
        return Source(
            size, lambda n: _regrouped(_frames(dataset, star, needed), n, star, visits, where)
        )
    labels = dataset.to_table(columns=[star]).column(star).to_numpy()

    def read(rows):
        table = (
            dataset.to_table(columns=needed)
            if rows == slice(None)
            else _rows_of(dataset, needed, rows)
        )
        for place in where.values():
            yield _number(table.column(place.name), place)

    return _of_long(labels, read)


def _of_folder(path):
    return [str(file) for file in found(path)]


def _number(column, place: Place):
    import pyarrow as pa

    return column.cast(pa.float64(), safe=False).to_numpy() * place.factor


def _rows_of(dataset, columns, rows):
    return dataset.scanner(columns=columns).take(np.arange(rows.start, rows.stop))


def _frames(dataset, star, needed):
    import pandas as pd

    for batch in dataset.to_batches(columns=[star, *needed], batch_size=BATCH):
        yield batch.to_pandas(types_mapper=pd.ArrowDtype)


def _regrouped(frames, size, star, visits, where):
    """Stars of frames of any length, as many at a time as are asked for."""
    kept: list[Measured] = []
    for frame in frames:
        kept.append(measured.of_frame(frame, star, visits, where))
        whole = _joined(kept)
        while len(whole) >= size:
            yield whole.part(0, size)
            whole = whole.part(size, len(whole))
        kept = [whole] if len(whole) else []
    if kept:
        yield _joined(kept)


def _joined(parts):
    if len(parts) == 1:
        return parts[0]
    star = np.concatenate([np.asarray(part.star) for part in parts])
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    flat = (np.concatenate([getattr(p, name) for p in parts]) for name in ROLES)
    return Measured(star, np.append(0, np.cumsum(lengths)), *flat)
