"""Figures of a population of samples: the objects, the population, and what it did to them."""

import astropy.units as u
import numpy as np

from astro_hier import plots
from astro_hier.models.sample_population import shape, tables
from astro_hier.models.sample_population.checks import FEWEST_DRAWS

POINTS = 400  # at which the population's density is drawn
BINS = 60  # of the stack
REACH = 0.01  # of the highest density, below which it is not drawn
MANY = 100  # objects whose error bars are drawn lighter
ABOVE = {"loc": "lower left", "bbox_to_anchor": (0, 1), "frameon": False, "fontsize": 8,
         "borderaxespad": 0.2, "labelspacing": 0.25}  # fmt: skip
OWN, GIVEN = {"color": "0.6"}, {"color": "C0"}


def plot_data(model, ax=None, quantity=None):
    """Every object's own value, as it was given: median and 68 percent, in order.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.
    quantity : str, optional
        Which of two quantities; by default the first.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Examples
    --------
    >>> from astro_hier import SamplePopulation, datasets
    >>> table = datasets.make_posterior_samples(6, random_state=1)
    >>> sample = SamplePopulation(quantity="mass")
    >>> sample = sample.fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> ax = sample.plot_data()
    """
    table, name = model.object_table(), _named(model, quantity)
    ax = plots.axes(ax, figsize=(7, 4.5))
    low, middle, high = (_values(table[f"{name}_own_{p}"]) for p in ("p16", "p50", "p84"))
    order = np.argsort(middle)
    at = np.arange(1, len(middle) + 1)
    plots.errorbar(ax, at, middle[order], [(middle - low)[order], (high - middle)[order]])
    ax.set(xlabel="object, in order of its median", ylabel=_label(model, name))
    return ax


def plot_population(model, ax=None, quantity=None):
    """The population's density, with its uncertainty, over the stack of the objects' own.

    The stack is the sum of the objects' own densities, as they were given: broader than the
    population by their errors, and with their interim priors in it. With a ``selection``, the
    population is that before it.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.
    quantity : str, optional
        Which of two quantities; by default the first.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Examples
    --------
    >>> from astro_hier import SamplePopulation, datasets
    >>> table = datasets.make_posterior_samples(6, random_state=1)
    >>> sample = SamplePopulation(quantity="mass")
    >>> sample = sample.fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> ax = sample.plot_population()
    """
    data, name = model.fitted_data(), _named(model, quantity)
    ax = plots.axes(ax, figsize=(7, 4.5))
    which = data.names.index(name)
    x = _abscissa(data, which)
    density = np.exp(data.population.marginal(which).log_density_of(x, tables.few_draws(model)))
    low, middle, high = plots.interval(density)
    seen = np.flatnonzero(high > REACH * high.max())
    values, weight = _stacked(data, which)
    edges = np.linspace(x[seen[0]], x[seen[-1]], BINS + 1)
    height, _ = np.histogram(values, edges, weights=weight)
    ax.stairs(height / np.diff(edges), edges, fill=True, color="0.85", label="stack of the objects")
    before = ", before the selection" if model.selection is not None else ""
    ax.fill_between(x, low, high, color="C0", alpha=0.3, lw=0, label="94 percent")
    ax.plot(x, middle, **GIVEN, label=f"population{before}")
    unit = model.parameter(name).unit
    per = "" if unit == u.one else f" [{(1 / unit).unit.to_string('latex_inline')}]"
    ax.set(xlim=edges[[0, -1]], ylim=(0, None), xlabel=_label(model, name), ylabel=f"density{per}")
    ax.legend(**ABOVE)
    return ax


def plot_shrinkage(model, ax=None, quantity=None):
    """Every object's value given the population against that on its own: means, with errors.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.
    quantity : str, optional
        Which of two quantities; by default the first.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Examples
    --------
    >>> from astro_hier import SamplePopulation, datasets
    >>> table = datasets.make_posterior_samples(6, random_state=1)
    >>> sample = SamplePopulation(quantity="mass")
    >>> sample = sample.fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> ax = sample.plot_shrinkage()
    """
    table, name = model.object_table(), _named(model, quantity)
    ax = plots.axes(ax, figsize=(5.5, 5))
    own, own_sd, given, sd = (
        _values(table[f"{name}_{of}"]) for of in ("own_mean", "own_sd", "mean", "sd")
    )
    alpha = 1.0 if len(own) <= MANY else 0.3
    ax.errorbar(own, given, sd, own_sd, "o", ms=3, lw=0.7, alpha=alpha, **GIVEN)
    ends = np.array([min(own.min(), given.min()), max(own.max(), given.max())])
    ax.plot(ends, ends, "k--", lw=0.8, label="not shrunk")
    label = _label(model, name)
    ax.set(xlabel=f"{label}, alone", ylabel=f"{label}, given all")
    ax.legend(frameon=False)
    return ax


def plot_effective(model, ax=None):
    """The effective number of each object's draws given the population, in order.

    Below the line there are too few for the object's part of the likelihood to be trusted.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Examples
    --------
    >>> from astro_hier import SamplePopulation, datasets
    >>> table = datasets.make_posterior_samples(6, random_state=1)
    >>> sample = SamplePopulation(quantity="mass")
    >>> sample = sample.fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> ax = sample.plot_effective()
    """
    table = model.object_table()
    if not np.isfinite(table["n_draws"]).any():
        raise plots.NotInTheModel(
            "plot_effective() is for objects that are described by draws; these are described by"
            " densities, or by values and errors"
        )
    ax = plots.axes(ax, figsize=(7, 4.5))
    order = np.argsort(table["effective"])
    at = np.arange(1, len(order) + 1)
    ax.plot(at, table["n_draws"][order], ".", ms=4, **OWN, label="given")
    ax.plot(at, table["effective"][order], "o", ms=4, **GIVEN, label="left given the population")
    ax.axhline(FEWEST_DRAWS, color="k", ls="--", lw=0.8, label=f"{FEWEST_DRAWS:g}")
    ax.set(
        xlabel="object, in order of draws left", ylabel="effective number of draws", yscale="log"
    )
    ax.legend(**ABOVE)
    return ax


def _named(model, quantity):
    """The quantity that is drawn."""
    names = model.fitted_data().names
    if quantity is not None and quantity not in names:
        raise ValueError(f"quantity={quantity!r}; expected one of {list(names)}")
    return names[0] if quantity is None else quantity


def _values(column):
    return np.asarray(getattr(column, "value", column))


def _label(model, name):
    return f"${shape.symbol(name)}${model.parameter(name).unit_label}"


def _stacked(data, which):
    """Nodes of all objects, each of which counts once."""
    values = [of.of_quantity(which).x for of in data.own]
    weight = [np.exp(of.log_own) / len(data.own) for of in data.own]
    return np.concatenate(values), np.concatenate(weight)


def _abscissa(data, which):
    """Points that reach over nearly all of the objects' own values, and a little farther."""
    values, weight = _stacked(data, which)
    order = np.argsort(values)
    below = np.cumsum(weight[order])
    low, high = np.interp([0.001, 0.999], below / below[-1], values[order])
    margin = 0.1 * (high - low)
    return np.linspace(low - margin, high + margin, POINTS)
