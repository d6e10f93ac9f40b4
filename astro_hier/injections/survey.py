"""The visits of a survey, on which simulated stars are put."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from astropy.table import QTable

from astro_hier.annotations import ColumnsLike, TableLike
from astro_hier.injections.orbits import KMS, Orbits
from astro_hier.models.binary_population import BinaryPopulation
from astro_hier.table import as_table, read_columns
from astro_hier.table.arrays import one_row_each
from astro_hier.table.places import find_places

BATCH = 1000  # orbits whose velocities are computed at once


@dataclass(frozen=True, eq=False)
class Survey:
    """The visits of all stars.

    Attributes
    ----------
    table : QTable
        The columns of star, time, velocity and error, as the user has them.
    rv : str
        Name of the velocity's column.
    scale : float
        Its values for 1 km/s.
    rows : list of ndarray
        Numbers of the rows of each star.
    time, rv_error : list of ndarray
        Of each star, from its first visit [d], and in km/s.
    """

    table: QTable
    rv: str
    scale: float
    rows: list[np.ndarray]
    time: list[np.ndarray]
    rv_error: list[np.ndarray]

    @classmethod
    def of(cls, table: TableLike, columns: ColumnsLike) -> Self:
        """From the user's table, as the model reads it."""
        roles = BinaryPopulation(columns=columns).roles
        table = one_row_each(as_table(table), roles, columns)
        read = read_columns(table, roles, columns)
        places, _ = find_places(table, roles, columns)
        used = {name for name, _ in places.values()}
        own = QTable(table[[name for name in table.colnames if name in used]], copy=True)
        own.meta.clear()
        for name in own.colnames:
            own[name] = getattr(own[name], "unmasked", own[name])
        name, assumed = places["rv"]
        unit = getattr(own[name], "unit", None)
        # which may have been integers
        own[name] = np.zeros(len(own)) if unit is None else np.zeros(len(own)) * unit
        _, star = np.unique(read["star"], return_inverse=True)
        rows = np.split(np.argsort(star, kind="stable"), np.cumsum(np.bincount(star))[:-1])
        time = [read["time"][of] - read["time"][of].min() for of in rows]
        error = [read["rv_error"][of] for of in rows]
        return cls(own, name, KMS.to(unit or assumed), rows, time, error)

    def simulate(self, orbits: Orbits, rng: np.random.Generator) -> Iterator[QTable]:
        """For each orbit the table of a star that has it, with noise."""
        star = rng.integers(len(self.rows), size=len(orbits.P))
        for first in range(0, len(star), BATCH):
            some = star[first : first + BATCH]
            length = [len(self.rows[number]) for number in some]
            of = np.repeat(np.arange(first, first + len(some)), length)
            time = np.concatenate([self.time[number] for number in some])
            error = np.concatenate([self.rv_error[number] for number in some])
            noise = rng.normal(0, np.hypot(error, orbits.jitter[of]))
            rv = np.split(orbits.velocities(of, time) + noise, np.cumsum(length)[:-1])
            for number, own in zip(some, rv, strict=True):
                simulated = self.table[self.rows[number]]  # a copy
                values = simulated[self.rv]
                getattr(values, "value", values)[:] = own * self.scale
                yield simulated
