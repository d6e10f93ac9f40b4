"""From the draws of a method to a labelled tree, with the findings of the checks."""

import json
from collections.abc import Mapping

import astropy.units as u
import numpy as np
import xarray as xr

from astro_hier import checks
from astro_hier.checks import Finding
from astro_hier.core.floats import Theta
from astro_hier.inference import edges, influence
from astro_hier.inference.draws import Draws
from astro_hier.model.hooks import Hooks
from astro_hier.posterior import LOG_PROB, build_tree, likelihood_group
from astro_hier.table import Rows

__all__ = ["coordinates", "label", "observed_name", "row_likelihoods"]


def label(
    model: Hooks,
    rows: Rows,
    data,
    result: Draws,
    method: str,
    findings: list[Finding],
    notes: Mapping[str, str] | None = None,
) -> xr.DataTree:
    """Draws and rows as a tree with names and units, and with the findings of all checks.

    ``findings`` are those of the table, which come first, and ``notes`` further attributes of the
    group constant_data.
    """
    values = {**result.posterior, **model.derive(result.posterior)}
    stats = result.sample_stats
    flat = {name: draws.reshape(-1, *draws.shape[2:]) for name, draws in values.items()}
    known = np.ravel(stats["log_marginal"]) if "log_marginal" in stats else None
    flat[LOG_PROB.name] = model.log_prob(data, flat, known)
    values[LOG_PROB.name] = flat[LOG_PROB.name].reshape(next(iter(values.values())).shape[:2])
    _check_finite(values, stats, method)
    attrs = {"method": method, **result.attrs, **model.diagnose(data, flat, method)}
    likelihoods = row_likelihoods(model, data, flat)
    kept = None if likelihoods is None else _keep(likelihoods, values[LOG_PROB.name].shape)
    findings = [
        *findings,
        *result.findings,
        *map(model.reword, _check_edges(model, data, flat)),
        *model.check(data, flat, attrs, method),
        *_check_rows(model, rows, data, flat, likelihoods, kept),
    ]
    coords = coordinates(model, rows, data)
    tree = build_tree(
        [p for p in (*model.parameters, LOG_PROB) if p.name in values],
        Draws(values, stats, attrs),
        _groups(model, rows),
        coords,
        model.row,
        dict(notes or {}) if rows.epoch is None else {"epoch": json.dumps(vars(rows.epoch))},
    )
    tree["sample_stats"].attrs["checks"] = checks.dump(findings)
    if kept is not None:
        name = observed_name(model, rows)
        of = model.likelihood_of or model.row
        tree["log_likelihood"] = likelihood_group(name, kept[0], kept[1], of, coords[of])
    return tree


def _check_finite(values, stats, method):
    """Raise a ValueError if a density or a draw is NaN or infinite."""
    densities = {name: stats[name] for name in ("log_marginal",) if name in stats}
    for name, draws in (densities | values).items():
        wrong = draws[~np.isfinite(draws)]
        if wrong.size:
            other = "nuts" if method == "marginal" else "marginal"
            raise ValueError(
                f"{name} is {wrong[0]} in {wrong.size} of {draws.size} values that were drawn;"
                " expected finite numbers: look for rows with extreme values or errors, narrow the"
                f" priors, or try method={other!r}"
            )


def observed_name(model: Hooks, rows: Rows) -> str:
    """The name of what was observed, which likelihoods of rows are called by too."""
    return next(role.name for role in model.roles if role.observed and role.name in rows)


def _groups(model, rows):
    """The rows by group: values with their unit, and labels that are not a dimension."""
    groups = {"observed_data": {}, "constant_data": {}}
    for role in model.roles:
        if role.name not in rows:
            continue
        if role.unit is not None:
            group = "observed_data" if role.observed else "constant_data"
            groups[group][role.name] = rows[role.name], role.unit
        elif role.name != model.row:
            groups["constant_data"][f"{role.name}_id"] = rows[role.name], u.one
    return groups


def coordinates(model: Hooks, rows: Rows, data) -> dict:
    """Labels of the rows, and of the dimensions of parameters."""
    if not rows:
        return model.coordinates(data)
    labels = rows["star"] if model.row == "star" else np.arange(rows.size)
    return {model.row: labels, **model.coordinates(data)}


def row_likelihoods(model: Hooks, data, values: Theta) -> influence.RowLikelihoods | None:
    """The likelihoods of the rows, or None."""
    common = {
        name: values[name]
        for name in (p.name for p in model.parameters if model.item not in p.dims)
        if name in values
    }
    one = {name: of[:1] for name, of in common.items()}
    if model.log_likelihood(data, one) is None:
        return None
    return influence.RowLikelihoods(lambda some: model.log_likelihood(data, some), common)


def _keep(likelihoods, shape):
    """Indices of the draws at which likelihoods of rows are kept, and these likelihoods.

    Arrays of shape (chain, draw) and (chain, draw, row).
    """
    chosen = np.arange(np.prod(shape)).reshape(shape)[:, :: likelihoods.step()]
    values = likelihoods.at(np.ravel(chosen))
    return chosen, values.reshape(*chosen.shape, -1)


def _check_edges(model, data, values):
    """Whether edges of priors cut off the posterior, unless it was drawn by ``draw_exactly``."""
    if type(model).log_marginal is Hooks.log_marginal:
        return []
    frozen = model.frozen_priors()
    names = [*frozen, *model.standard_normals(data)]
    inferred = {name: frozen[name] for name in model.free_names()}
    bounds = {name: model.parameter(name).bounds for name in inferred}
    theta = {name: values[name] for name in names}
    return [edges.of_priors(lambda x: model.log_marginal(data, x), theta, inferred, bounds)]


def _check_rows(model, rows, data, values, likelihoods, kept):
    """Whether single rows decide the result."""
    if likelihoods is None or likelihoods.n_rows < influence.MIN_ROWS:
        return []
    names = [name for name in model.headline() if np.ptp(values[name]) > 0]
    if not names:
        return []
    draws = np.column_stack([values[name] for name in names])
    chosen, log_likelihood = kept
    known = np.ravel(chosen), log_likelihood.reshape(-1, likelihoods.n_rows)
    left_out = influence.without_each(likelihoods, draws, known)
    compared = model.rows_to_compare(data)
    distance = np.zeros(likelihoods.n_rows) if compared is None else influence.far(*compared)
    return [
        influence.examine(
            left_out,
            draws.mean(axis=0),
            distance,
            influence.largest_shift(len(distance)) * model.excess_scatter(data, values),
            names,
            [model.parameter(name).unit.to_string() for name in names],
            lambda row: _name_of(model, rows, data, row, likelihoods.n_rows),
            model.remedy_of_rows(),
        )
    ]


def _name_of(model, rows, data, row, n_rows):
    """The name of a row and its measured values."""
    of = model.likelihood_of or model.row
    labels = model.coordinates(data).get(of, rows.get(of))
    name = f"{of} {row if labels is None else labels[row]}"
    for role in model.roles:
        if role.observed and len(rows.get(role.name, ())) == n_rows:
            name += f", {role.name} {rows[role.name][row]:.6g}"
            if f"{role.name}_error" in rows:
                name += f" ± {rows[f'{role.name}_error'][row]:.3g}"
            name += f" {role.unit.to_string()}".rstrip()
    return name
