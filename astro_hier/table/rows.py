"""What a model reads from a table: floats and labels, row by row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from astro_hier.table.roles import Epoch

__all__ = ["Rows"]


@dataclass(frozen=True, eq=False)
class Rows(Mapping[str, np.ndarray]):
    """A mapping of roles to arrays: what is read, saved and simulated.

    Attributes
    ----------
    columns : dict of ndarray
        By role, shape (row,): floats in the role's unit, or labels. A role that is not required
        may be absent.
    epoch : Epoch or None
        The time from which times count; None if there are none.

    Examples
    --------
    >>> from astro_hier import StarCluster, datasets
    >>> rows = StarCluster().read(datasets.make_star_cluster(5, random_state=1))
    >>> sorted(rows), rows["parallax"].shape
    (['parallax', 'parallax_error', 'star'], (5,))
    """

    columns: dict[str, np.ndarray]
    epoch: Epoch | None = None

    def __getitem__(self, role: str) -> np.ndarray:
        return self.columns[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def size(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values())))

    def replaced(self, **columns: np.ndarray) -> "Rows":
        """The same rows with other values in some columns, such as simulated ones."""
        return replace(self, columns={**self.columns, **columns})
