"""Which column of a table has which role, and the unit to assume where it has none."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import astropy.units as u
from astropy.table import Table
from astropy.time import Time

from astro_hier.spelling import close_names, did_you_mean
from astro_hier.table.cures import read_call
from astro_hier.table.presets import PRESETS, is_of_preset, presets_for
from astro_hier.table.roles import Role, TableError
from astro_hier.table.units import meant

__all__ = [
    "as_columns",
    "check_columns",
    "find_column",
    "find_places",
    "named",
    "suggested_presets",
    "taken_twice",
]

Place = tuple[str, u.UnitBase | None]
MOST_NAMED = 40  # columns in a message


def as_columns(given: Any) -> dict[str, Any]:
    """The dict that an argument ``columns`` stands for: a mapping, the name of a preset, or None.

    Raises
    ------
    TableError
        If it is none of these.
    """
    if isinstance(given, Mapping):
        return dict(given)
    if given is None:
        return {}
    expected = (
        "expected a dict from role to column name, or to a pair of name and unit; or one of the"
        f" presets {', '.join(map(repr, PRESETS))}"
    )
    if not isinstance(given, str):
        raise TableError(f"columns={given!r}; {expected}")
    name = given.strip().casefold().replace("-", "_").replace(" ", "_")
    if name not in PRESETS:
        raise TableError(f"columns={given!r}; {expected}{did_you_mean([name], PRESETS)}")
    return PRESETS[name]


def find_column(table: Table, names: str | Sequence[str]) -> str | None:
    """The column of one of these names, as the table spells it, or None.

    The exact spelling comes first; without it, upper and lower case and blanks around names do not
    matter.

    Raises
    ------
    TableError
        If several columns have such names.
    """
    found: dict[str, None] = {}
    for name in [names] if isinstance(names, str) else names:
        alike = [own for own in table.colnames if _folded(own) == _folded(name)]
        found |= dict.fromkeys([name] if name in alike else alike)
    if len(found) > 1:
        raise TableError(
            f"the columns {list(found)} may all be {_either(names)}; expected one: say which"
        )
    return next(iter(found), None)


def named(table: Table, place: Any) -> str | None:
    """The column at a place in ``columns``, or None if there is none in the table."""
    names = place[0] if isinstance(place, tuple) and place else place
    names = names if isinstance(names, list) else [names]
    return find_column(table, [name for name in names if isinstance(name, str)])


def find_places(
    table: Table, roles: Sequence[Role], columns: Any
) -> tuple[dict[str, Place], list[str]]:
    """Column name and fallback unit by role, for the roles in the table; and any problems."""
    columns = as_columns(columns)
    _check_known(roles, columns)
    places, problems, missing = {}, [], False
    for role in roles:
        given = columns.get(role.name, role.column or role.name)
        if given is None and not role.required:
            continue
        spellings, unit = _names_and_unit(role, given)
        try:
            name = find_column(table, spellings)
        except TableError as error:
            problems.append(f"{error} with columns={{{role.name!r}: 'NAME'}}")
            continue
        if name is not None:
            places[role.name] = name, unit
        elif role.required or role.name in columns:
            problems.append(_missing(table, role, spellings, not missing))
            missing = True
    if problems and not columns:
        problems += suggested_presets(table, roles)
    return places, problems


def taken_twice(places: Mapping[str, Place]) -> list[str]:
    """Problems of columns with several roles; only errors may be the same for two values."""
    by_column: dict[str, list[str]] = {}
    for role, (name, _) in places.items():
        by_column.setdefault(name, []).append(role)
    return [
        f"column {name!r} has the roles {roles}; expected a column for each: say which it is with"
        f" columns={{{roles[1]!r}: 'NAME'}}, or {{{roles[1]!r}: None}} if it is not needed"
        for name, roles in by_column.items()
        if len(roles) > 1 and not all(role.endswith("_error") for role in roles)
    ]


def check_columns(roles: Sequence[Role], columns: Any) -> None:
    """Raise a TableError unless ``columns`` could say where a table has its columns."""
    columns = as_columns(columns)
    for role in roles:
        given = columns.get(role.name)
        if given is not None:
            _names_and_unit(role, given)
    _check_known(roles, columns)


def _check_known(roles: Sequence[Role], columns: Mapping[str, Any]) -> None:
    """Raise a TableError if ``columns`` has roles that do not exist."""
    names = [role.name for role in roles]
    unknown = sorted(
        str(role)
        for role, place in columns.items()
        if role not in names and not is_of_preset(role, place)
    )
    if unknown:
        raise TableError(
            f"columns names the unknown roles {unknown}; expected some of {names}"
            + did_you_mean(unknown, names)
        )


def suggested_presets(table: Table, roles: Sequence[Role]) -> list[str]:
    """That the table has the columns of presets, for a message; or nothing."""
    have = {name.strip().casefold() for name in table.colnames}
    fitting = []
    for name in presets_for(roles):
        places = [PRESETS[name][role.name] for role in roles if role.name in PRESETS[name]]
        names = [place[0] if isinstance(place, tuple) else place for place in places]
        spelt = [[of] if isinstance(of, str) else of for of in names]
        if all(any(one.casefold() in have for one in of) for of in spelt):
            fitting.append(f"columns={name!r}")
    return [f"it has the columns of {' and of '.join(fitting)}"] if fitting else []


def all_names(table: Table) -> str:
    """The names of a table's columns, for a message."""
    shown, more = table.colnames[:MOST_NAMED], len(table.colnames) - MOST_NAMED
    return f"{shown}" + (f" and {more} more" if more > 0 else "")


def _missing(table, role, spellings, first):
    """What to do about a column that is not in the table; the first one tells what is in it."""
    absent = f"column {_either(spellings)} ({role.name}) is not in the table"
    absent += f", which has {all_names(table)}" if first else ""
    elsewhere = _elsewhere(table, role, spellings)
    if elsewhere:
        return f"{absent}; {elsewhere}"
    close = [own for name in spellings for own in close_names(name, table.colnames)]
    guess = close[0] if len(set(close)) == 1 else "NAME"
    doubt = did_you_mean(spellings, table.colnames).removeprefix("; ")
    columns = [table[guess]] if guess in table.colnames else table.itercols()
    bare = not any(getattr(column, "unit", None) or isinstance(column, Time) for column in columns)
    place = (guess, str(role.unit)) if bare and role.unit not in (None, u.one) else guess
    return (
        f"{absent}; {doubt + ' ' if doubt else ''}say which column it is with"
        f" columns={{{role.name!r}: {place!r}}}"
        + ("" if role.required else f", or do without: {{{role.name!r}: None}}")
    )


def _elsewhere(table, role, spellings):
    """Where the column is if the table was not read as it should be, or nothing."""
    index = [name for name in getattr(table, "index_names", ()) if name in spellings]
    if index:
        return f"it is the index, which is not read: give frame.reset_index({index[0]!r})"
    for name in spellings:
        first, second = f"{name}.jd1", f"{name}.jd2"
        if role.is_time and {first, second} <= set(table.colnames):
            return (
                f"its two parts are: join them with table[{name!r}] = Time(table[{first!r}],"
                f" table[{second!r}], format='jd', scale=SCALE), such as scale='tdb'"
            )
    if len(table.colnames) == 1:
        only = table.colnames[0]
        separator = next((sign for sign in ";\t|, " if sign in only.strip()), None)
        if separator is not None:
            said = "blanks" if separator == " " else repr(separator)
            return (
                f"the columns of the file are separated by {said}: read it with"
                f" {read_call(table, separator)}"
            )
    if all(re.fullmatch(r"col\d+|column_\d+|\d+", name) for name in table.colnames):
        return f"the file names no columns: name them with {read_call(table, 'header')}"
    return ""


def _names_and_unit(role, given):
    """The spellings of a column's name, a list, and the unit to assume."""
    names, unit = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if role.unit is None and unit is not None:
        raise TableError(
            f"columns={{{role.name!r}: {given!r}}}; expected a column name alone, because"
            " identifiers have no unit"
        )
    spellings = names if isinstance(names, list) else [names]
    if not spellings or not all(isinstance(name, str) for name in spellings):
        message = f"columns={{{role.name!r}: {given!r}}}; expected a column name, or"
        raise TableError(
            f"{message} a tuple of name and unit, such as ({role.name!r}, u.{role.unit or 'mas'})",
            shell=f"{message} NAME:UNIT",
        )
    return spellings, _known_unit(role, given, spellings[0], unit)


def _known_unit(role, given, name, unit):
    try:
        found = None if unit is None else u.Unit(unit)
        known = not isinstance(found, u.UnrecognizedUnit)
    except (TypeError, ValueError):
        known = False
    if known:
        return found
    likely = meant(str(unit), role.unit) or role.unit
    raise TableError(
        f"columns={{{role.name!r}: {given!r}}}; {str(unit)!r} is not a unit that astropy knows:"
        f" expected a tuple of name and unit, such as ({name!r}, '{likely}')"
    )


def _folded(name):
    return name.strip().casefold()


def _either(names):
    names = [names] if isinstance(names, str) else names
    return " or ".join(map(repr, names))
