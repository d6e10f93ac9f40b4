"""Where a fit of a velocity dispersion starts."""

from typing import Any

import numpy as np

from astro_hier.models.velocity_dispersion import likelihood
from astro_hier.models.velocity_dispersion.likelihood import Members
from astro_hier.populations.background import PRIOR_TAIL


def initial(model, data: Members) -> dict[str, Any]:
    """Median and scatter of the rows, and each member's velocity shrunk towards the median."""
    start = {name: float(p.median()) for name, p in model.frozen_priors().items()}
    v_sys, error = np.median(data.value), data.errors.true(np.median(data.stated_error), start)
    # the median absolute deviation of a normal distribution is 0.6745 standard deviations
    scatter = np.median(np.abs(data.value - v_sys)) / 0.6745
    excess = max(scatter**2 - error**2, (0.1 * error) ** 2)
    guess = {"v_sys": v_sys, "ln_sigma_v": 0.5 * np.log(excess), "outlier_mean": v_sys}
    for name in guess.keys() & start.keys():
        start[name] = model.within_bulk(name, guess[name])
    start = model.above_ends(data, start)
    theta = {name: np.array([at]) for name, at in start.items()}
    start |= {"sigma_v": np.exp(start["ln_sigma_v"]), "v": likelihood.given_row(data, theta)[0][0]}
    for parameter in data.background.latents:
        start[parameter.name] = likelihood.membership(data, theta)[0]
    return start


def candidates(
    model, data: Members, rng: np.random.Generator | None = None
) -> list[dict[str, Any]]:
    """Starting points from groups among the rows, with each in turn as the members."""
    if not data.background:
        return []
    start, points = model.initial(data), []
    error = data.errors.true(data.stated_error, start)
    for each in data.background.groups(data.value, error, rng):
        v_sys = model.within_bulk("v_sys", each.mean[0], PRIOR_TAIL)
        ln_sigma_v = np.log(each.sd[0] / data.quantity.scale(v_sys))
        members = {
            "v_sys": v_sys,
            "ln_sigma_v": model.within_bulk("ln_sigma_v", ln_sigma_v, PRIOR_TAIL),
        }
        points.append(model.above_ends(data, start | members | data.background.start(each)))
    return points
