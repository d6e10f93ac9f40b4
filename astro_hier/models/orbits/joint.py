"""The joint model of orbits in PyMC: one star is a population of one."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from astro_hier.models.orbits.data import Velocities
from astro_hier.models.orbits.velocity import total


def build(model, data: Velocities, periods: Callable[[dict, dict], dict]) -> Any:
    """The joint `pymc.Model` of all visits.

    ``periods(theta, initial)`` returns the variables of the stars' periods, from the variables of
    the hyperparameters and the starting point; it is called within the model's context.
    """
    import pymc as pm

    initial = model.initial(data)
    coords = {"visit": np.arange(len(data.rv)), **model.coordinates(data)}
    with pm.Model(coords=coords) as joint:
        theta = model.pymc_priors(data, initial)
        values = theta | periods(theta, initial)
        for term in data.terms:
            values |= term.pymc(values, data, initial)
        values |= data.orbit.pymc(values)
        values |= data.scatter.pymc(theta, initial)
        at_visits = partial(_at_visits, data, values)
        mu = total(data.terms, data.time, at_visits, pm.math)
        sigma = data.scatter.pymc_errors(data, at_visits)
        pm.Normal("rv", mu=mu, sigma=sigma, observed=data.rv, dims="visit")
    return joint


def _at_visits(data, values, name):
    """Values of a parameter at each visit."""
    dims = data.dims[name]
    return values[name][data.places(dims)] if dims else values[name]
