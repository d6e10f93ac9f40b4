"""Units in: from an astropy table to arrays of floats in declared units."""

from astro_hier.table.checks import of_table
from astro_hier.table.frames import as_table
from astro_hier.table.places import as_columns, check_columns, find_column, named
from astro_hier.table.reading import read_columns
from astro_hier.table.roles import Epoch, Role, TableError
from astro_hier.table.rows import Rows

__all__ = [
    "Epoch",
    "Role",
    "Rows",
    "TableError",
    "as_columns",
    "as_table",
    "check_columns",
    "find_column",
    "named",
    "of_table",
    "read_columns",
]
