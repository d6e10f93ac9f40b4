"""Where the population of a sample starts: the population of the objects' own means."""

from typing import Any

import numpy as np

from astro_hier.models.sample_population.data import Objects


def initial(model, data: Objects) -> dict[str, Any]:
    """A population of the objects' own means, and these means themselves."""
    means = data.means
    start = data.population.initial(means)
    for name in model.sampled_names():
        start[name] = model.within_bulk(name, start[name])
    derived = data.population.derive({n: np.asarray(of)[None] for n, of in start.items()})
    own = dict(zip(data.names, means.reshape(len(means), -1).T, strict=True))
    return {**start, **{name: of[0] for name, of in derived.items()}, **own}
