"""A tree of labelled arrays as the bytes of a netCDF file."""

__all__ = ["to_bytes"]


def to_bytes(tree):
    """A `xarray.DataTree` as netCDF, without touching a disk: a memoryview."""
    return tree.to_netcdf(engine="h5netcdf")
