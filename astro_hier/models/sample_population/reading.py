"""From a table of objects to long rows: one for each draw, grid point or value.

Draws may be a two-dimensional column, arrays of any length (astropy reads nested columns of pandas
and Parquet, and FITS arrays of variable length, as such), or one number in each row, with the
object's identifier repeated. Masked numbers of the first two are padding and left out; astropy
masks what is not a number in FITS files of others, though not in those that it wrote.
"""

from collections.abc import Mapping
from typing import Any

import astropy.units as u
from astropy.table import Table

from astro_hier.given import choice
from astro_hier.models.sample_population.quantities import unit_of
from astro_hier.models.sample_population.read_densities import read_densities
from astro_hier.models.sample_population.read_draws import read_draws
from astro_hier.models.sample_population.roles import find_kind, roles_of
from astro_hier.table import Role, Rows, TableError, as_columns, read_columns
from astro_hier.table.reading import open_table

__all__ = ["read_samples"]

Units = dict[str, u.UnitBase]


def read_samples(
    table: Table,
    names: tuple[str, ...],
    units: Mapping[str, u.UnitBase | None],
    columns: dict | None = None,
    on_invalid: str = "raise",
    grid: Any = None,
    interim_column: str | tuple | None = None,
) -> tuple[Rows, Units]:
    """Read and check what a table holds of one or two quantities of each object.

    Parameters
    ----------
    table : `~astropy.table.Table`
        One row for each object; or one for each draw, with identifiers that repeat.
    names : tuple of str
        Names of the quantities.
    units : dict
        Unit to use by name, or None for that of the table. Numbers without unit are in it.
    columns : dict or str, optional
        Column name, or name and unit, by role.
    on_invalid : {"raise", "drop"}
        Whether invalid draws are an error, or are left out with a warning. An object is left out
        if its identifier, density, value or error is invalid; one that loses its draws is an error.
    grid : array_like or `~astropy.units.Quantity`, optional
        Values of the quantity at which all densities are given.
    interim_column : str or tuple, optional
        Column of the role ``interim``, as in ``columns``.

    Returns
    -------
    rows : Rows
        With the roles of `roles_of` for one of the kinds. Rows of an object are consecutive,
        objects in the order of their first rows.
    units : dict
        The units of the quantities in these rows, by name.

    Raises
    ------
    TableError
        If the table cannot be used.
    """
    choice("on_invalid", on_invalid, ("raise", "drop"))
    table = open_table(table)
    kind, places = find_kind(table, names, units, _with_interim(columns, interim_column))
    if grid is not None and kind != "density":
        raise TableError(
            "grid is given, but not used with the columns"
            f" {[name for name, _ in places.values()]}; leave it out, or name a column of densities"
            " with columns={'density': 'NAME'}"
        )
    if kind == "value":
        return _read_values(table, names[0], units.get(names[0]), places, on_invalid)
    if kind == "density":
        return read_densities(table, names[0], units.get(names[0]), places, on_invalid, grid)
    return read_draws(table, names, units, places, on_invalid)


def _with_interim(columns, interim_column):
    if interim_column is None:
        return columns
    given = as_columns(columns)
    if given.setdefault("interim", interim_column) != interim_column:
        raise ValueError(
            f"interim={interim_column!r} and columns={{'interim': {given['interim']!r}}} are two"
            " columns; expected one"
        )
    return given


def _read_values(table, name, given, places, on_invalid):
    """One row for each object."""
    column = table[places["value"][0]]
    own = getattr(column, "unit", None)
    unit = unit_of(column, own, places["value"], "value", given)
    assumed = given if own is None else None  # of numbers without unit
    columns = {
        role: place[0] if role == "object" else (place[0], place[1] or assumed)
        for role, place in places.items()
    }
    _, *roles = roles_of("value", (name,), {name: unit})
    label = Role("object", None, required=False, unique=True)
    rows = read_columns(table, (label, *roles), {"object": None, **columns}, on_invalid)
    return rows, {name: unit}
