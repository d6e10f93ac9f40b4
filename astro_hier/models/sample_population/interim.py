"""The interim prior: the one with which the objects' own posteriors were made.

Draws from an object's posterior, and densities that are posteriors, hold a prior of the code that
made them. It is divided out before the population takes its place, so it has to be known: if it
were taken to be flat where it is not, the population would be wrong, and nothing in the draws would
show it.
"""

from collections.abc import Mapping
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.table import TableError

FLAT = "flat"
WHY = (
    "interim= is missing: the objects' posteriors were made with some prior, which has to be"
    " divided out, and nothing in the table tells which; give interim='flat' if it was uniform in"
    " {names}, a prior of astro_hier.priors, or the name of a column with the prior's density at"
    " each draw"
)


def column_of(interim: Any) -> str | None:
    """The name of the column that holds the density of the interim prior, if one was given."""
    return interim if isinstance(interim, str) and interim.lower() != FLAT else None


def check(interim: Any, names: tuple[str, ...]) -> None:
    """Raise a ValueError unless the argument is what is expected."""
    if interim is None or isinstance(interim, (str, priors.Prior)):
        if isinstance(interim, priors.Prior) and len(names) > 1:
            raise ValueError(
                f"interim={interim!r}; expected a pair of priors for {' and '.join(names)}"
            )
        return
    if isinstance(interim, (tuple, list)) and len(interim) == len(names) > 1:
        if all(isinstance(of, priors.Prior) or of == FLAT for of in interim):
            return
    raise ValueError(
        f"interim={interim!r}; expected 'flat', a prior of astro_hier.priors"
        f"{', or a pair of these' if len(names) > 1 else ''}, or the name of a column"
    )


def check_given(interim: Any, kind: str, rows: Mapping, quantity: Any) -> None:
    """Raise a ValueError if the prior is needed and nobody says what it was."""
    if kind != "value" and interim is None and "interim" not in rows:
        raise ValueError(WHY.format(names=f"{quantity}" if isinstance(quantity, str) else "both"))
    if kind == "value" and interim is not None:
        raise ValueError(
            f"interim={interim!r}, but values with errors are likelihoods, which have no prior:"
            " expected interim=None"
        )
    if interim is not None and column_of(interim) is None and "interim" in rows:
        raise ValueError(
            f"interim={interim!r}, but the table has a column of the interim prior's density too:"
            " give only one of them, with interim=None or columns={'interim': None}"
        )


def log_density(
    interim: Any, x: np.ndarray, names: tuple[str, ...], units: tuple[u.UnitBase, ...]
) -> np.ndarray:
    """ln of the interim prior at nodes of the objects, up to a constant, shape (node,).

    Parameters
    ----------
    interim : "flat", Prior, or a pair of these
    x : ndarray
        Shape (node, quantity).
    names, units : tuple
        Of the quantities.

    Raises
    ------
    TableError
        If the prior does not allow some of the values.
    """
    each = interim if isinstance(interim, (tuple, list)) else (interim,) * len(names)
    total = np.zeros(len(x))
    for of, values, name, unit in zip(each, x.T, names, units, strict=True):
        if isinstance(of, str):  # it is flat
            continue
        priors.check("interim", of, unit)
        found = of.frozen(unit).logpdf(values)
        wrong = ~np.isfinite(found)
        if wrong.any():
            raise TableError(
                f"interim={of!r} does not allow {wrong.sum()} of {len(x)} values of {name}, such as"
                f" {values[wrong][0]:.6g} {unit}".rstrip()
                + ": they cannot have been drawn under this prior"
            )
        total += found
    return total
