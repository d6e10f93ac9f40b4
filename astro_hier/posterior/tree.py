"""Units out: from float draws to labelled arrays with units."""

from importlib.metadata import version

import astropy.units as u
import numpy as np
import xarray as xr

from astro_hier.netcdf import ContentError
from astro_hier.posterior.encoding import decode

__all__ = ["add_draws", "build_tree", "check_tree", "dataset", "likelihood_group"]


def build_tree(parameters, draws, groups, coords, row, notes):
    """A `xarray.DataTree` of draws with a unit and a long name for every variable.

    Parameters
    ----------
    parameters : sequence of `Parameter`
        The variables of ``draws.posterior``.
    draws : `~astro_hier.inference.draws.Draws`
        The draws.
    groups : dict of dict
        Further groups by name, such as the data: arrays with one value per row, and their unit.
    coords : dict
        Labels by dimension.
    row : str
        Dimension of the arrays in these groups.
    notes : dict
        Attributes of the group constant_data.
    """
    chains, n_draws = next(iter(draws.posterior.values())).shape[:2]
    coords = {"chain": np.arange(chains), "draw": np.arange(n_draws), **coords}

    by_draw = ("chain", "draw")
    library = {"inference_library": "astro_hier", "version": version("astro_hier")}
    posterior = {
        p.name: (by_draw + p.dims, draws.posterior[p.name], p.unit, {"long_name": p.long_name})
        for p in parameters
    }
    stats = {name: (by_draw, values, u.one, {}) for name, values in draws.sample_stats.items()}
    tree = {
        "posterior": dataset(posterior, coords, library | draws.attrs),
        "sample_stats": dataset(stats, coords, library),
    }
    for group, variables in groups.items():
        of_rows = {name: ((row,), values, unit, {}) for name, (values, unit) in variables.items()}
        tree[group] = dataset(of_rows, coords)
    tree["constant_data"].attrs.update(notes)
    return xr.DataTree.from_dict(tree)


def dataset(variables, coords, attrs=None):
    """One group: by name, dimensions, values, unit and further attributes of each variable.

    ``coords`` are labels by dimension, of which those that are used are kept.
    """
    variables = {
        # contiguous, as when read from a file, so that sums are rounded in the same way
        name: (dims, np.ascontiguousarray(values), {"unit": unit.to_string(), **more})
        for name, (dims, values, unit, more) in variables.items()
    }
    used = {dim for dims, *_ in variables.values() for dim in dims}
    return xr.Dataset(variables, {dim: coords[dim] for dim in used}, attrs)


def add_draws(group, parameter, values):
    """Add draws of a parameter, shape (chain, draw, ...), to the group posterior of a tree."""
    attrs = {"unit": parameter.unit.to_string(), "long_name": parameter.long_name}
    group[parameter.name] = xr.Variable(("chain", "draw", *parameter.dims), values, attrs)


def check_tree(tree, row, parameters, roles, numbers):
    """Raise a ContentError unless a tree has the content that `build_tree` makes for a model.

    Parameters
    ----------
    tree : `~xarray.DataTree`
        As read from a file.
    row : str
        Dimension of the data.
    parameters : sequence of `Parameter`
        The variables of the group posterior.
    roles : sequence of `~astro_hier.table.Role`
        The variables of the groups observed_data and constant_data; none if the data are not kept.
    numbers : sequence of str
        Attributes of the group posterior that are numbers.
    """
    for group in ("posterior", "sample_stats", "observed_data", "constant_data"):
        if group not in tree.children:
            raise ContentError(f"lacks the group {group}")
    for parameter in parameters:
        dims = ("chain", "draw", *parameter.dims)
        _check_variable(tree["posterior"], parameter.name, dims, parameter.unit)
    for name in numbers:
        value = tree["posterior"].attrs.get(name)
        if np.ndim(value) or np.asarray(value).dtype.kind not in "iuf":
            raise ContentError(f"lacks the number {name} among the attributes of the posterior")
    if not roles:  # draws alone
        return
    observed = [r.name for r in roles if r.observed and r.name in tree["observed_data"].variables]
    if not observed:
        raise ContentError("lacks the data")
    needed = {*observed, *(f"{name}_error" for name in observed)}
    needed -= {role.name for role in roles if role.nonnegative}  # may be zero, and so left out
    for role in roles:
        group = tree["observed_data" if role.observed or role.name == row else "constant_data"]
        name = role.name if role.unit is not None or role.name == row else f"{role.name}_id"
        if role.required or role.name in (*needed, row) or name in group.variables:
            _check_variable(group, name, (row,), role.unit)
    _check_sizes(tree, row)


def _check_sizes(tree, row):
    """Raise a ContentError unless draws and data agree on the rows, stars and instruments."""
    constant, size = tree["constant_data"], tree["observed_data"].sizes[row]
    expected = {row: size}
    for dim in ("star", "instrument", "object"):
        if f"{dim}_id" in constant.variables:
            expected[dim] = len(np.unique(constant[f"{dim}_id"]))
    for group in (tree["posterior"], constant):
        for dim, found in group.sizes.items():
            if found != expected.get(dim, found):
                raise ContentError(
                    f"holds {found} along the dimension {dim} in {group.name}; expected"
                    f" {expected[dim]}"
                )


def _check_variable(group, name, dims, unit=None):
    """Raise a ContentError unless a group has a variable of numbers in a unit, or of labels."""
    if name not in group.variables:
        raise ContentError(f"lacks {name} in the group {group.name}")
    variable = group.variables[name]
    found = f"holds {variable.dtype} with dimensions {variable.dims} for {name} in {group.name}"
    if variable.dims != dims or variable.size == 0:
        raise ContentError(f"{found}; expected the dimensions {dims}")
    if unit is None:
        return
    if variable.dtype.kind != "f":
        raise ContentError(f"{found}; expected floats")
    stated = variable.attrs.get("unit")
    if not isinstance(stated, str) or decode({"unit": stated}) != unit:
        raise ContentError(f"holds {name} in {stated!r}; expected the unit {str(unit)!r}")


def likelihood_group(name, chosen, values, dim, labels):
    """The group ``log_likelihood``, from which ArviZ computes leave-one-out and WAIC.

    Parameters
    ----------
    name : str
        Name of the observed quantity.
    chosen : ndarray
        Indices of the draws, counted through all chains, shape (chain, draw).
    values : ndarray
        ln of the likelihoods at these draws, shape (chain, draw, row).
    dim : str
        Dimension of the items that have a likelihood each, such as rows.
    labels : array_like
        Names of these items.
    """
    coords = {"chain": np.arange(len(chosen)), "draw": chosen[0], dim: labels}
    attrs = {"unit": "", "long_name": "ln of the density of each, given the parameters"}
    return xr.Dataset({name: (("chain", "draw", dim), values, attrs)}, coords)
