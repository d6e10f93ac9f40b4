"""Checks of tables that can be read: sizes of numbers, repeated rows, and too few digits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.table import Table
from astropy.table.serialize import represent_mixins_as_columns
from astropy.time import Time, TimeDelta

from astro_hier import checks
from astro_hier.table.arrays import one_row_each
from astro_hier.table.cures import MAX_LISTED, remove_rows
from astro_hier.table.plausible import check_units
from astro_hier.table.reading import open_table, read_rows
from astro_hier.table.roles import ROWS_SHOWN, Role
from astro_hier.table.units import factor

LONGEST_STEP = 0.001  # between times, in d
MIN_STEPS = 50  # in a period
# in units of the error: rounding to such steps adds 2 percent to its square
LARGEST_STEP = 0.5
# Repeated rows count as copies if chance explains fewer than this share of them: fewer than one in
# 20 tables of rounded values is then blamed for a coincidence.
CHANCE = 0.05

REPEATED_ROWS = checks.define(
    "repeated_rows",
    limit="no more than expected by chance",
    said="{found} rows are equal to an earlier one in {columns} ({rows}), more than expected by"
    " chance: each is counted again, which makes errors too small by a factor of up to"
    " {too_small:.2f}",
    python="if they are copies, {cure}",
    shell="if they are copies, remove them from the file",
)
PRECISION = checks.define(
    "precision",
    limit=f"steps of at most {LONGEST_STEP:g} d in times, {LARGEST_STEP:g} errors elsewhere",
    said="numbers have too few digits: {found}",
    python="read the column as float64 (numpy) or double (FITS, VOTable); subtract an epoch from"
    " Julian dates before storing them",
    shell="write the column to the file in double precision; subtract an epoch from Julian dates"
    " before storing them",
)


def of_table(table: Table, roles: Sequence[Role], columns: Any = None) -> list[checks.Finding]:
    """Check a table that `read_columns` can read, with the same arguments.

    Invalid rows are ignored.

    Returns
    -------
    list of `~astro_hier.checks.Finding`
    """
    table = one_row_each(open_table(table), roles, columns)
    data, invalid, places, _ = read_rows(table, roles, columns)
    rows = np.flatnonzero(~np.any(list(invalid.values()), axis=0))
    valid = {name: values[rows] for name, values in data.items()}
    known = any(role.usual != (0.0, np.inf) for role in roles)
    return [
        *([check_units(table, roles, places, valid)] if known else []),
        _repeated_rows(table, roles, places, rows),
        _precision(table, roles, places, rows, data),
    ]


def _repeated_rows(table, roles, places, rows):
    """Whether rows are exact copies of others, more often than chance would make them equal.

    Two rows with the same star, time and result are copies, whatever else is in the table. Without
    times, any column may tell stars apart.
    """
    rng = np.random.default_rng(0)
    names = list(dict.fromkeys(name for name, _ in places.values()))
    if not any(role.is_time for role in roles):
        names += [name for name in table.colnames if name not in names]
    columns, keys = [], []
    for name in names:
        plain = _plain(table[name][rows])
        columns, keys = columns + plain, keys + [_keys(column, rng) for column in plain]
        if _all_differ(sum(keys)):
            return REPEATED_ROWS.finding(f"0 of {len(rows)}", False)
    _, first, of, counts = np.unique(
        sum(keys), return_index=True, return_inverse=True, return_counts=True
    )
    copies = rows[first[of] != np.arange(len(rows))]
    if not (_is_multiple(counts) or _is_more_than_chance(columns, keys)):
        return REPEATED_ROWS.finding(f"{len(copies)} of {len(rows)}", False)
    groups = [rows[of == group] for group in of[np.isin(rows, copies)][:ROWS_SHOWN]]
    shown = dict.fromkeys(", ".join(str(row) for row in group[:ROWS_SHOWN]) for group in groups)
    return REPEATED_ROWS.finding(
        f"{len(copies)} of {len(rows)}",
        True,
        columns=", ".join(names) if len(names) <= MAX_LISTED else "all columns",
        rows="rows " + "; ".join(shown),
        too_small=np.sqrt(counts.max()),
        cure=remove_rows(table, copies.tolist(), names),
    )


def _plain(column):
    """Columns of numbers and text that hold the content of a column of any kind."""
    return list(represent_mixins_as_columns(Table({"column": column})).itercols())


def _keys(column, rng):
    """Random 64-bit numbers, equal where values are equal; their sums are keys of rows."""
    values = np.asarray(getattr(column, "unmasked", column))
    if values.dtype.kind == "O":
        values = np.array([str(value) for value in values])
    masked = np.broadcast_to(getattr(column, "mask", False), values.shape)
    shape = len(values), int(np.prod(values.shape[1:]))  # (row, element)
    parts = values.reshape(shape).T, masked.reshape(shape).T
    keys = np.zeros(len(values), dtype=np.uint64)
    for part, hidden in zip(*parts, strict=True):
        codes = np.where(hidden, -1, np.unique(part, return_inverse=True)[1].ravel()) + 1
        keys += rng.integers(2**64, size=codes.max() + 1, dtype=np.uint64)[codes]
    return keys


def _all_differ(keys):
    ordered = np.sort(keys)
    return not np.any(ordered[1:] == ordered[:-1])


def _is_multiple(counts):
    """Whether all rows appear twice, or three times, ...: by chance in under 1 in 60 tables."""
    return len(counts) > 5 and np.gcd.reduce(counts) > 1


def _is_more_than_chance(columns, keys):
    """Whether more pairs of rows are equal than rounding explains.

    Among the pairs that agree in all columns but one, rounding makes the same share agree in that
    one too as among all pairs. Values that are not rounded never agree by chance.
    """
    whole, n = sum(keys), len(keys[0])
    equal = _pairs(whole)
    for column, key in zip(columns, keys, strict=True):
        agree, others = _pairs(key), _pairs(whole - key) - equal
        differ = n * (n - 1) / 2 - agree
        if _is_rounded(np.asarray(column)) and others * agree > CHANCE * equal * differ:
            return False
    return True


def _pairs(keys):
    """The number of pairs of equal keys."""
    counts = np.unique(keys, return_counts=True)[1].astype(float)
    return np.sum(counts * (counts - 1)) / 2


def _is_rounded(values):
    """Whether all values seem to be multiples of one step."""
    if values.dtype.kind != "f":
        return True
    gaps = np.diff(np.unique(values[np.isfinite(values)]))
    if not gaps.size:
        return True
    steps = gaps / gaps.min() * np.arange(1, 11)[:, None]  # the smallest gap is 1 to 10 steps
    return bool(np.any(np.all(np.abs(steps - np.rint(steps)) < 0.01, axis=1)))


def _precision(table, roles, places, rows, data):
    """Whether the steps of numbers are small compared with their errors, of times with a day."""
    coarse = []
    for role in roles:
        name, fallback = places.get(role.name, (None, None))
        column = None if name is None else table[name]
        if role.unit is None or column is None or isinstance(column, (Time, TimeDelta)):
            continue
        values = np.asarray(getattr(column, "unmasked", column))
        if values.dtype.kind not in "iuf":
            continue
        kind, steps = _steps(values[rows])
        steps = steps * abs(factor(column, name, fallback, role))
        place = f"column {name!r} ({role.name}), {kind}, holds steps of"
        error = data.get(f"{role.name}_error")
        if role.is_time and steps.max() > LONGEST_STEP:
            shortest = MIN_STEPS * steps.max()
            coarse.append(
                f"{place} {steps.max():.2g} d, too long for periods below {shortest:.2g} d"
            )
        elif error is not None and np.any((error > 0)[rows] & (steps > LARGEST_STEP * error[rows])):
            worst = np.argmax(steps / np.where(error > 0, error, np.inf)[rows])
            coarse.append(
                f"{place} {steps[worst]:.2g} {role.unit} in row {rows[worst]}, where the error is"
                f" {error[rows[worst]]:.2g} {role.unit}"
            )
    return PRECISION.finding("; ".join(coarse) or "no column", bool(coarse))


def _steps(values):
    """The type of the numbers, and the distance of each from the next that its column can hold.

    A column of doubles counts as single precision if none of its values has more digits.
    """
    kind = values.dtype.name
    if values.dtype.kind in "iu":
        return kind, np.ones(len(values))
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    if values.dtype.itemsize > single.dtype.itemsize and np.array_equal(single, values):
        kind, values = "with the digits of float32", single
    return kind, np.spacing(np.abs(values)).astype(float)
