"""Units of logarithms: magnitudes, dex and decibels, none of which is another one's unit.

astropy converts them, 1 mag into -0.4 dex, as if both were logarithms of one flux. But a [Fe/H] in
magnitudes, or a magnitude in dex, is a mistake, and a slope of 0.2 without unit is not one of -0.5
magnitudes per dex.
"""

import astropy.units as u

__all__ = ["are_alike", "factor_between", "value_in"]

LOGARITHMS = (u.mag, u.dex, u.dB)


def factor_between(own: u.UnitBase, unit: u.UnitBase) -> float:
    """What numbers in the unit ``own`` are multiplied by to be in another.

    Raises
    ------
    `~astropy.units.UnitConversionError`
        If the units differ in their physical type, or in the logarithms that they are of.
    """
    # of the numbers themselves, such as mag of mag(AB)
    own, unit = (u.Unit(getattr(one, "function_unit", one)) for one in (own, unit))
    if _powers(own) != _powers(unit):
        raise u.UnitConversionError(f"'{own}' and '{unit}' are units of different logarithms")
    return own.to(unit)


def are_alike(own: u.UnitBase, unit: u.UnitBase) -> bool:
    """Whether numbers in one unit can be put in the other."""
    try:
        factor_between(own, unit)
    except u.UnitConversionError:
        return False
    return True


def value_in(given: u.Quantity, unit: u.UnitBase):
    """The value of a Quantity in a unit, a float or an array; raises as `factor_between` does."""
    return given.value * factor_between(given.unit, unit)


def _powers(unit: u.UnitBase) -> dict[str, float]:
    """The powers of magnitudes, dex and decibels in a unit."""
    powers: dict[str, float] = {}
    for base, power in zip(unit.bases, unit.powers, strict=True):
        if any(base is logarithm for logarithm in LOGARITHMS):
            found = {str(base): 1.0}
        else:
            inner = base.represents
            found = {} if inner is base or inner.bases == [base] else _powers(inner)
        for name, of_base in found.items():
            powers[name] = powers.get(name, 0.0) + power * of_base
    return {name: power for name, power in powers.items() if power}
