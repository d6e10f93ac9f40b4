"""Figures of draws that every model has; matplotlib and corner are imported when one is drawn."""

import logging
import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier.plots.strokes import NothingToDraw, figure

__all__ = ["plot_corner", "plot_trace"]

LARGEST_TRACE = 5000  # points per chain above which the figure of a trace is thinned


@dataclass(frozen=True)
class _Shown:
    """One quantity in a figure of draws: its parameter, the element of it, labels, and draws."""

    name: str
    element: int
    symbol: str
    unit: str
    draws: np.ndarray


def plot_corner(model, var_names=None, truths=None, fig=None, **options):
    """Joint and marginal distributions of the parameters common to all stars.

    Parameters
    ----------
    var_names : str or list of str, optional
        Which parameters; by default those inferred, without those derived from them.
    truths : dict, optional
        Values to mark, by parameter name: Quantities, or numbers in the unit of the posterior.
    fig : `~matplotlib.figure.Figure`, optional
        Where to draw.
    **options
        Passed to `corner.corner`.

    Returns
    -------
    `~matplotlib.figure.Figure`

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
    >>> fig = star.plot_corner(["P", "K"], truths=visits.meta["truth"])
    """
    with warnings.catch_warnings():
        # corner imports arviz, some versions of which announce future changes
        warnings.simplefilter("ignore", FutureWarning)
        import corner

    chosen = _chosen(model, var_names)
    truths = _marks(model, truths or {})
    marks = [
        np.resize(truths[one.name], one.element + 1)[-1] if one.name in truths else None
        for one in chosen
    ]
    style = {"label_kwargs": {"fontsize": 12}, "max_n_ticks": 3, "labelpad": 0.06}
    with _silenced():
        drawn = corner.corner(
            np.column_stack([np.ravel(one.draws) for one in chosen]),
            labels=[one.symbol + one.unit for one in chosen],
            truths=marks if len(chosen) > 1 else None,
            fig=fig,
            **(style | options),
        )
    for ax, one in zip(drawn.axes[:: len(chosen) + 1], chosen, strict=True):
        title = f"{one.symbol} = ${_rounded(one.draws)}$ {one.unit.strip(' []')}"
        ax.set_title(title, fontsize=9)
    if len(chosen) == 1 and marks[0] is not None:
        # corner fails to mark a single histogram
        drawn.axes[0].axvline(marks[0], color=options.get("truth_color", "#4682b4"))
    return drawn


def plot_trace(model, var_names=None, fig=None):
    """Distribution and history of the draws of each chain, one row per parameter.

    Parameters
    ----------
    var_names : str or list of str, optional
        Which parameters; by default those inferred, without those derived from them.
    fig : `~matplotlib.figure.Figure`, optional
        Where to draw.

    Returns
    -------
    `~matplotlib.figure.Figure`

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
    >>> fig = star.plot_trace(["P", "K"])
    """
    chosen = _chosen(model, var_names)
    fig = figure(fig, figsize=(10, 1.9 * len(chosen) + 0.4))
    grid = fig.subplots(len(chosen), 2, squeeze=False, width_ratios=(1, 2))
    for one, (left, right) in zip(chosen, grid, strict=True):
        label, chains = one.symbol + one.unit, one.draws
        bins = np.histogram_bin_edges(chains, bins=40)
        step = int(np.ceil(chains.shape[1] / LARGEST_TRACE))
        for draws in chains:
            left.hist(draws, bins=bins, density=True, histtype="step")
            right.plot(np.arange(len(draws))[::step], draws[::step], lw=0.5, alpha=0.7)
        left.locator_params(axis="x", nbins=5)
        left.set(xlabel=label, yticks=[], ylabel="density")
        right.set(ylabel=label, xlabel="draw")
    return fig


def _chosen(model, var_names):
    """What to show: parameters, every varying element of those with several, and quantities."""
    others = {quantity.name: (quantity, draws) for quantity, draws in model.drawn_quantities()}
    if var_names is None:
        each = (p.name for p in model.parameters if p.dims == ("instrument",))
        names = [*model.drawn_names(), *each]
    else:
        names = [var_names] if isinstance(var_names, str) else list(var_names)
        if not names:
            model.parameters_named(names)  # raises an error that lists them
    chosen = []
    for name in names:
        if name in others:
            chosen.append(_whole(*others[name]))
        else:
            chosen += _elements(model, model.parameter(name))
    if not chosen:
        raise NothingToDraw("no parameter was inferred, so there is no distribution to draw")
    return chosen


def _elements(model, parameter):
    """One parameter, or each element of it that varies."""
    if model.item in parameter.dims:
        raise ValueError(
            f"{parameter.name} has a value for each {model.item}; this figure is for"
            f" {[p.name for p in model.parameters if model.item not in p.dims]}"
        )
    draws = model.posterior[parameter.name]
    if not parameter.dims:
        yield _whole(parameter, draws.values)
        return
    (dim,) = parameter.dims
    for i, label in enumerate(draws[dim].values):
        each = draws.isel({dim: i}).values
        if np.ptp(each) > 0:  # the offset of the first instrument does not vary
            symbol = f"${parameter.symbol}$ {label}"
            yield _Shown(parameter.name, i, symbol, parameter.unit_label, each)


def _whole(parameter, draws):
    return _Shown(parameter.name, 0, f"${parameter.symbol}$", parameter.unit_label, draws)


def _marks(model, truths):
    """Values to mark, as arrays of floats in the units of the posterior."""
    marks, others = {}, {of.name: of for of, _ in model.drawn_quantities()}
    for name, value in truths.items():
        unit = (others.get(name) or model.parameter(name)).unit
        try:
            quantity = u.Quantity(value) if hasattr(value, "unit") else value * unit
            marks[name] = np.atleast_1d(quantity.to_value(unit))
        except u.UnitConversionError as error:
            raise u.UnitConversionError(f"truth of {name}: {error}") from None
    return marks


@contextmanager
def _silenced():
    """Keep corner's messages from being printed, and from configuring the root logger."""
    root, handler = logging.getLogger(), logging.NullHandler()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def _rounded(draws):
    """Mean and standard deviation in TeX, to two digits of the latter."""
    mean, sd = draws.mean(), draws.std()
    decimals = int(np.clip(1 - np.floor(np.log10(sd)), 0, 15)) if sd > 0 else 6
    return rf"{mean:.{decimals}f} \pm {sd:.{decimals}f}"
