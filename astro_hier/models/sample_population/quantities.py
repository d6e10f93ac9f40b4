"""Numbers of a column in the units in use, and which of them cannot be used."""

from collections.abc import Mapping
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table

from astro_hier.models.sample_population.forms import Entries, read_entries
from astro_hier.models.sample_population.objects import Invalid
from astro_hier.models.sample_population.roles import Place
from astro_hier.table import Role, TableError
from astro_hier.table.units import factor, meant, plain, setting

__all__ = ["check_shape", "entries_of", "in_unit", "invalid", "said", "unit_of"]


def said(place: Place, role: str) -> str:
    """A column in words."""
    return f"column {place[0]!r} ({role})"


def entries_of(table: Table, places: Mapping[str, Place]) -> dict[str, Entries]:
    """All numbers by role, those of identifiers aside."""
    return {
        role: read_entries(table[place[0]], said(place, role))
        for role, place in places.items()
        if role != "object"
    }


def unit_of(
    column: Any, own: u.UnitBase | None, place: Place, role: str, given: u.UnitBase | None
) -> u.UnitBase:
    """The unit in use of a quantity: the given one, else that of its column, else one."""
    if isinstance(own, u.UnrecognizedUnit):
        likely = None if given is None else meant(str(own), given)
        message = f"{said(place, role)} has the unit {str(own)!r}, which astropy does not know: "
        raise TableError(
            message
            + f"correct it with {setting(column, place[0], likely or 'UNIT')}, or in the file",
            shell=f"{message}correct it in the file",
        )
    found = (given, own, place[1], u.one)
    return plain(next(unit for unit in found if unit is not None))


def in_unit(table: Table, entries: Entries, place: Place, role: Role) -> np.ndarray:
    """All numbers in the unit of a role, shape (entry,); those that are masked are not a number.

    Numbers without unit have that of ``columns``, or else the one in use; so have densities, whose
    unit may be left out, and is then one by the quantity's.
    """
    name, fallback = place
    column = table[name]
    if entries.unit != getattr(column, "unit", None):  # that of the arrays in its rows
        column = entries
    bare = entries.unit is None or (
        role.name in ("density", "interim") and entries.unit == u.dimensionless_unscaled
    )
    if bare and fallback is None:
        scale = 1.0
    else:
        scale = factor(column, name, fallback, role)
    return np.where(entries.absent, np.nan, entries.values * scale)


def invalid(place: Place, role: str, values: np.ndarray) -> Invalid:
    """Which numbers of a role cannot be used."""
    bad, expected = ~np.isfinite(values), "finite numbers"
    if role == "interim":
        bad, expected = bad | (values <= 0), "finite densities greater than zero"
    elif role in ("weight", "density"):
        bad, expected = bad | (values < 0), "finite numbers of zero or more"
    return Invalid(said(place, role), bad, expected)


def check_shape(
    read: Mapping[str, Entries], places: Mapping[str, Place], role: str, main: str
) -> None:
    """Raise a TableError unless a role has a number for each of the main one."""
    own, other = read[role], read[main]
    if own.single == other.single and np.array_equal(own.counts, other.counts):
        return
    if own.single:
        found = "one number in each row"
    else:
        row = int(np.argmax(own.counts != other.counts))
        found = f"{own.counts[row]} numbers in row {row}, where {main} has {other.counts[row]}"
    which = ", its density under the prior of the draws" * (role == "interim")
    raise TableError(
        f"{said(places[role], role)} has {found}; expected one number for each of"
        f" {said(places[main], main)}{which}; or do without: columns={{{role!r}: None}}"
    )
