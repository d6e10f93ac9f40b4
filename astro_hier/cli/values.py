"""The meaning of words on the command line: columns, priors, settings, seeds and delimiters."""

import argparse
import inspect
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import astropy.units as u

from astro_hier import priors
from astro_hier.cli.described import FAMILIES, class_of
from astro_hier.logarithms import are_alike
from astro_hier.spelling import close_names
from astro_hier.table.presets import PRESETS

WORDS = {"true": True, "false": False, "none": None}
DELIMITERS = {"tab": "\t", "\\t": "\t", "blank": " ", "space": " ", "semicolon": ";", "comma": ","}
# Numbers and units longer than these are slips, or take for ever to be understood
LONGEST = 60
NUMBER = re.compile(r"^\s*[+-]?[0-9.]+([eE][+-]?[0-9]+)?")
# a number and what would be its unit, which is neither a label nor the name of a file
WITH_UNIT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? +[a-zA-Z][^.]*")
TOO_LARGE_A_POWER = re.compile(r"(\*\*|\^|[a-zA-Z)])\s*\(?\s*[+-]?\d{3,}")


def read_columns(text):
    """The ``columns`` argument of a model, from ``ROLE=NAME[:UNIT],...`` or a preset's name."""
    name = text.strip().lower().replace("-", "_")
    if name in PRESETS:
        return PRESETS[name]
    found = {}
    for word in text.split(","):
        role, equals, place = (part.strip() for part in word.partition("="))
        name, colon, unit = (part.strip() for part in place.partition(":"))
        if not equals and role.lower().replace("-", "_") in PRESETS:
            others = ",".join(other for other in text.split(",") if other != word)
            raise argparse.ArgumentTypeError(
                f"{role!r} is a preset; expected a --columns of its own, as in --columns {role}"
                f" --columns {others.strip() or 'ROLE=NAME'}"
            )
        if not (equals and role and name and (unit or not colon)):
            raise argparse.ArgumentTypeError(
                f"{word.strip()!r}; expected ROLE=NAME or ROLE=NAME:UNIT, several separated by"
                f" commas, or one of the presets {', '.join(PRESETS)}{did_you_mean(word, PRESETS)}"
            )
        if unit:
            _check_unit(unit, f"{role}={name}:{unit}")
        if role in found:
            raise argparse.ArgumentTypeError(f"{text!r}; expected one column of {role}, not two")
        found[role] = (name, unit) if unit else None if name.lower() == "none" else name
    return found


def read_units(text):
    """Units of results, from their names separated by commas."""
    units = [word.strip() for word in text.split(",")]
    for i, unit in enumerate(units):
        if not unit:
            raise argparse.ArgumentTypeError(f"{text!r}; expected units such as pc,m/s")
        _check_unit(unit, unit)
        same = [other for other in units[:i] if are_alike(u.Unit(other), u.Unit(unit))]
        if same:
            raise argparse.ArgumentTypeError(
                f"{text!r}; expected one unit of each kind, and {same[0]} and {unit} are of one"
            )
    return units


def _check_unit(unit, where):
    """Raise an ArgumentTypeError unless astropy knows a unit."""
    try:
        with _slashes_allowed():
            u.Unit(_short(unit))
    except (TypeError, ValueError, ArithmeticError) as error:
        raise argparse.ArgumentTypeError(
            f"{where!r} ({_first_words(error)}); expected a unit that astropy knows, such as"
            " km/s, d, mas"
        ) from None


@contextmanager
def _slashes_allowed() -> Iterator[None]:
    """Read units such as km/s/yr, which FITS discourages, without astropy's warning of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)
        yield


def _first_words(error: Exception) -> str:
    """What is wrong, without astropy's advice on units of one's own."""
    said = str(error).partition("If this is meant")[0].strip().rstrip(".")
    return " ".join(said.split())


def _short(text):
    """The text of a number or unit, unless it is one that takes for ever to be understood."""
    if len(text) > LONGEST or TOO_LARGE_A_POWER.search(NUMBER.sub("", text)):
        raise ValueError(f"{text[:LONGEST]!r} is too long for a number with a unit")
    return text


def did_you_mean(word, known):
    """A question, whether a known word was meant that is spelt almost the same."""
    near = close_names(word, [str(each) for each in known])
    return f"; did you mean {near[0]}?" if near else ""


def read_prior(text):
    """Name and prior from ``NAME=FAMILY(NUMBER [UNIT], ...)``."""
    name, _, call = (part.strip() for part in text.partition("="))
    family, bracket, numbers = (part.strip() for part in call.partition("("))
    family = family.removeprefix("priors.")
    try:
        if not bracket:
            raise ValueError("use --set for a known value")
        if family not in FAMILIES:
            raise ValueError(f"there is no family {family!r}{did_you_mean(family, FAMILIES)}")
        if not numbers.endswith(")"):
            raise ValueError("no closing bracket")
        given, named = _arguments(numbers.removesuffix(")"))
        takes = list(inspect.signature(getattr(priors, family)).parameters)
        if len(given) > len(takes):
            raise ValueError(
                f"{family} takes {' and '.join(takes)}, and here are {len(given)} numbers, which"
                " have decimal points and are separated by commas"
            )
        return name, getattr(priors, family)(*given, **named)
    except (TypeError, ValueError, ArithmeticError) as error:
        said = _first_words(error).replace(f"{family}.__init__()", family)
        raise argparse.ArgumentTypeError(
            f"{text!r} ({said}); expected a prior such as P=LogUniform(1 d, 1000 d), with one of"
            f" the families {', '.join(FAMILIES)}"
        ) from error


def _arguments(text):
    """Arguments by position and by name, separated by commas, each a number or a Quantity."""
    given, named = [], {}
    for word in text.split(",") if text.strip() else []:
        name, equals, number = (part.strip() for part in word.partition("="))
        if equals:
            named[name] = _number(number)
        else:
            given.append(_number(word.strip()))
    return given, named


def _number(text):
    """A number, or a Quantity if it has a unit."""
    with _slashes_allowed():
        value = u.Quantity(_short(text))
    return value.item() if value.unit == u.dimensionless_unscaled else value


def families_of(command):
    """By argument of a command's model, the classes that it may be an instance of, or True."""
    switch = {"True": (True,)}
    options = class_of(command)().options
    return {of.name: switch.get(of.example, ()) + of.families for of in options if of.families}


def read_setting(text, families):
    """Name and value from ``NAME=VALUE``: a number, a Quantity, a prior, a word, or several.

    Several values are separated by commas; with a comma after the last, one counts as several.
    ``families`` holds, by argument, the classes that it may be an instance of; or it is a command.
    """
    if isinstance(families, str):
        families = families_of(families)
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (equals and name and value):
        raise argparse.ArgumentTypeError(f"{text!r}; expected NAME=VALUE, such as trend=1")
    inner, is_list = _without_brackets(value)
    words = [word.strip() for word in re.split(r",(?![^(]*\))", inner)]
    if len(words) == 1 and not is_list:
        value = inner
        return name, _setting(name, value, families.get(name, ()))
    values = tuple(_setting(name, word, families.get(name, ())) for word in words if word)
    return name, inner if any(isinstance(each, str) for each in values) else values


def _without_brackets(value: str) -> tuple[str, bool]:
    """A value without the brackets that Python has around several, and whether it is a list."""
    for opening, closing in ("()", "[]"):
        if value[0] == opening and value[-1] == closing:
            return value[1:-1].strip(), opening == "["
    return value, False


def _setting(name, word, families):
    """The value that one word stands for."""
    if word.lower() in WORDS:
        return WORDS[word.lower()]
    last = word.removesuffix("()").rpartition(".")[2]
    classes = [family for family in families if family is not True]
    for family in classes:
        if last == family.__name__:
            return family()
    if word.removeprefix("priors.").partition("(")[0].strip() in FAMILIES:
        return read_prior(f"{name}={word}")[1]
    if families and word.isidentifier():
        known = [str(getattr(family, "__name__", family)) for family in families]
        raise argparse.ArgumentTypeError(
            f"'{name}={word}'; expected one of {', '.join(known)}{did_you_mean(word, known)}"
        )
    if re.fullmatch(r"[+-]?[0-9]{1,18}", word):
        return int(word)
    try:
        return _number(word)
    except (TypeError, ValueError, ArithmeticError) as error:
        if WITH_UNIT.fullmatch(word):
            raise argparse.ArgumentTypeError(
                f"'{name}={word}' ({_first_words(error)}); expected a number with a unit that"
                " astropy knows, such as 3 d"
            ) from None
        return word


def read_seed(text):
    if not re.fullmatch(r"[0-9]{1,100}", text):
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number of at least 0")
    return int(text)


def read_delimiter(text):
    """One character, or its name."""
    delimiter = DELIMITERS.get(text.lower(), text)
    if len(delimiter) != 1 or delimiter.isalnum():
        raise argparse.ArgumentTypeError(
            f"{text!r}; expected one character such as ';', or tab or blank"
        )
    return delimiter


def read_hdu(text):
    """Number or name of an extension."""
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else text
