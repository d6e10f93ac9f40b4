"""Units of columns: the factor to the unit of a role, and what a wrong unit may mean."""

import re

import astropy.units as u
from astropy.table import Column

from astro_hier.logarithms import factor_between
from astro_hier.table.cures import of_column
from astro_hier.table.frames import ASTROPY, library_of
from astro_hier.table.roles import TableError

# spellings that occur in tables and that astropy does not know
SPELLINGS = (
    (r"\bsecs?\b", "s"),
    (r"\bkmp?s\b", "km/s"),
    (r"\bmps\b", "m/s"),
    (r"^[bhmt]?jd$", "d"),
    (r"\b(yr|hr|[a-z]{3,})s\b", r"\1"),  # plurals
)


def factor(column, name, fallback, role):
    """The factor from the column's own unit, or ``fallback`` if it has none, to the role's unit.

    Raises
    ------
    TableError
        If there is no unit, astropy does not know it, or it has another physical type.
    """
    own = getattr(column, "unit", None)
    place = f"column {name!r} ({role.name})"
    if isinstance(own, u.UnrecognizedUnit):
        likely = meant(str(own), role.unit) or role.unit
        raise TableError(
            *(
                f"{place} has the unit {str(own)!r}, which astropy does not know and columns= does"
                f" not replace: if it means {_named(likely)}, correct it{cure} in the file;"
                f" {_expected(role)}"
                for cure in (f" with {setting(column, name, likely)}, or", "")
            )
        )
    unit = plain(fallback if own is None else own)
    if (unit is None and role.unit == u.one) or (unit in (None, u.one) and role.unit == u.dex):
        return 1.0  # numbers, and logarithms such as [Fe/H], whose unit tables often omit
    if unit is None:
        has_units = library_of(of_column(column)) == ASTROPY
        assign = f"set {setting(column, name, role.unit)} or " if has_units else ""
        raise TableError(
            *(
                f"{place} has no unit; {_expected(role)}: if it is {role.unit}, {cure}say"
                f" columns={{{role.name!r}: ({name!r}, '{role.unit}')}}"
                for cure in (assign, "")
            )
        )
    try:
        return factor_between(unit, role.unit)
    except u.UnitConversionError:
        wrong = _of_wrong_type(column, name, unit, role)
        raise TableError(*(f"{place} has {said}" for said in wrong)) from None


def plain(unit):
    """The unit of the numbers themselves, such as mag if a unit is mag(AB)."""
    return getattr(unit, "function_unit", unit)


def meant(text, unit):
    """The unit that a misspelt text most likely means, or None.

    It has the physical type of ``unit``. Case, plurals and common spellings are tried, then what
    astropy suggests.
    """
    lowered = text.strip().lower()
    spelt = [lowered, *(re.sub(pattern, word, lowered) for pattern, word in SPELLINGS)]
    for candidate in [*spelt, *_suggested(text)]:
        try:
            likely = u.Unit(candidate)
        except (TypeError, ValueError):
            continue
        if unit != u.one and converts(likely, unit) and str(likely) != text:
            return unit if likely == unit else likely
    return None


def setting(column, name, unit):
    """Python code that changes the unit of a table's column but not its numbers."""
    if isinstance(column, Column):
        return f"table[{name!r}].unit = '{unit}'"
    values = f"table[{name!r}]" + ".value" * isinstance(column, u.Quantity)
    return f"table[{name!r}] = u.Quantity({values}, '{unit}')"


def _suggested(text):
    """The text with astropy's suggestions for the word that it does not know."""
    try:
        u.Unit(text)
    except (TypeError, ValueError) as error:
        found = re.search(r"(\S+) is not a valid unit\. Did you mean ([^?]+)\?", str(error))
        if found:
            return [text.replace(found[1], word) for word in re.split(", | or ", found[2])]
    return []


def _of_wrong_type(column, name, unit, role):
    """What is wrong with a unit whose physical type is not the role's, in Python and the shell."""
    likely = meant(str(unit), role.unit)
    if likely is None:
        kind = str(unit.physical_type)
        of = "" if kind in ("unknown", "dimensionless") else f" of physical type {kind!r}"
        said = f"unit '{unit}'{of}; {_expected(role)}"
        other = f"{said}: name another column with columns={{{role.name!r}: 'NAME'}}, or"
        return f"{other} correct its unit", f"{other} correct its unit in the file"
    cures = [setting(column, name, likely), "correct it in the file"]
    if getattr(column, "unit", None) is None:
        cures = [f"columns={{{role.name!r}: ({name!r}, '{likely}')}}"] * 2
    return tuple(
        f"unit '{unit}', which means {_named(unit, plural=False)} to astropy; for {_named(likely)}"
        f" write '{likely}': {cure}; {_expected(role)}"
        for cure in cures
    )


def _named(unit, plural=True):
    """A unit in words, such as days, if it has a name besides its symbol."""
    names = getattr(unit, "long_names", [])
    if unit == u.one:
        return "a number"
    if not names:
        return str(unit)
    return f"{names[0]}s" if plural else names[-1]


def converts(own: u.UnitBase, unit: u.UnitBase) -> bool:
    """Whether numbers in a unit can be expressed in another."""
    try:
        return bool(factor_between(own, unit))
    except u.UnitConversionError:
        return False


def _expected(role):
    if role.unit == u.one:
        return "expected numbers without unit"
    kind = str(role.unit.physical_type)
    if kind in ("unknown", "dimensionless"):  # such as magnitudes
        return f"expected {role.unit}"
    return f"expected {role.unit} or any unit of type {kind!r}"
