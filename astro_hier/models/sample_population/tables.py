"""Results of a population of samples: a table of the objects, and values of new ones."""

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.core.floats import Theta
from astro_hier.given import RandomState, generator
from astro_hier.models.sample_population.data import thinned
from astro_hier.posterior import UnitLike, in_units, quantities_in

QUANTILES = np.array([0.16, 0.5, 0.84])
STATISTICS = "mean", "sd", "p16", "p50", "p84"


def object_table(model, unit: UnitLike = None) -> QTable:
    """Every object's own value, before and after the population is taken into account.

    Parameters
    ----------
    unit : unit, list or dict, optional
        Units of the columns, as in `summary`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each object. For each quantity NAME the columns are ``NAME_own_mean``,
        ``NAME_own_sd``, ``NAME_own_p16``, ``NAME_own_p50`` and ``NAME_own_p84``: mean, standard
        deviation, 16th, 50th and 84th percentile of the object's posterior as it was given, under
        its interim prior; and ``NAME_mean``, ..., ``NAME_p84``: the same given the population,
        averaged over the draws of the population. ``n_draws`` is the effective number of draws that
        were given, and ``effective`` that of those that are left given the population, both
        infinite for objects that are described by a density or by a value and its error.

    Examples
    --------
    >>> from astro_hier import SamplePopulation, datasets
    >>> table = datasets.make_posterior_samples(6, random_state=1)
    >>> sample = SamplePopulation(quantity="mass")
    >>> sample = sample.fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> sample.object_table()["object", "mass_mean", "mass_sd"].colnames
    ['object', 'mass_mean', 'mass_sd']
    """
    data, theta = model.fitted_data(), few_draws(model)
    after = data.log_weights(theta)
    table = QTable({"object": data.labels})
    table["n_draws"] = [of.draws for of in data.own]
    table["effective"] = data.effective(theta)
    for i, name in enumerate(data.names):
        of = model.parameter(name).unit
        rows = [
            [*_described(own, i, own.log_own), *_described(nodes, i, weight)]
            for own, nodes, weight in zip(data.own, data.nodes, after, strict=True)
        ]
        names = [f"{name}{whose}_{each}" for whose in ("_own", "") for each in STATISTICS]
        for column, values in zip(names, np.transpose(rows), strict=True):
            table[column] = values * of if of != u.one else values
    for name in table.colnames[1:]:
        table[name].info.format = ".4g"
    return in_units(model, table, unit)


def _described(nodes, i, log_weight):
    """Mean, standard deviation and quantiles of one of the quantities."""
    one = nodes.of_quantity(i)
    return *one.moments(log_weight), *one.quantiles(log_weight, QUANTILES)


def population_draws(model) -> Theta:
    """The draws of the population's parameters."""
    names = *model.sampled_names(), *model.standard_normals(model.fitted_data())
    return {name: model.samples(name).value for name in names}


def few_draws(model) -> Theta:
    """Some of them."""
    return thinned(population_draws(model))


def predict(
    model, *, random_state: RandomState = None, unit: UnitLike = None
) -> u.Quantity | dict[str, u.Quantity]:
    """The value of a new object of the population, for each draw of it.

    With a ``selection``, it is an object of the population before that.

    Parameters
    ----------
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.
    unit : unit, list or dict, optional
        The unit of the result, or several as in `summary`; by default that of the table.

    Returns
    -------
    `~astropy.units.Quantity` or dict of Quantity
        Shape (chain * draw,); by name for two quantities.

    Examples
    --------
    >>> from astro_hier import SamplePopulation, datasets
    >>> table = datasets.make_posterior_samples(6, random_state=1)
    >>> sample = SamplePopulation(quantity="mass")
    >>> sample = sample.fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> sample.predict(random_state=1).shape
    (200,)
    """
    data, rng = model.fitted_data(), generator(random_state)
    drawn = data.population.draw(population_draws(model), 1, rng).reshape(-1, len(data.names))
    new = {
        name: of * model.parameter(name).unit for name, of in zip(data.names, drawn.T, strict=True)
    }
    new = quantities_in(model, new, unit)
    return new[data.names[0]] if len(new) == 1 else new
