"""Files: a tree of draws and the arguments of an estimator, in one netCDF file without code."""

import errno
import hashlib
import json
import os
import re
import secrets
import stat
import zlib
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import numpy as np

from astro_hier import netcdf
from astro_hier.given import is_there
from astro_hier.given import path as as_path
from astro_hier.netcdf import ContentError
from astro_hier.posterior.encoding import decode, encode

__all__ = ["SavedFileError", "estimator_in", "load", "reading", "save", "write_whole"]

FORMAT = "astro_hier estimator 3"
UNFINISHED = ".astro_hier-"  # how names of files begin that are not complete
EARLIER = "astro_hier estimator 2"  # can still be read
# A saved file ends with this, after all of the netCDF content, and the hash of everything before.
# The hash is compared before the file is opened as HDF5, which may hang on a damaged file.
SEAL = b"\nsha256 of all before: "
SEAL_SIZE = len(SEAL) + 2 * hashlib.sha256().digest_size
SIGNATURE = b"\x89HDF\r\n\x1a\n"
FOREIGN = (
    "was not written by an estimator's save method, or was changed or damaged since: fit again, and"
    " save the result with the estimator's save method"
)


class SavedFileError(OSError):
    """A file from which an estimator of this kind cannot be loaded."""


def save(path, tree, estimator, params):
    """Write draws, data and an estimator's arguments as one netCDF file.

    The file is made in memory, written next to ``path`` under a temporary name, and moved there
    when it is complete.
    """
    path, tree = as_path("path", path), tree.copy()
    tree.attrs = {
        "format": FORMAT,
        "estimator": estimator,
        "parameters": json.dumps(encode(params)),
        "astro_hier_version": version("astro_hier"),
    }
    content = netcdf.to_bytes(tree)
    write_whole(path, content, _seal(content))


def write_whole(path, *blocks):
    """Write a file of some blocks of bytes, or leave what is there.

    Raises
    ------
    OSError
        If it cannot be written, for instance because the disk is full.
    """
    path = as_path("path", path)
    target = _target(path)
    try:
        put(target, *blocks)
    except OSError as error:
        raise OSError(
            error.errno or errno.EIO,
            f"{str(path)!r} could not be written ({error.strerror or error}); any file there is"
            " unchanged, and the fit is still in memory: make room, or save it elsewhere",
        ) from error


def _target(path):
    """The file that ``path`` leads to, which need not exist yet.

    Raises
    ------
    OSError
        If there cannot be a file there, or it must not be replaced.
    """
    target = Path(os.path.realpath(path))
    is_there(target)
    if target.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; expected the name of a file in it")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{str(path)!r} is not the name of a file in a folder that exists")
    if os.path.lexists(target):
        if not target.is_file():
            raise OSError(f"{str(path)!r} is not a file but a device, a pipe or a loop of links")
        if not os.access(target, os.W_OK):
            raise PermissionError(f"{str(path)!r} is write-protected: choose another name")
    return target


def put(target, *blocks):
    """Write a new file, and replace ``target`` by it when it is completely on the disk."""
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mode = None

    def new(name, flags):
        return os.open(name, flags, 0o666 if mode is None else mode)

    part = target.with_name(f"{UNFINISHED}{secrets.token_hex(8)}.part")
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
    """Make new names in a folder survive a crash, on systems that can do so."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _seal(content):
    """The seal that follows a file's content."""
    return SEAL + hashlib.sha256(content).hexdigest().encode()


@contextmanager
def reading(path):
    """Turn any error in reading a file into a `SavedFileError` that names the file."""
    try:
        yield
    except SavedFileError:
        raise
    except Exception as error:  # raised by HDF5, h5py, xarray, json or anything they call
        what = str(error)
        if not isinstance(error, ContentError):
            what = (
                "was not written by the save method of an estimator of this version"
                f" ({type(error).__name__}: {what})"
            )
        # names in a file are not always text
        what = what.encode(errors="backslashreplace").decode()
        raise SavedFileError(f"{str(path)!r} {what}") from error


def load(path, estimator):
    """Read the tree and the arguments that `save` wrote for the same estimator.

    Nothing outside the file is read, whatever it holds.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    SavedFileError
        If the file is damaged or was written by something else.
    """
    path = _file(path)
    with reading(path):
        tree = _tree(path)
        attrs, tree.attrs = tree.attrs, {}
        if attrs["estimator"] != estimator:
            raise ContentError(
                f"holds a {attrs['estimator']}: load it with {attrs['estimator']}.load"
            )
        params = decode(json.loads(attrs["parameters"]))
        if not isinstance(params, dict):
            raise ContentError(f"does not hold arguments of a {estimator}")
    return tree, params


def estimator_in(path):
    """The name of the estimator whose results are in a file, with the same checks as `load`."""
    path = _file(path)
    with reading(path):
        return _tree(path).attrs["estimator"]


def _file(path):
    """The file that is to be read.

    Raises
    ------
    OSError
        If there is none, or something else that cannot be read as one.
    """
    path = as_path("path", path)
    if not is_there(path):
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; expected a file in it")
    if not path.is_file():  # reading a pipe would wait, or never end
        raise SavedFileError(f"{str(path)!r} is not a file but a device or a pipe")
    return path


def _tree(path):
    """The whole tree in a file, with the attributes that `save` gave it."""
    content = _read(path)
    sealed = content.endswith(_seal(memoryview(content)[:-SEAL_SIZE]))
    if not sealed:
        _check_unsealed(content)
    tree = netcdf.from_bytes(content)
    _check_format(tree, sealed)
    return tree


def _read(path):
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise ContentError(FOREIGN)
        file.seek(0)
        return file.read()


def _check_unsealed(content):
    """Raise a ContentError unless a file without a seal may have the format that had none."""
    found = set(re.findall(rb"astro_hier estimator \d+", content))
    if SEAL in content or len(found) != 1 or FORMAT.encode() in found:
        raise ContentError(FOREIGN)
    (name,) = found
    if name != EARLIER.encode():
        raise _of_another_format(name.decode())


def _check_format(tree, sealed):
    """Raise a ContentError unless a tree has a known format and is as it was written."""
    attrs = tree.attrs
    for name in ("format", "estimator", "parameters"):
        if not isinstance(attrs.get(name), str):
            raise ContentError(f"does not say its {name}: it {FOREIGN}")
    if not attrs["estimator"].isidentifier():
        raise ContentError(f"does not say its estimator: it {FOREIGN}")
    if attrs["format"] not in (FORMAT, EARLIER):
        raise _of_another_format(attrs["format"])
    if attrs["format"] == FORMAT:
        whole = sealed
    elif "digest" in attrs:
        whole = attrs["digest"] == _digest(tree)
    else:  # an early file: HDF5 has already compared the checksums of the arrays
        whole = attrs.get("parameters_crc32") == zlib.crc32(attrs["parameters"].encode())
    if not whole:
        raise ContentError(FOREIGN)


def _of_another_format(name):
    """The error for a file in a format that cannot be read."""
    prefix, _, number = FORMAT.rpartition(" ")
    own = name.rpartition(" ")
    if own[0] != prefix or not own[2].isdigit() or own[2] == number:
        return ContentError(f"has an unknown format, {name!r}: it {FOREIGN}")
    known = f"expected {FORMAT!r} or {EARLIER!r}"
    if int(own[2]) < int(number):
        return ContentError(
            f"was written by an older version, whose format {name!r} can no longer be read"
            f" ({known}): fit again, and save the result"
        )
    return ContentError(
        f"was written by a newer version, in the format {name!r} ({known}): update astro_hier"
    )


def _digest(tree):
    """The hash of the earlier format: of arguments, and of every value, name and attribute."""
    digest = hashlib.sha256(repr((tree.attrs["estimator"], tree.attrs["parameters"])).encode())
    for node in tree.subtree:
        said = {} if node is tree else node.attrs
        digest.update(repr((node.path, _plain(said), sorted(node.variables))).encode())
        for name, variable in sorted(node.variables.items()):
            values = variable.values
            kind = values.dtype.kind if values.dtype.kind in "iufb" else "U"
            digest.update(repr((name, variable.dims, _plain(variable.attrs), kind)).encode())
            digest.update(values.tobytes() if kind != "U" else repr(values.tolist()).encode())
    return digest.hexdigest()


def _plain(attrs):
    return sorted((name, np.ravel(value).tolist()) for name, value in attrs.items())
