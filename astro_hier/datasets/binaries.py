"""Simulated radial velocities of one binary and of a population of them."""

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.core import kepler

__all__ = ["make_binaries", "make_binary"]

KMS = u.km / u.s


@u.quantity_input(P="time", K="speed", v0="speed", omega="angle", baseline="time", rv_error="speed")
def make_binary(
    n_visits=16,
    *,
    P=7.3 * u.day,
    K=15 * KMS,
    phase=0.3,
    v0=-20 * KMS,
    e=0.0,
    omega=0 * u.rad,
    baseline=300 * u.day,
    rv_error=0.3 * KMS,
    random_state=None,
):
    """Radial velocities of a single-lined binary.

    Parameters
    ----------
    n_visits : int, optional
        Number of visits, at random times over ``baseline``.
    P, K, v0 : `~astropy.units.Quantity`, optional
        Period, semi-amplitude and systemic velocity.
    phase : float, optional
        Phase of the first visit, as a fraction of the orbit: after the highest velocity or, on an
        eccentric orbit, after periastron.
    e : float, optional
        Eccentricity.
    omega : `~astropy.units.Quantity`, optional
        Argument of periastron of the star on an eccentric orbit.
    baseline : `~astropy.units.Quantity`, optional
        Time from the first visit to the last.
    rv_error : `~astropy.units.Quantity`, optional
        Standard error of each velocity.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.table.QTable`
        Columns time (d), rv and rv_error (km/s); ``meta["truth"]`` holds P, a, b, v0 and K or, on
        an eccentric orbit, P, e, omega, t_peri (before the first visit), v0 and K.
    """
    rng = np.random.default_rng(random_state)
    inner = rng.uniform(size=max(n_visits - 2, 0))
    time = np.sort(np.concatenate([[0.0, 1.0][: min(n_visits, 2)], inner])) * baseline.to(u.day)
    if e:
        truth = {"P": P, "e": e, "omega": omega, "t_peri": -phase * P, "v0": v0, "K": K}
        exact = v0 + kepler.velocity(
            time.value, P.to_value(u.day), e, truth["t_peri"].to_value(u.day), K,
            omega.to_value(u.rad),
        )  # fmt: skip
    else:
        a, b = K * np.cos(2 * np.pi * phase), -K * np.sin(2 * np.pi * phase)
        angle = (2 * np.pi * time / P).to_value(u.one)
        exact = a * np.cos(angle) + b * np.sin(angle) + v0
        truth = {"P": P, "a": a, "b": b, "v0": v0, "K": K}
    error = np.full(n_visits, rv_error.to_value(KMS))
    rv = rng.normal(exact.to_value(KMS), error) * KMS
    return QTable({"time": time, "rv": rv, "rv_error": error * KMS}, meta={"truth": truth})


@u.quantity_input(amplitude="speed", baseline="time", rv_error="speed")
def make_binaries(
    n_stars=14,
    n_visits=12,
    *,
    mu=1.8,
    sigma=0.7,
    amplitude=20 * KMS,
    v0_sd=50 * KMS,
    baseline=1000 * u.day,
    rv_error=0.3 * KMS,
    random_state=None,
):
    """Radial velocities of a population of single-lined binaries on circular orbits.

    Parameters
    ----------
    n_stars, n_visits : int, optional
        Number of stars, and of visits to each, at random times over ``baseline``.
    mu, sigma : float, optional
        Mean and standard deviation of ln(P / d), which is normally distributed.
    amplitude, v0_sd : `~astropy.units.Quantity`, optional
        Standard deviations of a and b, and of v0, which are normally distributed about zero.
    baseline : `~astropy.units.Quantity`, optional
        Length of the survey.
    rv_error : `~astropy.units.Quantity`, optional
        Standard error of each velocity.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.table.QTable`
        Columns star ("star-0000", ...), time (d), rv and rv_error (km/s); ``meta["truth"]`` holds
        mu, lnsigma, sigma and, for each star, lnP, P, a, b, v0 and K.
    """
    rng = np.random.default_rng(random_state)
    lnP = rng.normal(mu, sigma, n_stars)
    a, b = rng.normal(0, amplitude.to_value(KMS), (2, n_stars)) * KMS
    v0 = rng.normal(0, v0_sd.to_value(KMS), n_stars) * KMS
    time = np.sort(rng.uniform(size=(n_stars, n_visits)), axis=1) * baseline.to_value(u.day)
    angle = 2 * np.pi * (time - time[:, :1]) / np.exp(lnP)[:, None]
    exact = a[:, None] * np.cos(angle) + b[:, None] * np.sin(angle) + v0[:, None]
    rv = rng.normal(exact.to_value(KMS), rv_error.to_value(KMS))
    names = [f"star-{n:0{max(4, len(str(n_stars)))}d}" for n in range(n_stars)]
    truth = {"mu": mu, "lnsigma": float(np.log(sigma)), "sigma": sigma, "lnP": lnP,
             "P": np.exp(lnP) * u.day, "a": a, "b": b, "v0": v0, "K": np.hypot(a, b)}  # fmt: skip
    return QTable(
        {
            "star": np.repeat(names, n_visits),
            "time": time.ravel() * u.day,
            "rv": rv.ravel() * KMS,
            "rv_error": np.full(rv.size, rv_error.to_value(KMS)) * KMS,
        },
        meta={"truth": truth},
    )
