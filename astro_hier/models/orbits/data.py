"""Measured velocities and the star of each: what models of orbits prepare from their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np

from astro_hier.core.orbit import Visits
from astro_hier.models.orbits import terms as linear_terms
from astro_hier.models.orbits.scatter import NoScatter
from astro_hier.models.orbits.terms import Linear, Term
from astro_hier.models.orbits.velocity import Circle, total
from astro_hier.table import Epoch, Rows


@dataclass(frozen=True, eq=False)
class Velocities:
    """Velocities of one star or of several: one star is a population of one.

    Attributes
    ----------
    time : ndarray
        Time since the star's first visit [d], shape (visit,).
    rv, rv_error : ndarray
        Radial velocities and their errors [km/s], shape (visit,).
    star, instrument : ndarray of int
        Number of the star and of the instrument of each visit, shape (visit,).
    labels : dict of ndarray
        Labels of the stars and of the instruments, shapes (star,) and (instrument,); one empty
        label where the table has none.
    first : ndarray
        Time of each star's first visit [d since the epoch], shape (star,).
    epoch : Epoch or None
        Epoch of the table's times.
    orbit : Circle
    terms : tuple of Term
    scatter : NoScatter
        The model's orbit, linear terms and scatter.
    """

    time: np.ndarray
    rv: np.ndarray
    rv_error: np.ndarray
    star: np.ndarray
    instrument: np.ndarray
    labels: Mapping[str, np.ndarray]
    first: np.ndarray
    epoch: Epoch | None
    orbit: Circle
    terms: Sequence[Term]
    scatter: NoScatter

    @classmethod
    def of(cls, rows: Rows, orbit: Circle, terms: Sequence[Term], scatter: NoScatter) -> Self:
        """The velocities of some rows."""
        n = len(rows["rv"])
        stars, star = _numbered(rows.get("star"), n)
        instruments, instrument = _numbered(rows.get("instrument"), n)
        first = np.full(len(stars), np.inf)
        np.minimum.at(first, star, rows["time"])
        return cls(
            rows["time"] - first[star], rows["rv"], rows["rv_error"], star, instrument,
            {"star": stars, "instrument": instruments}, first, rows.epoch, orbit, terms, scatter,
        )  # fmt: skip

    def extended(self, cls: type, **more: Any) -> Any:
        """The same as an instance of a subclass, which has ``more`` fields."""
        return cls(**{f.name: getattr(self, f.name) for f in fields(Velocities)}, **more)

    @property
    def stars(self) -> np.ndarray:
        return self.labels["star"]

    @property
    def instruments(self) -> np.ndarray:
        return self.labels["instrument"]

    @property
    def parts(self) -> list[Term | NoScatter]:
        """The terms and the scatter."""
        return [*self.terms, self.scatter]

    @cached_property
    def linear(self) -> list[Linear]:
        """The linear parameters of all columns, those of a, b and v0 first."""
        return linear_terms.linear(self.terms, self.instruments)

    @cached_property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Dimensions of the parameters of orbit, terms and scatter, by name."""
        own = [p for part in self.parts for p in part.parameters]
        return {p.name: p.dims for p in (*self.orbit.parameters, *own)}

    def shape(self, dims: Sequence[str]) -> tuple[int, ...]:
        """Sizes of these dimensions."""
        return tuple(len(self.labels[of]) for of in dims)

    def places(self, dims: Sequence[str]) -> tuple[np.ndarray, ...]:
        """Indices of each visit's value in a parameter with these dimensions."""
        number = {"star": self.star, "instrument": self.instrument}
        return tuple(number[of] for of in dims)

    def at_visits(self, values: np.ndarray, dims: Sequence[str]) -> np.ndarray:
        """Draws of a parameter at each visit, (draw, visit), or (draw, 1) if all share it."""
        of_each: tuple[Any, ...] = slice(None), *self.places(dims)
        return values[of_each] if dims else values[:, None]

    @cached_property
    def mean_time(self) -> np.ndarray:
        """Mean time of each star's visits, weighted by their errors [d], shape (star,)."""
        weight = self.rv_error**-2.0
        return np.bincount(self.star, weight * self.time) / np.bincount(self.star, weight)

    @cached_property
    def rows_of(self) -> list[np.ndarray]:
        """Numbers of the rows of each star, in order."""
        order = np.argsort(self.star, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.star))[:-1])

    @cached_property
    def columns(self) -> np.ndarray:
        """Columns of the linear parameters after v0, shape (visit, column)."""
        given = self.time, self.instrument, len(self.instruments)
        return np.hstack([term.columns(*given) for term in self.terms])

    def visits_of(self, star: int, mean: np.ndarray, sd: np.ndarray) -> Visits:
        """The visits of one star for the core, with mean and sd of its linear parameters."""
        rows = self.rows_of[star]
        measured = self.time[rows], self.rv[rows], self.rv_error[rows]
        number = self.scatter.numbers(self.instrument[rows])
        return Visits(*measured, mean, sd, self.columns[rows], number)

    def n_adjusted(self, star: int) -> int:
        """Number of linear parameters and jitters that were fitted to a star's visits."""
        count = len(np.unique(self.instrument[self.rows_of[star]]))
        return sum(part.n_adjusted(count) for part in self.parts)

    # ---- of draws

    def named(self, drawn: np.ndarray) -> dict[str, np.ndarray]:
        """Values by parameter, from ``drawn``, whose first axis is that of the columns."""
        return linear_terms.named(self.terms, self.instruments, drawn)

    def stacked(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Values by column, which is the first axis: the inverse of ``named``."""
        return np.array([of for term in self.terms for of in term.stacked(values)])

    def velocity(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Velocities at the visits, each in its instrument's frame, shape (draw, visit)."""
        return total(self.terms, self.time, lambda p: self.at_visits(values[p], self.dims[p]))

    def velocity_at(self, time: np.ndarray, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Velocities at times in d from a star's first visit, in the first instrument's frame.

        ``time`` has shape (time,) and the values (draw,), or (star, time) and (draw, star).
        """
        anywhere = [term for term in self.terms if not term.at_visits_alone]
        return total(anywhere, time, lambda p: values[p][..., None])

    def orbital(self, time: np.ndarray, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Velocities of the orbit and v0 alone, with the shapes of ``velocity_at``."""
        return total(self.terms[:1], time, lambda p: values[p][..., None])

    def errors(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Errors of the visits, each draw's scatter included, shape (draw, visit)."""
        return self.scatter.errors(self, values)


def _numbered(labels, n):
    """Distinct labels, and the number of each row's label; one empty label if there are none."""
    if labels is None:
        return np.array([""]), np.zeros(n, int)
    return np.unique(labels, return_inverse=True)
