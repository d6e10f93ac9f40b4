"""Whether a model's stars are searched in compiled loops, and telling users when these are new."""

import numpy as np

from astro_hier import progress
from astro_hier.core import compiling, period_nodes
from astro_hier.models.orbits.data import Velocities


def are_worth_it(measured: Velocities, ends: tuple[float, float], progressbar: bool) -> bool:
    """Whether to search for circular orbits in compiled loops, which then are ready.

    Parameters
    ----------
    measured : Velocities
    ends : tuple of float
        Shortest and longest period searched [d].
    progressbar : bool
        Whether to say that something is compiled, which takes some twenty seconds.
    """
    n_visits = np.bincount(measured.star)
    baseline = np.zeros(len(n_visits))
    np.maximum.at(baseline, measured.star, measured.time)
    n_frequencies = period_nodes.grid_size(n_visits, baseline, 1 / ends[1], 1 / ends[0])
    takes = compiling.cost(
        compiling.seconds_of_numpy(
            n_frequencies, n_visits - len(measured.linear), not measured.scatter.is_known
        )
    )
    if takes is None:
        return False
    said = f"compiling, once on this computer (some {compiling.COMPILING:.0f} s)"
    first = takes >= compiling.COMPILING
    with progress.stage(said, 1, shown=progressbar and first, bar_format="{desc}") as bar:
        compiling.make_ready()
        bar.update()
    return True
