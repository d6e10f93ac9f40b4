"""Arguments that specify a prior: a prior itself, or a known value."""

from contextlib import suppress
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.priors import families, tails
from astro_hier.priors.base import Prior, PriorError
from astro_hier.priors.families import Fixed

FAMILIES = sorted([*families.__all__, *tails.__all__])

__all__ = ["as_prior", "bulk", "check"]


def as_prior(given: Any) -> Prior:
    """Turn a number or Quantity into a prior, `Fixed` at that value.

    Anything else is returned as it is, and left for `check` to judge.
    """
    if isinstance(given, (int, float, u.Quantity)) and not isinstance(given, bool):
        with suppress(PriorError):
            return Fixed(given)
    return given


def bulk(given: Prior | u.Quantity | float, unit: u.UnitBase, tail: float = 0.001) -> np.ndarray:
    """The range, in ``unit``, that leaves a probability of ``tail`` at either end of a prior."""
    return as_prior(given).frozen(unit).ppf([tail, 1 - tail])


def check(
    name: str, prior: Prior, unit: u.UnitBase, low: float = -np.inf, high: float = np.inf
) -> None:
    """Raise `PriorError` unless ``prior`` is a prior in ``unit`` on values from low to high."""
    if not isinstance(prior, Prior) or type(prior) is Prior:  # which has no distribution
        raise PriorError(
            f"{name}={prior!r} is not a prior; give one of astro_hier.priors:"
            f" {', '.join(FAMILIES)}, or the value itself if it is known, one finite number or"
            " Quantity"
        )
    try:
        support = prior.frozen(unit).support()
    except PriorError as error:
        what = f"prior of {name}"
        if isinstance(prior, Fixed):
            what = f"{name}={prior.value!r}"
        raise PriorError(f"{what} (in {unit.to_string() or 'no unit'}): {error}") from None
    if support[0] < low or support[1] > high:
        allowed = "not be negative" if high == np.inf else f"lie between {low} and {high}"
        given = prior.value if isinstance(prior, Fixed) else prior
        raise PriorError(f"{name}={given!r}; it must {allowed}")
