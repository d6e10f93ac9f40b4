"""The joint model of a sample in PyMC, and simulations."""

from typing import Any

import numpy as np

from astro_hier.models.binary_population.data import FRACTION, Sample, of_population
from astro_hier.models.orbits import joint


def build_pymc(model, data: Sample) -> Any:
    """The joint `pymc.Model`, with its starting point.

    Raises
    ------
    ValueError
        If the population, or an option, has no form for it.
    """
    import pymc as pm

    for name in ("companion_fraction", "selection"):
        if getattr(model, name) is not None:
            raise ValueError(
                f"{name}= has no form for method='nuts': fit with method='marginal', or without it"
            )
    data.population.check_pymc()

    def periods(theta, initial):
        if model.is_eccentric:
            values = data.population.pymc(theta, data.log_ends, initial, dims="star")
        else:
            start = initial["lnP"]
            lnP = data.population.pymc(theta, data.log_ends, dims="star", initval=start)
            values = {"lnP": lnP}
        return values | {"P": pm.Deterministic("P", pm.math.exp(values["lnP"]), dims="star")}

    return joint.build(model, data, periods)


def simulate(model, data: Sample, theta, rng):
    """Orbits and velocities for each theta."""
    drawn = _members(model, data, theta, rng)
    for term in data.terms:
        drawn |= term.simulate(theta | drawn, data, rng)
    drawn |= data.scatter.simulate(data, theta | drawn, rng)
    rv = data.velocity(drawn)
    if model.companion_fraction is not None:
        has = rng.random(drawn["P"].shape) < theta[FRACTION][:, None]
        constant = data.velocity(model.amplitudes.without(drawn))
        drawn["companion"] = has.astype(float)
        rv = np.where(data.at_visits(has, model.of_each), rv, constant)
    return drawn | {"rv": rng.normal(rv, data.errors(drawn))}


def replicate(model, data: Sample, values, rng):
    """Visits of the same stars at the same times, by draws of their orbits."""
    if "P" not in values:  # the stars' draws were not kept
        of_all = of_population(model, data, values)
        values = {**values, **data.draw_stars(of_all, rng, model.n_jobs, progressbar=False)}
    rv = data.velocity(values)
    if model.companion_fraction is not None:
        companion = values.get("companion")
        if companion is None:
            companion = data.companions(of_population(model, data, values))["companion"]
        has = rng.random(companion.shape) < companion
        constant = data.velocity(model.amplitudes.without(values))
        rv = np.where(data.at_visits(has, model.of_each), rv, constant)
    return {"rv": rng.normal(rv, data.errors(values))}


def _members(model, data, theta, rng):
    """Periods, and eccentricities if orbits have them, of members of the population."""
    found = data.population.draw(theta, data.log_ends, len(data.stars), rng)
    both = dict(zip(("lnP", "e"), found, strict=True)) if model.is_eccentric else {"lnP": found}
    return {**both, "P": np.exp(both["lnP"])}
