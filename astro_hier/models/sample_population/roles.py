"""What is known of each object: draws, a density on a grid, or a value; and in which columns."""

from collections.abc import Mapping
from dataclasses import replace

import astropy.units as u
from astropy.table import Table

from astro_hier.models.sample_population.forms import is_single
from astro_hier.table import Role, TableError, as_columns, find_column
from astro_hier.table.places import find_places, taken_twice

__all__ = ["all_roles", "find_kind", "roles_of", "samples_roles"]

Names = tuple[str, ...]
Place = tuple[str, u.UnitBase | None]  # name of a column, and the unit to assume if it has none


def samples_roles(names: Names) -> Names:
    """Roles of the draws of one or two quantities."""
    return ("samples",) if len(names) == 1 else tuple(f"samples_{name}" for name in names)


def roles_of(kind: str, names: Names, units: Mapping[str, u.UnitBase]) -> tuple[Role, ...]:
    """What rows hold.

    Parameters
    ----------
    kind : {"draws", "density", "value"}
        What is known of each object.
    names : tuple of str
        Names of the one or two quantities.
    units : dict
        Their units, by name.
    """
    own = [units[name] for name in names]
    per = u.one
    for unit in own:
        per = per / unit
    label = Role("object", None, required=False)
    interim = Role("interim", per, positive=True, required=False)
    if kind == "value":
        error = Role("error", own[0], positive=True)
        return label, Role("value", own[0], observed=True), error
    if kind == "density":
        density = Role("density", per, observed=True)
        return label, Role("grid", own[0]), density, interim
    roles = zip(samples_roles(names), own, strict=True)
    draws = (Role(name, unit, observed=True) for name, unit in roles)
    return label, *draws, interim, Role("weight", u.one, required=False)


def all_roles(names: Names, units: Mapping[str, u.UnitBase]) -> tuple[Role, ...]:
    """What rows of any kind may hold; none of it is required."""
    kinds = ("draws", "density", "value") if len(names) == 1 else ("draws",)
    roles = {role.name: role for kind in kinds for role in roles_of(kind, names, units)}
    return tuple(replace(role, required=False) for role in roles.values())


def find_kind(
    table: Table, names: Names, units: Mapping[str, u.UnitBase | None], columns: dict | None
) -> tuple[str, dict[str, Place]]:
    """What a table holds of each object, and the columns of its roles.

    Raises
    ------
    TableError
        If a column is missing, or the table has columns of several kinds.
    """
    needs = {"draws": samples_roles(names), "density": ("density",), "value": ("value", "error")}
    defaults = _defaults(table, names, columns)
    placing = [
        Role(role, _stand_in(role, names, units), required=False, column=column)
        for role, column in defaults.items()
    ]
    places, problems = find_places(table, placing, columns)
    if problems:
        raise TableError("; ".join(problems))
    kind = _choose(table, names, needs, places, as_columns(columns))
    missing = [role for role in needs[kind] if role not in places]
    if missing:
        raise TableError(
            f"the table has no column {_sought(missing[0], names)} ({missing[0]}), only"
            f" {table.colnames}; say which it is with columns={{{missing[0]!r}: 'NAME'}}"
        )
    return kind, _of_kind(kind, names, needs, places)


def _defaults(table: Table, names: Names, columns: dict | None) -> dict[str, str]:
    """Default column of each role, given what the table has.

    One number in each row of a column with the quantity's name are values if there are errors, and
    draws if not.
    """
    found = {"object": "object", "interim": "interim", "weight": "weight", "density": "density"}
    for role, name in zip(samples_roles(names), names, strict=True):
        found[role] = role if find_column(table, role) else name
    found |= {"value": "value", "error": "error"}
    name, given = names[0], as_columns(columns)
    if len(names) > 1:
        return found
    if not find_column(table, "error"):
        found["error"] = f"{name}_error"
    has_errors = given.get("error", find_column(table, found["error"]))
    wanted = has_errors is not None and given.get("value", name) is not None
    own = find_column(table, name)
    if wanted and own and is_single(table[own]):
        if not find_column(table, "value"):
            found["value"] = own
        found["samples"] = "samples"
    return found


def _stand_in(role: str, names: Names, units: Mapping[str, u.UnitBase | None]):
    """A unit of the right kind, for messages; None if the role is that of labels."""
    if role == "object":
        return None
    named = dict(zip(samples_roles(names), names, strict=True)).get(role, names[0])
    unit = units.get(named) if role in (*samples_roles(names), "value", "error") else None
    return u.one if unit is None else unit


def _choose(
    table: Table, names: Names, needs: dict[str, Names], places: dict, columns: dict
) -> str:
    """The kind whose columns the user names, or else the only one whose columns are there."""
    named = {role for role, column in columns.items() if column is not None}
    kinds = [kind for kind, roles in needs.items() if named & set(roles)]
    if not kinds:
        kinds = [kind for kind, roles in needs.items() if all(role in places for role in roles)]
    if not kinds:
        kinds = ["draws"] * any(role in places for role in needs["draws"])
    if not kinds:
        raise TableError(_nothing(table, names))
    if len(kinds) > 1:
        found = "; ".join(
            f"{kind} ({', '.join(repr(places[role][0]) for role in needs[kind] if role in places)})"
            for kind in kinds
        )
        others = {role: None for kind in kinds[1:] for role in needs[kind]}
        raise TableError(
            f"the table has columns of several kinds: {found}; expected one of them: say which to"
            f" ignore, as with columns={others}"
        )
    if len(names) > 1 and kinds[0] != "draws":
        raise TableError(
            f"the table has a {kinds[0]} of each object for the two quantities {list(names)};"
            f" expected draws of both, the columns {list(samples_roles(names))}, because values and"
            " densities of one quantity do not say how it goes with the other"
        )
    return kinds[0]


def _nothing(table: Table, names: Names) -> str:
    """That there is no usable column, and which there may be."""
    draws = " and ".join(_sought(role, names) for role in samples_roles(names))
    other = (
        "; 'density', with the argument grid; or "
        f"{_sought('value', names)} with {_sought('error', names)}, one number in each row"
    )
    return (
        f"the table has the columns {table.colnames}, none with results of {' and '.join(names)};"
        f" expected {draws}, draws of shape (row, draw), arrays of any length, or one draw in each"
        f" row with a column 'object'{other * (len(names) == 1)}; say which column it is with"
        f" columns={{{samples_roles(names)[0]!r}: 'NAME'}}"
    )


def _sought(role: str, names: Names) -> str:
    """The default columns of a role in words."""
    of = dict(zip(samples_roles(names), names, strict=True))
    other = of | {"value": names[0], "error": f"{names[0]}_error"}
    return f"{role!r} or {other[role]!r}" if role in other else repr(role)


def _of_kind(
    kind: str, names: Names, needs: dict[str, Names], places: dict[str, Place]
) -> dict[str, Place]:
    """The places of one kind, if its optional columns go with it and none has two roles."""
    optional = {"draws": ("interim", "weight"), "density": ("interim",), "value": ()}[kind]
    for role, why in (
        ("interim", "a value with its error has no prior"),
        ("weight", "only draws have weights"),
    ):
        if role in places and role not in optional:
            raise TableError(
                f"column {places[role][0]!r} ({role}) does not go with column"
                f" {places[needs[kind][0]][0]!r} ({needs[kind][0]}), because {why}; ignore it with"
                f" columns={{{role!r}: None}}"
            )
    own = {role: places[role] for role in (*needs[kind], "object", *optional) if role in places}
    for problem in taken_twice(own):
        raise TableError(problem)
    return own
