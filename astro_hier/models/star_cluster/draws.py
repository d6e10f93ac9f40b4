"""Draws of the stars' distances and memberships given their parallaxes, and simulations."""

from dataclasses import replace

import numpy as np
from scipy.special import logsumexp

from astro_hier import progress
from astro_hier.core import distance
from astro_hier.core.threads import in_chunks
from astro_hier.models.star_cluster import likelihood, many_offsets
from astro_hier.models.star_cluster.data import Stars
from astro_hier.models.zero_point import Theta

Draws = dict[str, np.ndarray]


def draw_latents(
    data: Stars,
    theta: Theta,
    rng: np.random.Generator,
    progressbar: bool = False,
    of_stars: bool = True,
) -> Draws:
    """One draw of the distances for each theta, and of common offsets if theta lacks them.

    Without ``of_stars``, of the latter alone.
    """
    if data.offsets.missing(theta):
        mode = many_offsets.draw(data, theta, rng)
        theta = theta | {"mode": mode}
        return {"mode": mode} | draw_latents(data, theta, rng, progressbar, of_stars)
    if not of_stars:
        return {}
    theta, seed = theta | likelihood.derive(data.profile, theta), rng.integers(2**63)

    def of_chunk(some, start):
        return _draw_stars(data, some, np.random.default_rng([seed, start]))

    n = len(theta["mu_r"])
    with progress.stage("distances", n, "draw", progressbar) as bar:
        return in_chunks(of_chunk, theta, cost=len(data.parallax), progress=bar.update)


def _draw_stars(data, theta, rng):
    """Distances, and memberships if there are outliers."""
    parallax, error = likelihood.measured(data, theta)
    components = likelihood.bounded(data.profile.components(theta))
    r = [distance.draw(parallax, error, theta["mu_r"], sd, rng) for _, sd in components]
    if len(r) == 1 and not data.background:
        return {"r": r[0]}  # skip the densities, which would take as long
    parts = likelihood.log_components(data, theta)
    log_member = logsumexp(parts, axis=0)
    upper = np.cumsum(np.exp(parts - log_member), axis=0)[:-1]
    chosen = np.sum(rng.random(log_member.shape) > upper, axis=0)
    r = np.take_along_axis(np.array(r), chosen[None], axis=0)[0]
    r, member = data.background.redrawn(
        r,
        lambda: likelihood.mix(data, log_member, theta)[1],
        theta,
        rng,
        lambda *drawn: _redraw(data, *drawn),
    )
    return {"r": r, **member}


def _redraw(data, r, others, theta, rng):
    """Distances, with those of non-members redrawn from the population."""
    sd = np.broadcast_to(data.profile.draw(theta, r.shape[1], rng), r.shape)[others]
    mu_r = np.broadcast_to(theta["mu_r"][:, None], r.shape)[others]
    r = r.copy()
    r[others] = distance.draw_population(mu_r, sd, sd.shape, rng)
    return r


def finish(data: Stars, values: Draws, rng: np.random.Generator) -> Draws:
    """Draws of the joint model, in the convention of `draw_latents`.

    Stars are members at random, with their probabilities; the distances of the others are redrawn
    from the population, and memberships are recomputed with the distances integrated out.
    """
    if not data.background:
        return values
    others = rng.random(values["member"].shape) >= values["member"]
    r = _redraw(data, values["r"], others, values, rng)
    member = in_chunks(
        lambda some, start: likelihood.membership(data, some), values, cost=len(data.parallax)
    )
    return values | {"member": member, "r": r}


def simulate(data: Stars, theta: Theta, rng: np.random.Generator) -> Draws:
    """Distances, parallaxes, memberships, and any common offsets that theta lacks."""
    theta, n_stars = theta | likelihood.derive(data.profile, theta), len(data.parallax_error)
    shape = len(theta["mu_r"]), n_stars
    drawn = {
        name: rng.standard_normal((shape[0], number))
        for name, number in data.offsets.numbers.items()
        if name not in theta
    }
    theta |= drawn
    sd = data.profile.draw(theta, n_stars, rng)
    r = distance.draw_population(theta["mu_r"][:, None], sd, shape, rng)
    columns = likelihood.columns_of(theta)
    value = data.background.contaminated(1 / r + data.offset(columns), theta, rng)
    drawn |= {"r": r, "parallax": rng.normal(value, data.error(columns))}
    for parameter in data.background.latents:
        observed = replace(data, parallax=drawn["parallax"])
        drawn[parameter.name] = likelihood.membership(observed, theta)
    return drawn
