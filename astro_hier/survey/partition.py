"""The rows of the stars in one part of a survey: a function for any map over parts.

A star that cannot be used, or whose work fails, gets a row that says so: one bad star does not take
its part along.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.survey import measured
from astro_hier.survey.measured import Measured, Place
from astro_hier.table import Role

OK = "ok"
NO_VISITS, MISSING, IMPOSSIBLE = "no visits", "missing values", "impossible values"
VELOCITY, ERROR = Role("rv", u.km / u.s), Role("rv_error", u.km / u.s, positive=True)
KINDS = {"f8": "float64", "f4": "float32", "i4": "int32", "u4": "uint32"}
OWN = {  # fields of a row besides those of its model
    "status": "str", "n_visits": "i4", "n_dropped": "i4", "first": "f8", "baseline": "f4",
    "checksum": "u4",
}  # fmt: skip
UNITS = {"first": "d", "baseline": "d"}
SPECIFICATION = "specification"
COORDINATES = "ra", "dec"  # carried along, for catalogues that are divided by these


@dataclass(frozen=True, eq=False)
class StarWork:
    """The work on stars, as a function of their visits alone; it can be pickled.

    Attributes
    ----------
    rows : object
        What a model makes of one star: ``fields`` by name and kind, ``units`` of some, ``times``,
        those that count from the first visit, ``specification``, the JSON of all that they depend
        on, and ``of_star(label, time, rv, rv_error)``.
    on_invalid : {"raise", "drop"}
        Whether a star with an invalid visit is set aside, or the visit left out.
    """

    rows: Any
    on_invalid: str = "raise"

    def table(self, stars: Measured, progress: Callable[[int], Any] | None = None) -> Any:
        """The rows of some stars, a `pyarrow.Table`."""
        found = []
        possible = VELOCITY.allows(stars.rv) & ERROR.allows(stars.rv_error)
        of_each = (possible[start:end] for start, end in pairwise(stars.offsets))
        for label, visits, usable in zip(stars.star, stars, of_each, strict=True):
            found.append(self._of_star(label, visits, usable))
            if progress is not None:
                progress(1)
        kinds = {**OWN, **self.rows.fields}
        table = _table(stars.star, found, kinds, self.rows.specification)
        return with_units(table, {**UNITS, **self.rows.units})

    def _of_star(self, label, given, possible):
        there = np.isfinite(given).all(axis=0)
        usable = there & possible
        row = {
            "status": OK,
            "n_visits": int(usable.sum()),
            "n_dropped": int(np.sum(~usable)),
            "checksum": measured.checksum(*given),
        }
        if not usable.all() and self.on_invalid != "drop":
            return {**row, "status": IMPOSSIBLE if there.all() else MISSING}
        if not usable.any():
            return {**row, "status": NO_VISITS}
        time, rv, rv_error = (of[usable] for of in given)
        first = time.min()
        row |= {"first": first, "baseline": np.ptp(time)}
        try:
            found = dict(self.rows.of_star(label, time - first, rv, rv_error))
            return row | found | {name: first + found[name] for name in self.rows.times}
        except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError) as error:
            return {**row, "status": f"failed: {type(error).__name__}: {error}"[:200]}


def partition_function(
    work: StarWork,
    model: Any,
    star: str,
    visits: str | None,
    columns: Mapping | None,
    keep: Sequence[str],
) -> "PartitionFunction":
    """The function of frames for a model, with the columns that it names itself by default."""
    own = model.columns_in_use() or {}
    return PartitionFunction(work, star, visits, measured.places({**own, **(columns or {})}), keep)


@dataclass(frozen=True, eq=False)
class PartitionFunction:
    """Takes a frame of stars, or of their visits, and returns a frame of their rows.

    Attributes
    ----------
    work : StarWork
    star, visits : str
        Columns of labels and of nested visits (or None).
    places : dict of Place
        Where time, velocity and its error are found.
    keep : sequence of str
        Columns of the frame that its rows keep; by default its coordinates.
    """

    work: StarWork
    star: str
    visits: str | None
    places: Mapping[str, Place]
    keep: Sequence[str] = COORDINATES

    def __call__(self, frame: Any) -> Any:
        """The rows of the stars in a frame, with its index if it has a star a row."""
        import pandas as pd

        stars = measured.of_frame(frame, self.star, self.visits, self.places)
        rows = self.work.table(stars).to_pandas(types_mapper=pd.ArrowDtype)
        rows = rows.rename(columns={"star": self.star}) if self.star != "star" else rows
        if isinstance(stars.star, pd.Series):  # of a frame of a star a row
            rows.index = frame.index
            for name in self.keep:
                if name in frame.columns and name not in rows.columns:
                    rows[name] = frame[name]
        return rows

    def meta(self, frame: Any) -> Any:
        """An empty frame of rows, from an empty frame like those of the partitions."""
        return self(frame.iloc[:0])


def _table(labels, rows, kinds, specification):
    """Rows of all stars as an Arrow table; what a row lacks is null."""
    import pyarrow as pa

    star = labels.array if hasattr(labels, "array") else labels
    columns = {"star": pa.array(star)}
    if isinstance(columns["star"], pa.ChunkedArray):
        columns["star"] = columns["star"].combine_chunks()
    for name, kind in kinds.items():
        columns[name] = _column([row.get(name) for row in rows], kind)
    said = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(len(rows), np.int32)), pa.array([specification])
    )
    columns[SPECIFICATION] = said.cast(pa.string())
    return pa.table(columns)


def with_units(table: Any, units: Mapping[str, str], metadata: Any = None) -> Any:
    """An Arrow table whose fields state their units."""
    import pyarrow as pa

    fields = [
        field.with_metadata({"unit": units[field.name]} if field.name in units else None)
        for field in table.schema
    ]
    return table.cast(pa.schema(fields, metadata=metadata))


def _column(values, kind):
    import pyarrow as pa

    if kind == "str":
        return pa.array(values, pa.string())
    if not kind.startswith("["):
        return pa.array(values, pa.type_for_alias(KINDS[kind]))
    lengths = [0 if of is None else len(of) for of in values]
    offsets = np.append(0, np.cumsum(lengths)).astype(np.int32)
    given = [np.asarray(of) for of in values if of is not None]
    flat = np.concatenate(given) if given else np.empty(0)
    flat = pa.array(flat.astype(KINDS[kind[1:-1]]))
    return pa.ListArray.from_arrays(pa.array(offsets), flat)
