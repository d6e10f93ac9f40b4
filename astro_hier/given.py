"""Arguments that users give: choices, names, numbers, quantities, paths, sources of randomness.

Whatever is given, an array or an object of any class, the answer is the value or one message, which
names the argument.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from inspect import signature
from numbers import Real
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar

import astropy.units as u
import numpy as np

from astro_hier.logarithms import are_alike

__all__ = ["MOST", "RandomState", "choice", "generator", "is_there", "names", "number", "path",
           "quantities", "quantity", "same", "switch", "whole", "workers"]  # fmt: skip

LONGEST_SHOWN = 100  # characters of a path that no file can have
MOST_WORKERS = 1000  # processes on one machine
MOST = 10**9  # rows of a table that is made
Given = ParamSpec("Given")
Made = TypeVar("Made")
# a seed, a source of randomness, or None for one by chance
RandomState: TypeAlias = int | np.integer | np.random.Generator | None


def choice(name: str, given: Any, allowed: Iterable[Any]) -> Any:
    """The one of several words or constants that is given.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    allowed = list(allowed)
    for one in allowed:
        if given is one or (isinstance(given, str) and given == one):
            return one
        if isinstance(given, np.bool_) and isinstance(one, bool) and bool(given) == one:
            return one
    words = ", ".join(map(repr, allowed[:-1]))
    raise ValueError(f"{name}={given!r}; expected {words} or {allowed[-1]!r}")


def same(given: Any, other: Any) -> bool:
    """Whether two arguments are equal, where one may be an array."""
    return given is other or (type(given) is type(other) and bool(np.all(given == other)))


def workers(name: str, given: Any) -> int | None:
    """A number of processes as joblib takes it, of which negative ones count from all cores."""
    is_whole = isinstance(given, int | np.integer) and not isinstance(given, bool)
    if given is not None and (not is_whole or given == 0 or abs(given) > MOST_WORKERS):
        raise ValueError(
            f"{name}={given!r}; expected a whole number, or -1 for all cores, and at most"
            f" {MOST_WORKERS}"
        )
    return given


def switch(name: str, given: Any) -> bool:
    """Whether something is on, from True or False; a ValueError if it is anything else."""
    return choice(name, given, (True, False))


def whole(name: str, given: Any, least: int, most: int | None = None) -> int:
    """A whole number; a ValueError if it is less than ``least``, too large, or anything else."""
    is_whole = isinstance(given, int | np.integer) and not isinstance(given, bool)
    if not is_whole or given < least:
        raise ValueError(f"{name}={given!r}; expected a whole number of at least {least}")
    if most is not None and given > most:
        raise ValueError(f"{name}={given!r}; expected a whole number of at most {most}")
    return int(given)


def number(name: str, given: Any, low: float, high: float, *, open_ends: bool = False) -> float:
    """A number without unit in an interval, from which ``open_ends`` excludes both ends.

    Raises
    ------
    ValueError
        If it is outside, or anything else.
    """
    value = _float(given)
    inside = low < value < high if open_ends else low <= value <= high
    if not inside:
        between = f" between {low:g} and {high:g}" if open_ends else f" from {low:g} to {high:g}"
        between = between if np.isfinite(high) else "" if np.isinf(low) else f" above {low:g}"
        raise ValueError(f"{name}={given!r}; expected a number{between}")
    return value


def _float(given: Any) -> float:
    """One number as a float, NaN if it is anything else."""
    if isinstance(given, u.Quantity) and given.unit == u.one:
        given = given.value
    if isinstance(given, np.ndarray) and not given.shape and given.dtype.kind in "iuf":
        given = given.item()
    if not isinstance(given, Real) or isinstance(given, bool):
        return np.nan
    try:
        return float(given)
    except OverflowError:
        return np.nan


def names(name: str, given: Any) -> list[str]:
    """One name or several, as a list.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(given, str):
        return [given]
    try:
        several = list(given)
    except TypeError:
        several = [given]
    if isinstance(given, u.Quantity) or not all(isinstance(one, str) for one in several):
        raise ValueError(f"{name}={given!r}; expected a name or a list of names")
    return [str(one) for one in several]


def quantity(
    name: str, given: Any, unit: u.UnitBase, *, least: float = -np.inf, size: int | None = None
) -> u.Quantity:
    """A finite Quantity that can be converted to a unit, as it was given.

    Parameters
    ----------
    name : str
        The argument.
    given : `~astropy.units.Quantity`
        What was given.
    unit : `~astropy.units.Unit`
        One of its units.
    least : float, optional
        Its least value.
    size : int, optional
        How many values may be given in place of one.

    Raises
    ------
    TypeError
        If it has no unit.
    ValueError
        If it has another one, or values that are not allowed.
    """
    expected = f"a Quantity in {unit}, or in a unit that can be converted to it"
    if not isinstance(given, u.Quantity):
        raise TypeError(f"{name}={given!r}; expected {expected}")
    if not are_alike(given.unit, unit):
        raise u.UnitConversionError(f"{name}={given!r}; expected {expected}")
    if given.shape not in ((), () if size is None else (size,)):
        number = "one value" if size is None else f"one value, or one for each of {size}"
        raise ValueError(f"{name}={given!r}; expected {number}")
    if not np.all(np.isfinite(given.value) & (given.value >= least)):
        limit = f"of at least {least:g}" if np.isfinite(least) else "that are finite"
        raise ValueError(f"{name}={given!r}; expected values {limit}")
    return given


def quantities(
    *not_negative: str, **units: u.UnitBase
) -> Callable[[Callable[Given, Made]], Callable[Given, Made]]:
    """Check that some arguments of a function are single Quantities of these units."""

    def checked(function: Callable[Given, Made]) -> Callable[Given, Made]:
        known = signature(function)

        @wraps(function)
        def call(*args: Given.args, **kwargs: Given.kwargs) -> Made:
            given = known.bind(*args, **kwargs).arguments
            for name in (name for name in units if name in given):
                least = 0.0 if name in not_negative else -np.inf
                quantity(name, given[name], units[name], least=least)
            return function(*args, **kwargs)

        return call

    return checked


def path(name: str, given: Any) -> Path:
    """The path of a file or folder, in which ``~`` stands for the user's home.

    Raises
    ------
    TypeError
        If it is not text or a path.
    ValueError
        If no file can have that name.
    """
    text: Any = None
    with suppress(TypeError):
        text = os.fspath(given)
    if not isinstance(text, str):
        raise TypeError(f"{name}={given!r}; expected a path, as text or a pathlib.Path")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise ValueError(f"{name}={given!r}; no file can have that name") from None
    if "\0" in text:
        raise ValueError(f"{name}={given!r}; no file can have a name with a zero byte")
    with suppress(RuntimeError):  # there is no such user
        return Path(text).expanduser()
    return Path(text)


def is_there(path: Path) -> bool:
    """Whether there is something at a path.

    Raises
    ------
    OSError
        If this cannot be known, for instance because the name is too long.
    """
    try:
        return path.exists()
    except OSError as error:
        name = str(path) if len(str(path)) <= LONGEST_SHOWN else f"{str(path)[:LONGEST_SHOWN]}..."
        raise type(error)(
            error.errno, f"path={name!r} cannot be used: {error.strerror}; choose another name"
        ) from None


def generator(random_state: Any) -> np.random.Generator:
    """A source of randomness from a seed, or the one that is given.

    Raises
    ------
    ValueError
        If it is neither.
    """
    try:
        if isinstance(random_state, bool | np.bool_):
            raise TypeError
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise ValueError(
            f"random_state={random_state!r}; expected None, a whole number of at least 0, or a"
            " numpy.random.Generator"
        ) from None
