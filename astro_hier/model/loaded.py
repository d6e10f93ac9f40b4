"""What a loaded file must be: arguments that a fit takes, rows that a table gives, finite draws.

A seal only says that a file is whole, and anyone can make one. Each number, label and word is
therefore held to what a fit would have accepted or written.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from astropy.table import Table
from astropy.time import Time

from astro_hier import checks
from astro_hier.given import choice
from astro_hier.inference import METHODS
from astro_hier.netcdf import ContentError
from astro_hier.posterior import LOG_PROB
from astro_hier.table import Role, Rows, TableError, check_columns

__all__ = ["check_arguments", "check_attributes", "check_draws", "check_labels", "check_rows"]

LARGEST = 1e100  # of draws, as of numbers in tables
EDGE = 1e-9  # by what part of its ends a draw may lie outside its prior: rounding
JULIAN_DAYS = -68569.0, 1e9  # that have a date
ROUNDING = 1e-6  # of what follows from other parameters
SHOWN = 3  # rows in a message
TEXTS = {"method", "version", "inference_library", "certificate", "surrogate", "sampler"}
NUMBERS = {
    "n_modes", "n_explanations", "resolved", "K_upper", "log_evidence", "chi2_per_dof", "p_chi2",
    "ln_bayes_factor", "period_information", "period_error", "shortest_period", "longest_period",
    "outside_range", "effective_size", "evaluations", "pareto_k",
}  # fmt: skip
FINITE = "shortest_", "longest_", "middle_", "spread_"


def check_arguments(model: Any) -> None:
    """Raise an error unless the arguments are what a fit takes."""
    choice("on_invalid", model.on_invalid, ("raise", "drop"))
    model.check_saved_arguments()
    model.frozen_priors()
    check_columns(model.roles, model.columns_in_use())


def check_rows(model: Any, rows: Rows) -> None:
    """Raise a ContentError unless rows are those of a table that ``read`` takes."""
    for role in model.roles:
        if role.name in rows:
            _check_column(role, rows[role.name])
    try:
        model.check_rows(rows, Table(dict(rows)))
    except TableError as error:
        raise ContentError(
            f"holds rows that {type(model).__name__} does not read: {error}"
        ) from error
    epoch = rows.epoch
    if epoch is None:
        return
    parts = epoch.day, epoch.fraction
    known = all(isinstance(part, float | int) and np.isfinite(part) for part in parts)
    low, high = (-LARGEST, LARGEST) if epoch.scale is None else JULIAN_DAYS
    if not known or not low < sum(parts) < high or epoch.scale not in (None, *Time.SCALES):
        raise ContentError(f"has an epoch that is not a time, {epoch}")


def _check_column(role: Role, values: np.ndarray) -> None:
    """Raise a ContentError unless a role allows all its values."""
    if role.unit is not None:
        wrong = np.flatnonzero(~role.allows(values))
        expected = role.expected
    else:
        texts = values.dtype.kind in "OU"
        known = (
            [isinstance(v, str) and v != "" for v in values] if texts else values >= values.min()
        )
        wrong, expected = np.flatnonzero(~np.asarray(known, bool)), "identifiers"
        if role.unique and len(np.unique(values)) < len(values):
            raise ContentError(f"holds a {role.name} twice; expected one row each")
    if wrong.size:
        shown = ", ".join(f"row {row}: {values[row]}" for row in wrong[:SHOWN])
        raise ContentError(
            f"holds {wrong.size} of {len(values)} values of {role.name} that are not valid"
            f" ({shown}); expected {expected}"
        )


def check_draws(model: Any, tree: xr.DataTree) -> None:
    """Raise a ContentError unless draws are finite, in the range of their parameter and prior."""
    posterior, frozen = tree["posterior"], model.frozen_priors()
    for parameter in (*model.parameters, LOG_PROB):
        if parameter.name not in posterior.variables:
            continue
        low, high = parameter.bounds or ((0.0 if parameter.positive else -np.inf), np.inf)
        if parameter.name in frozen:
            ends = frozen[parameter.name].support()
            low, high = max(low, float(ends[0])), min(high, float(ends[1]))
        _check_range(parameter.name, posterior[parameter.name].values, low, high)
    values = {str(name): variable.values for name, variable in posterior.data_vars.items()}
    for name, derived in model.derive(values).items():
        if name in values and not np.allclose(values[name], derived, rtol=ROUNDING):
            raise ContentError(f"holds values of {name} that do not follow from other parameters")
    stats = tree["sample_stats"]
    for name in ("log_marginal", "explanation"):
        if name in stats.variables:
            low = 0 if name == "explanation" else -LARGEST
            _check_range(name, stats[name].values, low, LARGEST)
    for group in (stats, tree.get("log_likelihood", stats)):
        _check_sizes(posterior, group)
    likelihoods = tree["log_likelihood"].variables if "log_likelihood" in tree else {}
    for label, variable in likelihoods.items():
        if variable.dims[:2] == ("chain", "draw") and not np.all(variable.values < LARGEST):
            raise ContentError(f"holds likelihoods of {label} that are not finite numbers")


def _check_range(name, values, low, high):
    if values.dtype.kind not in "iuf":
        raise ContentError(f"holds {values.dtype} for {name}; expected numbers")
    room = EDGE * np.array([abs(end) if np.isfinite(end) else 0.0 for end in (low, high)])
    allowed = (np.abs(values) <= LARGEST) & (values >= low - room[0]) & (values <= high + room[1])
    if not allowed.all():
        raise ContentError(
            f"holds {values[~allowed][0]} for {name}, in {np.sum(~allowed)} of {values.size} draws;"
            f" expected finite numbers from {low:g} to {high:g}"
        )


def _check_sizes(posterior, group):
    """Raise a ContentError unless a group has the posterior's chains, draws and labels."""
    for dim, size in group.sizes.items():
        known = posterior.sizes.get(dim, size)
        if size > known or (size < known and (dim, group.name) != ("draw", "log_likelihood")):
            raise ContentError(
                f"holds {size} along the dimension {dim} in {group.name}; expected {known}"
            )


def check_labels(tree: xr.DataTree, row: str) -> None:
    """Raise a ContentError unless labels differ, and are the same in all groups."""
    known: dict[str, Any] = {}
    for group in ("observed_data", "constant_data", "posterior", "sample_stats"):
        for name, labels in tree[group].to_dataset().indexes.items():
            dim = str(name)
            said = f"holds labels of {dim} in {group} that are not valid: {list(labels[:SHOWN])}"
            counted = dim in ("chain", "draw") or (dim == row and row != "star")
            if counted and not np.array_equal(labels, np.arange(len(labels))):
                raise ContentError(f"{said}; expected 0, 1, 2, ...")
            known_kinds = all(
                isinstance(one, str | int) or (isinstance(one, float) and np.isfinite(one))
                for one in labels  # bins are called by their middles
            )
            if not labels.is_unique or not known_kinds:
                raise ContentError(f"{said}; expected different names or finite numbers")
            if not labels.equals(known.setdefault(dim, labels)):
                raise ContentError(f"{said}; expected those of the rows")
    if "log_likelihood" in tree:
        for name, labels in tree["log_likelihood"].to_dataset().indexes.items():
            if name in known and name != "draw" and not labels.equals(known[str(name)]):
                raise ContentError(f"holds other labels of {name} for the likelihoods")


def check_attributes(tree: xr.DataTree) -> None:
    """Raise a ContentError unless what is said of a fit has the form in which it is written."""
    attrs = tree["posterior"].attrs
    if attrs.get("method") not in list(METHODS):
        raise ContentError(f"holds the method {attrs.get('method')!r}; expected {list(METHODS)}")
    for key, value in attrs.items():
        name = str(key)
        number = np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf"
        needed = name in NUMBERS or name.startswith(FINITE)
        if name in TEXTS and not isinstance(value, str):
            raise ContentError(f"holds {value!r} for {name}; expected words")
        if needed and not (number and (np.isfinite(value) or not name.startswith(FINITE))):
            raise ContentError(f"holds {value!r} for {name}; expected a number")
    stats = tree["sample_stats"].attrs
    try:
        checks.restore(stats.get("checks", "[]"))
        call = json.loads(stats.get("call", "{}"))
    except (TypeError, ValueError) as error:
        raise ContentError(
            f"holds checks or options of a fit that cannot be read: {error}"
        ) from None
    if not _is_call(call):
        raise ContentError(f"holds {call!r} as the options of a fit; expected them by name")
    folder = tree["constant_data"].attrs.get("rows", "")
    if not isinstance(folder, str):
        raise ContentError(f"holds {folder!r} as the folder of its rows")


def _is_call(call):
    if not isinstance(call, Mapping) or not isinstance(call.get("options", {}), Mapping):
        return False
    return isinstance(call.get("random_state", ""), str) and all(
        isinstance(value, str) for value in call.get("options", {}).values()
    )
