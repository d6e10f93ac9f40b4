"""Which objects got into the table: injected objects that were found.

A table of injections holds the values of those that a survey found, and the density that all were
drawn from. The share of a population that is found is the mean of its density over theirs
(`astro_hier.models.sample_population.data`).
"""

from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.core.object_nodes import Nodes
from astro_hier.models.injected import injected
from astro_hier.table import Role, TableError, read_columns

DENSITY = "density"


def read(table: Any, names: tuple[str, ...], units: tuple[u.UnitBase, ...]) -> Nodes:
    """The injections that were found, as nodes of weight 1 / (J p).

    Parameters
    ----------
    table : Table
        A column for each quantity, and ``density``, per unit of the quantities; with
        ``meta["injected"]``, the number of all that were injected.
    names, units : tuple
        Of the quantities.

    Raises
    ------
    TableError
        If the table cannot be used.
    """
    per = 1 / np.prod(units) if len(units) > 1 else 1 / units[0]
    density = getattr(table, "columns", {}).get(DENSITY)
    without = getattr(density, "unit", None) in (None, u.one)
    roles = [Role(name, unit) for name, unit in zip(names, units, strict=True)]
    roles.append(Role(DENSITY, u.one if without else u.Unit(per), positive=True))
    try:
        rows = read_columns(table, roles)
    except TableError as error:
        raise TableError(
            f"selection: {error}; expected a table of the injections that were found, with the"
            f" columns {[*names, DENSITY]}"
        ) from None
    number = injected(table.meta, rows.size, "objects")
    x = np.stack([rows[name] for name in names], axis=1)
    log_own = np.full(len(x), -np.log(number))
    x = x[:, 0] if len(names) == 1 else x
    return Nodes(x, log_own, log_own - np.log(rows[DENSITY]), np.zeros(len(x)), float(number))
