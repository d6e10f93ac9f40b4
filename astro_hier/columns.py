"""Column names and units of well-known tables, for the ``columns`` keyword of every model.

A preset is a plain dict from role to column name, or to a pair of column name and the unit to
assume if the table gives none; a list holds several spellings of a name. Give it by name,
``columns="gaia"``, or adapt it: ``columns.GAIA | {"star": "designation"}``.
"""

from astro_hier.table.arrays import explode
from astro_hier.table.presets import (
    APOGEE,
    GAIA,
    GAIA_EPOCHS,
    GALAH,
    HARPS,
    SDSSV_APOGEE,
    SDSSV_BOSS,
)

__all__ = [
    "APOGEE",
    "GAIA",
    "GAIA_EPOCHS",
    "GALAH",
    "HARPS",
    "SDSSV_APOGEE",
    "SDSSV_BOSS",
    "explode",
]
