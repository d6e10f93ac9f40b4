"""The units of results: those of the model, or those that a user asks for.

The posterior is kept in the model's units. Where numbers leave it, as a table, as a Quantity or on
the axes of a figure, they are multiplied by one factor; the logarithm of a parameter, such as
ln(std_r / kpc), is a number, and stays what it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import astropy.units as u
from astropy.table import Table

from astro_hier.spelling import did_you_mean

__all__ = ["UnitLike", "Units", "fitting", "in_units", "known_units", "quantities_in",
           "quantity_in", "units_of"]  # fmt: skip

ALIKE = 0.5  # least share of letters in common with a name that may be meant, as mu with mu_r
# None for the model's units; a unit for all quantities of its physical type; several; or by name
UnitLike: TypeAlias = (
    str | u.UnitBase | Sequence[str | u.UnitBase] | Mapping[str, str | u.UnitBase] | None
)


class Units:
    """The units that a user asked for, of quantities with names and units of their own.

    Parameters
    ----------
    asked : None, str, `~astropy.units.Unit`, list or dict
        One unit or several, each for all quantities of its physical type, or units by name.
    known : dict
        The units of the quantities by name.

    Raises
    ------
    ValueError
        If there is no quantity of that name or type, or something is not a unit.
    """

    def __init__(self, asked: UnitLike, known: Mapping[str, u.UnitBase]):
        self.by_name: dict[str, u.UnitBase] = {}
        self.of_type: list[u.UnitBase] = []
        if asked is None:
            return
        if isinstance(asked, Mapping):
            self.by_name = {name: _named(name, asked[name], known) for name in asked}
            return
        given = [asked] if isinstance(asked, (str, u.UnitBase)) else asked
        if not isinstance(given, Sequence):
            raise ValueError(
                f"unit={asked!r}; expected a unit such as 'pc', a list of units, or a dict of units"
                " by parameter"
            )
        self.of_type = [_of_some(one, known) for one in given]
        for i, one in enumerate(self.of_type):
            same = [other for other in self.of_type[:i] if _factor(one, other)]
            if same:
                raise ValueError(
                    f"unit={asked!r}: '{same[0]}' and '{one}' are both units of {_type(one)};"
                    " expected one of them, or a dict of units by parameter"
                )

    def of(self, own: u.UnitBase, *names: str) -> u.UnitBase:
        """The unit of a quantity whose own unit is ``own``, and which has these names."""
        for name in names:
            if name in self.by_name and _factor(own, self.by_name[name]):
                return self.by_name[name]
        return next((unit for unit in self.of_type if _factor(own, unit)), own)

    def factor(self, own: u.UnitBase, *names: str) -> float:
        """What numbers in the unit ``own`` are multiplied by."""
        return _factor(own, self.of(own, *names))

    def label(self, own: u.UnitBase, *names: str) -> str:
        """The unit of a quantity in words, such as "km/s"."""
        return str(self.of(own, *names)).replace(" / ", "/")

    def say(self, value: float, own: u.UnitBase, *names: str, digits: str = ".7g") -> str:
        """A number in the unit ``own`` in words, such as "3.2 km/s"."""
        return f"{value * self.factor(own, *names):{digits}} {self.label(own, *names)}".rstrip()


def units_of(model: Any, asked: UnitLike, more: Mapping[str, u.UnitBase] | None = None) -> Units:
    """The units asked for, of a fitted model's parameters and columns, and of ``more`` quantities.

    Raises
    ------
    ValueError
        If the model has no quantity of that name or type.
    """
    if asked is None:
        return Units(None, {})
    drawn = {of.name: of.unit for of, _ in model.drawn_quantities()}
    return Units(asked, drawn | known_units(model) | dict(more or {}))


def known_units(model: Any) -> dict[str, u.UnitBase]:
    """The units of a model's columns, parameters and other results by name, fitted or not."""
    known = {role.name: role.unit for role in model.roles if role.unit is not None}
    known |= {parameter.name: parameter.unit for parameter in model.parameters}
    return known | dict(model.other_units)


def fitting(model: Any, asked: Sequence[str]) -> list[str]:
    """Those of several units that fit some quantity of a model."""
    own = known_units(model).values()
    return [unit for unit in asked if any(_factor(of, _unit(unit)) for of in own if of != u.one)]


def in_units(model: Any, table: Table, asked: UnitLike) -> Table:
    """A model's table of results, changed so that its columns have the units asked for.

    A column such as ``r_sd`` has the unit of ``r``, unless it is named itself. Of a table with a
    column of units, with one parameter in each row, see `summarise`.
    """
    own = {name: table[name].unit for name in table.colnames if _has_unit(table[name])}
    units = units_of(model, asked, own)
    for name, unit in own.items():
        shown = units.of(unit, *_stems(name))
        if shown != unit:
            column, form = table[name], table[name].info.format
            if isinstance(column, u.Quantity):
                table[name] = column.to(shown)
            else:
                column.convert_unit_to(shown)
            table[name].info.format = form
    return table


def quantities_in(
    model: Any, found: Mapping[str, u.Quantity], asked: UnitLike
) -> dict[str, u.Quantity]:
    """Results by name, in the units asked for.

    A single unit is meant for these results, not for others that the model has.

    Raises
    ------
    ValueError
        If none of them, or of the model's quantities if there are several units, has that name
        or type.
    """
    own = {name: of.unit for name, of in found.items()}
    one = isinstance(asked, (str, u.UnitBase))
    units = Units(asked, own) if one else units_of(model, asked, own)
    return {name: of.to(units.of(of.unit, name), copy=False) for name, of in found.items()}


def quantity_in(model: Any, name: str, found: u.Quantity, asked: UnitLike) -> u.Quantity:
    """One result of that name, in the unit asked for; see `quantities_in`."""
    return quantities_in(model, {name: found}, asked)[name]


def _has_unit(column: Any) -> bool:
    return isinstance(getattr(column, "unit", None), u.UnitBase) and column.unit != u.one


def _stems(name: str) -> Iterator[str]:
    """A column's name, and the shorter ones that it may be built from, the longest first."""
    yield name
    name = name.partition("[")[0]
    while name:
        yield name
        name = name.rpartition("_")[0]


def _factor(own: u.UnitBase, unit: u.UnitBase) -> float:
    """What numbers are multiplied by; zero if units differ in kind, as mag and dex also do."""
    if not own.is_equivalent(unit):
        return 0.0
    return max(float(own.to(unit)), 0.0)


def _unit(given: Any) -> u.UnitBase:
    """A unit, given as one or as text."""
    try:
        unit = u.Unit(given) if isinstance(given, (str, u.UnitBase)) else None
    except ValueError as error:
        said = str(error).split(" If this is meant")[0]
        raise ValueError(f"unit={given!r}: {said}") from None
    if not isinstance(unit, u.UnitBase):
        raise ValueError(f"unit={given!r} is not a unit; expected one such as 'pc' or u.pc")
    return unit


def _named(name: Any, given: Any, known: Mapping[str, u.UnitBase]) -> u.UnitBase:
    """The unit asked for a quantity by its name."""
    if name not in known:
        meant = did_you_mean([name], known, ALIKE)
        raise ValueError(f"unit: there is no {name!r}; expected some of {sorted(known)}{meant}")
    unit = _unit(given)
    if known[name] == u.one and not unit.is_equivalent(u.one):
        raise u.UnitConversionError(f"unit of {name}: it is a number, which has no '{unit}'")
    if not _factor(known[name], unit):
        raise u.UnitConversionError(
            f"unit of {name}: expected one of {_type(known[name])}, such as"
            f" '{known[name]}', and not '{unit}', of {_type(unit)}"
        )
    return unit


def _of_some(given: Any, known: Mapping[str, u.UnitBase]) -> u.UnitBase:
    """A unit asked for all quantities of its type, of which there must be some."""
    unit = _unit(given)
    if unit.is_equivalent(u.one):
        raise ValueError(
            f"unit='{unit}' is for numbers without unit: name the parameter, as in"
            f" unit={{'name': '{unit}'}}"
        )
    if not any(_factor(own, unit) for own in known.values()):
        kinds = sorted({f"{_type(own)} ({own})" for own in known.values() if own != u.one})
        raise u.UnitConversionError(
            f"unit='{unit}' is one of {_type(unit)}, which no quantity here has; there are those"
            f" of {', '.join(kinds) or 'numbers alone'}"
        )
    return unit


def _type(unit: u.UnitBase) -> str:
    """The physical type of a unit, in words."""
    if unit.is_equivalent(u.mag):
        return "magnitude" if unit.to(u.mag) > 0 else "dex"
    return "number" if unit == u.one else str(unit.physical_type)
