"""Published velocities of binaries, from APOGEE."""

import hashlib
import os
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable

__all__ = ["fetch_apogee_binaries"]

APOGEE_BINARIES = "apogee-binaries.fits"
APOGEE_BINARIES_URL = (
    "https://raw.githubusercontent.com/LSSTC-DSFP/LSSTC-DSFP-Sessions/"
    "0101f0c1474411e3017eb9d8d5d9dd046bc31fd8/Sessions/Session16/Day4/apogee-binaries.fits"
)
APOGEE_BINARIES_SHA256 = "4f38d67cc6daad592fa075d12ee56f853567c788a5e6403bac0b1b036e1fe7c0"
DATA_FOLDER = "ASTRO_HIER_DATA"
KMS = u.km / u.s


def fetch_apogee_binaries() -> QTable:
    """The 321 velocities of 14 single-lined binaries in Price-Whelan (2022), from APOGEE DR17.

    The published file is downloaded once, into astropy's cache, or read from the folder named by
    the environment variable ``ASTRO_HIER_DATA``, and its sha256 is verified. Cite SDSS DR17 and
    Price-Whelan et al. (2020, ApJ 895, 2).

    Returns
    -------
    `~astropy.table.QTable`
        Columns APOGEE_ID, JD (d, UTC), VHELIO and VHELIO_ERR (km/s), with units; read them with
        `astro_hier.columns.APOGEE`.

    Raises
    ------
    OSError
        If the file cannot be downloaded or found, or is not the published one.
    """
    folder = os.environ.get(DATA_FOLDER)
    if folder:
        path = Path(os.path.expanduser(folder)) / APOGEE_BINARIES
        if not path.is_file():
            raise FileNotFoundError(
                f"{DATA_FOLDER} is {folder!r}, which does not contain {APOGEE_BINARIES}"
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
                f" and set the environment variable {DATA_FOLDER} to that folder"
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
