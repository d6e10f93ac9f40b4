"""What is checked of the columns and of a fit."""

import numpy as np
from scipy.special import ndtr

from astro_hier.models import goodness, upper_limit
from astro_hier.models.velocity_dispersion import likelihood
from astro_hier.table import TableError

PAIRS = ("velocity", "velocity_error"), ("redshift", "redshift_error")


def check_rows(model, rows, table):
    """Raise an error unless either velocities or redshifts were read, with their errors."""
    given = [pair for pair in PAIRS if any(name in rows for name in pair)]
    missing = [name for pair in given for name in pair if name not in rows]
    if len(given) == 1 and not missing:
        return
    found = (
        f"has columns of both, {[name for name in sum(PAIRS, ()) if name in rows]}; leave out"
        f" the others with columns={{{given[1][0]!r}: None, {given[1][1]!r}: None}}"
        if len(given) > 1
        else f"has {table.colnames}, and no {' or '.join(missing) if missing else 'such'}; say"
        " which columns they are with columns={'velocity': 'NAME', 'velocity_error': 'NAME'}"
    )
    raise TableError(
        f"accepted is either velocity and velocity_error, or redshift and redshift_error: the"
        f" table {found}"
    )


def diagnose(model, data, values, method):
    if "ln_sigma_v" not in model.free_names():
        return {}
    return {"resolved": upper_limit.resolved(model, data, values, "sigma_v", -np.inf)}


def check(model, data, values, attrs, method):
    findings = []
    if model._background():
        error = np.median(likelihood.in_kms(data, "_error")) * values.get("error_scale", 1.0)
        spread = np.hypot(likelihood.scale_of(data, values["v_sys"]) * values["sigma_v"], error)
        remedy = (
            "outliers=VelocityBackground(outlier_sd=priors.LogUniform(LOW, HIGH)), LOW several"
            " times the velocity dispersion"
        )
        wings = model._background().check_wings(values, values["v_sys"], spread, remedy)
        findings.append(wings)
        findings.append(goodness.check_background(model._background(), values))
    name, unit = ("redshift", "") if likelihood.is_redshift(data) else ("velocity", " km/s")
    z, member = scores(model, data, values)
    findings.append(goodness.check_rows(model, z, member, name, unit, data))
    findings += goodness.check_error_scale(model, values)
    return findings + upper_limit.check_resolved(attrs, "sigma_v", "velocity dispersion")


def scores(model, data, values):
    """The normal score of each row as a member, and the probability that it is one."""
    theta = goodness.some(values, model.sampled_names())
    v_sys, spread, _, error = likelihood.population(model, data, theta)
    t = (likelihood.in_kms(data) - v_sys) / np.hypot(spread, error)
    member = np.broadcast_to(likelihood.membership(model, data, theta), t.shape)
    return goodness.scores(ndtr(t), ndtr(-t), member)


def rows_to_compare(model, data):
    return (
        None
        if model._background()
        else (likelihood.in_kms(data), likelihood.in_kms(data, "_error"))
    )
