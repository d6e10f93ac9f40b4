"""Simulated pulsating stars that follow a period-luminosity-metallicity relation."""

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.given import RandomState, generator

__all__ = ["make_period_luminosity"]

SLOPE = u.mag / u.dex
POPULATION = {
    "mu_log_period": -0.27 * u.dex,
    "sigma_log_period": 0.07 * u.dex,
    "mu_feh": -1.4 * u.dex,
    "sigma_feh": 0.4 * u.dex,
    "feh_period": -3.0,
    "mu_modulus": 10.3 * u.mag,
    "sigma_modulus": 0.9 * u.mag,
    "modulus_period": 0.0 * SLOPE,
    "modulus_feh": -0.3 * SLOPE,
}
ERROR = 0.02  # of the magnitudes [mag]
MAX_ROUNDS = 1000  # of stars that a limit in flux may refuse


def make_period_luminosity(
    n_stars: int = 100,
    *,
    alpha: u.Quantity = -1 * u.mag,
    beta: u.Quantity = -2.5 * SLOPE,
    gamma: u.Quantity = 0.2 * SLOPE,
    scatter: u.Quantity = 0.1 * u.mag,
    parallax_error: u.Quantity = 0.1 * u.mas,
    limit: u.Quantity | None = None,
    random_state: RandomState = None,
) -> QTable:
    """Stars like RR Lyrae stars in the K band, with parallaxes and metallicities.

    Metallicities fall with the period, and metal-poor stars are farther away.

    Parameters
    ----------
    n_stars : int, optional
        Number of stars.
    alpha : `~astropy.units.Quantity`, optional
        Absolute magnitude at a period of one day and [Fe/H] = 0.
    beta, gamma : `~astropy.units.Quantity`, optional
        Slopes in log10 of the period and in [Fe/H].
    scatter : `~astropy.units.Quantity`, optional
        Intrinsic scatter about the relation.
    parallax_error : `~astropy.units.Quantity`, optional
        Standard error of the parallaxes, one for all or one for each.
    limit : `~astropy.units.Quantity`, optional
        Apparent magnitude of the faintest stars that are seen.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.table.QTable`
        Columns period, magnitude, magnitude_error, parallax, parallax_error, feh and feh_error;
        ``meta["truth"]`` holds the relation, the population of the stars, whether they are seen or
        not, and r and absolute_magnitude of each one.

    Examples
    --------
    >>> from astro_hier import datasets
    >>> table = datasets.make_period_luminosity(5, random_state=1)
    >>> table.colnames
    ['period', 'magnitude', 'magnitude_error', 'parallax', 'parallax_error',
     'feh', 'feh_error']
    """
    rng = generator(random_state)
    truth = {"alpha": u.Quantity(alpha, u.mag), "beta": u.Quantity(beta, SLOPE),
             "gamma": u.Quantity(gamma, SLOPE), "scatter": u.Quantity(scatter, u.mag)}  # fmt: skip
    faintest = np.inf if limit is None else u.Quantity(limit, u.mag).value
    seen = []
    for _ in range(MAX_ROUNDS):
        stars = _stars(n_stars, {name: of.value for name, of in truth.items()}, rng)
        seen.append(stars[:, stars[4] < faintest])
        if sum(of.shape[1] for of in seen) >= n_stars:
            break
    else:
        raise ValueError(f"limit={limit!r}; hardly any star is so bright: expected a fainter one")
    log_period, feh, modulus, absolute, magnitude = np.concatenate(seen, axis=1)[:, :n_stars]
    r = 10 ** (0.2 * modulus - 2)
    error = u.Quantity(np.broadcast_to(parallax_error, n_stars, subok=True), u.mas)
    truth |= POPULATION | {"r": r * u.kpc, "absolute_magnitude": absolute * u.mag}
    return QTable(
        {
            "period": 10**log_period * u.day,
            "magnitude": magnitude * u.mag,
            "magnitude_error": np.full(n_stars, ERROR) * u.mag,
            "parallax": rng.normal(1 / r, error.value) * u.mas,
            "parallax_error": error,
            "feh": rng.normal(feh, 0.1) * u.dex,
            "feh_error": np.full(n_stars, 0.1) * u.dex,
        },
        meta={"truth": truth},
    )


def _stars(size, truth, rng):
    """log10 P, [Fe/H], distance modulus, and absolute and measured magnitude, shape (5, size)."""
    of = {name: u.Quantity(value).value for name, value in POPULATION.items()}
    x = rng.normal(0, of["sigma_log_period"], size)
    z = rng.normal(of["feh_period"] * x, of["sigma_feh"])
    modulus = rng.normal(of["mu_modulus"] + of["modulus_feh"] * z, of["sigma_modulus"])
    log_period, feh = of["mu_log_period"] + x, of["mu_feh"] + z
    absolute = rng.normal(
        truth["alpha"] + truth["beta"] * log_period + truth["gamma"] * feh, truth["scatter"]
    )
    return np.array([log_period, feh, modulus, absolute, rng.normal(modulus + absolute, ERROR)])
