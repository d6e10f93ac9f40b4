"""Checks of a star cluster's table, and of a fit to it."""

from typing import Any

import numpy as np
from astropy.table import Table
from scipy.special import ndtr

from astro_hier.checks import Finding
from astro_hier.core.floats import Theta
from astro_hier.model import HierarchicalModel
from astro_hier.models import goodness, upper_limit, zero_point
from astro_hier.models.star_cluster import likelihood
from astro_hier.models.star_cluster.data import Stars
from astro_hier.table import Rows

WINGS = (
    "outliers=ParallaxBackground(outlier_sd=priors.Uniform(1 * u.mas, 10 * u.mas)); if they belong"
    " to the cluster, profile=profiles.CoreHalo() describes them"
)
NODES = np.linspace(-6, 6, 97)  # distances for tail probabilities, in standard deviations
NO_DEPTH = -20.0  # ln(std_r / kpc) that no parallax can distinguish from no depth


def diagnose(model, data: Stars, values: Theta, method: str) -> dict[str, Any]:
    """What common offsets leave out, and whether an inferred depth is resolved."""
    if "ln_std_r" not in model.free_names():
        return data.offsets.attrs
    typical = data.background.typical
    resolved = upper_limit.resolved(model, data, values, "std_r", NO_DEPTH, typical)
    return {**data.offsets.attrs, "resolved": resolved}


def check(model, data: Stars, values: Theta, attrs, method: str) -> list[Finding]:
    """Checks of the background, offsets, distribution of the rows, errors and depth."""
    shape = [] if data.profile.parameters else [goodness.WINGS]

    def label(row):
        return f"star {data.star[row]} ({data.parallax[row]:.4g} mas)"

    def remedies(narrow):
        background, errors = data.background.remedies(narrow), data.errors.remedies(narrow)
        return [*background, *errors, *([] if narrow else shape)]

    names = [p.name for p in model.parameters if p.name != "r"]
    z, member = scores(data, goodness.few_draws(values, names))
    return [
        *data.background.checks(values, 1 / values["mu_r"], _spread(data, values), WINGS),
        *data.offsets.checks(),
        goodness.check_rows(z, member, label, remedies),
        *data.errors.checks(values, data.background.remedies(narrow=False)),
        *upper_limit.check_resolved(attrs, "std_r", "depth"),
    ]


def _spread(data, theta):
    """Standard deviation of members' parallaxes, with 1/r linearised, shape (theta,)."""
    variance = data.profile.variance(theta) / theta["mu_r"] ** 4
    return np.sqrt(variance + data.errors.true(np.median(data.parallax_error), theta) ** 2)


def scores(data: Stars, theta: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The normal score of each star's parallax, and the probability that it is a member."""
    parallax, error = likelihood.measured(data, theta)
    theta = likelihood.columns_of(theta)
    below, above = np.zeros((2, len(theta["mu_r"]), len(data.parallax)))
    for weight, sd in data.profile.components(theta):
        r = theta["mu_r"] + sd * NODES
        heights = np.where(r > 0, np.exp(-0.5 * NODES**2), 0.0)
        heights *= weight / heights.sum(axis=1, keepdims=True)
        for inverse, height in zip(1 / np.abs(r).T[..., None], heights.T[..., None], strict=True):
            t = (parallax - inverse) / error
            below += height * ndtr(t)
            above += height * ndtr(-t)
    return goodness.scores(below, above, theta.get("member", np.ones_like(below)))


def check_table(model, table: Table, rows: Rows) -> list[Finding]:
    """Whether parallaxes that seem to be Gaia's lack a zero point that matters."""
    parallax = rows["parallax"]
    scatter = np.median(np.abs(parallax - np.median(parallax))) / 0.6745
    error = scatter / np.sqrt(len(parallax))
    return [
        *HierarchicalModel.check_table(model, table, rows),
        *zero_point.check(model, table, error),
    ]
