"""Units in: from an astropy table to arrays of floats in declared units."""

from astro_hier.table.checks import of_table
from astro_hier.table.reading import read_columns
from astro_hier.table.roles import Epoch, Role, TableError

__all__ = ["Epoch", "Role", "TableError", "of_table", "read_columns"]
