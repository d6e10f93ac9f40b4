"""Tables to try the models on: simulated, with the truth in ``table.meta["truth"]``, and real."""

import hashlib
import os
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy import constants
from astropy.table import QTable

__all__ = [
    "fetch_apogee_binaries",
    "make_binaries",
    "make_binary",
    "make_star_cluster",
    "make_velocities",
]


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
        Number of stars and of visits to each, at random times over ``baseline``.
    mu, sigma : float, optional
        Mean and standard deviation of ln(P / d), which is normal.
    amplitude, v0_sd : `~astropy.units.Quantity`, optional
        Standard deviations of a and b, and of v0, which are normal about zero.
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
        mu, lnsigma, sigma and, of each star, lnP, P, a, b, v0 and K.
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


@u.quantity_input(v_sys="speed", sigma_v="speed", error="speed")
def make_velocities(
    n_members=100,
    *,
    v_sys=100 * KMS,
    sigma_v=5 * KMS,
    error=2 * KMS,
    redshift=False,
    random_state=None,
):
    """Velocities or redshifts of the members of a star cluster, a galaxy or a cluster of galaxies.

    Parameters
    ----------
    n_members : int, optional
        Number of members.
    v_sys, sigma_v : `~astropy.units.Quantity`, optional
        Velocity of the system, c times its redshift, and velocity dispersion in its own frame.
    error : `~astropy.units.Quantity`, optional
        Standard error of all velocities (c times that of redshifts), or of each.
    redshift : bool, optional
        Whether to return redshifts.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.table.QTable`
        Columns velocity and velocity_error (km/s), or redshift and redshift_error;
        ``meta["truth"]`` holds v_sys, sigma_v, ln_sigma_v and the velocities v within the system.
    """
    rng = np.random.default_rng(random_state)
    error = np.broadcast_to(error, n_members, subok=True).to(KMS)
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


APOGEE_BINARIES = "apogee-binaries.fits"
APOGEE_BINARIES_URL = (
    "https://raw.githubusercontent.com/LSSTC-DSFP/LSSTC-DSFP-Sessions/"
    "0101f0c1474411e3017eb9d8d5d9dd046bc31fd8/Sessions/Session16/Day4/apogee-binaries.fits"
)
APOGEE_BINARIES_SHA256 = "4f38d67cc6daad592fa075d12ee56f853567c788a5e6403bac0b1b036e1fe7c0"
DATA_FOLDER = "ASTRO_HIER_DATA"


def fetch_apogee_binaries():
    """The 321 velocities of 14 single-lined binaries of Price-Whelan (2022), from APOGEE DR17.

    The published file is downloaded once, into astropy's cache, or read from the folder that the
    environment variable ``ASTRO_HIER_DATA`` names, and verified by its sha256. Cite SDSS DR17 and
    Price-Whelan et al. (2020, ApJ 895, 2).

    Returns
    -------
    `~astropy.table.QTable`
        Columns APOGEE_ID, JD (d, UTC), VHELIO and VHELIO_ERR (km/s), with units; read them with
        `astro_hier.columns.APOGEE`.

    Raises
    ------
    OSError
        If the file cannot be had, or is not the published one.
    """
    folder = os.environ.get(DATA_FOLDER)
    if folder:
        path = Path(folder) / APOGEE_BINARIES
        if not path.is_file():
            raise FileNotFoundError(
                f"{DATA_FOLDER} is {folder!r}, which holds no {APOGEE_BINARIES}"
            )
    else:
        from astropy.utils.data import download_file

        try:
            path = Path(
                download_file(
                    APOGEE_BINARIES_URL, cache=True, show_progress=False, pkgname="astro_hier"
                )
            )
        except OSError as error:
            raise OSError(
                f"{APOGEE_BINARIES_URL} cannot be downloaded ({error}); put the file into a folder"
                f" and name that in the environment variable {DATA_FOLDER}"
            ) from error
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != APOGEE_BINARIES_SHA256:
        raise OSError(
            f"{path} is not the published file: its sha256 is {digest}, not"
            f" {APOGEE_BINARIES_SHA256}; remove it, or astropy's cache, and try again"
        )
    table = QTable.read(path, format="fits")
    visits = QTable({"APOGEE_ID": np.char.strip(np.asarray(table["APOGEE_ID"], dtype=str))})
    for name, unit in (("JD", u.day), ("VHELIO", KMS), ("VHELIO_ERR", KMS)):
        visits[name] = np.asarray(table[name], dtype=float) * unit
    return visits
