"""Conversion between a tree of labelled arrays and the bytes of a netCDF file.

A netCDF file is an HDF5 file, and these can hold more than arrays: links, virtual datasets and
external storage lead to other files, and a few bytes can declare enormous arrays. Bytes that a
stranger may have written are therefore inspected before any value is read. They are refused unless
they declare only what `to_bytes` writes, or used to write: plain arrays contained in the bytes.
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
# netCDF records the dimensions of an array as references to objects in the same file
# attributes by which xarray would change values, or make labels of variables, as it reads them
FOLLOWED = {
    "_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned", "units", "calendar",
    "coordinates", "_Encoding", "bounds", "grid_mapping", "cell_measures", "formula_terms",
    "ancillary_variables", "dtype",
}  # fmt: skip
DIMENSIONS = {"DIMENSION_LIST": h5t.VLEN, "REFERENCE_LIST": h5t.COMPOUND}
TEXT = np.dtype("<u4, <u8, <u4")  # a string of variable length: its size and its address
HEAP = b"GCOL\x01\0\0\0"  # how a collection of texts begins
OF_HEAP = 16  # bytes of its header, and of that of each of its objects


class ContentError(ValueError):
    """What is wrong with the content of a file, as a phrase to follow the file's name."""


def to_bytes(tree):
    """A `xarray.DataTree` as netCDF in memory.

    Raises
    ------
    ContentError
        If the tree holds anything that `from_bytes` would refuse.
    """
    # a copy, since a view that outlives its buffer, as in a traceback, is an error when both end
    content = bytes(tree.to_netcdf(engine="h5netcdf"))
    _check(content)
    return content


def from_bytes(content):
    """The `xarray.DataTree` in the bytes of a netCDF file.

    Raises
    ------
    ContentError
        If they hold anything but plain arrays. HDF5, h5py and xarray may raise errors of their own.
    """
    _check(content)
    source = io.BytesIO(content)
    with xr.open_datatree(source, engine="h5netcdf", phony_dims="access") as opened:
        return opened.load()


def _check(content):
    _check_heaps(content)
    with h5py.File(io.BytesIO(content), "r") as file:
        _inspect(file, content)


def _check_heaps(content):
    """Raise a ContentError if HDF5 would never end reading a collection of texts.

    A collection is a header of 16 bytes, with its size in the last 8, and objects: an index of 2
    bytes and, after 6 more, a size of 8, then the content. Number 0 is what is free, in one piece.
    """
    start = content.find(HEAP)
    while start >= 0:
        size = int.from_bytes(content[start + 8 : start + OF_HEAP], "little")
        at, end = start + OF_HEAP, min(start + size, len(content))
        while at + OF_HEAP <= end:
            length = int.from_bytes(content[at + 8 : at + OF_HEAP], "little")
            if content[at : at + 2] != b"\0\0":
                length = OF_HEAP + -(-length // 8) * 8
            if length == 0:
                raise ContentError("has a text of impossible size")
            at += length
        start = content.find(HEAP, start + 1)


def _inspect(file, content):
    """Raise a ContentError unless a file's groups hold only plain arrays, all within its bytes."""
    if file.userblock_size or file.id.get_create_plist().get_sizes() != (8, 8):
        raise ContentError("does not have the layout of a netCDF file")
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
                raise ContentError(f"has a second name, {path}, for one object")
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
    """The number of bytes that an array declares; a ContentError unless they are in the file."""
    plan, kind = dataset.id.get_create_plist(), dataset.id.get_type()
    filters = {plan.get_filter(i)[0] for i in range(plan.get_nfilters())}
    if plan.get_layout() not in LAYOUTS or plan.get_external_count():
        raise ContentError(f"keeps the values of {dataset.name} elsewhere")
    if not filters <= {h5z.FILTER_FLETCHER32}:  # checksums of format 2, which add to the size
        raise ContentError(f"keeps the values of {dataset.name} compressed")
    if kind.get_class() not in NUMBERS | {h5t.STRING} or dataset.shape is None:
        raise ContentError(f"has values of an unknown kind in {dataset.name}")
    count = math.prod(dataset.shape)
    size = count * kind.get_size()
    chunk = math.prod(dataset.chunks or ()) * kind.get_size()
    stored = dataset.id.get_storage_size()
    for size_of, scales in zip(dataset.shape, dataset.dims, strict=True):
        for scale in scales.values():  # a shorter array would be filled up
            if scale.shape != (size_of,):
                raise ContentError(
                    f"holds {size_of} values along a dimension of {scale.size}, in {dataset.name}"
                )
    if size > stored or max(stored, chunk) > len(content):
        raise ContentError(f"declares more values of {dataset.name} than it can hold")
    if count and kind.get_class() == h5t.STRING and kind.is_variable_str():
        texts = np.frombuffer(content, TEXT, count, dataset.id.get_offset())
        size += int(texts["f0"].sum(dtype=np.uint64))
    return size


def _size_of_attributes(item, room):
    """The size of a group's or array's attributes in bytes; a ContentError if above ``room``."""
    total = 0
    for name in item.attrs:
        attribute = h5a.open(item.id, name.encode())
        kind, count = attribute.get_type(), math.prod(attribute.shape)
        is_text = kind.get_class() == h5t.STRING and count == 1
        known = is_text or kind.get_class() in NUMBERS
        if name in FOLLOWED and not _is_harmless(name, item):
            raise ContentError(f"has an attribute that changes values, {name} of {item.name}")
        if not (known or _is_of_dimensions(name, attribute, item)):
            raise ContentError(f"has an attribute of an unknown kind, {name} of {item.name}")
        total += count * kind.get_size()
        if total <= room and is_text and kind.is_variable_str():
            total += len(item.attrs[name])
        if total > room:
            raise ContentError(f"declares more than it can hold in {name} of {item.name}")
    return total


def _is_harmless(name, item):
    """Whether an attribute is as `to_bytes` writes it: NaN for gaps, and "bool" of switches."""
    if not isinstance(item, h5py.Dataset):
        return False
    value, kind = item.attrs[name], item.dtype.kind
    if name == "_FillValue":
        return kind == "f" and np.size(value) == 1 and bool(np.all(np.isnan(value)))
    return name == "dtype" and kind == "i" and isinstance(value, str) and value == "bool"


def _is_of_dimensions(name, attribute, item):
    """Whether an attribute is netCDF's own, with plain references to objects in the same file."""
    kind = attribute.get_type()
    if kind.get_class() != DIMENSIONS.get(name) or not isinstance(item, h5py.Dataset):
        return False
    if name == "DIMENSION_LIST":
        reference, fits = kind.get_super(), attribute.shape == (len(item.shape),)
    else:
        fields = [kind.get_member_name(i) for i in range(kind.get_nmembers())]
        reference, fits = kind.get_member_type(0), fields == [b"dataset", b"dimension"]
    return fits and reference.equal(h5t.STD_REF_OBJ)
