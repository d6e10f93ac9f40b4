"""Times of one star that lie centuries apart, which are two kinds of Julian dates in one column."""

import astropy.units as u
import numpy as np

from astro_hier.table.roles import ROWS_SHOWN, TableError

# Velocities are measured since 1888, brightnesses on plates since the 1880s; JD and MJD lie 6,571
# years apart, MJD and TESS's BJD - 2457000 156 years
LONGEST_BASELINE = 150 * 365.25  # d, of one star
GAP = 50 * 365.25  # d, from which times are said to be of two kinds
JULIAN = 2.0e6  # d, beyond which a number is a Julian date, counted from 4713 BC
FIRST_MJD, LAST_MJD = 10_000, 100_000  # d, of the years 1886 to 2132
TO_MJD = 2_400_000.5  # d


def check_baseline(column, place, role, days, epoch, rows, labels=None):
    """Raise if times of one star span more than 150 years.

    Parameters
    ----------
    column : array of shape (row,)
        What the table holds, for the message.
    place : tuple
        Name of the column, and unit if it has none.
    role : `~astro_hier.table.Role`
        Its role.
    days : array of shape (n,)
        Times in days since the epoch, of the rows that are used.
    epoch : `~astro_hier.table.Epoch`
        That from which they count.
    rows : array of shape (n,)
        Numbers of those rows in the table.
    labels : array of shape (n,), optional
        Their stars; without, all are one star's.

    Raises
    ------
    TableError
        With the column, the star and the first rows of each kind.
    """
    name, _ = place
    stars, of = ([None], np.zeros(len(days), dtype=int))
    if labels is not None:
        stars, of = np.unique(labels, return_inverse=True)
    earliest, latest = np.full(len(stars), np.inf), np.full(len(stars), -np.inf)
    np.minimum.at(earliest, of, days)
    np.maximum.at(latest, of, days)
    wrong = np.flatnonzero(latest - earliest > LONGEST_BASELINE)
    if not wrong.size:
        return
    own = np.flatnonzero(of == wrong[0])
    kinds = _kinds(days[own])
    shown = "; ".join(_few_rows(column, rows[own[kind]]) for kind in kinds)
    star = "" if labels is None else f" of star {stars[wrong[0]]}"
    others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    years = (latest - earliest)[wrong[0]] / u.yr.to(u.day)
    raise TableError(
        f"column {name!r} ({role.name}): times{star}{others} span {years:,.0f} years, expected are"
        f" at most {LONGEST_BASELINE / 365.25:.0f}: {shown}; "
        + _cure(column, place, [days[own[kind]] + epoch.day + epoch.fraction for kind in kinds])
    )


def _kinds(days):
    """Positions of the times on either side of every long gap, earliest times first."""
    order = np.argsort(days, kind="stable")
    ends = np.flatnonzero(np.diff(days[order]) > GAP) + 1
    return [np.sort(kind) for kind in np.split(order, ends)]


def _few_rows(column, rows):
    more = ", ..." if len(rows) > ROWS_SHOWN else ""
    return ", ".join(f"row {i}: {column[i]}" for i in rows[:ROWS_SHOWN]) + more


def _cure(column, place, kinds):
    """What to do about times of these kinds, each an array of days."""
    if len(kinds) == 1:
        return "is the unit right?"
    *others, last = kinds
    name, unit = place
    floats = isinstance(column, np.ndarray) and column.dtype.kind == "f"
    if floats and np.all(last > JULIAN) and all(np.all(_is_mjd(kind)) for kind in others):
        unit = getattr(column, "unit", None) or unit
        julian, offset = (u.day.to(unit, days) for days in (JULIAN, TO_MJD))
        values = f"table[{name!r}]"
        given = f" * u.Unit('{unit}')" if isinstance(column, u.Quantity) else ""
        return (
            "Julian dates (JD) stand beside modified ones (MJD); make all MJD with"
            f" {values}[{values}.value > {julian!r}] -= {offset!r}{given}"
        )
    return (
        "they are counted from different epochs, or some are placeholders; count all from one, such"
        " as MJD = JD - 2400000.5"
    )


def _is_mjd(days):
    return (days > FIRST_MJD) & (days < LAST_MJD)
