r"""Which stars got into the table: injected orbits that a selection kept.

For a population of density g(x | theta) of companions' x = ln P, or ln P and e, the share that is
kept is a mean over N_inj injected orbits that were drawn from p(x), of which those in K were kept:

    alpha_c = (1 / N_inj) sum_{j in K} g(x_j | theta) / p(x_j).

This is a row of `astro_hier.core.cells`. On a plane of cells every injection belongs to the one
that it lies in, of area A: g is the population's share of the cell over A, so that for a selection
that is the same everywhere the sum is right whatever the cells are. What follows from it is in
`astro_hier.models.binary_population.kept`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self

import astropy.units as u
import numpy as np

from astro_hier.core import cells
from astro_hier.core.grid import Grid
from astro_hier.core.plane import Plane
from astro_hier.core.population import LnPeriodGrid
from astro_hier.models.injected import check_table, injected
from astro_hier.table import Role, TableError, read_columns
from astro_hier.table.roles import ROWS_SHOWN

ROUNDING = 1e-9  # relative, of the ends of the range searched
ROLES = Role("P", u.day, positive=True), Role("density", u.one, positive=True)
MAKER = "astro_hier.injections.make_injections makes such tables"


@dataclass(frozen=True, eq=False)
class Selection:
    """Injected orbits that were kept.

    Attributes
    ----------
    ln_period, e : ndarray
        ln(P / d) and eccentricity, zero for circles, shape (orbit,).
    log_density : ndarray
        ln of the density that they were drawn from: of ln P, and of e unless that is zero.
    injected : int
        Number of all injections, whether they were kept or not.
    kept_without_companion : tuple of float or None
        Share of the stars of constant velocity that are kept, and the number that were simulated,
        infinite if the share is exact; None if it is not known.
    amplitude : str or None
        The prior of the amplitudes that they were drawn from, in words.
    """

    ln_period: np.ndarray
    e: np.ndarray
    log_density: np.ndarray
    injected: int
    kept_without_companion: tuple[float, float] | None = None
    amplitude: str | None = None

    @classmethod
    def of(cls, table: Any, ends: tuple[float, float], eccentric: bool) -> Self:
        """From a user's table, with its checks.

        Parameters
        ----------
        table : Table
            Columns P, density and, for eccentric populations, e; with ``meta["injected"]`` and,
            optionally, ``kept_without_companion``, ``simulated_without_companion``,
            ``period_range`` and ``amplitude``.
        ends : tuple of float
            Shortest and longest period searched [d].
        eccentric : bool
            Whether the population has eccentricities.

        Raises
        ------
        TableError
            If the table cannot be used.
        """
        check_table(table, MAKER)
        try:
            roles = *ROLES, Role("e", u.one, required=eccentric)
            read = read_columns(table, roles)
        except TableError as error:
            raise TableError(f"selection: {error}; {MAKER}") from None
        P, e = read["P"], read.get("e", np.zeros(len(read["P"])))
        _check_eccentricities(e, eccentric)
        _check_periods(P, ends)
        _check_coverage(table.meta, ends)
        return cls(
            np.clip(np.log(P), *np.log(ends)),
            e,
            np.log(read["density"]),
            injected(table.meta, len(P), "orbits", f"; {MAKER}"),
            _without_companion(table.meta),
            table.meta.get("amplitude"),
        )

    def row_1d(self, grid: LnPeriodGrid) -> cells.Row:
        """For circles: the row whose product with densities of ln P on a grid is alpha_c."""
        line = Grid((grid,))
        return cells.row_of_draws(line, (self.ln_period,), -self.log_density, self.injected)

    def row(self, plane: Plane) -> cells.Row:
        """The row whose product with shares of a population in the cells is alpha_c.

        Eccentricities above those of the plane are left out: a population has none there.
        """
        inside = self.e <= plane.e_edges[-1]
        if not inside.any():
            raise TableError(
                f"selection: all eccentricities are above {plane.e_edges[-1]:g}; expected those of"
                " the population"
            )
        places = self.ln_period[inside], self.e[inside]
        own = _Own(plane)
        row = cells.row_of_draws(own, places, -self.log_density[inside], self.injected)
        area = own.areas[row.index]
        return replace(row, weight=row.weight / area, squares=row.squares / area**2)


@dataclass(frozen=True)
class _Own:
    """The cells of a plane, each of which gets the masses that lie in it."""

    plane: Plane

    @property
    def size(self):
        return self.plane.size

    @property
    def areas(self):
        """Of the cells, those of circles in ln P alone, shape (cell,)."""
        width = np.append(1.0, np.diff(self.plane.e_edges))
        return np.outer(np.diff(self.plane.ln_period_edges), width).ravel()

    def deal(self, ln_period, e):
        edges = self.plane.ln_period_edges
        i = np.clip(np.searchsorted(edges, ln_period, side="right") - 1, 0, len(edges) - 2)
        n_e = len(self.plane.e_edges) - 1
        j = np.clip(np.searchsorted(self.plane.e_edges, e, side="right"), 1, n_e)
        cell = i * (n_e + 1) + np.where(e > 0, j, 0)
        return cell[None], np.ones((1, len(cell)))


def _check_eccentricities(e, eccentric):
    wrong = (e < 0) | (e >= 1)
    if wrong.any():
        raise TableError(f"selection: {_rows('e', wrong, e)}; expected at least 0 and below 1")
    if not eccentric and e.any():
        raise TableError(
            f"selection: {_rows('e', e > 0, e)}, but the population's orbits are circles; expected"
            " injections with e = 0, or eccentricity= in the model"
        )


def _check_periods(P, ends):
    wrong = (P < ends[0] * (1 - ROUNDING)) | (P > ends[1] * (1 + ROUNDING))
    if wrong.any():
        raise TableError(
            f"selection: {_rows('P', wrong, P)}; expected the periods searched, {ends[0]:.6g} to"
            f" {ends[1]:.6g} d: give injections and model the same period_range"
        )


def _check_coverage(meta, ends):
    """Where nothing was injected, nothing was kept, which says nothing about the selection."""
    if "period_range" not in meta:
        return
    low, high = u.Quantity(meta["period_range"]).to_value(u.day)
    if low > ends[0] * (1 + ROUNDING) or high < ends[1] * (1 - ROUNDING):
        raise TableError(
            f"selection: orbits were injected with periods from {low:.6g} to {high:.6g} d; expected"
            f" the periods searched, {ends[0]:.6g} to {ends[1]:.6g} d: give injections and model"
            " the same period_range"
        )


def _without_companion(meta: Mapping) -> tuple[float, float] | None:
    share = meta.get("kept_without_companion")
    number = meta.get("simulated_without_companion", np.inf)
    if share is None:
        return None
    if not (_is_number(share) and 0 <= share <= 1):
        raise TableError(
            f'selection: meta["kept_without_companion"] is {share!r}; expected the share of stars'
            " without companions that are kept, from 0 to 1"
        )
    if not (_is_number(number) and number >= 1):
        raise TableError(
            f'selection: meta["simulated_without_companion"] is {number!r}; expected the number of'
            " stars without companions that were simulated"
        )
    return float(share), float(number)


def _is_number(given: Any) -> bool:
    return isinstance(given, Real) and not isinstance(given, bool)


def _rows(name, wrong, values):
    """The first rows that are wrong, for a message."""
    rows = np.flatnonzero(wrong)
    shown = ", ".join(f"row {i}: {values[i]:.6g}" for i in rows[:ROWS_SHOWN])
    more = ", ..." if len(rows) > ROWS_SHOWN else ""
    return f"column {name!r} has {len(rows)} values that do not fit ({shown}{more})"
