"""Simulated posteriors of many objects: draws of the mass of each."""

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.given import RandomState, generator

__all__ = ["make_posterior_samples"]


@u.quantity_input(mu="mass", sigma="mass", error="mass", interim_mean="mass", interim_sd="mass")
def make_posterior_samples(
    n_objects: int = 60,
    n_samples: int = 500,
    *,
    mu: u.Quantity = 1.4 * u.Msun,
    sigma: u.Quantity = 0.1 * u.Msun,
    error: u.Quantity = 0.1 * u.Msun,
    interim_mean: u.Quantity = 1.7 * u.Msun,
    interim_sd: u.Quantity = 0.3 * u.Msun,
    random_state: RandomState = None,
) -> QTable:
    """Draws of the masses of objects, each made under the same prior, which is not flat.

    Masses are normally distributed, and measured with normal errors. The draws are of the posterior
    of each object alone, under an interim prior that is normal too: mean and variance of the normal
    product of likelihood and prior.

    Parameters
    ----------
    n_objects, n_samples : int, optional
        Number of objects, and of draws of each.
    mu, sigma : `~astropy.units.Quantity`, optional
        Mean and standard deviation of the masses.
    error : `~astropy.units.Quantity`, optional
        Standard error of the measured masses, one for all or one for each.
    interim_mean, interim_sd : `~astropy.units.Quantity`, optional
        Mean and standard deviation of the interim prior.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.table.QTable`
        Columns object, samples (solMass, shape (row, draw)) and interim (1 / solMass, of the same
        shape), the density of each draw under the interim prior; ``meta["truth"]`` holds mu, sigma,
        lnsigma and the masses of the objects, mass.

    Examples
    --------
    >>> from astro_hier import datasets
    >>> table = datasets.make_posterior_samples(5, 100, random_state=1)
    >>> table["samples"].shape
    (5, 100)
    """
    rng = generator(random_state)
    mean, sd, prior_mean, prior_sd = (
        x.to_value(u.Msun) for x in (mu, sigma, interim_mean, interim_sd)
    )
    error = np.broadcast_to(error.to_value(u.Msun), n_objects)
    mass = rng.normal(mean, sd, n_objects)
    measured = rng.normal(mass, error)
    variance = 1 / (1 / error**2 + 1 / prior_sd**2)
    middle = variance * (measured / error**2 + prior_mean / prior_sd**2)
    draws = rng.normal(middle, np.sqrt(variance), (n_samples, n_objects)).T
    density = np.exp(-0.5 * ((draws - prior_mean) / prior_sd) ** 2) / (
        prior_sd * np.sqrt(2 * np.pi)
    )
    truth = {"mu": mu, "sigma": sigma, "lnsigma": float(np.log(sd)), "mass": mass * u.Msun}
    columns = {
        "object": [f"object-{n:04d}" for n in range(n_objects)],
        "samples": draws * u.Msun,
        "interim": density / u.Msun,
    }
    return QTable(columns, meta={"truth": truth})
