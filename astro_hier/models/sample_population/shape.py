"""The arguments that say what a sample is of: the quantities, their limits, and the population."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier import populations
from astro_hier.logarithms import value_in
from astro_hier.populations.family import EVERYWHERE, Ends
from astro_hier.populations.of_pair import OfPair
from astro_hier.populations.of_quantity import OfQuantity

RESERVED = {
    "object", "samples", "value", "error", "density", "grid", "weight", "interim", "log_prob",
    "chain", "draw", "sample",
}  # fmt: skip
WANTED = (
    "a name such as 'mass', a pair of names, or a dict of one or two names with their units, such"
    " as {'mass': u.Msun}"
)


@dataclass(frozen=True)
class Setting:
    """What is only known with a table: units, and where values lie, one for each quantity.

    Attributes
    ----------
    units : tuple
        Units, None where not yet known.
    middles, spreads : tuple of float
        The mean and the standard deviation of the objects' own means, in the coordinate of the
        family.
    """

    units: tuple
    middles: tuple[float, ...]
    spreads: tuple[float, ...]


def names_and_units(quantity: Any) -> dict[str, Any]:
    """Units by the names of the quantities, None where the table's is to be used.

    Raises
    ------
    ValueError
        If the argument is not what is expected.
    """
    given = quantity
    if isinstance(given, str):  # names with a comma in between come from the shell
        given = [name.strip() for name in given.split(",")]
    number = len(given) if isinstance(given, (tuple, list, Mapping)) else 0
    if isinstance(given, (tuple, list)) and all(isinstance(name, str) for name in given):
        given = dict.fromkeys(given)
    if not isinstance(given, Mapping) or not 1 <= len(given) <= 2 or len(given) < number:
        raise ValueError(f"quantity={quantity!r}; expected {WANTED}")
    for name in given:
        if not isinstance(name, str) or not name.isidentifier() or name in RESERVED:
            raise ValueError(
                f"quantity={quantity!r}: {name!r} cannot be a name; expected letters, digits and"
                f" underscores, and none of {sorted(RESERVED)}"
            )
    try:
        return {name: None if unit is None else u.Unit(unit) for name, unit in given.items()}
    except (TypeError, ValueError) as error:
        raise ValueError(f"quantity={quantity!r}: {error}; expected {WANTED}") from None


def setting_of_fit(tree: Any, names: tuple[str, ...]) -> Setting:
    """What was known of the table that was fitted, from the results."""
    posterior = tree["posterior"].attrs
    return Setting(
        tuple(u.Unit(posterior[f"unit_{name}"]) for name in names),
        tuple(float(posterior[f"middle_{name}"]) for name in names),
        tuple(float(posterior[f"spread_{name}"]) for name in names),
    )


def symbol(name: str) -> str:
    """A quantity's symbol in TeX: its name, upright if it has several letters."""
    return name if len(name) == 1 else rf"\mathrm{{{name}}}".replace("_", r"\_")


def of_which(parameter: str, names: Sequence[str]) -> tuple[str, ...]:
    """The quantities that a parameter describes: the one whose name ends its own, or all."""
    return tuple(name for name in names if parameter.endswith(f"_{name}")) or tuple(names)


def limits_of(limits: Any, name: str, unit: u.UnitBase) -> Ends:
    """The lowest and highest value of a quantity, as floats in a unit.

    Raises
    ------
    ValueError
        If they are not a pair in the quantity's unit, the lower first.
    """
    given = limits.get(name) if isinstance(limits, Mapping) else limits
    if given is None:
        return EVERYWHERE
    try:
        low, high = (_float(end, unit) for end in given)
    except (TypeError, ValueError, u.UnitsError):
        low, high = np.nan, np.nan
    if not low < high:
        raise ValueError(
            f"limits={limits!r}; expected the lowest and highest {name} that there are, such as"
            f" {_example(unit)}, with -np.inf or np.inf for none"
        )
    return low, high


def _float(end, unit):
    end = u.Quantity(end)
    if end.unit == u.one and (np.isinf(end.value) or end.value == 0):
        return float(end.value)
    return float(value_in(end, unit))


def _example(unit):
    return "(0, 1)" if unit == u.one else f"(0, 1) * u.Unit('{unit}')"


def distribution(model, setting: Setting) -> OfQuantity | OfPair:
    """The population as the distribution of the quantity, or of both.

    Raises
    ------
    ValueError
        If the population does not fit the number of quantities.
    """
    names = tuple(names_and_units(model.quantity))
    pair = _pair(model.population) if len(names) > 1 else None
    families = (model.population,) if pair is None else pair.families
    if not isinstance(families[0], populations.Population):
        raise ValueError(
            f"population={model.population!r}; expected one of astro_hier.populations for one"
            " quantity, such as populations.Normal()"
        )
    if not any(family.sampled or family.standard_normals for family in families):
        raise ValueError(
            f"population={model.population!r} has no parameters; expected a family whose parameters"
            " are inferred, or given as plain values, such as populations.Beta(2.0, 3.0)"
        )
    suffixes = [""] if pair is None else [f"_{name}" for name in names]
    each = [
        OfQuantity(family, name, unit or u.one, middle, spread, _limits(model, name, unit), suffix)
        for family, name, unit, middle, spread, suffix in zip(
            families, names, setting.units, setting.middles, setting.spreads, suffixes, strict=True
        )
    ]
    found = each[0] if pair is None else OfPair(pair, (each[0], each[1]))
    taken = {p.name for p in found.parameters} | {dim for p in found.parameters for dim in p.dims}
    for name in taken & set(names):
        raise ValueError(
            f"quantity={model.quantity!r}: {name!r} is the name of a parameter of the population;"
            " expected another name, such as 'x'"
        )
    return found


def _limits(model, name, unit):
    if len(names_and_units(model.quantity)) > 1 and not isinstance(model.limits, Mapping | None):
        raise ValueError(
            f"limits={model.limits!r}; expected a dict of limits by the names of the quantities"
        )
    return limits_of(model.limits, name, unit or u.one)


def _pair(given):
    """How two quantities go together."""
    if isinstance(given, (tuple, list)) and len(given) == 2:
        return populations.Product(*given)
    if not isinstance(given, populations.Pair):
        raise ValueError(
            f"population={given!r}; expected a distribution of two quantities, such as"
            " populations.BivariateNormal(), or a pair of families that are independent"
        )
    return given


def scales_of(population: Any, number: int) -> tuple[str, ...]:
    """The coordinate of each quantity's family: itself or its logarithm."""
    if number == 1:
        return (getattr(population, "scale", "linear"),)
    return tuple(family.scale for family in _pair(population).families)
