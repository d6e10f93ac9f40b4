"""The joint model of a period-luminosity relation, as PyMC samples it.

x, z and r of each star are sampled, by way of numbers that the data leave nearly independent: x and
z in standard deviations from their measurements' weighted mean with the population, and r by the
residual of the magnitude from the relation, since all distances move together with alpha.
"""

from typing import Any

import numpy as np

from astro_hier.models.period_luminosity import likelihood
from astro_hier.models.period_luminosity.data import AT_KPC, PER_LN, Stars


def build_pymc(model, data: Stars) -> Any:
    """The joint `pymc.Model` of true periods, metallicities and distances."""
    import pymc as pm

    with pm.Model(coords={"star": data.star}) as joint:
        theta = model.pymc_priors(data, model.initial(data))
        true = _covariates(data, theta)
        middle, relation = likelihood.middle_of(data, theta), likelihood.relation_of(data, theta)
        absolute = theta["alpha"] + sum(a * b for a, b in zip(relation, true, strict=True))
        residual = _residual(data, theta)
        modulus = pm.Deterministic("modulus_", data.magnitude - absolute - residual, dims="star")
        expected = theta["mu_modulus"]
        for slope, value, at in zip(likelihood.trends_of(data, theta), true, middle, strict=True):
            expected = expected + slope * (value - at)
        population = pm.Normal.dist(expected, theta["sigma_modulus"])
        pm.Potential("modulus_density_", pm.logp(population, modulus), dims="star")
        r = pm.Deterministic("r", pm.math.exp((modulus - AT_KPC) / PER_LN), dims="star")
        pm.Normal(
            "parallax",
            1 / r + data.zero_point.added(theta),
            data.errors.true(data.parallax_error, theta),
            observed=data.parallax,
            dims="star",
        )
    return joint


def _covariates(data, theta):
    """x and z of the stars: their densities given what was measured, up to constants."""
    middle = likelihood.middle_of(data, theta)
    x = _given("log_period_", data.log_period, data.log_period_error, middle[0],
               theta["sigma_log_period"])  # fmt: skip
    if data.feh is None:
        return (x,)
    expected = middle[1] + theta.get("feh_period", 0.0) * (x - middle[0])
    return x, _given("feh_", data.feh, data.feh_error, expected, theta["sigma_feh"])


def _given(name, measured, error, mean, sd):
    """A normal variable given its measurement: sampled as a standard normal one."""
    import pymc as pm

    total = pm.math.sqrt(sd**2 + error**2)
    pm.Potential(f"{name}density_", pm.logp(pm.Normal.dist(mean, total), measured), dims="star")
    if not np.any(error):
        return measured
    standard = pm.Normal(f"{name}standard_", dims="star", initval=np.zeros(len(measured)))
    return mean + (sd / total) ** 2 * (measured - mean) + sd * error / total * standard


def _residual(data, theta):
    """The residual of m - mu from the relation: M's own, and the error of the magnitude."""
    import pymc as pm

    sds = [pm.math.sqrt(of**2 + data.magnitude_error**2) for of in data.outliers.scatters(theta)]
    start = np.zeros(len(data.star))
    if len(sds) == 1:
        return sds[0] * pm.Normal("residual_", dims="star", initval=start)
    shares = pm.math.stack([1 - theta["outlier_fraction"], theta["outlier_fraction"]])
    parts = [pm.Normal.dist(0, sd) for sd in sds]
    return pm.Mixture("residual_", shares, parts, dims="star", initval=start)
