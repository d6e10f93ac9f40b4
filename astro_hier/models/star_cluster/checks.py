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
FARTHEST_NODE = 6.0  # distances for tail probabilities, in standard deviations
FINEST, WIDEST = 0.125, 1.0  # steps between them
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

    names = [p.name for p in model.parameters if model.item not in p.dims]
    z, member = scores(data, goodness.few_draws(values, names, len(data.star)))
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
    log_some = data.background.log_some(likelihood.tally(data, theta), theta)
    found = [_scores(block, theta, log_some) for block in data.blocks()]
    z, member = (np.concatenate(of) for of in zip(*found, strict=True))
    return z, member


def _scores(data, theta, log_some):
    """The scores of a block of stars; ``log_some`` is that of all."""
    parallax, error = likelihood.measured(data, theta)
    columns = likelihood.columns_of(theta)
    below, above = np.zeros((2, len(theta["mu_r"]), len(data.parallax)))
    for weight, sd in data.profile.components(columns):
        nodes = _nodes(np.min(error * columns["mu_r"] ** 2 / sd))
        r = columns["mu_r"] + sd * nodes
        heights = np.where(r > 0, np.exp(-0.5 * nodes**2), 0.0)
        heights *= weight / heights.sum(axis=1, keepdims=True)
        for inverse, height in zip(1 / np.abs(r).T[..., None], heights.T[..., None], strict=True):
            t = (parallax - inverse) / error
            tail = ndtr(-np.abs(t))  # the smaller one, which keeps its digits
            farther = 1 - tail
            below += height * np.where(t < 0, tail, farther)
            above += height * np.where(t < 0, farther, tail)
    member = np.ones_like(below)
    if data.background:
        member = data.background.members(likelihood.log_densities(data, theta)[1], log_some)
    return goodness.scores(below, above, member)


def _nodes(resolution):
    """Distances to sum over, in standard deviations.

    ``resolution`` is the smallest error over the standard deviation of the true parallaxes. The
    sum's error is 2 exp(-2 pi^2 w^2 / step^2) for an integrand of width w, here
    1 / sqrt(1 + resolution^-2).
    """
    step = np.clip(resolution / np.hypot(1, resolution), FINEST, WIDEST)
    return np.linspace(-1, 1, 2 * int(np.ceil(FARTHEST_NODE / step)) + 1) * FARTHEST_NODE


def check_table(model, table: Table, rows: Rows) -> list[Finding]:
    """Whether parallaxes that seem to be Gaia's lack a zero point that matters."""
    parallax = rows["parallax"]
    scatter = np.median(np.abs(parallax - np.median(parallax))) / 0.6745
    error = scatter / np.sqrt(len(parallax))
    return [
        *HierarchicalModel.check_table(model, table, rows),
        *zero_point.check(model, table, error),
    ]
