"""Files: a tree of draws and the arguments of an estimator, as one netCDF file without code."""

import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path

import xarray as xr

from astro_hier.encoding import SavedFileError, decode, encode

__all__ = ["SavedFileError", "load", "save"]

FORMAT = "astro_hier estimator 3"
# What a saved file ends with, behind all that netCDF knows of, and the hash of all before it. It is
# compared before the file is opened as HDF5, which may not come back from a damaged one.
SEAL = b"\nsha256 of all before: "
SEAL_SIZE = len(SEAL) + 2 * hashlib.sha256().digest_size


def save(path, tree, estimator, params):
    """Write draws, data and an estimator's arguments as one netCDF file.

    The file is written beside ``path`` and moved there when it is whole.
    """
    path = Path(path)
    tree, written = tree.copy(), json.dumps(encode(params))
    tree.attrs = {
        "format": FORMAT,
        "estimator": estimator,
        "parameters": written,
        "astro_hier_version": version("astro_hier"),
    }
    if not path.name or not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"{str(path)!r} is not a file's name in a folder that exists")
    part = path.with_name(path.name + ".part")
    try:
        tree.to_netcdf(part, engine="h5netcdf")
        seal = _seal(part, part.stat().st_size)
        with part.open("ab") as file:
            file.write(seal)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _seal(path, size):
    """What is to follow the first ``size`` bytes of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(min(size, 2**20)):
            digest.update(block)
            size -= len(block)
    return SEAL + digest.hexdigest().encode()


def load(path, estimator):
    """Read what `save` wrote for the same estimator: the tree and the arguments.

    Raises
    ------
    SavedFileError
        If the file is damaged or was written by something else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    size = max(path.stat().st_size - SEAL_SIZE, 0)
    with path.open("rb") as file:
        file.seek(size)
        whole = file.read() == _seal(path, size)
    if not whole:
        raise SavedFileError(
            f"{str(path)!r} was not written by an estimator's save method, or was changed or"
            " damaged since: fit again, and save with the estimator's save method"
        )
    with xr.open_datatree(path, engine="h5netcdf") as opened:
        tree = opened.load()
    attrs = tree.attrs
    if attrs.get("format") != FORMAT:
        raise SavedFileError(
            f"{str(path)!r} was written by another version (its format is"
            f" {attrs.get('format')!r}, accepted is {FORMAT!r}): fit again, and save"
        )
    if attrs["estimator"] != estimator:
        raise SavedFileError(
            f"{str(path)!r} holds a {attrs['estimator']}: load it with {attrs['estimator']}.load"
        )
    tree.attrs = {}
    return tree, decode(json.loads(attrs["parameters"]))
