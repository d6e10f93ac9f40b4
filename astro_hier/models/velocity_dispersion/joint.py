"""The joint model of a velocity dispersion, as PyMC samples it."""

from typing import Any

from astro_hier.models.velocity_dispersion.likelihood import Members
from astro_hier.populations.background import pymc_log_density


def build_pymc(model, data: Members) -> Any:
    """The joint `pymc.Model`, with the members' velocities sampled or integrated out."""
    import pymc as pm

    initial, of_rows = model.initial(data), _of_mixture if data.background else _of_members
    with pm.Model(coords={"star": data.star}) as joint:
        theta = model.pymc_priors(data, initial)
        theta["sigma_v"] = pm.Deterministic("sigma_v", pm.math.exp(theta["ln_sigma_v"]))
        of_rows(data, theta, data.errors.true(data.stated_error, theta), initial)
    return joint


def _of_members(data, theta, error, initial):
    import pymc as pm

    v_sys, scale = theta["v_sys"], data.quantity.scale(theta["v_sys"])
    start = initial["v_sys"] + data.quantity.scale(initial["v_sys"]) * initial["v"]
    # sample v_sys + s v, which precise rows fix: v itself would be tied to v_sys
    true = pm.Normal("true_", v_sys, scale * theta["sigma_v"], dims="star", initval=start)
    pm.Deterministic("v", (true - v_sys) / scale, dims="star")
    pm.Normal("velocity", true, error, observed=data.value, dims="star")


def _of_mixture(data, theta, error, initial):
    """Integrate v out, because it has two modes between which no chain would move.

    v is then derived from two variables that the data do not constrain.
    """
    import pymc as pm

    background, value = data.background.background, data.value
    v_sys, scale, sigma_v = theta["v_sys"], data.quantity.scale(theta["v_sys"]), theta["sigma_v"]
    fraction, spread = theta["outlier_fraction"], scale * sigma_v
    sd = pm.math.sqrt(spread**2 + error**2)
    members, others = pm.Normal.dist(v_sys, sd), background.pymc(error, theta)
    shares = pm.math.stack([1 - fraction, *(fraction * share for share, _ in others)])
    rows = [members, *(row for _, row in others)]
    pm.Mixture("velocity", shares, rows, observed=value, dims="star")
    log_odds = pm.math.log(1 - fraction) + pm.logp(members, value)
    log_odds -= pm.math.log(fraction) + pymc_log_density(others, value)
    some, member = background.pymc_given_some(log_odds, theta, len(value))
    pm.Potential("some_member_", some)
    pm.Deterministic("member", member, dims="star")
    standard = pm.Normal("standard_", dims="star")
    chance = pm.Uniform("chance_", dims="star")
    given = (spread / sd) ** 2 * (value - v_sys) / scale + sigma_v * error / sd * standard
    v = pm.math.switch(chance < member, given, sigma_v * standard)
    pm.Deterministic("v", v, dims="star")
