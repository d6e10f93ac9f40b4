"""Where a population of orbits starts: the best orbit of each star on its own."""

from dataclasses import replace
from typing import Any

import numpy as np

from astro_hier.core import orbit
from astro_hier.models.binary_population.data import Sample


def initial(model, data: Sample) -> dict[str, Any]:
    """Each star's period of highest likelihood, and the orbit that fits best there."""
    P = np.array([star.best_period for star in data.summaries])
    fitted = [_best(data, n, period) for n, period in enumerate(P)]
    linear, scatter = (np.array(of) for of in zip(*fitted, strict=True))
    found = {"lnP": np.log(P), "P": P, **data.named(linear.T), **data.scatter.named(data, scatter)}
    hyper = data.population.initial(np.log(P)) | data.scatter.initial(found)
    for name in model.sampled_names():
        hyper[name] = model.within_bulk(name, hyper[name])
    derived = data.population.derive({n: np.asarray(v) for n, v in hyper.items()})
    return {**hyper, **derived, **found, **data.orbit.derive(found)}


def _best(data, star, period):
    """The linear parameters and scatters of a star that fit best at a given period."""
    visits = replace(data.visits(star), jitter=data.summaries[star].jitter)
    visits, scatter = data.scatter.fitted(visits, 1 / period)
    return orbit.Solution(visits, np.array([1 / period])).linear()[:, 0], scatter
