"""The joint model of a sample in PyMC, and simulations."""

from typing import Any

import numpy as np

from astro_hier.models.binary_population.data import FRACTION, Sample
from astro_hier.models.orbits import joint


def build_pymc(model, data: Sample) -> Any:
    """The joint `pymc.Model`, with its starting point."""
    import pymc as pm

    if model.companion_fraction is not None:
        raise ValueError(
            f"companion_fraction={model.companion_fraction!r} has no form for method='nuts': fit"
            " with method='marginal', or without it"
        )
    data.population.check_pymc()

    def periods(theta, initial):
        start = initial["lnP"]
        lnP = data.population.pymc(theta, data.log_ends, dims="star", initval=start)
        return {"P": pm.Deterministic("P", pm.math.exp(lnP), dims="star")}

    return joint.build(model, data, periods)


def simulate(model, data: Sample, theta, rng):
    """Orbits and velocities for each theta."""
    lnP = data.population.draw(theta, data.log_ends, len(data.stars), rng)
    mean, sd = (of.reshape(-1, 1, 1) for of in data.moments)
    linear = rng.normal(mean, sd, (len(mean), *lnP.shape))
    drawn = {"lnP": lnP, "P": np.exp(lnP), **data.named(linear)}
    drawn |= data.scatter.simulate(data, theta | drawn, rng)
    rv = data.velocity(drawn)
    if model.companion_fraction is not None:
        has = rng.random(lnP.shape) < theta[FRACTION][:, None]
        constant = data.velocity(model.amplitudes.without(drawn))
        drawn["companion"] = has.astype(float)
        rv = np.where(data.at_visits(has, model.of_each), rv, constant)
    return drawn | {"rv": rng.normal(rv, data.errors(drawn))}
