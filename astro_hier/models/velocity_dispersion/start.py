"""Where a fit of a velocity dispersion starts."""

import numpy as np

from astro_hier import outliers
from astro_hier.core import groups
from astro_hier.models.velocity_dispersion import likelihood


def initial(model, data):
    """Median and scatter of the rows; each member's velocity shrunk to the median."""
    prior = model.frozen_priors()
    start = {name: float(p.median()) for name, p in prior.items()}
    value, error = likelihood.in_kms(data), np.median(likelihood.in_kms(data, "_error"))
    error *= start.get("error_scale", 1.0)
    v_sys = np.median(value)
    # the median deviation of a normal distribution is 0.6745 sd
    scatter = np.median(np.abs(value - v_sys)) / 0.6745
    excess = max(scatter**2 - error**2, (0.1 * error) ** 2)
    guess = {"v_sys": v_sys, "ln_sigma_v": 0.5 * np.log(excess), "outlier_mean": v_sys}
    for name in guess.keys() & start.keys():
        start[name] = model.within_bulk(name, guess[name])
    start = model.above_ends(data, start)
    theta = {name: np.array([at]) for name, at in start.items()}
    start |= {
        "sigma_v": np.exp(start["ln_sigma_v"]),
        "v": likelihood.given_row(model, data, theta)[0][0],
    }
    if model._background():
        start["member"] = likelihood.membership(model, data, theta)[0]
    return start


def candidates(model, data, rng=None):
    background = model._background()
    if background is None:
        return []
    start, points = model.initial(data), []
    values = (
        likelihood.in_kms(data),
        start.get("error_scale", 1.0) * likelihood.in_kms(data, "_error"),
    )
    for each in groups.labelled(*values, 1 + background.parts, rng):
        v_sys = model.within_bulk("v_sys", each.mean[0], outliers.FAR)
        sigma_v = each.sd[0] / likelihood.scale_of(data, v_sys)
        members = {
            "v_sys": v_sys,
            "ln_sigma_v": model.within_bulk("ln_sigma_v", np.log(sigma_v), outliers.FAR),
        }
        points.append(model.above_ends(data, start | members | background.start(each)))
    return points


def lower_ends(model, data):
    background = model._background()
    if background is None:
        return {}
    return background.lower_ends(
        lambda theta: likelihood.scale_of(data, theta["v_sys"]) * np.exp(theta["ln_sigma_v"])
    )
