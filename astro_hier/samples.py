"""Tables of draws, one row for each object, from what other programs write."""

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
import xarray as xr
from astropy.table import QTable

__all__ = ["from_arviz"]


def __dir__() -> list[str]:
    """What completion shows."""
    return sorted(__all__)


DRAWS = ("chain", "draw", "sample")  # dimensions of draws, those that ArviZ stacks among them


def from_arviz(data: Any, var_name: str | Sequence[str], object_dim: str | None = None) -> QTable:
    """A table of the draws of many objects, from one posterior that has them all.

    Parameters
    ----------
    data : `xarray.DataTree`, `xarray.Dataset` or ``arviz.InferenceData``
        With a group ``posterior``, or that group alone. ArviZ need not be installed.
    var_name : str or sequence of str
        Name of the variable, or names of two of the same objects.
    object_dim : str, optional
        Dimension along which objects differ; by default the only one besides those of draws.

    Returns
    -------
    `~astropy.table.QTable`
        Columns ``object``, the dimension's labels, and ``samples``, shape (object, draw), with all
        chains after each other; or ``samples_NAME`` for each of several variables. Units are those
        that the attribute ``unit`` or ``units`` of a variable names.

    Raises
    ------
    ValueError
        If there is no such variable or dimension, or astropy does not know the unit.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> draws = np.random.default_rng(1).normal(1.4, 0.1, (4, 500, 3))
    >>> dims = ("chain", "draw", "star")
    >>> mass = xr.DataArray(draws, dims=dims, attrs={"unit": "solMass"})
    >>> posterior = xr.Dataset({"mass": mass}, {"star": ["a", "b", "c"]})
    >>> from astro_hier.samples import from_arviz
    >>> table = from_arviz(posterior, "mass")
    >>> table["samples"].shape, table["samples"].unit
    ((3, 2000), Unit("solMass"))
    """
    posterior = _posterior(data)
    names = [var_name] if isinstance(var_name, str) else list(var_name)
    draws = [_draws(posterior, name, object_dim) for name in names]
    labels = _labels(draws[0])
    for name, of in zip(names[1:], draws[1:], strict=True):
        if of.dims[0] != draws[0].dims[0] or not np.array_equal(_labels(of), labels):
            raise ValueError(f"{name} and {names[0]} are of different objects; expected the same")
        if of.shape != draws[0].shape:
            raise ValueError(f"{name} and {names[0]} have different draws; expected the same")
    columns = ["samples"] if len(names) == 1 else [f"samples_{name}" for name in names]
    values = (_values(name, of) for name, of in zip(names, draws, strict=True))
    return QTable({"object": labels, **dict(zip(columns, values, strict=True))})


def _posterior(data: Any) -> xr.Dataset:
    """The group posterior, or the data themselves if they are one."""
    if isinstance(data, xr.Dataset):
        return data
    try:
        group = data["posterior"]
    except (KeyError, TypeError, IndexError):
        group = data
    if isinstance(group, xr.DataTree):
        group = group.to_dataset()
    if not isinstance(group, xr.Dataset):
        raise ValueError(
            f"data={type(data).__name__}; expected an InferenceData, DataTree or Dataset with a"
            " group posterior, as ArviZ reads them: arviz.from_netcdf(path)"
        )
    return group


def _draws(posterior: xr.Dataset, name: str, object_dim: str | None) -> xr.DataArray:
    """A variable with the dimensions of objects and draws, in this order."""
    if name not in posterior.data_vars:
        raise ValueError(
            f"no variable {name!r}; expected one of {sorted(map(str, posterior.data_vars))}"
        )
    variable = posterior[name]
    others = [dim for dim in variable.dims if dim not in DRAWS]
    dim = others[0] if object_dim is None and others else object_dim
    if dim not in others or len(others) > 1 or len(variable.dims) == len(others):
        raise ValueError(
            f"{name} has the dimensions {variable.dims}; expected chain, draw and"
            f" {object_dim or 'one of objects'}: select one of each other dimension with sel of"
            " xarray, or rename it"
        )
    order = [each for each in DRAWS if each in variable.dims]
    return variable.transpose(dim, *order)


def _labels(variable: xr.DataArray) -> np.ndarray:
    """Labels of the objects, or their numbers."""
    dim = variable.dims[0]
    if dim not in variable.coords:
        return np.arange(variable.sizes[dim])
    labels = variable.coords[dim].values
    return labels.astype(str) if labels.dtype.kind not in "iuSU" else labels


def _values(name: str, variable: xr.DataArray) -> np.ndarray | u.Quantity:
    """Draws of all chains, shape (object, draw), with their unit."""
    values = variable.values.reshape(len(variable), -1)
    attrs = variable.attrs
    stated = attrs.get("unit", attrs.get("units", ""))
    try:
        unit = u.Unit(stated)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} has the unit {stated!r}, which astropy does not know: set"
            f" data['posterior'][{name!r}].attrs['unit'], or delete it for a number"
        ) from None
    return values if unit == u.dimensionless_unscaled else values * unit
