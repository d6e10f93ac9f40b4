"""The number of injections that a table of those found states, for any model with a selection."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from astropy.table import Table

from astro_hier.table import TableError


def injected(meta: Mapping, kept: int, of: str, maker: str = "") -> int:
    """The number of all injections, whether they were kept or not, from a table's ``meta``.

    ``of`` says what was injected, and ``maker`` what makes such tables.

    Raises
    ------
    TableError
        If it is missing, or smaller than the number of those that were kept.
    """
    n = meta.get("injected", meta.get("INJECTED"))  # FITS files have capitals
    if not isinstance(n, Integral) or isinstance(n, bool) or n < kept:
        found = "is missing" if n is None else f"is {n!r}"
        raise TableError(
            f'selection: meta["injected"] {found}; expected the number of all {of} injected,'
            f" whether they were kept or not, at least the {kept} of the table{maker}"
        )
    return int(n)


def check_table(table: Any, cure: str) -> None:
    """Raise a TableError unless these injections are an astropy table; frames have no ``meta``."""
    if not isinstance(table, Table):
        raise TableError(
            "selection: expected an astropy Table with the number of all injections in"
            f" meta['injected'], got {type(table).__name__}; {cure}"
        )
