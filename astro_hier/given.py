"""Arguments that users give: choices, switches, whole numbers and sources of randomness.

Whatever is given, an array or an object of any class, the answer is the value or one message.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

__all__ = ["RandomState", "choice", "generator", "same", "switch", "whole", "workers"]

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
    if given is not None and (not is_whole or given == 0):
        raise ValueError(f"{name}={given!r}; expected a whole number, or -1 for all cores")
    return given


def switch(name: str, given: Any) -> bool:
    """Whether something is on, from True or False; a ValueError if it is anything else."""
    return choice(name, given, (True, False))


def whole(name: str, given: Any, least: int) -> int:
    """A whole number; a ValueError if it is less than ``least`` or anything else."""
    is_whole = isinstance(given, int | np.integer) and not isinstance(given, bool)
    if not is_whole or given < least:
        raise ValueError(f"{name}={given!r}; expected a whole number of at least {least}")
    return int(given)


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
