"""Figures of a population of orbits: its periods, and which stars have companions."""

from typing import TYPE_CHECKING

import astropy.units as u
import numpy as np

from astro_hier import plots
from astro_hier.models.binary_population.data import FRACTION, thinned
from astro_hier.models.binary_population.eccentric import EccentricStars
from astro_hier.models.binary_population.tables import (
    companion_probability,
    population_draws,
)
from astro_hier.posterior import UnitLike, units_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIKELY = 0.5  # probability of a companion of the stars whose medians are shown
LIKELY_STARS = f"stars, companion > {100 * LIKELY:.0f} percent"
QUANTITIES = {"P": "period $P$ [d]", "lnP": r"$\ln(P / \mathrm{d})$"}


def plot_population(
    model,
    ax: "Axes | None" = None,
    quantity: str = "P",
    fig: "Figure | None" = None,
    unit: UnitLike = None,
) -> "Axes":
    """The distribution of periods, with its uncertainty, over the stars' own posteriors.

    With ``companion_fraction``, it is that of the stars with a companion: draws of the stars count
    by their probability of one. With a ``selection`` the population is that before it, which the
    stars of the table need not resemble.

    Parameters
    ----------
    ax, fig : `~matplotlib.axes.Axes`, `~matplotlib.figure.Figure`, optional
        Where to draw: on these axes, or on new ones in the figure.
    quantity : {"P", "lnP"}, optional
        What the abscissa is: the period in days, on a logarithmic axis, or ln(P / d). The density
        is that of ln P in either case.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> sample = BinaryPopulation()
    >>> sample = sample.fit(visits, draws=100, random_state=1, progressbar=False)
    >>> ax = sample.plot_population()
    """
    units = units_of(model, unit)
    if quantity not in QUANTITIES:
        raise ValueError(f"quantity={quantity!r}; expected one of {', '.join(QUANTITIES)}")
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 3.2))
    shown = np.exp if quantity == "P" else np.asarray
    points, density = _periods(model)
    high = band(ax, shown(points), density, whose(model))
    if "lnP" in model.posterior:
        draws_of_stars(ax, model, "lnP", shown)
    seen = points[high > 0.01 * high.max()]
    ax.set(xlim=shown(seen[[0, -1]]), ylim=(0, None))
    if quantity == "P":
        plots.log_axis(ax)
    ax.set(xlabel=QUANTITIES[quantity], ylabel=r"density of $\ln P$")
    plots.legend_above(ax)
    if quantity == "P":
        plots.rescale(ax, units, (u.day, "P"))
    return ax


def plot_companions(model, ax: "Axes | None" = None, fig: "Figure | None" = None) -> "Axes":
    """Each star's probability of a companion, in order, and the share of stars that have one.

    With a ``selection`` the share is that before it.

    Parameters
    ----------
    ax, fig : `~matplotlib.axes.Axes`, `~matplotlib.figure.Figure`, optional
        Where to draw: on these axes, or on new ones in the figure.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    ValueError
        If all stars have a companion, ``companion_fraction=None``.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets, priors
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> sample = BinaryPopulation(companion_fraction=priors.Uniform(0, 1))
    >>> sample = sample.fit(visits, draws=50, random_state=1, progressbar=False)
    >>> ax = sample.plot_companions()
    """
    model.fitted_data()  # an error before a fit
    if model.companion_fraction is None:
        raise plots.NotInTheModel(
            "plot_companions() needs a model in which some stars have none: fit with"
            " companion_fraction=priors.Uniform(0, 1)"
        )
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 3.2))
    probability = np.sort(companion_probability(model))[::-1]
    low, middle, high = plots.interval(model.samples(FRACTION).value)
    which = "with a companion" if model.selection is None else "before selection"
    ax.axvspan(low, high, **plots.BAND, label=f"share {which}, 94 percent")
    ax.axvline(middle, color=plots.GIVEN, lw=1)
    share = (np.arange(len(probability)) + 0.5) / len(probability)
    ax.plot(share, probability, "o", color=plots.ink(ax), ms=3, label="stars")
    ax.set(xlim=(0, 1), ylim=(-0.02, 1.02), ylabel="probability of companion")
    ax.set_xlabel("share of stars, likeliest first")
    plots.legend_above(ax)
    return ax


# ---- the population


def _periods(model) -> tuple[np.ndarray, np.ndarray]:
    """Points in ln P, and the density of the population there for some of its draws."""
    data, theta = model.fitted_data(), thinned(population_draws(model))
    if not model.is_eccentric:
        _, grid, log_density, *_ = data.on_grid(theta)
        return grid.points, np.exp(log_density)
    shares, (edges, _) = shares_of(data, theta)
    return 0.5 * (edges[1:] + edges[:-1]), shares.sum(axis=2) / np.diff(edges)


def shares_of(data: EccentricStars, theta) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Shares of the population, (theta, cell of ln P, 1 + cell of e), and the cells' edges."""
    plane = data.plane
    shares = data.shares(theta).reshape(-1, *plane.reference.shape)
    return shares, (plane.ln_period_edges, plane.e_edges)


def whose(model) -> str:
    """What the population is that of."""
    return "population" if model.selection is None else "population before selection"


def band(ax, x, density, label: str) -> np.ndarray:
    """The median and the central 94 percent of densities; returns their upper end."""
    low, middle, high = plots.interval(density)
    ax.fill_between(x, low, high, **plots.BAND, label=f"{label}, 94 percent")
    ax.plot(x, middle, color=plots.GIVEN)
    return high


# ---- the stars


def draws_of_stars(ax, model, name: str, shown) -> float:
    """All draws of the stars, and medians; returns the height of the highest bin."""
    draws, some = model.samples(name).value, companion_probability(model) > LIKELY
    middle = np.median(draws[:, some] if some.any() else draws, axis=0)
    count = int(np.clip(np.sqrt(len(middle)) * 2, 6, 40))
    edges = np.histogram_bin_edges(middle, count)
    width = edges[1] - edges[0]
    first, last = np.floor(edges[0] / width) - 10, np.ceil(edges[-1] / width) + 10
    edges = np.arange(first, last + 1) * width  # one of them is zero, where e begins
    weight, labels = np.ones(draws.shape), ("stars, all draws", "stars, medians")
    if model.companion_fraction is not None:
        weight, labels = model.samples("companion").value, ("stars, weighted draws", LIKELY_STARS)
    of_density = np.where(draws == 0, 0.0, weight)  # circles are not part of a density of e
    height = np.histogram(draws, edges, weights=of_density)[0] / weight.sum() / width
    ax.stairs(height, shown(edges), color=plots.ink(ax), label=labels[0])
    ax.plot(shown(middle), np.zeros(len(middle)), "|", color=plots.ink(ax), ms=12, label=labels[1])
    return height.max()
