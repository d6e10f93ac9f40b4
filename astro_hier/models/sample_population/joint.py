"""A population of samples as PyMC samples it, and simulations."""

from typing import Any

import numpy as np

from astro_hier.core.floats import TINY, Theta
from astro_hier.models.sample_population.data import Objects
from astro_hier.models.sample_population.on_grid import OnGrid

MAX_CELLS = 20_000_000  # of the matrix of objects and points, which PyMC multiplies with


def build_pymc(model, data: Objects) -> Any:
    """The `pymc.Model` of the hyperparameters, with the objects' values integrated out.

    The likelihood is that of the matrix of objects and points, and the density that of PyMC's own
    distributions. The objects' values are drawn when it is done (`finish`).

    Raises
    ------
    ValueError
        If there are two quantities, a selection, or too many objects.
    """
    import pymc as pm

    if not isinstance(data, OnGrid):
        raise ValueError("two quantities have no form for method='nuts': fit with 'marginal'")
    points, axis = data.points[-1], data.levels.grids[-1]
    if points.found is not None:
        raise ValueError("selection= has no form for method='nuts': fit with method='marginal'")
    used = points.matrix.points
    if len(used) * len(data.labels) > MAX_CELLS:
        raise ValueError(
            f"{len(data.labels)} objects on {len(used)} points are too many for method='nuts': fit"
            " with method='marginal'"
        )
    initial = model.initial(data)
    with pm.Model(coords=model.coordinates(data)) as joint:
        theta = model.pymc_priors(data, initial)
        for name, number in model.standard_normals(data).items():
            theta[name] = pm.Normal(name, shape=number, initval=initial[name])
        log_density = data.population.pymc_log_density(axis.points[used], theta)
        weight = points.matrix.W[: len(data.labels)].toarray()[:, : len(used)]
        of_objects = pm.math.dot(weight, pm.math.exp(log_density))
        pm.Potential("objects_", pm.math.sum(pm.math.log(of_objects + TINY)))
    return joint


def finish(model, data: Objects, values: Theta, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draws of the hyperparameters with those of the objects' values."""
    return {**values, **model.draw_latents(data, values, rng), **data.population.derive(values)}


def simulate(model, data: Objects, theta: Theta, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Values of the objects and their measurements, for each theta.

    Raises
    ------
    ValueError
        If the objects are not given by a value and an error: how anyone's draws come about is not
        known.
    """
    if data.error is None or model.selection is not None:
        raise ValueError(
            "only measured values with errors can be simulated, without a selection: expected a"
            " table with the columns value and error"
        )
    x = data.population.draw(theta, len(data.labels), rng)
    return {data.names[0]: x, "value": rng.normal(x, data.error)}
