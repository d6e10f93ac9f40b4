"""Files: a tree of draws and the arguments of an estimator, as one netCDF file without code."""

import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path

import astropy.units as u
import numpy as np
import xarray as xr

from astro_hier import priors

__all__ = ["SavedFileError", "load", "register", "save"]

# Classes that an estimator's arguments may be instances of, besides plain values, by name: what
# a saved file may hold. Each is rebuilt from its attributes.
SAVED = {name: getattr(priors, name) for name in priors.__all__ if name != "PriorError"}


def register(cls, name=None):
    """Let saved files hold instances of a dataclass whose fields can be saved.

    Do so before saving, and before loading.

    Parameters
    ----------
    cls : type
        A dataclass, such as a population of your own.
    name : str, optional
        What files call it; by default its name with that of its module.

    Returns
    -------
    type
        ``cls``, so that this can decorate it.
    """
    SAVED[name or f"{cls.__module__}.{cls.__name__}"] = cls
    return cls


FORMAT = "astro_hier estimator 3"
# What a saved file ends with, behind all that netCDF knows of, and the hash of all before it. It is
# compared before the file is opened as HDF5, which may not come back from a damaged one.
SEAL = b"\nsha256 of all before: "
SEAL_SIZE = len(SEAL) + 2 * hashlib.sha256().digest_size


class SavedFileError(OSError):
    """A file that no estimator of this kind can be loaded from."""


def save(path, tree, estimator, params):
    """Write draws, data and an estimator's arguments as one netCDF file.

    The file is written beside ``path`` and moved there when it is whole.
    """
    path = Path(path)
    tree, written = tree.copy(), json.dumps(_encode(params))
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
    return tree, _decode(json.loads(attrs["parameters"]))


def _encode(value):
    """An estimator's argument as what JSON can hold."""
    for name, cls in SAVED.items():
        if type(value) is cls:
            return {"instance": name, "of": _encode(vars(value))}
    if isinstance(value, u.UnitBase):
        return {"unit": value.to_string()}
    if isinstance(value, u.Quantity):
        return {"value": value.value.tolist(), "unit": value.unit.to_string()}
    if isinstance(value, dict):
        return {"dict": {key: _encode(item) for key, item in value.items()}}
    if isinstance(value, tuple):
        return {"tuple": [_encode(item) for item in value]}
    if isinstance(value, np.generic):
        return value.item()
    if value is not None and not isinstance(value, (bool, int, float, str, list)):
        kind = type(value).__name__
        cure = f"if {kind} is a dataclass of yours, call astro_hier.posterior.register({kind})"
        if callable(value):
            cure = (
                "a file holds no code: make it a dataclass that can be called, and call"
                " astro_hier.posterior.register with its class"
            )
        raise TypeError(f"{value!r} cannot be saved; {cure} and save again")
    return value


def _decode(value):
    if not isinstance(value, dict):
        return value
    if "instance" in value:
        name = value["instance"]
        if name not in SAVED:
            raise SavedFileError(
                f"the file holds a {name}, which is not known here: import the class and call"
                f" astro_hier.posterior.register(CLASS, {name!r}), then load again"
            )
        try:
            return SAVED[name](**_decode(value["of"]))
        except (TypeError, ValueError) as error:
            raise SavedFileError(
                f"the file holds a {name} that cannot be made again: {error}; it was saved by"
                " another version of that class"
            ) from error
    if "value" in value:
        return value["value"] * u.Unit(value["unit"])
    if "unit" in value:
        return u.Unit(value["unit"])
    if "tuple" in value:
        return tuple(_decode(item) for item in value["tuple"])
    return {key: _decode(item) for key, item in value["dict"].items()}
