"""Which column of a table has which role, and the unit to assume where it has none."""

from collections.abc import Mapping

import astropy.units as u

from astro_hier.table.roles import TableError
from astro_hier.table.units import meant

__all__ = ["find_places"]


def find_places(table, roles, columns):
    """Column name and fallback unit by role, for the roles in the table; and any problems."""
    if not isinstance(columns, Mapping | None):
        raise TableError(
            f"columns={columns!r}; expected a dict from role to column name, or to a pair of name"
            " and unit, such as astro_hier.columns.GAIA"
        )
    columns = dict(columns or {})
    names = [role.name for role in roles]
    unknown = sorted(set(columns) - set(names), key=repr)
    if unknown:
        raise TableError(f"columns names the unknown roles {unknown}; expected some of {names}")
    places, problems = {}, []
    for role in roles:
        given = columns.get(role.name, role.column or role.name)
        if given is None and not role.required:
            continue
        name, unit = _name_and_unit(role, given)
        if name in table.colnames:
            places[role.name] = name, unit
        elif role.required or role.name in columns:
            problems.append(
                f"column {name!r} ({role.name}) is not in the table, which has {table.colnames};"
                f" say which column it is with columns={{{role.name!r}: 'NAME'}}"
                + ("" if role.required else f", or do without: {{{role.name!r}: None}}")
            )
    return places, problems


def _name_and_unit(role, given):
    name, unit = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if role.unit is None and unit is not None:
        raise TableError(
            f"columns={{{role.name!r}: {given!r}}}; expected a column name alone, because"
            " identifiers have no unit"
        )
    try:
        unit = None if unit is None else u.Unit(unit)
        known = not isinstance(unit, u.UnrecognizedUnit)
    except (TypeError, ValueError):
        known = False
    if not known:
        likely = meant(str(unit), role.unit) or role.unit
        raise TableError(
            f"columns={{{role.name!r}: {given!r}}}; {str(unit)!r} is not a unit that astropy knows:"
            f" expected a tuple of name and unit, such as ({name!r}, '{likely}')"
        )
    if not isinstance(name, str):
        raise TableError(
            f"columns={{{role.name!r}: {given!r}}}; expected a column name, or a tuple of"
            f" name and unit, such as ({role.name!r}, u.{role.unit or 'mas'})"
        )
    return name, unit
