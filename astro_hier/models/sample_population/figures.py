"""Figures of a population of samples: the objects, the population, and what it did to them."""

from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np

from astro_hier import plots
from astro_hier.models.sample_population import shape, tables
from astro_hier.models.sample_population.checks import FEWEST_DRAWS
from astro_hier.posterior import UnitLike, units_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 400  # at which the population's density is drawn
BINS = 60  # of the stack
REACH = 0.01  # of the highest density, below which it is not drawn
FEW = 24  # objects that are named


def plot_data(
    model,
    ax: "Axes | None" = None,
    quantity: str | None = None,
    fig: "Figure | None" = None,
    unit: UnitLike = None,
) -> "Axes":
    """Every object's own value, as it was given: median and 68 percent, in order.

    Parameters
    ----------
    ax, fig : `~matplotlib.axes.Axes`, `~matplotlib.figure.Figure`, optional
        Where to draw: on these axes, or on new ones in the figure.
    quantity : str, optional
        Which of two quantities; by default the first.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

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
    units = units_of(model, unit)
    table, name = model.object_table(), _named(model, quantity)
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 3.2))
    low, middle, high = (_values(table[f"{name}_own_{p}"]) for p in ("p16", "p50", "p84"))
    order = np.argsort(middle)
    at = np.arange(1, len(middle) + 1)
    plots.errorbar(ax, at, middle[order], [(middle - low)[order], (high - middle)[order]])
    ax.set(xlabel="object, in order of its median", ylabel=_label(model, name))
    _name_few(ax, table["object"][order])
    ax.set_ylim(plots.focus(low, high))
    plots.at_edges(ax, at, middle[order], what="objects")
    of = model.parameter(name).unit, name
    plots.rescale(ax, units, y=of)
    return ax


def plot_population(
    model,
    ax: "Axes | None" = None,
    quantity: str | None = None,
    fig: "Figure | None" = None,
    unit: UnitLike = None,
) -> "Axes":
    """The population's density, with its uncertainty, over the stack of the objects' own.

    The stack is the sum of the objects' own densities, as they were given: broader than the
    population by their errors, and with their interim priors in it. With a ``selection``, the
    population is that before it.

    Parameters
    ----------
    ax, fig : `~matplotlib.axes.Axes`, `~matplotlib.figure.Figure`, optional
        Where to draw: on these axes, or on new ones in the figure.
    quantity : str, optional
        Which of two quantities; by default the first.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

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
    units = units_of(model, unit)
    data, name = model.fitted_data(), _named(model, quantity)
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 3.2))
    which = data.names.index(name)
    x = _abscissa(data, which)
    density = np.exp(data.population.marginal(which).log_density_of(x, tables.few_draws(model)))
    low, middle, high = plots.interval(density)
    seen = np.flatnonzero(high > REACH * high.max())
    values, weight = _stacked(data, which)
    edges = np.linspace(x[seen[0]], x[seen[-1]], BINS + 1)
    height, _ = np.histogram(values, edges, weights=weight)
    look = plots.hatched(ax)
    ax.stairs(height / np.diff(edges), edges, fill=True, label="stack of the objects", **look)
    before = ", before the selection" if model.selection is not None else ""
    ax.fill_between(x, low, high, label="94 percent", **plots.BAND)
    ax.plot(x, middle, color=plots.GIVEN, label=f"population{before}")
    own = model.parameter(name).unit
    per = "" if own == u.one else f" [{(1 / own).unit.to_string('latex_inline')}]"
    ax.set(xlim=edges[[0, -1]], ylim=(0, None), xlabel=_label(model, name), ylabel=f"density{per}")
    plots.legend_above(ax)
    of = model.parameter(name).unit, name
    plots.rescale(ax, units, of, (None,))
    return ax


def plot_shrinkage(
    model,
    ax: "Axes | None" = None,
    quantity: str | None = None,
    fig: "Figure | None" = None,
    unit: UnitLike = None,
) -> "Axes":
    """Every object's value given the population against that on its own: means, with errors.

    Parameters
    ----------
    ax, fig : `~matplotlib.axes.Axes`, `~matplotlib.figure.Figure`, optional
        Where to draw: on these axes, or on new ones in the figure.
    quantity : str, optional
        Which of two quantities; by default the first.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

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
    units = units_of(model, unit)
    table, name = model.object_table(), _named(model, quantity)
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 4))
    own, own_sd, given, sd = (
        _values(table[f"{name}_{of}"]) for of in ("own_mean", "own_sd", "mean", "sd")
    )
    plots.errorbar(ax, own, given, sd, own_sd, color=plots.GIVEN)
    ax.set_xlim(plots.focus(own))
    ax.set_ylim(plots.focus(given - sd, given + sd))
    line: dict[str, Any] = {"color": plots.ink(ax), "ls": "--", "lw": 0.8, "label": "not shrunk"}
    ends = ax.get_ylim()
    ax.plot(ends, ends, scalex=False, scaley=False, **line)
    plots.at_edges(ax, own, given, what="objects")
    label = _label(model, name)
    ax.set(xlabel=f"{label}, alone", ylabel=f"{label}, given all")
    plots.legend_above(ax)
    of = model.parameter(name).unit, name
    plots.rescale(ax, units, of, of)
    return ax


def plot_effective(model, ax: "Axes | None" = None, fig: "Figure | None" = None) -> "Axes":
    """The effective number of each object's draws given the population, in order.

    Below the line there are too few for the object's part of the likelihood to be trusted.

    Parameters
    ----------
    ax, fig : `~matplotlib.axes.Axes`, `~matplotlib.figure.Figure`, optional
        Where to draw: on these axes, or on new ones in the figure.

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
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 3.2))
    order = np.argsort(table["effective"])
    at = np.arange(1, len(order) + 1)
    ax.plot(at, table["n_draws"][order], ".", ms=4, color=plots.shade(ax, 0.4), label="given")
    ax.plot(
        at,
        table["effective"][order],
        "o",
        ms=4,
        color=plots.GIVEN,
        label="left given the population",
    )
    ax.axhline(
        FEWEST_DRAWS,
        color=plots.ink(ax),
        ls="--",
        lw=0.8,
        label=f"{FEWEST_DRAWS:g}, the fewest to trust",
    )
    ax.set(
        xlabel="object, in order of draws left", ylabel="effective number of draws", yscale="log"
    )
    plots.log_axis(ax, "y")
    _name_few(ax, table["object"][order])
    plots.legend_above(ax)
    return ax


def _name_few(ax, names):
    """Names of objects along the axis, if there are few of them."""
    if len(names) <= FEW:
        names = [plots.verbatim(name) for name in names]
        ax.set_xticks(np.arange(1, len(names) + 1), names, rotation=90, fontsize="small")


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
