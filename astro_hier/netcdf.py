"""A tree of labelled arrays as the bytes of a netCDF file, and such bytes as a tree.

A netCDF file is an HDF5 file, and those can do more than hold arrays: links, virtual datasets and
external storage lead to other files, and a few bytes can declare arrays without end. Bytes that a
stranger may have written are therefore inspected before any value is read, and refused unless all
they declare is what `to_bytes` writes, or wrote: plain arrays that the bytes themselves hold.
"""

import io
import math

import h5py
import numpy as np
import xarray as xr
from h5py import h5a, h5d, h5o, h5t, h5z

__all__ = ["ContentError", "from_bytes", "to_bytes"]

NUMBERS = {h5t.INTEGER, h5t.FLOAT}
LAYOUTS = {h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED}
# how netCDF says which dimensions an array has, by references to objects of the same file
DIMENSIONS = {"DIMENSION_LIST": h5t.VLEN, "REFERENCE_LIST": h5t.COMPOUND}
TEXT = np.dtype("<u4, <u8, <u4")  # a string of any length: its size, and where it is


class ContentError(ValueError):
    """What is wrong with a file's content, to follow its name in a sentence."""


def to_bytes(tree):
    """A `xarray.DataTree` as netCDF, without touching a disk: a memoryview.

    Raises
    ------
    ContentError
        If the tree has what `from_bytes` would refuse.
    """
    content = tree.to_netcdf(engine="h5netcdf")
    _check(content)
    return content


def from_bytes(content):
    """The `xarray.DataTree` that bytes of netCDF hold.

    Raises
    ------
    ContentError
        If they hold anything but plain arrays. Others are whatever HDF5, h5py and xarray raise.
    """
    _check(content)
    source = io.BytesIO(content)
    with xr.open_datatree(source, engine="h5netcdf", phony_dims="access") as opened:
        return opened.load()


def _check(content):
    with h5py.File(io.BytesIO(content), "r") as file:
        _inspect(file, content)


def _inspect(file, content):
    """Raise a ContentError unless a file's groups hold plain arrays alone, all within its bytes."""
    if file.userblock_size or file.id.get_create_plist().get_sizes() != (8, 8):
        raise ContentError("is laid out as no netCDF file is")
    root = file["/"]
    room, seen, groups = len(content), {_address(root)}, [root]
    while groups:
        group = groups.pop()
        room -= _size_of_attributes(group, room)
        for name in group:
            path = f"{group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ContentError(f"has a link at {path}, which may lead elsewhere")
            item = group[name]
            if _address(item) in seen:
                raise ContentError(f"has a second name, {path}, of one object")
            seen.add(_address(item))
            if isinstance(item, h5py.Group) and group == root:
                groups.append(item)
                continue
            if not isinstance(item, h5py.Dataset):
                raise ContentError(f"holds something other than an array, {path}")
            room -= _size_of_values(item, content) + _size_of_attributes(item, room)
            if room < 0:
                raise ContentError(f"declares more than it can hold, up to {path}")


def _address(item):
    return h5o.get_info(item.id).addr


def _size_of_values(dataset, content):
    """Bytes that an array declares; a ContentError unless they are in the file."""
    plan, kind = dataset.id.get_create_plist(), dataset.id.get_type()
    filters = {plan.get_filter(i)[0] for i in range(plan.get_nfilters())}
    if plan.get_layout() not in LAYOUTS or plan.get_external_count():
        raise ContentError(f"keeps the values of {dataset.name} elsewhere")
    if not filters <= {h5z.FILTER_FLETCHER32}:  # checksums, which format 2 had, add to the size
        raise ContentError(f"keeps the values of {dataset.name} compressed")
    if kind.get_class() not in NUMBERS | {h5t.STRING} or dataset.shape is None:
        raise ContentError(f"has values of no known kind in {dataset.name}")
    count = math.prod(dataset.shape)
    size = count * kind.get_size()
    chunk = math.prod(dataset.chunks or ()) * kind.get_size()
    stored = dataset.id.get_storage_size()
    if size > stored or max(stored, chunk) > len(content):
        raise ContentError(f"declares more values of {dataset.name} than it can hold")
    if count and kind.get_class() == h5t.STRING and kind.is_variable_str():
        texts = np.frombuffer(content, TEXT, count, dataset.id.get_offset())
        size += int(texts["f0"].sum(dtype=np.uint64))
    return size


def _size_of_attributes(item, room):
    """Bytes of the attributes of a group or array; a ContentError if more than ``room``."""
    total = 0
    for name in item.attrs:
        attribute = h5a.open(item.id, name.encode())
        kind, count = attribute.get_type(), math.prod(attribute.shape)
        is_text = kind.get_class() == h5t.STRING and count == 1
        known = is_text or kind.get_class() in NUMBERS
        if not (known or _is_of_dimensions(name, attribute, item)):
            raise ContentError(f"has an attribute of no known kind, {name} of {item.name}")
        total += count * kind.get_size()
        if total <= room and is_text and kind.is_variable_str():
            total += len(item.attrs[name])
        if total > room:
            raise ContentError(f"declares more than it can hold in {name} of {item.name}")
    return total


def _is_of_dimensions(name, attribute, item):
    """Whether an attribute is netCDF's own, with plain references to objects of the same file."""
    kind = attribute.get_type()
    if kind.get_class() != DIMENSIONS.get(name) or not isinstance(item, h5py.Dataset):
        return False
    if name == "DIMENSION_LIST":
        reference, fits = kind.get_super(), attribute.shape == (len(item.shape),)
    else:
        fields = [kind.get_member_name(i) for i in range(kind.get_nmembers())]
        reference, fits = kind.get_member_type(0), fields == [b"dataset", b"dimension"]
    return fits and reference.equal(h5t.STD_REF_OBJ)
