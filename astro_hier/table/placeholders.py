"""Values that stand for none, or that no instrument measured: -99, -9999, 99.99 or 1e20.

A program that has no value writes nines, a power of ten or the largest integer instead. Such a
number, and any absurd one, lies far from all others in its column, where a fit would follow it.

A value of nines counts if its distance from all others exceeds their range, of only two nines
three times that. Any other value counts if it is 10,000 robust standard deviations from the median,
or in a column of positive numbers, whose decades may be many, a factor of 100,000 and ten robust
standard deviations of the logarithm: an eccentric binary, or a wide distribution of periods, has no
such values.
"""

import re

import numpy as np
from astropy.time import Time, TimeDelta

from astro_hier import checks
from astro_hier.checks import Finding
from astro_hier.table.roles import ROWS_SHOWN, Epoch, Role
from astro_hier.table.units import factor

__all__ = ["of_columns", "standing_out"]

LEAST = 9.9  # smaller nines are measured values
FILLS = {"32767", "-32768", "2.147484e+09", "-2.147484e+09"}  # the largest integers
NINES, POWER = re.compile(r"-?9+(\.9+)?"), re.compile(r"-?1e\+\d\d+")
FEW_NINES = 3.0  # ranges of the others that 99 or 9.9 must be away from them
LEAST_RANGE = 0.1  # of the others, in units of the largest
FAR = 1e4  # robust standard deviations
FACTOR, FAR_IN_LN = 1e5, 10.0  # from the median of positive numbers; robust sd of their logarithms
MIN_ROWS = 5  # fewer have no scatter to speak of
MIN_OTHERS = 2
MAX_SORTED = 100_000  # rows that a median is taken of
FARTHEST = 10  # distinct values that are looked at on each side
PLACEHOLDERS = checks.define(
    "placeholders",
    limit="no value far from all others of its column that looks like a placeholder, or is absurd",
    said="values lie far from all others of their column: {found}",
    python="if they stand for missing values, or are wrong, correct or remove these rows, or write"
    " NaN in their place and give on_invalid='drop'",
    shell="if they stand for missing values, or are wrong, correct or remove these rows, or leave"
    " the values empty and give --on-invalid drop",
)


def of_columns(table, roles, places, rows, data, epoch: Epoch | None = None) -> Finding:
    """The finding about the columns of a table that `read_rows` has read.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Its columns have the units in which placeholders are written.
    roles, places, data, epoch
        As `read_rows` takes and returns them.
    rows : array of int
        The valid rows.
    """
    found = []
    for role in roles:
        values = _as_written(table, role, places, data, epoch)
        if values is None:
            continue
        out = standing_out(values[rows], role)
        if out.any():
            found.append(_said(places[role.name][0], role, values[rows], rows, out))
    return PLACEHOLDERS.finding("; ".join(found) or "none", bool(found))


def standing_out(values: np.ndarray, role: Role) -> np.ndarray:
    """Which values lie far from all others, an array of bool."""
    out = _far(values, role)
    for value, nines in _placeholders(values):
        others = values[~out & (values != value)]
        if len(others) >= MIN_OTHERS:
            low, high = others.min(), others.max()
            reach = max(high - low, LEAST_RANGE * max(abs(low), abs(high)))
            gap = max(value - high, low - value)
            out |= (values == value) & (gap > reach * (FEW_NINES if nines == 2 else 1))
    return out


def _as_written(table, role, places, data, epoch):
    """The numbers of a column in the unit that they are written in, or None."""
    if role.unit is None or role.name not in places:
        return None
    name, unit = places[role.name]
    if isinstance(table[name], Time | TimeDelta):
        return None
    start = epoch.day + epoch.fraction if role.is_time else 0.0
    return (data[role.name] + start) / factor(table[name], name, unit, role)


def _far(values, role):
    """Which values are absurd, whatever their digits."""
    if len(values) < MIN_ROWS or role.is_time:
        return np.zeros(len(values), dtype=bool)
    if role.positive:
        off, scatter = _from_median(np.log(np.abs(values)))
        return off > max(np.log(FACTOR), FAR_IN_LN * scatter)
    off, scatter = _from_median(values)
    return (off > FAR * scatter) & (scatter > 0)


def _from_median(values):
    """Distances from the median, and the robust standard deviation."""
    some = values[:: -(-len(values) // MAX_SORTED)]
    middle = np.median(some)
    return np.abs(values - middle), 1.4826 * np.median(np.abs(some - middle))


def _placeholders(values):
    """Distinct extreme values that look like placeholders, the farthest first, and their nines."""
    if not len(values):
        return []
    off, scatter = _from_median(values)
    middle = values[np.argmin(off)]
    distinct = np.unique(values[(off > 5 * scatter) & (np.abs(values) >= LEAST)])
    extreme = {*distinct[:FARTHEST].tolist(), *distinct[-FARTHEST:].tolist(), float(middle)}
    nines = {value: _nines(value) for value in extreme if abs(value) >= LEAST}
    known = [(value, number) for value, number in nines.items() if number]
    return sorted(known, key=lambda one: -abs(one[0] - middle))


def _nines(value):
    """How many nines a placeholder has; many for another one, and 0 for a value that is none."""
    text = f"{value:.7g}"
    if NINES.fullmatch(text):
        return text.count("9") if text.count("9") > 1 else 0
    return len(text) if POWER.fullmatch(text) or text in FILLS else 0


def _said(name, role, values, rows, out):
    """The rows, their values and the range of the others, for a message."""
    which = np.flatnonzero(out)
    shown = ", ".join(f"row {rows[i]}: {values[i]:.7g}" for i in which[:ROWS_SHOWN])
    more = f", ... ({len(which)} in all)" if len(which) > ROWS_SHOWN else ""
    low, high = values[~out].min(), values[~out].max()
    return f"column {name!r} ({role.name}), {shown}{more}, all others from {low:.4g} to {high:.4g}"
