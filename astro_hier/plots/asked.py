"""What may be asked of a corner: keywords that corner itself takes, and values to mark."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from astro_hier.spelling import did_you_mean

__all__ = ["check_keywords", "check_truths"]

OWN = "var_names", "truths", "fig", "ax", "unit"  # of plot_corner


def check_keywords(given: Iterable[str], functions: Iterable[Any]) -> None:
    """Raise a TypeError for keywords of none of corner's functions, which it would pass over."""
    known = [
        name
        for function in functions
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not parameter.empty
    ]
    unknown = sorted(set(given) - {*known, "extents", "extent"})
    if unknown:
        raise TypeError(
            f"plot_corner has no argument {', '.join(unknown)}; expected {', '.join(OWN)}, or"
            f" arguments of corner.corner{did_you_mean(unknown, [*OWN, *known])}"
        )


def check_truths(truths: Any) -> Mapping[str, Any]:
    """Values to mark by name; a TypeError if they are anything else."""
    if truths is None:
        return {}
    if not isinstance(truths, Mapping):
        raise TypeError(f"truths={truths!r}; expected a dict of values by parameter")
    for name, value in truths.items():
        if isinstance(value, str | bytes) or value is None or not np.size(value):
            raise TypeError(
                f"truths: truth of {name} is {value!r}; expected a Quantity, or a number in the"
                " unit shown"
            )
    return truths
