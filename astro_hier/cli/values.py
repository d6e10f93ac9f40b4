"""The meaning of words on the command line: columns, priors, settings and seeds."""

import argparse

import astropy.units as u

from astro_hier import priors
from astro_hier.table.presets import PRESETS

FAMILIES = [name for name in priors.__all__ if name not in ("Prior", "PriorError")]
WORDS = {"true": True, "false": False, "none": None}


def read_columns(text):
    """The ``columns`` argument of a model, from ``ROLE=NAME[:UNIT],...`` or a preset's name."""
    name = text.strip().lower().replace("-", "_")
    if name in PRESETS:
        return PRESETS[name]
    columns = {}
    for word in text.split(","):
        role, equals, place = (part.strip() for part in word.partition("="))
        name, _, unit = place.partition(":")
        if not (equals and role and name):
            raise argparse.ArgumentTypeError(
                f"{word!r}; expected ROLE=NAME or ROLE=NAME:UNIT, several separated by commas, or"
                f" one of the presets {', '.join(PRESETS)}"
            )
        columns[role] = (name, unit) if unit else None if name == "None" else name
    return columns


def read_prior(text):
    """Name and prior from ``NAME=FAMILY(NUMBER [UNIT], ...)``."""
    name, _, call = (part.strip() for part in text.partition("="))
    family, bracket, numbers = call.partition("(")
    try:
        if not bracket:
            raise ValueError("use --set for a known value")
        if family not in FAMILIES:
            raise ValueError(f"there is no family {family!r}")
        if not numbers.endswith(")"):
            raise ValueError("no closing bracket")
        return name, getattr(priors, family)(*_numbers(numbers.removesuffix(")")))
    except (TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} ({error}); expected a prior such as P=LogUniform(1 d, 1000 d), with one of"
            f" the families {', '.join(FAMILIES)}"
        ) from error


def _numbers(text):
    """Numbers and Quantities, separated by commas."""
    values = [u.Quantity(number) for number in text.split(",")]
    return [v.item() if v.unit == u.dimensionless_unscaled else v for v in values]


def read_setting(text, families):
    """Name and value from ``NAME=VALUE``: one or several numbers or Quantities, a prior or a word.

    ``families`` holds, by argument, the classes that it may be an instance of.
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (equals and name and value):
        raise argparse.ArgumentTypeError(f"{text!r}; expected NAME=VALUE, such as trend=1")
    if value.lower() in WORDS:
        return name, WORDS[value.lower()]
    word = value.removesuffix("()").rpartition(".")[2]
    for family in families.get(name, ()):
        if word == family.__name__:
            return name, family()
    if value.partition("(")[0] in FAMILIES:
        return read_prior(text)
    if families.get(name) and value.isidentifier():
        known = ", ".join(family.__name__ for family in families[name])
        raise argparse.ArgumentTypeError(f"{text!r}; expected one of {known}")
    if value.isdigit():
        return name, int(value)
    try:
        values = _numbers(value)
    except TypeError:
        return name, value
    return name, values[0] if len(values) == 1 else tuple(values)


def read_seed(text):
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number of at least 0")
    return int(text)
