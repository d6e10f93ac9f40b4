"""Where a fit of a star cluster starts."""

from typing import Any

import numpy as np

from astro_hier.models.star_cluster import likelihood
from astro_hier.models.star_cluster.data import Stars
from astro_hier.populations.background import PRIOR_TAIL


def initial(model, data: Stars) -> dict[str, Any]:
    """Inverse-variance weighted mean parallax, excess scatter, and shrunk distances.

    If there is a background, stars that are far off are left out. Other parameters start at the
    medians of their priors.
    """
    theta: dict[str, Any] = {
        name: float(frozen.median()) for name, frozen in model.frozen_priors().items()
    }
    theta |= {name: model.within_bulk(name, at) for name, at in data.errors.guess.items()}
    theta |= {name: np.zeros(number) for name, number in data.offsets.numbers.items()}
    parallax, error = data.parallax - data.offset(theta), data.error(theta)
    near, guess = data.background.near(parallax, error)
    theta |= {name: model.within_bulk(name, at) for name, at in guess.items()}
    mu_r, ln_std_r = _of_cluster(model, parallax[near], error[near])
    theta |= {"mu_r": mu_r, "ln_std_r": ln_std_r}
    theta["r"] = _shrunk(parallax, error, mu_r, ln_std_r)
    theta |= model.derive(theta)
    for parameter in data.background.latents:
        one = {name: np.asarray(value)[None] for name, value in theta.items()}
        theta[parameter.name] = likelihood.membership(data, one)[0]
        theta["r"], _ = if_member(parallax, error, mu_r, data.profile.variance(theta))
    return model.above_ends(data, theta)


def _of_cluster(model, parallax, error):
    """mu_r and ln_std_r from the members' parallaxes and errors."""
    weight = error**-2 / np.sum(error**-2)
    mean = weight @ parallax
    with np.errstate(over="ignore"):  # of a mean that is next to zero
        mu_r = model.within_bulk("mu_r", 1 / mean if mean > 0 else np.inf)
    excess = weight @ ((parallax - mean) ** 2 - error**2)
    least = 0.1 * mu_r**2 * np.sqrt(weight @ error**2)
    std_r = max(mu_r**2 * np.sqrt(max(excess, 0)), least)
    return mu_r, model.within_bulk("ln_std_r", np.log(std_r))


def _shrunk(parallax, error, mu_r, ln_std_r):
    """Each star's distance, shrunk towards mu_r, with 1/r linearised about mu_r."""
    precision, depth = (error * mu_r**2) ** -2, np.exp(-2 * ln_std_r)
    shift = (1 / mu_r - parallax) * mu_r**2 * precision / (precision + depth)
    return np.clip(mu_r + shift, 0.1 * mu_r, 10 * mu_r)


def if_member(parallax: Any, error: Any, mu_r: Any, variance: Any) -> tuple[Any, Any]:
    """Rough mean and standard deviation of a star's distance if it is a member.

    Those of population times likelihood, with the parallax clipped to within a factor of three of
    the cluster's, and 1/r linearised.
    """
    naive = 1 / parallax.clip(1 / (3 * mu_r), 3 / mu_r)
    precision = (error * naive**2) ** -2
    total = precision + 1 / variance
    return (precision * naive + mu_r / variance) / total, total**-0.5


def candidates(model, data: Stars, rng: np.random.Generator | None = None) -> list[dict[str, Any]]:
    """Starting points from groups among the parallaxes, with each in turn as the members."""
    if not data.background:
        return []
    start, points = model.initial(data), []
    parallax, error = data.parallax - data.offset(start), data.error(start)
    for each in data.background.groups(parallax, error, rng):
        if each.mean[0] <= 0:
            continue
        mu_r = model.within_bulk("mu_r", 1 / each.mean[0], PRIOR_TAIL)
        ln_std_r = np.log(each.sd[0] * mu_r**2)
        ln_std_r = model.within_bulk("ln_std_r", ln_std_r, PRIOR_TAIL)
        members = {"mu_r": mu_r, "ln_std_r": ln_std_r}
        points.append(model.above_ends(data, start | members | data.background.start(each)))
    return points
