"""Tables to try the models on: simulated ones, with ``table.meta["truth"]``, and a real one."""

from astro_hier.datasets.apogee import DATA_FOLDER as DATA_FOLDER
from astro_hier.datasets.apogee import fetch_apogee_binaries
from astro_hier.datasets.binaries import make_binaries, make_binary
from astro_hier.datasets.clusters import make_star_cluster
from astro_hier.datasets.relations import make_period_luminosity
from astro_hier.datasets.samples import make_posterior_samples
from astro_hier.datasets.velocities import make_velocities

__all__ = [
    "fetch_apogee_binaries",
    "make_binaries",
    "make_binary",
    "make_period_luminosity",
    "make_posterior_samples",
    "make_star_cluster",
    "make_velocities",
]


def __dir__() -> list[str]:
    """What completion shows."""
    return sorted(__all__)
