"""Numbers that cannot be computed with: errors of numerical libraries, in words about the rows.

Sums, factorisations and searches may break down where numbers of a table are absurd: a placeholder
such as 1e30, or an error that is 1e-15 of the others. NumPy and SciPy then raise errors about
matrices. What a user needs are the rows.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from traceback import walk_tb

import numpy as np

from astro_hier.checks import Finding
from astro_hier.inference.target import NotComputed
from astro_hier.table import Role, Rows, TableError
from astro_hier.table.placeholders import PLACEHOLDERS

__all__ = ["in_words"]

LIBRARIES = {"arviz_stats", "numpy", "scipy"}


@contextmanager
def in_words(
    name: str,
    rows: Rows,
    roles: Sequence[Role],
    findings: Sequence[Finding] = (),
    own: bool = False,
) -> Iterator[None]:
    """Turn an error of a numerical library into a ValueError that names the extreme rows.

    Parameters
    ----------
    name : str
        The model's name.
    rows : Rows
        What is fitted.
    roles : sequence of Role
        Their roles.
    findings : sequence of Finding, optional
        Of the table's checks: values that look like placeholders are named with any ValueError
        that does not come from the user's arguments.
    own : bool, optional
        Whether a likelihood that is no number is one of this package, which no user can correct.
    """
    absurd = [one for one in findings if one.failed and one.name == PLACEHOLDERS.name]
    try:
        yield
    except (ArithmeticError, ValueError, IndexError) as error:
        if absurd and (type(error) in (ValueError, NotComputed) or _is_numerical(error)):
            raise _blamed(name, error, absurd[0]) from error
        if not _is_numerical(error) and not (own and isinstance(error, NotComputed)):
            raise
        ranges = [_range_of(role, rows[role.name]) for role in roles if _is_numbers(role, rows)]
        raise ValueError(
            f"{name} cannot be computed from these numbers ({_what(error)});"
            f" {'; '.join(ranges)}: look for placeholders, wrong units and errors that are far too"
            " small, or narrow the priors"
        ) from error


def _blamed(name, error, finding):
    """The error of a fit to values that look like placeholders, for Python and for the shell."""
    foreign = isinstance(error, NotComputed) or _is_numerical(error)
    said = f"{name} cannot be computed from these numbers" if foreign else str(error).rstrip(".")
    return TableError(*(f"{said}; {finding.message(shell)}" for shell in (False, True)))


def _what(error):
    """What happened, in a few words."""
    if isinstance(error, NotComputed):
        return str(error).partition(";")[0]
    return f"{type(error).__name__}: {error}"


def _is_numerical(error: Exception) -> bool:
    """Whether a numerical library raised an error, or Python for a number that is too large."""
    if isinstance(error, ArithmeticError | np.linalg.LinAlgError):
        return True
    last = [frame for frame, _ in walk_tb(error.__traceback__)][-1]
    return last.f_globals.get("__name__", "").partition(".")[0] in LIBRARIES


def _is_numbers(role, rows):
    there = role.unit is not None and role.name in rows
    return there and np.asarray(rows[role.name]).dtype.kind == "f"


def _range_of(role, values):
    """The extreme values of a column, and their rows."""
    values = np.asarray(values).reshape(len(values), -1)
    low, high = values.min(axis=1), values.max(axis=1)
    i, j = int(np.argmin(low)), int(np.argmax(high))
    unit = f" {role.unit.to_string()}".rstrip()
    return f"{role.name} is from {low[i]:.4g} (row {i}) to {high[j]:.4g}{unit} (row {j})"
