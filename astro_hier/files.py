"""Files: a tree of draws and the arguments of an estimator, as one netCDF file without code."""

import errno
import hashlib
import json
import os
import secrets
import stat
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import xarray as xr

from astro_hier import netcdf
from astro_hier.encoding import SavedFileError, decode, encode

__all__ = ["SavedFileError", "load", "save"]

FORMAT = "astro_hier estimator 3"
# What a saved file ends with, behind all that netCDF knows of, and the hash of all before it. It is
# compared before the file is opened as HDF5, which may not come back from a damaged one.
SEAL = b"\nsha256 of all before: "
SEAL_SIZE = len(SEAL) + 2 * hashlib.sha256().digest_size


def save(path, tree, estimator, params):
    """Write draws, data and an estimator's arguments as one netCDF file.

    The file is made in memory, written under a name of its own beside ``path``, and moved there
    when it is whole.
    """
    tree = tree.copy()
    tree.attrs = {
        "format": FORMAT,
        "estimator": estimator,
        "parameters": json.dumps(encode(params)),
        "astro_hier_version": version("astro_hier"),
    }
    path = Path(path)
    target = _target(path)
    content = netcdf.to_bytes(tree)
    try:
        _put(target, content, _seal(content))
    except OSError as error:
        raise OSError(
            error.errno or errno.EIO,
            f"{str(path)!r} could not be written ({error.strerror or error}); what was there is as"
            " it was, and the fit is still in memory: make room, or save it to another place",
        ) from error


def _target(path):
    """The file that ``path`` leads to, which may not be there yet.

    Raises
    ------
    OSError
        If none can be there, or it is not one to be replaced.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; expected the name of a file in it")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{str(path)!r} is not a file's name in a folder that exists")
    if os.path.lexists(target):
        if not target.is_file():
            raise OSError(f"{str(path)!r} is not a file but a device, a pipe or a circle of links")
        if not os.access(target, os.W_OK):
            raise PermissionError(
                f"{str(path)!r} is protected from being written to: choose another name"
            )
    return target


def _put(target, *blocks):
    """Write a new file, and put it in the place of ``target`` when it is whole and on the disk."""
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mode = None

    def new(name, flags):
        return os.open(name, flags, 0o666 if mode is None else mode)

    part = target.with_name(f".astro_hier-{secrets.token_hex(8)}.part")
    file = open(part, "xb", opener=new)
    try:
        with file:
            if mode is not None:
                os.chmod(part, mode)  # whatever the umask
            for block in blocks:
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    _sync(target.parent)


def _sync(folder):
    """See to it that a folder's new names outlast a crash, on systems that can do so."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _seal(content):
    """What is to follow a file's content."""
    return SEAL + hashlib.sha256(content).hexdigest().encode()


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
    content = path.read_bytes()
    whole = content.endswith(_seal(memoryview(content)[:-SEAL_SIZE]))
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
