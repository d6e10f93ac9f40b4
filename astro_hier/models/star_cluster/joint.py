"""The joint model of a star cluster, as PyMC samples it."""

import numpy as np

from astro_hier import outliers
from astro_hier.models.star_cluster import likelihood, start


def build_pymc(model, data):
    import pymc as pm
    import pytensor.tensor as pt

    initial, background = model.initial(data), model._background()
    coords = {"star": data["star"]}
    for name, number in model.common_offsets(data).items():
        coords[f"{name}_number"] = np.arange(number)
    with pm.Model(coords=coords) as joint:
        theta = model.pymc_priors(data, initial)
        for name in model.common_offsets(data):
            theta[name] = pm.Normal(name, 0, 1, dims=f"{name}_number", initval=initial[name])
        for name, value in model.derive(theta).items():
            theta[name] = pm.Deterministic(name, value)
        weights, sds = zip(*model.profile.components(theta), strict=True)
        parts = [pm.TruncatedNormal.dist(theta["mu_r"], sd, lower=0) for sd in sds]
        of_star = {"dims": "star", "initval": initial["r"]}
        if len(sds) == 1:
            r = pm.TruncatedNormal("r", mu=theta["mu_r"], sigma=sds[0], lower=0, **of_star)
            population = parts[0]
        else:
            shares = pm.math.stack(weights)
            r = pm.Mixture("r", w=shares, comp_dists=parts, **of_star)
            population = pm.Mixture.dist(w=shares, comp_dists=parts)
        offset, error = likelihood.offset_of(data, theta), likelihood.error_of(data, theta)
        mean = 1 / r + offset
        if background is None:
            pm.Normal("parallax", mu=mean, sigma=error, observed=data["parallax"], dims="star")
            return joint
        variance = model.profile.variance(theta)
        centre, width = start.if_member(
            pt.as_tensor(data["parallax"] - offset), error, theta["mu_r"], variance
        )
        # the density of r in the population, which the model has already, is divided out
        other = (
            pm.math.log(theta["outlier_fraction"])
            + outliers.pymc_log_density(background.pymc(error, theta), data["parallax"])
            + pm.logp(pm.LogNormal.dist(pm.math.log(centre), width / centre), r)
            - pm.logp(population, r)
        )
        member = pm.math.log(1 - theta["outlier_fraction"])
        member += pm.logp(pm.Normal.dist(mean, error), data["parallax"])
        either = pm.math.logsumexp(pm.math.stack([member, other]), axis=0, keepdims=False)
        pm.Potential("parallax", either, dims="star")
        log_odds, n_stars = member - other, len(data["parallax"])
        some, chance = background.pymc_given_some(log_odds, theta, n_stars)
        pm.Potential("some_member_", some)
        pm.Deterministic("member", chance, dims="star")
    return joint
