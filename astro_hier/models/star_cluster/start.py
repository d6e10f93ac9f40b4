"""Where a fit of a star cluster starts."""

import numpy as np

from astro_hier import outliers
from astro_hier.core import groups
from astro_hier.models.star_cluster import likelihood

FAR = 4.0  # robust standard deviations beyond which a star is no member at the start


def initial(model, data):
    """Inverse-variance weighted parallax; its excess scatter; each distance shrunk to it.

    Without stars that are far off, where there is a background for them. Other parameters
    start at the medians of their priors.
    """
    prior, background = model.frozen_priors(), model._background()
    theta = {name: float(frozen.median()) for name, frozen in prior.items()}
    if "error_scale" in theta:
        theta["error_scale"] = model.within_bulk("error_scale", 1.0)
    theta |= {name: np.zeros(number) for name, number in model.common_offsets(data).items()}
    parallax = data["parallax"] - likelihood.offset_of(data, theta)
    error = likelihood.error_of(data, theta)
    near = slice(None)
    if background:
        off = np.abs(parallax - np.median(parallax))
        near = off <= FAR * np.hypot(1.4826 * np.median(off), error)
        theta["outlier_fraction"] = model.within_bulk("outlier_fraction", np.mean(~near))
    weight = error[near] ** -2 / np.sum(error[near] ** -2)
    mean = weight @ parallax[near]
    mu_r = model.within_bulk("mu_r", 1 / mean if mean > 0 else np.inf)
    excess = weight @ ((parallax[near] - mean) ** 2 - error[near] ** 2)
    least = 0.1 * mu_r**2 * np.sqrt(weight @ error[near] ** 2)
    std_r = max(mu_r**2 * np.sqrt(max(excess, 0)), least)
    ln_std_r = model.within_bulk("ln_std_r", np.log(std_r))
    # the Gaussian of each star alone, 1/r taken as linear about mu_r
    precision, depth = (error * mu_r**2) ** -2, np.exp(-2 * ln_std_r)
    shift = (1 / mu_r - parallax) * mu_r**2 * precision / (precision + depth)
    r = np.clip(mu_r + shift, 0.1 * mu_r, 10 * mu_r)
    theta |= {"mu_r": mu_r, "ln_std_r": ln_std_r, "r": r}
    theta |= model.derive(theta)
    if background:
        one = {name: np.asarray(value)[None] for name, value in theta.items()}
        theta["member"] = likelihood.membership(model, data, one)[0]
        variance = model.profile.variance(theta)
        theta["r"], _ = if_member(parallax, error, mu_r, variance)
    return model.above_ends(data, theta)


def candidates(model, data, rng=None):
    background = model._background()
    if background is None:
        return []
    start, points = model.initial(data), []
    values = data["parallax"] - likelihood.offset_of(data, start), likelihood.error_of(data, start)
    for each in groups.labelled(*values, 1 + background.parts, rng):
        if each.mean[0] <= 0:
            continue
        mu_r = model.within_bulk("mu_r", 1 / each.mean[0], outliers.FAR)
        ln_std_r = np.log(each.sd[0] * mu_r**2)
        ln_std_r = model.within_bulk("ln_std_r", ln_std_r, outliers.FAR)
        members = {"mu_r": mu_r, "ln_std_r": ln_std_r}
        points.append(model.above_ends(data, start | members | background.start(each)))
    return points


def lower_ends(model, data):
    background = model._background()
    if background is None:
        return {}

    def spread(theta):
        variance = model.profile.variance(theta | model.derive(theta))
        return variance**0.5 / theta["mu_r"] ** 2

    return background.lower_ends(spread)


def if_member(parallax, error, mu_r, variance):
    """Rough mean and sd of a star's distance if it is a member: population times likelihood.

    The parallax is taken within a factor of three of the cluster's, and 1/r as linear.
    """
    naive = 1 / parallax.clip(1 / (3 * mu_r), 3 / mu_r)
    precision = (error * naive**2) ** -2
    total = precision + 1 / variance
    return (precision * naive + mu_r / variance) / total, total**-0.5
