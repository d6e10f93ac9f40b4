"""Densities of each object on a grid that all have in common."""

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table

from astro_hier.logarithms import value_in
from astro_hier.models.sample_population.forms import Entries
from astro_hier.models.sample_population.objects import Invalid, find_objects, leave_out
from astro_hier.models.sample_population.quantities import (
    check_shape,
    entries_of,
    in_unit,
    invalid,
    said,
)
from astro_hier.models.sample_population.roles import Place, roles_of
from astro_hier.table import Rows, TableError
from astro_hier.table.units import plain

__all__ = ["read_densities"]


def read_densities(
    table: Table,
    name: str,
    given: u.UnitBase | None,
    places: dict[str, Place],
    on_invalid: str,
    grid: Any,
) -> tuple[Rows, dict[str, u.UnitBase]]:
    """One row for each object and grid point."""
    read = entries_of(table, places)
    points, unit = _read_grid(grid, given, said(places["density"], "density"))
    _check_unit(read["density"].unit, unit, said(places["density"], "density"))
    _check_length(read["density"], said(places["density"], "density"), len(points))
    for role in read:
        check_shape(read, places, role, "density")
    label = places["object"][0] if "object" in places else None
    objects = find_objects(table, label, False, on_invalid)
    known = objects.number >= 0
    roles = {role.name: role for role in roles_of("density", (name,), {name: unit})}
    values = {
        role: in_unit(table, entries, places[role], roles[role]).reshape(-1, len(points))[known]
        for role, entries in read.items()
    }
    found = [_rows(invalid(places[role], role, of)) for role, of in values.items()]
    empty = np.all(values["density"] == 0, axis=1)
    found.append(Invalid(said(places["density"], "density"), empty, "some greater than zero"))
    bad = leave_out(found, objects, np.arange(len(empty)), "rows", on_invalid)
    if bad.all():
        raise TableError("no object has a valid density; correct the table")
    columns = {role: of[~bad].ravel() for role, of in values.items()}
    columns["grid"] = np.tile(points, np.sum(~bad))
    columns["object"] = np.repeat(objects.labels[~bad], len(points))
    return Rows({role: columns[role] for role in roles if role in columns}), {name: unit}


def _rows(of_entries: Invalid) -> Invalid:
    """In which rows there is an entry that cannot be used."""
    return Invalid(of_entries.place, np.any(of_entries.bad, axis=1), of_entries.expected)


def _check_unit(own: u.UnitBase | None, unit: u.UnitBase, place: str) -> None:
    """Raise a TableError if densities have a unit and the quantity has none."""
    if unit == u.one and own is not None and own != u.one:
        raise TableError(
            f"{place} has the unit '{own}', but the quantity has none: give grid with its unit,"
            f" such as grid * u.Unit('{(1 / own).unit}')",
            shell=f"{place} has the unit '{own}', but the quantity has none: give --set grid=...,"
            f" each number with its unit, {(1 / own).unit}",
        )


def _check_length(density: Entries, place: str, n_points: int) -> None:
    """Raise a TableError unless each object has a density at each grid point."""
    wrong = np.flatnonzero(density.counts != n_points)
    if wrong.size:
        row = int(wrong[0])
        raise TableError(
            f"{place} has {density.counts[row]} numbers in row {row}; expected {n_points}, one for"
            f" each point of grid: a column of shape (row, {n_points})"
        )


def _read_grid(grid: Any, given: u.UnitBase | None, place: str) -> tuple[np.ndarray, u.UnitBase]:
    """The points of a grid, and the unit in use."""
    if grid is None:
        message = (
            f"{place} needs the argument grid, the values of the quantity at which densities are"
            " given, such as "
        )
        raise TableError(
            message + "grid=table.meta['z'] or np.linspace(0, 2, 201)",
            shell=message + "--set 'grid=0, 0.5, 1, 1.5, 2'",
        )
    own = getattr(grid, "unit", None) if hasattr(grid, "__array__") else None
    own = own if isinstance(own, u.UnitBase) else None
    unit = plain(next(each for each in (given, own, u.one) if each is not None))
    try:
        points = np.array(grid if own is None else value_in(u.Quantity(grid), unit), dtype=float)
    except u.UnitConversionError:
        raise TableError(
            f"grid has the unit '{own}'; expected one that converts to '{unit}'"
        ) from None
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 1 or len(points) < 2 or not np.all(np.isfinite(points)):
        raise TableError(f"grid={grid!r:.60}; expected an array of two or more finite numbers")
    falls = np.flatnonzero(np.diff(points) <= 0)
    if falls.size:
        i = int(falls[0])
        raise TableError(
            f"grid does not rise from point {i} to point {i + 1}, {points[i]:g} to"
            f" {points[i + 1]:g}; expected numbers in rising order: sort grid, and the densities of"
            " each object with it"
        )
    return points, unit
