"""How far a survey has come, and its results as a table."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.given import path as as_path
from astro_hier.survey import files
from astro_hier.survey.partition import OK

PLAN = "_plan.json"


@dataclass(frozen=True)
class Status:
    """How far the rows in a folder have come.

    Attributes
    ----------
    stars : int or None
        Number of stars there will be, if it is known.
    done : int
        Number of stars that can be used.
    failed : dict
        Number of stars that cannot, by the reason.
    files : int
        Number of files.
    fingerprint : str
        Of all that the rows depend on.
    specification : dict
        All that the rows depend on.

    Examples
    --------
    >>> import astropy.units as u
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from astro_hier import BinaryPopulation, datasets, survey
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> model = BinaryPopulation(period_range=(1 * u.day, 100 * u.day))
    >>> with TemporaryDirectory() as folder:
    ...     rows = Path(folder) / "rows"
    ...     done = survey.prepare(visits, rows, model, progressbar=False)
    >>> done.files
    1
    """

    stars: int | None
    done: int
    failed: dict[str, int]
    files: int
    fingerprint: str
    specification: dict[str, Any] = field(repr=False)

    @property
    def complete(self) -> bool:
        """Whether there is a row for every star, as far as is known."""
        return self.stars is None or self.done + sum(self.failed.values()) == self.stars

    def __str__(self) -> str:
        of = f" of {self.stars}" if self.stars is not None else ""
        lines = [
            f"{self.done}{of} stars done, in {self.files} files of fingerprint {self.fingerprint}"
        ]
        lines += [f"{count} stars: {reason}" for reason, count in sorted(self.failed.items())]
        if self.stars is not None and not self.complete:
            left = self.stars - self.done - sum(self.failed.values())
            lines.append(f"{left} stars are still to be done")
        return "\n".join(lines)


def fingerprint(specification: dict[str, Any]) -> str:
    """A short number that stands for a specification."""
    text = json.dumps(specification, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def status(folder: str | os.PathLike) -> Status:
    """How far the rows in a folder have come.

    Parameters
    ----------
    folder : str or path-like
        As of `prepare`, or a catalogue of rows.

    Returns
    -------
    Status

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or it holds no rows and none are being made.
    RowsError
        If the files cannot be used together.

    Examples
    --------
    >>> import astropy.units as u
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from astro_hier import BinaryPopulation, datasets, survey
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> model = BinaryPopulation(period_range=(1 * u.day, 100 * u.day))
    >>> with TemporaryDirectory() as folder:
    ...     rows = Path(folder) / "rows"
    ...     done = survey.prepare(visits, rows, model, progressbar=False)
    ...     found = survey.status(rows)
    >>> found.stars, found.done, len(found.failed)
    (5, 5, 0)
    """
    path = as_path("folder", folder) / PLAN
    plan = json.loads(path.read_text()) if path.exists() else None
    try:
        store = files.Store.open(folder)
    except FileNotFoundError:
        if plan is None:
            raise
        said = plan["specification"]
        return Status(plan["stars"], 0, {}, 0, fingerprint(said), said)
    failed = {reason: n for reason, n in store.counts.items() if reason != OK}
    stars = plan["stars"] if plan else None
    said = store.specification
    return Status(stars, len(store), failed, len(store.paths), fingerprint(said), said)


def read(folder: str | os.PathLike, columns: Sequence[str] | None = None) -> QTable:
    """The results in a folder as one table.

    Parameters
    ----------
    folder : str or path-like
        As of ``star_results``, or of the rows of `~astro_hier.SB1Binary`.
    columns : list of str, optional
        Which columns to read; by default all.

    Returns
    -------
    `~astropy.table.QTable`
        One row a star, with units. Lists are filled up with NaN to the length of the longest.

    Examples
    --------
    >>> import astropy.units as u
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from astro_hier import BinaryPopulation, datasets, survey
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> model = BinaryPopulation(period_range=(1 * u.day, 100 * u.day))
    >>> with TemporaryDirectory() as folder:
    ...     rows = Path(folder) / "rows"
    ...     done = survey.prepare(visits, rows, model, progressbar=False)
    ...     model = model.fit_rows(
    ...         rows, draws=50, random_state=1, progressbar=False
    ...     )
    ...     model.star_results(rows, Path(folder) / "results", progressbar=False)
    ...     stars = survey.read(Path(folder) / "results", columns=["P", "K"])
    >>> len(stars), stars.colnames
    (5, ['P', 'K'])
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = [pq.read_table(of, columns=columns, partitioning=None) for of in files.found(folder)]
    whole, table = pa.concat_tables(parts), QTable()
    for entry in whole.schema:
        unit = (entry.metadata or {}).get(b"unit")
        column = whole[entry.name].combine_chunks()
        is_list = pa.types.is_list(entry.type) or pa.types.is_large_list(entry.type)
        values = _padded(column) if is_list else column.to_numpy(zero_copy_only=False)
        table[entry.name] = values * u.Unit(unit.decode()) if unit else values
        if values.dtype.kind == "f":
            table[entry.name].info.format = ".8g" if unit == b"d" else ".4g"
    return table


def _padded(lists):
    """Lists of numbers as an array with NaN beyond their ends, shape (row, longest)."""
    offsets = lists.offsets.to_numpy()
    length = np.diff(offsets)
    padded = np.full((len(length), length.max(initial=0)), np.nan)
    padded[np.arange(padded.shape[1]) < length[:, None]] = lists.flatten().to_numpy()
    return padded
