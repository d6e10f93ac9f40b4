"""The joint model of a star cluster, as PyMC samples it."""

from typing import Any

from astro_hier.models.star_cluster import likelihood
from astro_hier.models.star_cluster.data import Stars
from astro_hier.models.star_cluster.start import if_member
from astro_hier.populations.background import pymc_log_density


def build_pymc(model, data: Stars) -> Any:
    """The joint `pymc.Model` of distances and parallaxes."""
    import pymc as pm

    of_parallaxes = _of_mixture if data.background else _of_members
    initial = model.initial(data)
    with pm.Model(coords={"star": data.star, **model.coordinates(data)}) as joint:
        theta = model.pymc_priors(data, initial)
        for name in data.offsets.numbers:
            theta[name] = pm.Normal(name, 0, 1, dims=f"{name}_number", initval=initial[name])
        for name, value in likelihood.derive(data.profile, theta).items():
            theta[name] = pm.Deterministic(name, value)
        r, population = _distances(data, theta, initial["r"])
        of_parallaxes(data, theta, r, population)
    return joint


def _distances(data, theta, start):
    """The variable of the distances, and their distribution in the population."""
    import pymc as pm

    weights, sds = zip(*data.profile.components(theta), strict=True)
    parts = [pm.TruncatedNormal.dist(theta["mu_r"], sd, lower=0) for sd in sds]
    of_star = {"dims": "star", "initval": start}
    if len(sds) == 1:
        r = pm.TruncatedNormal("r", mu=theta["mu_r"], sigma=sds[0], lower=0, **of_star)
        return r, parts[0]
    shares = pm.math.stack(weights)
    r = pm.Mixture("r", w=shares, comp_dists=parts, **of_star)
    return r, pm.Mixture.dist(w=shares, comp_dists=parts)


def _of_members(data, theta, r, population):
    import pymc as pm

    mean, error = 1 / r + data.offset(theta), data.error(theta)
    pm.Normal("parallax", mu=mean, sigma=error, observed=data.parallax, dims="star")


def _of_mixture(data, theta, r, population):
    """Sum over membership; a non-member's r follows roughly what it would as a member."""
    import pymc as pm
    import pytensor.tensor as pt

    background, fraction = data.background.background, theta["outlier_fraction"]
    offset, error = data.offset(theta), data.error(theta)
    mean, variance = 1 / r + offset, data.profile.variance(theta)
    centre, width = if_member(pt.as_tensor(data.parallax - offset), error, theta["mu_r"], variance)
    # divide by the density of r in the population, which the model already contains
    other = (
        pm.math.log(fraction)
        + pymc_log_density(background.pymc(error, theta), data.parallax)
        + pm.logp(pm.LogNormal.dist(pm.math.log(centre), width / centre), r)
        - pm.logp(population, r)
    )
    member = pm.math.log(1 - fraction)
    member += pm.logp(pm.Normal.dist(mean, error), data.parallax)
    either = pm.math.logsumexp(pm.math.stack([member, other]), axis=0, keepdims=False)
    pm.Potential("parallax", either, dims="star")
    some, chance = background.pymc_given_some(member - other, theta, len(data.parallax))
    pm.Potential("some_member_", some)
    pm.Deterministic("member", chance, dims="star")
