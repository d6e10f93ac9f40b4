"""Times of one star that are centuries apart: different kinds of Julian dates in one column."""

import astropy.units as u
import numpy as np

from astro_hier.table.cures import of_column
from astro_hier.table.frames import ASTROPY, library_of
from astro_hier.table.roles import ROWS_SHOWN, TableError

# Velocities have been measured since 1888, brightnesses on plates since the 1880s; JD and MJD are
# 6,571 years apart, MJD and TESS's BJD - 2457000 156 years.
LONGEST_BASELINE = 150 * 365.25  # d, of one star
GAP = 50 * 365.25  # d, beyond which times are of two kinds
JULIAN = 2.0e6  # d, beyond which a number is a Julian date, counted from 4713 BC
FIRST_MJD, LAST_MJD = 10_000, 100_000  # d, of the years 1886 to 2132
TO_MJD = 2_400_000.5  # d


def check_baseline(column, place, role, days, epoch, rows, labels=None):
    """Raise if times of one star span more than 150 years.

    Parameters
    ----------
    column : array of shape (row,)
        The table's column, for the message.
    place : tuple
        Name of the column, and unit to assume if it has none.
    role : `~astro_hier.table.Role`
        Its role.
    days : array of shape (n,)
        Times of the rows that are used, in days since the epoch.
    epoch : `~astro_hier.table.Epoch`
        The time from which they count.
    rows : array of shape (n,)
        Numbers of those rows in the table.
    labels : array of shape (n,), optional
        Their stars; by default all are of one star.

    Raises
    ------
    TableError
        With the column, the star and the first rows of each kind of time.
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
    shown = "; ".join(_first_rows(column, rows[own[kind]]) for kind in kinds)
    star = "" if labels is None else f" of star {stars[wrong[0]]}"
    others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    years = (latest - earliest)[wrong[0]] / u.yr.to(u.day)
    message = (
        f"column {name!r} ({role.name}): times{star}{others} span {years:,.0f} years, expected at"
        f" most {LONGEST_BASELINE / 365.25:.0f}: {shown}; "
    )
    since_zero = [days[own[kind]] + epoch.day + epoch.fraction for kind in kinds]
    raise TableError(*(message + cure for cure in _cures(column, place, since_zero)))


def _kinds(days):
    """Indices of the times between long gaps, earliest times first."""
    order = np.argsort(days, kind="stable")
    ends = np.flatnonzero(np.diff(days[order]) > GAP) + 1
    return [np.sort(kind) for kind in np.split(order, ends)]


def _first_rows(column, rows):
    more = ", ..." if len(rows) > ROWS_SHOWN else ""
    return ", ".join(f"row {i}: {column[i]}" for i in rows[:ROWS_SHOWN]) + more


def _cures(column, place, kinds):
    """What to do in Python and the shell about several kinds of times, each an array of days."""
    if len(kinds) == 1:
        return ("is the unit right?",) * 2
    *others, last = kinds
    name, unit = place
    floats = isinstance(column, np.ndarray) and column.dtype.kind == "f"
    floats = floats and library_of(of_column(column)) == ASTROPY
    if floats and np.all(last > JULIAN) and all(np.all(_is_mjd(kind)) for kind in others):
        unit = getattr(column, "unit", None) or unit
        julian, offset = (u.day.to(unit, days) for days in (JULIAN, TO_MJD))
        values = f"table[{name!r}]"
        given = f" * u.Unit('{unit}')" if isinstance(column, u.Quantity) else ""
        said = "the column mixes Julian dates (JD) with modified ones (MJD); make all MJD"
        return (
            f"{said} with {values}[{values}.value > {julian!r}] -= {offset!r}{given}",
            f"{said}: subtract {offset!r} in the file from values above {julian!r}",
        )
    return (
        "they count from different epochs, or some are placeholders; count all from one epoch, such"
        " as MJD = JD - 2400000.5",
    ) * 2


def _is_mjd(days):
    return (days > FIRST_MJD) & (days < LAST_MJD)
