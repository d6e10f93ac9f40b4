"""Simulated parallaxes of star clusters."""

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.given import RandomState, generator

__all__ = ["make_star_cluster"]


@u.quantity_input(mu_r="length", std_r="length")
def make_star_cluster(
    n_stars: int = 256,
    *,
    mu_r: u.Quantity = 500 * u.pc,
    std_r: u.Quantity = 8.7 * u.pc,
    log10_error: tuple[float, float] = (-2, -1),
    random_state: RandomState = None,
) -> QTable:
    """Parallaxes of the members of a star cluster.

    With ``random_state=42`` and otherwise default arguments these are the stars of Price-Whelan
    (2022), *Hierarchical Models 1*.

    Parameters
    ----------
    n_stars : int, optional
        Number of members.
    mu_r, std_r : `~astropy.units.Quantity`, optional
        Mean and standard deviation of the distances.
    log10_error : tuple of float, optional
        Range of log10(parallax_error / mas), which is uniformly distributed.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.table.QTable`
        Columns parallax and parallax_error (mas); ``meta["truth"]`` holds mu_r, std_r,
        ln_std_r and the distances r.

    Raises
    ------
    ValueError
        If a distance is negative because std_r is too large for mu_r.

    Examples
    --------
    >>> from astro_hier import datasets
    >>> table = datasets.make_star_cluster(5, random_state=1)
    >>> table.colnames
    ['parallax', 'parallax_error']
    >>> table.meta["truth"]["mu_r"]
    <Quantity 500. pc>
    """
    rng = generator(random_state)
    r = rng.normal(mu_r.to_value(u.pc), std_r.to_value(u.pc), n_stars) * u.pc
    if (r <= 0).any():
        raise ValueError(f"std_r={std_r} is too large for mu_r={mu_r}: some distances are negative")
    low, high = log10_error
    error = 10 ** rng.uniform(low, high, n_stars) * u.mas
    parallax = rng.normal(r.to_value(u.mas, u.parallax()), error.value) * u.mas
    truth = {
        "mu_r": mu_r,
        "std_r": std_r,
        "ln_std_r": float(np.log(std_r.to_value(u.kpc))),
        "r": r,
    }
    return QTable({"parallax": parallax, "parallax_error": error}, meta={"truth": truth})
