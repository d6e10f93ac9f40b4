"""Numbers of a size that no star has, and the unit in which they would have a usual one.

Velocities in m/s that are read as km/s can be fitted like any others, and then nothing fits: what
a user is to look at first is the unit. Roles say between which sizes their numbers usually are, and
the size of a column is the value that a fifth of its absolute values exceed, which few placeholders
and outliers do not change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import Table

from astro_hier import checks
from astro_hier.table.places import Place
from astro_hier.table.roles import Role
from astro_hier.table.units import plain, setting

__all__ = ["check_units", "said_of_unit"]

SHARE = 0.8  # of the absolute values, which are at most the size of a column
# units in which tables state such quantities, those that are meant most often first
UNITS = tuple(map(u.Unit, "m/s km/s cm/s uas mas arcsec deg s h min d mmag mag".split()))

IMPLAUSIBLE = checks.define(
    "units",
    limit="sizes that such quantities have",
    said="{found}, which is hardly possible",
    python="check the units of the table{cure}",
    shell="check the units of the table{cure_shell}",
)


@dataclass(frozen=True)
class _Columns:
    """A table whose columns are read as numbers, by role."""

    table: Table
    places: Mapping[str, Place]
    data: Mapping[str, np.ndarray]

    def unit(self, name: str) -> u.UnitBase | None:
        """The unit as which the column of a role is read."""
        column, fallback = self.places[name]
        own = getattr(self.table[column], "unit", None)
        return plain(fallback if own is None else own)

    def size(self, role: Role) -> float:
        """The size of a role's numbers, in its unit."""
        values = self.data[role.name][np.isfinite(self.data[role.name])]
        if role.relative:
            return float(np.median(np.abs(values - np.median(values)))) if values.size else 0.0
        return float(np.quantile(np.abs(values), SHARE, method="lower")) if values.size else 0.0

    def together(self, role: Role, roles: Sequence[Role]) -> list[Role]:
        """The roles of a value and its error, as far as both are read as the same unit."""
        stem = role.name.removesuffix("_error")
        pair = [r for r in roles if r.name in (stem, f"{stem}_error") and r.name in self.places]
        return [of for of in pair if self.unit(of.name) == self.unit(role.name)]

    def meant(self, pair: Sequence[Role]) -> u.UnitBase | None:
        """The unit in which numbers would have usual sizes, or None."""
        read = self.unit(pair[0].name)
        if read is None or all(_is_usual(role, self.size(role)) for role in pair):
            return None
        for unit in UNITS:
            if unit != read and unit.is_equivalent(read):
                factor = unit.to(read)
                if all(_is_usual(role, factor * self.size(role)) for role in pair):
                    return unit
        return None

    def cures(self, pair: Sequence[Role]) -> tuple[str, str]:
        """The code that gives columns the unit that is meant, in Python and for the shell."""
        unit = self.meant(pair)
        if unit is None:
            return "", ""
        bare = {
            role.name: (self.places[role.name][0], str(unit))
            for role in pair
            if getattr(self.table[self.places[role.name][0]], "unit", None) is None
        }
        names = [self.places[role.name][0] for role in pair if role.name not in bare]
        said = [f"say columns={bare}"] if bare else []
        sets = [setting(self.table[name], name, unit) for name in names]
        in_file = [f"correct the unit of {', '.join(map(repr, names))} in the file"] * bool(names)
        start = f", for these numbers may be {unit}: if so, "
        return start + "; ".join([*said, *sets]), start + "; ".join([*said, *in_file])


def _is_usual(role: Role, size: float) -> bool:
    low, high = role.usual
    return bool(low <= size <= high)


def check_units(
    table: Table,
    roles: Sequence[Role],
    places: Mapping[str, Place],
    data: Mapping[str, np.ndarray],
) -> checks.Finding:
    """Whether numbers have usual sizes; ``data`` are in the units of the roles."""
    columns = _Columns(table, places, data)
    sizes = {role.name: columns.size(role) for role in roles if role.name in places and role.unit}
    found = [r for r in roles if r.name in sizes and not _is_usual(r, sizes[r.name])]
    said = "; ".join(_said(role, sizes[role.name]) for role in found)
    pairs = {tuple(columns.together(role, roles)): None for role in found}
    cures = zip(*(columns.cures(pair) for pair in pairs), strict=True) if pairs else ("", "")
    python, shell = map("".join, cures)
    return IMPLAUSIBLE.finding(said or "usual", bool(found), cure=python, cure_shell=shell)


def said_of_unit(
    table: Table,
    role: Role,
    roles: Sequence[Role],
    places: Mapping[str, Place],
    data: Mapping[str, np.ndarray],
) -> tuple[str, str]:
    """What to do about a column whose numbers are impossible in its unit, or nothing."""
    columns = _Columns(table, places, data)
    return columns.cures(columns.together(role, roles))


def _said(role, size):
    """The size of a column, and what it should be."""
    low, high = role.usual
    most = f"at most {high:g}" if size > high else f"at least {low:g}"
    what = f"{role.name} scatters by" if role.relative else f"{role.name} is"
    return f"{what} about {size:.2g} {role.unit} (expected {most})"
