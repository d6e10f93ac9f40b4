r"""The velocity dispersion of a system, from the velocities or the redshifts of its members.

Prior
    v_sys ~ Uniform(-1000, 1,000,000) km/s and ln_sigma_v ~ Uniform(-3, 8.5), where sigma_v =
    exp(ln_sigma_v) km/s; both can be changed. They reach from cold star clusters in the Galaxy to
    clusters of galaxies at a redshift of 3.
Population
    v_n ~ Normal(0, sigma_v), the velocity of member n along the line of sight, relative to the
    system and measured within it.
Likelihood
    y_n ~ Normal(v_sys + s v_n, error_n), independent of each other. For velocities y_n is the
    velocity, and s = 1. For redshifts y_n = c z_n and s = 1 + v_sys / c, with v_sys = c z_sys:
    from 1 + z_n = (1 + z_sys) (1 + v_n / c) follows v_n = c (z_n - z_sys) / (1 + z_sys) (Harrison
    1974, ApJ 191, L51; Danese, De Zotti & di Tullio 1980, A&A 82, 322). The scatter of c z_n is
    larger than sigma_v by 1 + z_sys. The errors are those of c z_n, as stated or ``error_scale``
    times as large.
Marginal likelihood
    y_n ~ Normal(v_sys, sqrt(s^2 sigma_v^2 + error_n^2)), and given theta v_n is normal about w
    (y_n - v_sys) / s with the standard deviation sigma_v sqrt(1 - w), where w = s^2 sigma_v^2 /
    (s^2 sigma_v^2 + error_n^2).
Outliers
    With a background (`astro_hier.outliers`) y_n has the density of the mixture. ``member`` is the
    probability of membership given theta and y_n; with that probability v_n is drawn as above, else
    from the population, since y_n then says nothing of a member.
Upper limit
    Where the errors hide the dispersion the likelihood is flat down to sigma_v = 0;
    `astro_hier.models.upper_limit` has the limit to quote.
"""

import astropy.units as u
import numpy as np
from astropy import constants

from astro_hier import outliers
from astro_hier.core.threads import for_chunks

KMS = u.km / u.s
C = constants.c.to_value(KMS)


def log_marginal(model, data, theta):
    result = np.empty(len(theta["v_sys"]))

    def add(start, stop):
        some = {name: values[start:stop] for name, values in theta.items()}
        log_density, log_odds = log_densities(model, data, some)
        result[start:stop] = log_density.sum(axis=1)
        if model._background():
            result[start:stop] += model._background().given_some(log_odds, some)[0]

    for_chunks(add, len(result), cost=len(data["star"]))
    return result


def log_likelihood(model, data, values):
    return log_densities(model, data, values)[0]


def log_densities(model, data, theta):
    """ln of the density of each row, shape (theta, row), and of its odds of membership."""
    v_sys, spread, _, error = population(model, data, theta)
    value, variance = in_kms(data), spread**2 + error**2
    log_member = -0.5 * ((value - v_sys) ** 2 / variance + np.log(2 * np.pi * variance))
    if model._background() is None:
        return log_member, np.inf
    return model._background().mix(log_member, value, error, theta)


def membership(model, data, theta):
    """The probability of each row to be a member; 1 without a background."""
    background = model._background()
    if background is None:
        return 1.0
    return background.given_some(log_densities(model, data, theta)[1], theta)[1]


def given_row(model, data, theta):
    """Mean and sd of v of members given their rows."""
    v_sys, spread, scale, error = population(model, data, theta)
    sd = np.hypot(spread, error)
    return (spread / sd) ** 2 * (in_kms(data) - v_sys) / scale, (spread / scale * error / sd)


def population(model, data, theta):
    """Mean and sd of the true values of members, their scale s, and the errors of the rows.

    Columns of one row each theta, in km/s.
    """
    theta = {name: theta[name][:, None] for name in model.sampled_names()}
    v_sys, scale = theta["v_sys"], scale_of(data, theta["v_sys"])
    error = theta.get("error_scale", 1.0) * in_kms(data, "_error")[None]
    return v_sys, scale * np.exp(theta["ln_sigma_v"]), scale, error


def draw_latents(model, data, theta, rng, progressbar=False):
    if not model.keeps_draws(len(data["star"])):
        return {}
    seed = rng.integers(2**63)
    v, member = np.empty((2, len(theta["v_sys"]), len(data["star"])))

    def fill(start, stop):
        chunk_rng = np.random.default_rng([seed, start])
        some = {name: values[start:stop] for name, values in theta.items()}
        v[start:stop] = chunk_rng.normal(*given_row(model, data, some))
        if model._background() is None:
            return
        log_odds = log_densities(model, data, some)[1]
        member[start:stop] = model._background().given_some(log_odds, some)[1]
        other = ~outliers.draw_members(log_odds, chunk_rng)
        sigma_v = np.exp(some["ln_sigma_v"])[:, None]
        v[start:stop][other] = chunk_rng.normal(0, sigma_v, other.shape)[other]

    for_chunks(fill, len(v), cost=len(data["star"]))
    return {"v": v} if model._background() is None else {"v": v, "member": member}


def simulate(model, data, theta, rng, some=True):
    """Also of other numbers of rows, whose errors ``data`` holds.

    ``some`` is whether one of them is known to be a member.
    """
    v_sys, spread, scale, error = population(model, data, theta)
    v = rng.normal(0, spread / scale, (len(v_sys), error.shape[1]))
    true = v_sys + scale * v
    if model._background():
        member, other = model._background().draw(theta, error.shape[1], rng, some)
        true = np.where(member, true, other)
    value = rng.normal(true, error)
    observed = {"redshift": value / C} if is_redshift(data) else {"velocity": value}
    simulated = {"v": v} | observed
    if model._background():
        simulated["member"] = membership(model, {**data, **observed}, theta)
    return simulated


def is_redshift(data):
    return "redshift_error" in data


def in_kms(data, suffix=""):
    """Values of the rows, or with the suffix their errors, as velocities: c times redshifts."""
    if is_redshift(data):
        return C * data[f"redshift{suffix}"]
    return data[f"velocity{suffix}"]


def scale_of(data, v_sys):
    """How much larger the scatter of the values is than that of v."""
    return 1 + v_sys / C if is_redshift(data) else 1.0
