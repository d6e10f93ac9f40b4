"""What searches for circular orbits will take: compiled loops where they pay, and a limit."""

import numpy as np

from astro_hier import progress
from astro_hier.core import compiling, period_nodes
from astro_hier.models.orbits.data import Velocities

# Each instrument's own scatter is summed over a lattice, so that costs multiply.
CELLS = 13  # that matter for one instrument, about
SECONDS, PER_PHASE = 0.06, 4e-8  # CPU time of a product of cells, and for each visit and frequency
LONGEST = 600.0  # s, for one star


def check_scatters(measured: Velocities, ends: tuple[float, float]) -> None:
    """Raise a ValueError if the scatters of a star's instruments take too long to integrate.

    Parameters
    ----------
    measured : Velocities
    ends : tuple of float
        Shortest and longest period searched [d].
    """
    scatter = measured.scatter
    if scatter.is_known or scatter.is_common:
        return
    pairs = np.unique(np.column_stack([measured.star, measured.instrument]), axis=0)
    n_instruments, n_visits = np.bincount(pairs[:, 0]), np.bincount(measured.star)
    baseline = np.zeros(len(n_visits))
    np.maximum.at(baseline, measured.star, measured.time)
    frequencies = period_nodes.grid_size(n_visits, baseline, 1 / ends[1], 1 / ends[0])
    products = np.where(n_instruments > 1, float(CELLS) ** n_instruments, 0)
    seconds = products * (SECONDS + PER_PHASE * n_visits * frequencies)
    worst = int(np.argmax(seconds))
    if seconds[worst] > LONGEST:
        name = measured.stars[worst]
        star = f"star {name}: " if str(name) else ""
        raise ValueError(
            f"{star}own jitters of {n_instruments[worst]} instruments take"
            f" {products[worst]:.1g} combinations, some {seconds[worst] / 3600:.2g} hours: share"
            " one jitter (shared_jitter=True), give instruments that are alike one name, narrow"
            " the range of periods, or give the value of the jitter if it is known"
        )


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
