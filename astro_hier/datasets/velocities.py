"""Simulated velocities of the members of stellar systems and of clusters of galaxies."""

import astropy.units as u
import numpy as np
from astropy import constants
from astropy.table import QTable

from astro_hier.given import RandomState, generator

__all__ = ["make_velocities"]

KMS = u.km / u.s


@u.quantity_input(v_sys="speed", sigma_v="speed", error="speed")
def make_velocities(
    n_members: int = 100,
    *,
    v_sys: u.Quantity = 100 * KMS,
    sigma_v: u.Quantity = 5 * KMS,
    error: u.Quantity = 2 * KMS,
    redshift: bool = False,
    random_state: RandomState = None,
) -> QTable:
    """Velocities or redshifts of the members of a star cluster, a galaxy or a cluster of galaxies.

    Parameters
    ----------
    n_members : int, optional
        Number of members.
    v_sys, sigma_v : `~astropy.units.Quantity`, optional
        Velocity of the system, or c times its redshift, and velocity dispersion in its rest frame.
    error : `~astropy.units.Quantity`, optional
        Standard error of the velocities (c times that of redshifts), one for all or one for each.
    redshift : bool, optional
        Whether to return redshifts.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.table.QTable`
        Columns velocity and velocity_error (km/s), or redshift and redshift_error;
        ``meta["truth"]`` holds v_sys, sigma_v, ln_sigma_v and the velocities v within the system.

    Examples
    --------
    >>> from astro_hier import datasets
    >>> table = datasets.make_velocities(5, random_state=1)
    >>> table.colnames
    ['velocity', 'velocity_error']
    """
    rng = generator(random_state)
    error = u.Quantity(np.broadcast_to(error, n_members, subok=True), KMS)
    v = rng.normal(0, sigma_v.to_value(KMS), n_members) * KMS
    truth = {
        "v_sys": v_sys,
        "sigma_v": sigma_v,
        "ln_sigma_v": float(np.log(sigma_v.to_value(KMS))),
        "v": v,
    }
    scatter = rng.normal(0, error.value) * KMS
    if redshift:
        z_sys, z, scatter, error = (
            (x / constants.c).to_value(u.one) for x in (v_sys, v, scatter, error)
        )
        exact = (1 + z_sys) * (1 + z) - 1
        columns = {"redshift": exact + scatter, "redshift_error": error}
    else:
        columns = {"velocity": v_sys + v + scatter, "velocity_error": error}
    return QTable(columns, meta={"truth": truth})
