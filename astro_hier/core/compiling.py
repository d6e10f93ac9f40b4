"""When to search for periods in compiled loops, and compiling them once.

Compiling takes `COMPILING` seconds the first time on a computer, and is kept on disk; after that
loading takes a second in each process. NumPy needs neither, and finds the same cells, so loops are
taken where they save more than that, in the first few fits if they are to be compiled.
"""

import importlib.util
import os
from pathlib import Path

import numpy as np

from astro_hier.core import cell_draws, cells, orbit, period_cells, period_nodes
from astro_hier.core.population import LnPeriodGrid

COMPILING, LOADING = 25.0, 1.0
FITS = 3  # that share what is compiled
# CPU s for each frequency that NumPy tries, by the number of visits that parameters leave over;
# fewer leave more needles
RATES = np.array([6e-6, 2e-6, 6e-7, 1.5e-7])
SCATTER = 30  # times as long, if a scatter is integrated out


def is_available() -> bool:
    """Whether numba is there and not disabled."""
    disabled = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
    return importlib.util.find_spec("numba") is not None and not disabled


def is_kept() -> bool:
    """Whether loops that were compiled before are on disk."""
    from astro_hier.core import period_compiled

    folder = Path(period_compiled.find_cells.stats.cache_path)
    return any(folder.glob("period_compiled.find_cells-*.nbi"))


def note() -> str:
    """What the first star of a process waits for, in words; empty if it is nothing."""
    try:
        waits = is_available() and not is_kept()
    except RuntimeError:  # nothing can be kept on this computer
        waits = True
    return f"compiling first (some {COMPILING:.0f} s)" if waits else ""


def seconds_of_numpy(n_frequencies, n_left, has_scatter) -> float:
    """About how long NumPy takes for the searches of some stars.

    Parameters
    ----------
    n_frequencies, n_left : ndarray
        Frequencies that each star needs, and its visits less linear parameters, shape (star,).
    has_scatter : bool
        Whether a scatter is integrated out.
    """
    rate = RATES[np.clip(n_left, 0, len(RATES) - 1)]
    return float(np.sum(rate * n_frequencies)) * (SCATTER if has_scatter else 1)


def cost(seconds: float) -> float | None:
    """How long loops take to be ready [s], or None where NumPy, which takes ``seconds``, is better.

    Folders that cannot be written to keep nothing: NumPy it is then, too.
    """
    if seconds <= LOADING or not is_available():
        return None
    try:
        if is_kept():
            return LOADING
    except RuntimeError:
        return None
    return COMPILING if FITS * seconds > COMPILING else None


def make_ready() -> None:
    """Compile the loops, or load them."""
    some = np.arange(4.0)
    visits = orbit.Visits(some, some, 1 + some, np.zeros(3), np.ones(3), compiled=True)
    likelihood = orbit.likelihood(visits)
    likelihood.at(some + 1)
    nodes = period_nodes.period_nodes(likelihood, LnPeriodGrid.following(1.0, 2.0, 1.0))
    period_cells.mode_of_cells(nodes, compiled=True)
    row = cells.Row(np.arange(2), np.ones((1, 2)), np.empty((1, 0)), 0.0)
    densities = cell_draws.Densities.of(np.arange(2), np.zeros((1, 2)), compiled=True)
    densities.draw_points(row, np.ones((1, 1)), np.random.default_rng(1))
