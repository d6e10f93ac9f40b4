"""Units out: from float draws to labelled arrays with units, the summary table, and files."""

import hashlib
import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path

import astropy.units as u
import numpy as np
import xarray as xr
from astropy.table import QTable, Table

from astro_hier import priors

__all__ = ["Parameter", "SavedFileError", "build_tree", "load", "samples", "save", "summarise"]

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


UNBOUNDED = (-np.inf, np.inf)  # of a parameter whose own range does not end


class SavedFileError(OSError):
    """A file that no estimator of this kind can be loaded from."""


@dataclass(frozen=True)
class Parameter:
    """One quantity of a posterior.

    Attributes
    ----------
    name : str
        Its name in the posterior.
    unit : `~astropy.units.Unit`
        Unit of its values.
    symbol : str
        Its symbol in TeX, without dollars.
    long_name : str
        What it is.
    dims : tuple of str
        Dimensions besides chain and draw.
    positive : bool
        Whether a prior that allows values below zero, or zero alone, is refused.
    bounds : tuple of float, optional
        Where its own range ends, whatever its prior: (0, 1) for a share, infinities if it does not
        end. A prior that ends there does not cut off its posterior. By default it may end at zero,
        and at one where a prior goes from zero to one.
    """

    name: str
    unit: u.UnitBase
    symbol: str
    long_name: str
    dims: tuple = ()
    positive: bool = False
    bounds: tuple | None = None

    @property
    def unit_label(self):
        """The unit as it follows a symbol at an axis."""
        return "" if self.unit == u.one else f" [{self.unit.to_string('latex_inline')}]"


LOG_PROB = Parameter(
    "log_prob",
    u.dimensionless_unscaled,
    r"\ln p",
    "log of the posterior density of the parameters common to all stars, up to a constant",
)


def build_tree(parameters, draws, groups, coords, row, notes):
    """A `xarray.DataTree` of draws with a unit and a long name on every variable.

    Parameters
    ----------
    parameters : sequence of `Parameter`
        What the variables of ``draws.posterior`` are.
    draws : `~astro_hier.inference.draws.Draws`
        The draws.
    groups : dict of dict
        Further groups by name, such as the data: arrays with one value a row, and their unit.
    coords : dict
        Labels by dimension.
    row : str
        Dimension of the groups' arrays.
    notes : dict
        Attributes of the group constant_data.
    """
    chains, n_draws = next(iter(draws.posterior.values())).shape[:2]
    coords = {"chain": np.arange(chains), "draw": np.arange(n_draws), **coords}

    def dataset(variables, attrs=None):
        variables = {
            # contiguous, as they are when read from a file: sums round the same
            name: (dims, np.ascontiguousarray(values), {"unit": unit.to_string(), **more})
            for name, (dims, values, unit, more) in variables.items()
        }
        used = {dim for dims, *_ in variables.values() for dim in dims}
        return xr.Dataset(variables, {dim: coords[dim] for dim in used}, attrs)

    by_draw = ("chain", "draw")
    library = {"inference_library": "astro_hier", "version": version("astro_hier")}
    posterior = {
        p.name: (by_draw + p.dims, draws.posterior[p.name], p.unit, {"long_name": p.long_name})
        for p in parameters
    }
    stats = {name: (by_draw, values, u.one, {}) for name, values in draws.sample_stats.items()}
    tree = {
        "posterior": dataset(posterior, library | draws.attrs),
        "sample_stats": dataset(stats, library),
    }
    for group, variables in groups.items():
        tree[group] = dataset(
            {name: ((row,), values, unit, {}) for name, (values, unit) in variables.items()}
        )
    tree["constant_data"].attrs.update(notes)
    return xr.DataTree.from_dict(tree)


def likelihood_group(name, chosen, values, dim, labels):
    """The group ``log_likelihood``, from which ArviZ computes leave-one-out and WAIC.

    Parameters
    ----------
    name : str
        That of what was observed.
    chosen : ndarray
        Numbers of the draws, counted through all chains, shape (chain, draw).
    values : ndarray
        ln of the likelihoods at these, shape (chain, draw, row).
    dim : str
        What has a likelihood each.
    labels : array_like
        Names of these.
    """
    coords = {"chain": np.arange(len(chosen)), "draw": chosen[0], dim: labels}
    attrs = {"unit": "", "long_name": "ln of the density of each, given the parameters"}
    return xr.Dataset({name: (("chain", "draw", dim), values, attrs)}, coords)


def samples(posterior, parameter):
    """All draws of one parameter as a Quantity of shape (chain * draw, ...)."""
    values = posterior[parameter.name].values
    return values.reshape(-1, *values.shape[2:]) * parameter.unit


def draws_table(posterior, parameters):
    """The draws of parameters without further dimensions, one column a parameter."""
    return QTable({p.name: samples(posterior, p) for p in parameters})


def summarise(posterior, parameters, hdi_prob):
    """Mean, spread, interval and convergence of each parameter, one row a parameter.

    The statistics are ArviZ's: rank-normalised split R-hat, bulk and tail effective sample size
    and Monte Carlo standard errors of Vehtari et al. (2021, Bayesian Analysis 16, 667), and the
    narrowest interval that holds ``hdi_prob``. Values that are given have no effective size.
    """
    import arviz_stats as azs

    draws = posterior[[p.name for p in parameters]]
    dims = ("chain", "draw")
    interval = azs.hdi(draws, prob=hdi_prob)
    low, high = (f"hdi_{100 * edge:.3g}%" for edge in ((1 - hdi_prob) / 2, (1 + hdi_prob) / 2))
    # parameters given as plain values do not vary: statistics of rounding say nothing of them
    varies = draws.max(dims) > draws.min(dims)
    with np.errstate(invalid="ignore"):
        columns = {
            "mean": draws.mean(dims),
            "sd": draws.std(dims, ddof=1).where(varies, 0.0),
            low: interval.isel(ci_bound=0),
            high: interval.isel(ci_bound=1),
            "mcse_mean": azs.mcse(draws, method="mean").where(varies, 0.0),
            "mcse_sd": azs.mcse(draws, method="sd").where(varies, 0.0),
            "ess_bulk": azs.ess(draws, method="bulk").where(varies),
            "ess_tail": azs.ess(draws, method="tail").where(varies),
            "r_hat": azs.rhat(draws).where(varies),
        }
    table = Table()
    table["parameter"] = [label for p in parameters for label in _labels(posterior, p)]
    table["unit"] = [
        p.unit.to_string() for p in parameters for _ in range(draws[p.name][0, 0].size)
    ]
    for name, statistic in columns.items():
        table[name] = np.concatenate([np.ravel(statistic[p.name].values) for p in parameters])
        table[name].info.format = ".0f" if name.startswith("ess") else ".4g"
    # enough digits to tell values a tenth of a standard deviation apart
    sd = np.where(table["sd"] > 0, table["sd"], np.inf)
    digits = np.log10(np.maximum(np.abs(table["mean"]) / sd, 1))
    digits = int(np.ceil(digits.max(initial=0))) + 2
    for name in ("mean", low, high):
        table[name].info.format = f".{min(digits, 15)}g"
    table["r_hat"].info.format = ".3f"
    return table


def _labels(posterior, parameter):
    if not parameter.dims:
        return [parameter.name]
    labels = product(*(posterior[dim].values for dim in parameter.dims))
    return [f"{parameter.name}[{', '.join(map(str, label))}]" for label in labels]


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
