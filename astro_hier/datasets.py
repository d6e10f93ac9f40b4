"""Simulated tables to try the models on, with the truth in ``table.meta["truth"]``."""

import astropy.units as u
import numpy as np
from astropy.table import QTable

__all__ = ["make_binary", "make_star_cluster"]


@u.quantity_input(mu_r="length", std_r="length")
def make_star_cluster(
    n_stars=256,
    *,
    mu_r=500 * u.pc,
    std_r=8.7 * u.pc,
    log10_error=(-2, -1),
    random_state=None,
):
    """Parallaxes of the members of a star cluster.

    With ``random_state=42`` and the other arguments left alone these are the stars of
    Price-Whelan (2022), *Hierarchical Models 1*.

    Parameters
    ----------
    n_stars : int, optional
        Number of members.
    mu_r, std_r : `~astropy.units.Quantity`, optional
        Mean and standard deviation of the distances.
    log10_error : tuple of float, optional
        Range of log10(parallax_error / mas), which is uniform.
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
        If a distance comes out negative: std_r is too large for mu_r.
    """
    rng = np.random.default_rng(random_state)
    r = rng.normal(mu_r.to_value(u.pc), std_r.to_value(u.pc), n_stars) * u.pc
    if (r <= 0).any():
        raise ValueError(f"std_r={std_r} is too large for mu_r={mu_r}: some distances are negative")
    error = 10 ** rng.uniform(*log10_error, n_stars) * u.mas
    parallax = rng.normal(r.to_value(u.mas, u.parallax()), error.value) * u.mas
    truth = {
        "mu_r": mu_r,
        "std_r": std_r,
        "ln_std_r": float(np.log(std_r.to_value(u.kpc))),
        "r": r,
    }
    return QTable({"parallax": parallax, "parallax_error": error}, meta={"truth": truth})


KMS = u.km / u.s


@u.quantity_input(P="time", K="speed", v0="speed", baseline="time", rv_error="speed")
def make_binary(
    n_visits=16,
    *,
    P=7.3 * u.day,
    K=15 * KMS,
    phase=0.3,
    v0=-20 * KMS,
    baseline=300 * u.day,
    rv_error=0.3 * KMS,
    random_state=None,
):
    """Radial velocities of a single-lined binary on a circular orbit.

    Parameters
    ----------
    n_visits : int, optional
        Number of visits, at random times over ``baseline``.
    P, K, v0 : `~astropy.units.Quantity`, optional
        Period, semi-amplitude and systemic velocity.
    phase : float, optional
        Part of the orbit, from its highest velocity, that is past at the first visit.
    baseline : `~astropy.units.Quantity`, optional
        Time from the first visit to the last.
    rv_error : `~astropy.units.Quantity`, optional
        Standard error of each velocity.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.table.QTable`
        Columns time (d), rv and rv_error (km/s); ``meta["truth"]`` holds P, a, b, v0 and K.
    """
    rng = np.random.default_rng(random_state)
    inner = rng.uniform(size=max(n_visits - 2, 0))
    time = np.sort(np.concatenate([[0.0, 1.0][: min(n_visits, 2)], inner])) * baseline.to(u.day)
    a, b = K * np.cos(2 * np.pi * phase), -K * np.sin(2 * np.pi * phase)
    angle = (2 * np.pi * time / P).to_value(u.one)
    exact = a * np.cos(angle) + b * np.sin(angle) + v0
    error = np.full(n_visits, rv_error.to_value(KMS))
    rv = rng.normal(exact.to_value(KMS), error) * KMS
    truth = {"P": P, "a": a, "b": b, "v0": v0, "K": K}
    return QTable({"time": time, "rv": rv, "rv_error": error * KMS}, meta={"truth": truth})
