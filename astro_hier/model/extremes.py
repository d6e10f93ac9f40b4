"""Numbers that cannot be computed with: errors of numerical libraries, in words about the rows.

Sums, factorisations and searches may break down where numbers of a table are absurd: a placeholder
such as 1e30, or an error that is 1e-15 of the others. NumPy and SciPy then raise errors about
matrices. What a user needs are the rows.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from traceback import walk_tb

import numpy as np

from astro_hier.table import Role, Rows

__all__ = ["in_words"]

LIBRARIES = {"arviz_stats", "numpy", "scipy"}


@contextmanager
def in_words(name: str, rows: Rows, roles: Sequence[Role]) -> Iterator[None]:
    """Turn an error of a numerical library into a ValueError that names the extreme rows.

    Parameters
    ----------
    name : str
        The model's name.
    rows : Rows
        What is fitted.
    roles : sequence of Role
        Their roles.
    """
    try:
        yield
    except (ArithmeticError, ValueError, IndexError) as error:
        if not _is_numerical(error):
            raise
        ranges = [_range_of(role, rows[role.name]) for role in roles if _is_numbers(role, rows)]
        raise ValueError(
            f"{name} cannot be computed from these numbers ({type(error).__name__}: {error});"
            f" {'; '.join(ranges)}: look for placeholders, wrong units and errors that are far too"
            " small, or narrow the priors"
        ) from error


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
