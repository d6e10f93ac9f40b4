"""Checks of the columns of a velocity dispersion's table, and of a fit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.table import Table
from scipy.special import ndtr

from astro_hier.checks import Finding
from astro_hier.core.floats import Theta
from astro_hier.models import goodness, upper_limit
from astro_hier.models.velocity_dispersion import likelihood
from astro_hier.models.velocity_dispersion.likelihood import QUANTITIES, Members
from astro_hier.table import TableError
from astro_hier.table.places import all_names, suggested_presets

WINGS = (
    "outliers=VelocityBackground(outlier_sd=priors.LogUniform(LOW, HIGH)), LOW several times the"
    " velocity dispersion"
)


def check_rows(model, rows: Mapping[str, np.ndarray], table: Table) -> None:
    """Raise a TableError unless either velocities or redshifts were read, with their errors."""
    pairs = [(quantity.name, quantity.error_name) for quantity in QUANTITIES]
    given = [pair for pair in pairs if any(name in rows for name in pair)]
    missing = [name for pair in given for name in pair if name not in rows]
    if len(given) == 1 and not missing:
        return
    found = (
        f"has columns of both, {[name for name in sum(pairs, ()) if name in rows]}; leave out"
        f" the redshifts with columns={{{given[1][0]!r}: None, {given[1][1]!r}: None}}"
        if len(given) > 1
        else f"has {all_names(table)} and no"
        f" {' or '.join(missing) if missing else 'such columns'}; say which columns they are with"
        " columns={'velocity': 'NAME', 'velocity_error': 'NAME'}"
        + "".join(f"; {said}" for said in suggested_presets(table, model.roles))
    )
    raise TableError(
        "expected either velocity and velocity_error, or redshift and redshift_error: the table"
        f" {found}"
    )


def diagnose(model, data: Members, values: Theta, method: str) -> dict[str, Any]:
    """Whether an inferred dispersion is resolved."""
    if "ln_sigma_v" not in model.free_names():
        return {}
    typical = data.background.typical
    return {"resolved": upper_limit.resolved(model, data, values, "sigma_v", -np.inf, typical)}


def check(model, data: Members, values: Theta, attrs, method: str) -> list[Finding]:
    """Checks of the background, the distribution of the rows, their errors, and the dispersion."""
    error = data.errors.true(np.median(data.stated_error), values)
    spread = np.hypot(data.quantity.scale(values["v_sys"]) * values["sigma_v"], error)

    def label(row):
        measured = f"{data.measured[row]:.4g}{data.quantity.unit_label}"
        return f"star {data.star[row]} ({measured})"

    def remedies(narrow):
        return [*data.background.remedies(narrow), *data.errors.remedies(narrow)]

    z, member = scores(data, goodness.few_draws(values, model.sampled_names(), len(data.star)))
    return [
        *data.background.checks(values, values["v_sys"], spread, WINGS),
        goodness.check_rows(z, member, label, remedies),
        *data.errors.checks(values, data.background.remedies(narrow=False)),
        *upper_limit.check_resolved(attrs, "sigma_v", "velocity dispersion"),
    ]


def scores(data: Members, theta: Theta) -> tuple[np.ndarray, np.ndarray]:
    """The normal score of each row as a member, and the probability that it is one."""
    log_some = likelihood.log_some(data, theta)
    found = [_scores(block, theta, log_some) for block in data.blocks()]
    z, member = (np.concatenate(of) for of in zip(*found, strict=True))
    return z, member


def _scores(data, theta, log_some):
    """The scores of a block of rows; ``log_some`` is that of all."""
    v_sys, spread, _, error = likelihood.population(data, theta)
    t = (data.value - v_sys) / np.hypot(spread, error)
    member = np.broadcast_to(likelihood.members(data, theta, log_some), t.shape)
    return goodness.scores(ndtr(t), ndtr(-t), member)
