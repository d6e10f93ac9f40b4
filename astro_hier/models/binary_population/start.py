"""Where a population of orbits starts: the best orbit of each star on its own."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from astro_hier.models.binary_population.data import FRACTION, Sample

CLEAR = 3.0  # ln of the Bayes factor of an orbit, for periods uniform in ln P


def initial(model, data: Sample) -> dict[str, Any]:
    """Each star's orbit of highest likelihood, and a population of these."""
    found = data.best_orbits()
    hyper = of_population(model, data, found)
    theta = {name: np.asarray(of)[None] for name, of in hyper.items()}
    derived = {name: of[0] for part in model.parts for name, of in part.derive(theta).items()}
    return {**hyper, **derived, **found, **data.orbit.derive(found)}


def of_population(model, data: Sample, found: Mapping[str, Any]) -> dict[str, Any]:
    """Where the population starts, from the stars' best orbits."""
    has = _with_companion(model, data)
    hyper = _population(data, found, has) | data.scatter.initial(found)
    hyper[FRACTION] = has.mean()
    for name in model.sampled_names():
        hyper[name] = model.within_bulk(name, hyper[name])
    return hyper


def _population(data, found, has):
    """Where a population of periods, or of periods and eccentricities, starts."""
    ln_period = found["lnP"][has]
    if "e" in found:
        return data.population.initial(ln_period, found["e"][has])
    return data.population.initial(ln_period)


def _with_companion(model, data):
    """Which stars clearly have a companion; all of them if none may have none."""
    clear = data.flat_bayes_factors() > CLEAR
    return clear if model.companion_fraction is not None and clear.any() else np.ones_like(clear)
