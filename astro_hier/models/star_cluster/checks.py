"""What is checked of a star cluster's table and of a fit."""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from astro_hier import checks
from astro_hier.model import HierarchicalModel
from astro_hier.models import goodness, upper_limit
from astro_hier.models.star_cluster import likelihood, offsets

TYPICAL_ZERO_POINT = 0.03  # mas
MOST_SIGMAS = 0.5  # of the mean parallax, that a zero point may be left out
ZERO_POINT = checks.define(
    "zero_point",
    limit=f"known, or {TYPICAL_ZERO_POINT} mas at most {MOST_SIGMAS} standard errors of the mean"
    " parallax",
    said="the parallaxes seem to be Gaia's, and no zero point is given: one of -0.03 mas moves the"
    " mean by {sigmas} standard errors",
    python="zero_point=-0.029 * u.mas is that of data release 2 (Lindegren et al. 2018, A&A 616,"
    " A2); that of release 3 is between -0.017 and -0.039 mas, by magnitude, colour and latitude"
    " (Lindegren et al. 2021, A&A 649, A4), such as in a column of the table;"
    " zero_point=0 * u.mas if the parallaxes are corrected already",
    shell="--set zero_point='-0.029 mas' is that of data release 2; that of release 3 is between"
    " -0.017 and -0.039 mas, and --set zero_point=COLUMN reads it star by star;"
    " --set zero_point='0 mas' if the parallaxes are corrected already",
)
NODES = np.linspace(-6, 6, 97)  # of the distances, in standard deviations, for tail probabilities
NO_DEPTH = -20.0  # ln(std_r / kpc) that no parallax can tell from no depth


def diagnose(model, data, values, method):
    attrs = {}
    if "modes" in data:
        attrs["covariance_modes"] = len(data["modes"])
        attrs["covariance_left_out"] = data["left_out"]
        attrs["covariance_depth_off"] = data["depth_off"]
    if "ln_std_r" in model.free_names():
        attrs["resolved"] = upper_limit.resolved(model, data, values, "std_r", NO_DEPTH)
    return attrs


def rows_to_compare(model, data):
    if model._background():
        return None
    return data["parallax"] - data.get("zero_point", 0.0), data["parallax_error"]


def check(model, data, values, attrs, method):
    findings = []
    if model._background():
        remedy = (
            "outliers=ParallaxBackground(outlier_sd=priors.Uniform(1 * u.mas, 10 * u.mas)); if"
            " they belong to the cluster, profile=profiles.CoreHalo() describes them"
        )
        spread = likelihood.spread_of(model, data, values)
        findings.append(model._background().check_wings(values, 1 / values["mu_r"], spread, remedy))
        findings.append(goodness.check_background(model._background(), values))
    if "modes" in data:
        mean, depth = abs(data["left_out"]), data["depth_off"]
        found = (
            f"{100 * mean:.0f} percent of the variance of the mean parallax, and"
            f" {depth:.2f} standard deviations of the depth"
        )
        modes = len(data["modes"])
        findings.append(
            offsets.LEFT_OUT.finding(found, max(mean, depth) > offsets.TOO_MUCH, modes=modes)
        )
    z, member = scores(model, data, values)
    findings.append(goodness.check_rows(model, z, member, "parallax", " mas", data))
    findings += goodness.check_error_scale(model, values)
    return findings + upper_limit.check_resolved(attrs, "std_r", "depth")


def scores(model, data, values):
    """The normal score of each star's parallax, and the probability that it is a member."""
    names = [p.name for p in model.parameters if p.name != "r"]
    theta = likelihood.columns_of(goodness.some(values, names))
    parallax, error = (
        data["parallax"] - likelihood.offset_of(data, theta),
        likelihood.error_of(data, theta),
    )
    below, above = np.zeros((2, len(theta["mu_r"]), len(data["parallax"])))
    for weight, sd in model.profile.components(theta):
        r = theta["mu_r"] + sd * NODES
        heights = np.where(r > 0, np.exp(-0.5 * NODES**2), 0.0)
        heights *= weight / heights.sum(axis=1, keepdims=True)
        for inverse, height in zip(1 / np.abs(r).T[..., None], heights.T[..., None], strict=True):
            t = (parallax - inverse) / error
            below += height * ndtr(t)
            above += height * ndtr(-t)
    return goodness.scores(below, above, theta.get("member", np.ones_like(below)))


def check_table(model, table, data):
    """Whether parallaxes that seem to be Gaia's have a zero point, if that matters."""
    findings = HierarchicalModel.check_table(model, table, data)
    given = model.columns.get("parallax") if isinstance(model.columns, Mapping) else None
    name = given[0] if isinstance(given, tuple) else given or "parallax"
    names = {column.lower() for column in table.colnames}
    if name.lower() != "parallax" or "source_id" not in names:
        return findings
    parallax = data["parallax"]
    scatter = np.median(np.abs(parallax - np.median(parallax))) / 0.6745
    sigmas = TYPICAL_ZERO_POINT / max(scatter / np.sqrt(len(parallax)), 1e-9)
    found = "given" if model.zero_point is not None else f"none, {sigmas:.1f} standard errors"
    missing = model.zero_point is None and sigmas > MOST_SIGMAS
    return [*findings, ZERO_POINT.finding(found, missing, sigmas=f"{sigmas:.2g}")]
