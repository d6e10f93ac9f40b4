"""Which objects got into the table: injected objects that were found.

A table of injections holds the values of those that a survey found, and the density that all were
drawn from. The share of a population that is found is the mean of its density over theirs
(`astro_hier.models.sample_population.data`).
"""

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.core.object_nodes import Nodes
from astro_hier.models.injected import check_table
from astro_hier.models.injected import injected as count
from astro_hier.models.sample_population.data import FEWEST
from astro_hier.table import Role, TableError, read_columns
from astro_hier.table.roles import ROWS_SHOWN

DENSITY = "density"
LEAST = 0.01  # share of an object within the injections that were found


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
    check_table(table, "make one of its columns, QTable({...}, meta={'injected': NUMBER})")
    per = 1 / np.prod(units) if len(units) > 1 else 1 / units[0]
    density = table.columns.get(DENSITY)
    without = getattr(density, "unit", None) in (None, u.one)
    roles = [Role(name, unit) for name, unit in zip(names, units, strict=True)]
    roles.append(Role(DENSITY, u.one if without else u.Unit(per), positive=True))
    try:
        rows = read_columns(table, roles)
    except TableError as error:
        said = str(error).replace(", or leave them out with on_invalid='drop'", "")
        raise TableError(
            f"selection: {said}; expected a table of the injections that were found, with the"
            f" columns {[*names, DENSITY]}"
        ) from None
    number = count(table.meta, rows.size, "objects")
    x = np.stack([rows[name] for name in names], axis=1)
    log_own = np.full(len(x), -np.log(number))
    x = x[:, 0] if len(names) == 1 else x
    return Nodes(x, log_own, log_own - np.log(rows[DENSITY]), np.zeros(len(x)), float(number))


def check(
    found: Nodes,
    own: Sequence[Nodes],
    labels: np.ndarray,
    names: Sequence[str],
    units: Sequence[u.UnitBase],
) -> None:
    """Raise a TableError if there are too few injections, or none where objects are.

    Where nothing was injected, nothing is known to be found, and the likelihood of a population
    there grows without bound.
    """
    if len(found.x) < FEWEST * len(own):
        raise TableError(
            f"selection: {len(found.x)} injections were found, of which {len(own)} objects need at"
            f" least {FEWEST * len(own)}, and far more for a posterior without noise: make more"
        )
    for i, (name, unit) in enumerate(zip(names, units, strict=True)):
        low, high = found.of_quantity(i).x.min(), found.of_quantity(i).x.max()
        each = [of.of_quantity(i) for of in own]
        inside = np.array([of.share((of.x >= low) & (of.x <= high)) for of in each])
        outside = np.flatnonzero(inside < LEAST)
        if len(outside):
            shown = ", ".join(str(label) for label in labels[outside[:ROWS_SHOWN]])
            raise TableError(
                f"selection: {len(outside)} of {len(own)} objects ({shown}"
                f"{', ...' if len(outside) > ROWS_SHOWN else ''}) have a {name} at which no"
                f" injection was found: those found have {low:.6g} to {high:.6g} {unit}".rstrip()
                + ": inject all values that objects of the population may have"
            )
