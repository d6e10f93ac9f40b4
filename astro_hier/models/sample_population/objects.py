"""Which object each row is of, and what is wrong with the numbers of which objects."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from astro_hier import checks
from astro_hier.table import Role, TableError
from astro_hier.table.roles import ROWS_SHOWN
from astro_hier.table.values import read_labels

__all__ = ["Invalid", "Objects", "find_objects", "in_order", "leave_out"]

LABEL = Role("object", None, required=False)


@dataclass(frozen=True, eq=False)
class Objects:
    """The objects of a table.

    Attributes
    ----------
    labels : ndarray
        Shape (object,), in the order in which the table has them.
    number : ndarray
        The object of each row, shape (row,); -1 if it has no label.
    """

    labels: np.ndarray
    number: np.ndarray

    def named(self, which: np.ndarray, counts: np.ndarray | None = None) -> str:
        """Some objects, by number, for messages; and how often each has something."""
        more = (lambda i: "") if counts is None else (lambda i: f": {counts[i]}")
        shown = ", ".join(f"{self.labels[i]}{more(i)}" for i in which[:ROWS_SHOWN])
        return f"object {shown}{', ...' * (len(which) > ROWS_SHOWN)}"


@dataclass(frozen=True, eq=False)
class Invalid:
    """Numbers of one column that cannot be used: an array of bool, and what is expected."""

    place: str
    bad: np.ndarray
    expected: str


def find_objects(table: Table, name: str | None, single: bool, on_invalid: str) -> Objects:
    """The objects of a table with one row for each, or one row for each draw if ``single``."""
    if name is None:
        if single:
            raise TableError(_one_draw("and no column 'object' says which rows are of one object"))
        return Objects(np.arange(len(table)), np.arange(len(table)))
    labels, missing = read_labels(table[name], name, None, LABEL)
    if missing.any():
        _say_missing(name, missing, on_invalid)
    known = np.flatnonzero(~missing)
    own, of = in_order(labels[known])
    if single and len(own) == len(known):
        raise TableError(_one_draw(f"and no identifier of column {name!r} is in two rows"))
    if not single and len(own) < len(known):
        raise TableError(_repeated(name, labels[known], known))
    number = np.full(len(table), -1)
    number[known] = of
    return Objects(own, number)


def in_order(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different labels in the order of their first rows, and the number of each row's."""
    own, first, of = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return own[order], np.argsort(order)[of]


def leave_out(
    found: list[Invalid], objects: Objects, of: np.ndarray, what: str, on_invalid: str
) -> np.ndarray:
    """Which numbers are invalid in any column; an error or a warning names their objects.

    Parameters
    ----------
    found : list of Invalid
        By column; arrays of shape (entry,).
    objects : Objects
        All objects.
    of : ndarray
        The object of each entry.
    what : str
        What the entries are, such as "draws".
    on_invalid : {"raise", "drop"}
        Whether they are an error.
    """
    bad = np.any([each.bad for each in found], axis=0)
    if not bad.any():
        return bad
    message = "; ".join(
        f"{each.place} has {each.bad.sum()} of {len(bad)} {what} that are not valid"
        f" ({_whose(objects, of[each.bad], what)}; expected {each.expected})"
        for each in found
        if each.bad.any()
    )
    if on_invalid == "raise":
        raise TableError(f"{message}; correct them, or leave them out with on_invalid='drop'")
    checks.warn(f"{message}; {bad.sum()} of {len(bad)} {what} are left out")
    return bad


def _whose(objects: Objects, of: np.ndarray, what: str) -> str:
    """Which objects, and how many draws of each."""
    return objects.named(np.unique(of), None if what == "rows" else np.bincount(of))


def _one_draw(why: str) -> str:
    return (
        f"there is one draw in each row, {why}; expected several draws of each object: give them as"
        " arrays, or repeat identifiers in a column 'object'; a value of each object needs its"
        " error too, columns={'value': 'NAME', 'error': 'NAME'}"
    )


def _say_missing(name: str, missing: np.ndarray, on_invalid: str) -> None:
    rows = np.flatnonzero(missing)
    shown = ", ".join(str(i) for i in rows[:ROWS_SHOWN])
    message = (
        f"column {name!r} (object) has {len(rows)} of {len(missing)} rows that are empty or"
        f" masked (rows {shown}{', ...' * (len(rows) > ROWS_SHOWN)}; expected identifiers)"
    )
    if on_invalid == "raise" or missing.all():
        raise TableError(
            f"{message}; fill them in, number the rows with columns={{'object': None}}, or leave"
            " these rows out with on_invalid='drop'"
        )
    checks.warn(f"{message}; {missing.sum()} of {len(missing)} rows are left out")


def _repeated(name: str, labels: np.ndarray, rows: np.ndarray) -> str:
    values, counts = np.unique(labels, return_counts=True)
    repeated = values[counts > 1]
    examples = "; ".join(
        f"{value} in rows {', '.join(str(i) for i in rows[labels == value][:ROWS_SHOWN])}"
        for value in repeated[:ROWS_SHOWN]
    )
    return (
        f"column {name!r} (object) holds {len(repeated)} identifiers more than once ({examples});"
        " expected one row for each object: join the arrays of an object, or keep one of several"
        f" exact copies with table = astropy.table.unique(table, keys={name!r})"
    )
