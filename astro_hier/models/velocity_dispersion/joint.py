"""The joint model of a velocity dispersion, as PyMC samples it."""

from astro_hier import outliers
from astro_hier.models.velocity_dispersion import likelihood


def build_pymc(model, data):
    import pymc as pm

    initial, value = model.initial(data), likelihood.in_kms(data)
    with pm.Model(coords={"star": data["star"]}) as joint:
        theta = model.pymc_priors(data, initial)
        v_sys, scale = theta["v_sys"], likelihood.scale_of(data, theta["v_sys"])
        sigma_v = pm.Deterministic("sigma_v", pm.math.exp(theta["ln_sigma_v"]))
        error = theta.get("error_scale", 1.0) * likelihood.in_kms(data, "_error")
        if model._background() is None:
            start = initial["v_sys"] + likelihood.scale_of(data, initial["v_sys"]) * initial["v"]
            # what a precise row fixes is v_sys + s v: to sample v would tie all to v_sys
            true = pm.Normal("true_", v_sys, scale * sigma_v, dims="star", initval=start)
            pm.Deterministic("v", (true - v_sys) / scale, dims="star")
            pm.Normal("velocity", true, error, observed=value, dims="star")
            return joint
        # v is integrated out, for its distribution has two modes that no chain would change
        # between; it follows from two variables that the data know nothing of
        fraction, spread = theta["outlier_fraction"], scale * sigma_v
        sd = pm.math.sqrt(spread**2 + error**2)
        members, others = pm.Normal.dist(v_sys, sd), model._background().pymc(error, theta)
        of_others = [fraction * share for share, _ in others]
        shares = pm.math.stack([1 - fraction, *of_others])
        rows = [members, *(row for _, row in others)]
        pm.Mixture("velocity", shares, rows, observed=value, dims="star")
        log_odds = pm.math.log(1 - fraction) + pm.logp(members, value)
        log_odds -= pm.math.log(fraction) + outliers.pymc_log_density(others, value)
        some, member = model._background().pymc_given_some(log_odds, theta, len(value))
        pm.Potential("some_member_", some)
        pm.Deterministic("member", member, dims="star")
        standard = pm.Normal("standard_", dims="star")
        chance = pm.Uniform("chance_", dims="star")
        given = (spread / sd) ** 2 * (value - v_sys) / scale + sigma_v * error / sd * standard
        v = pm.math.switch(chance < member, given, sigma_v * standard)
        pm.Deterministic("v", v, dims="star")
    return joint
