"""Distances and memberships of the stars: drawn given their parallaxes, and simulated."""

import numpy as np
from scipy.special import logsumexp
from tqdm import tqdm

from astro_hier import outliers
from astro_hier.core import distance
from astro_hier.core.threads import for_chunks
from astro_hier.models.star_cluster import likelihood, offsets


def draw_latents(model, data, theta, rng, progressbar=False):
    if "modes" in data and "mode" not in theta:
        mode = offsets.draw(model, data, theta | model.derive(theta), rng)
        given = theta | {"mode": mode}
        return {"mode": mode} | model.draw_latents(data, given, rng, progressbar)
    theta, background = theta | model.derive(theta), model._background()
    seed = rng.integers(2**63)
    n, n_stars = len(theta["mu_r"]), len(data["parallax"])
    names = ["r", "member"] if background else ["r"]
    result = {name: np.empty((n, n_stars)) for name in names}

    def fill(start, stop):
        some = {name: values[start:stop] for name, values in theta.items()}
        drawn = draw_stars(model, data, some, np.random.default_rng([seed, start]))
        for name in names:
            result[name][start:stop] = drawn[name]

    with tqdm(total=n, unit="draw", desc="distances", disable=not progressbar) as bar:
        for_chunks(fill, n, cost=n_stars, progress=bar.update)
    return result


def draw_stars(model, data, theta, rng):
    """Distances, and memberships where there are outliers."""
    parallax, error = likelihood.measured(model, data, theta)
    components = likelihood.bounded(model.profile.components(theta))
    r = [distance.draw(parallax, error, theta["mu_r"], sd, rng) for _, sd in components]
    if len(r) == 1 and model._background() is None:
        return {"r": r[0]}
    parts = likelihood.log_components(model, data, theta)
    log_member = logsumexp(parts, axis=0)
    upper = np.cumsum(np.exp(parts - log_member), axis=0)[:-1]
    chosen = np.sum(rng.random(log_member.shape) > upper, axis=0)
    r = np.take_along_axis(np.array(r), chosen[None], axis=0)[0]
    if model._background() is None:
        return {"r": r}
    _, log_odds = likelihood.mix(model, log_member, data, theta)
    r = replace(model, r, ~outliers.draw_members(log_odds, rng), theta, rng)
    return {"r": r, "member": model._background().given_some(log_odds, theta)[1]}


def replace(model, r, others, theta, rng):
    """Distances, with those of stars that are not members drawn from the population."""
    sd = np.broadcast_to(model.profile.draw(theta, r.shape[1], rng), r.shape)[others]
    mu_r = np.broadcast_to(theta["mu_r"][:, None], r.shape)[others]
    r = r.copy()
    r[others] = distance.draw_population(mu_r, sd, sd.shape, rng)
    return r


def finish(model, data, values, rng):
    """Of draws of the joint model: no member's distance, and the probability without it."""
    if model._background() is None:
        return values
    others = rng.random(values["member"].shape) >= values["member"]
    result, n_stars = values | {"member": np.empty(others.shape)}, len(data["parallax"])
    result["r"] = replace(model, values["r"], others, values, rng)

    def fill(start, stop):
        some = {name: v[start:stop] for name, v in values.items()}
        result["member"][start:stop] = likelihood.membership(model, data, some)

    for_chunks(fill, len(others), cost=n_stars)
    return result


def simulate(model, data, theta, rng):
    theta, n_stars = theta | model.derive(theta), len(data["parallax_error"])
    shape = len(theta["mu_r"]), n_stars
    drawn = {
        name: rng.standard_normal((shape[0], number))
        for name, number in model.common_offsets(data).items()
        if name not in theta
    }
    theta |= drawn
    sd = model.profile.draw(theta, n_stars, rng)
    r = distance.draw_population(theta["mu_r"][:, None], sd, shape, rng)
    columns = likelihood.columns_of(theta)
    value, error = 1 / r + likelihood.offset_of(data, columns), likelihood.error_of(data, columns)
    if model._background():
        member, other = model._background().draw(theta, n_stars, rng)
        value = np.where(member, value, other)
    drawn |= {"r": r, "parallax": rng.normal(value, error)}
    if model._background():
        drawn["member"] = likelihood.membership(model, data | drawn, theta)
    return drawn
