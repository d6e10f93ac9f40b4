"""Figures of the eccentricities of a population, and of periods and eccentricities together."""

from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np

from astro_hier import plots
from astro_hier.models.binary_population.data import thinned
from astro_hier.models.binary_population.figures import (
    LIKELY,
    LIKELY_STARS,
    QUANTITIES,
    band,
    draws_of_stars,
    shares_of,
    whose,
)
from astro_hier.models.binary_population.tables import (
    companion_probability,
    describe,
    population_draws,
)
from astro_hier.populations.circularised import LN_P_CIRC
from astro_hier.posterior import UnitLike, units_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HELD = 0.9, 0.5  # share of the mean population in the regions of a plane
NEARLY_ROUND = 0.05  # of the largest e that is shown, below which no cells are told apart
SEEN = 0.95  # share of eccentricities; if they are small, twice the range of these is shown
LARGE = 0.4  # eccentricity above which all are shown


def plot_eccentricity(model, ax: "Axes | None" = None, fig: "Figure | None" = None) -> "Axes":
    """The distribution of eccentricities, with its uncertainty, over the stars' own posteriors.

    If a part of the orbits are circular, the legend tells which share, and the density is that of
    the others. With ``companion_fraction``, draws of the stars count by their probability of a
    companion.

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
        If all orbits are circular.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets, populations
    >>> visits = datasets.make_binaries(3, random_state=1)
    >>> sample = BinaryPopulation(
    ...     population=populations.Normal(mu=2.0, lnsigma=0.0),
    ...     eccentricity=populations.Rayleigh(),
    ... ).fit(visits, draws=50, random_state=1, certify=False, progressbar=False)
    >>> ax = sample.plot_eccentricity()
    """
    shares, (_, edges) = _shares(model, "plot_eccentricity")
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 3.2))
    whole = shares.sum(axis=(1, 2))[:, None]
    density = shares[:, :, 1:].sum(axis=1) / np.diff(edges) / whole
    e, density = _to_the_ends(edges), np.pad(density, ((0, 0), (1, 1)), mode="edge")
    largest = _largest_e(model, shares, edges)
    # densities may rise without bound at e = 0
    highest = band(ax, e, density, whose(model))[e > NEARLY_ROUND * largest].max()
    if "e" in model.posterior:
        highest = max(highest, draws_of_stars(ax, model, "e", np.asarray))
    if np.any(shares[:, :, 0] > 0):
        low, middle, high = plots.interval(100 * shares[:, :, 0].sum(axis=1) / whole[:, 0])
        label = f"$e = 0$: {middle:.0f} percent ({low:.0f} to {high:.0f})"
        ax.plot([], [], " ", label=label)
    ax.set(xlim=(0, largest), ylim=(0, 1.1 * highest))
    ax.set(xlabel="eccentricity $e$", ylabel="density")
    plots.legend_above(ax)
    return ax


def plot_period_eccentricity(
    model, ax: "Axes | None" = None, fig: "Figure | None" = None, unit: UnitLike = None
) -> "Axes":
    """Period and eccentricity of each star, over the regions that hold most of the population.

    Points are medians and bars the central 68 percent, in the most probable mode. Bars are paler,
    the less probable that mode and, with ``companion_fraction``, a companion are. The regions are
    those of the population averaged over its draws, without circular orbits.

    Parameters
    ----------
    ax, fig : `~matplotlib.axes.Axes`, `~matplotlib.figure.Figure`, optional
        Where to draw: on these axes, or on new ones in the figure.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    ValueError
        If all orbits are circular.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets, populations
    >>> visits = datasets.make_binaries(3, random_state=1)
    >>> sample = BinaryPopulation(
    ...     population=populations.Normal(mu=2.0, lnsigma=0.0),
    ...     eccentricity=populations.Rayleigh(),
    ... ).fit(visits, draws=50, random_state=1, certify=False, progressbar=False)
    >>> ax = sample.plot_period_eccentricity()
    """
    units = units_of(model, unit)
    shares, edges = _shares(model, "plot_period_eccentricity")
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 3.2))
    largest = _largest_e(model, shares, edges[1])
    _regions(ax, shares[:, :, 1:].mean(axis=0), edges, largest, whose(model))
    if LN_P_CIRC.name in model.sampled_names():
        low, middle, high = np.exp(plots.interval(model.samples(LN_P_CIRC.name).value))
        hatched: dict[str, Any] = {
            "fc": "none",
            "ec": plots.BEST,
            "lw": 0,
            "hatch": "//",
        }  # unlike regions, in grey too
        ax.axvspan(low, high, **hatched, label=r"$P_\mathrm{circ}$, 94 percent")
        ax.axvline(middle, color=plots.BEST, lw=1)
    P = _points(ax, model)
    seen = edges[0][:-1][shares.sum(axis=(0, 2)) > 0.01 * shares.sum(axis=(0, 2)).max()]
    ends = np.exp([seen[0], seen[-1]])
    ax.set(xlim=(min(ends[0], 0.8 * P.min(initial=np.inf)), max(ends[1], 1.25 * P.max(initial=0))))
    ax.set_ylim(-0.02 * largest, largest)
    plots.log_axis(ax)
    ax.set(xlabel=QUANTITIES["P"], ylabel="eccentricity $e$")
    plots.legend_above(ax)
    plots.rescale(ax, units, (u.day, "P"))
    return ax


def _shares(model, figure: str):
    """Shares of the population in cells, for some of its draws, and the edges of these."""
    data = model.fitted_data()
    if model.is_eccentric:
        shares, edges = shares_of(data, thinned(population_draws(model)))
        if np.any(shares[:, :, 1:] > 0):
            return shares, edges
    raise plots.NotInTheModel(
        f"{figure}() needs eccentric orbits, and all of this model's are circular: fit with"
        " eccentricity=True, or a population of eccentricities"
    )


def _largest_e(model, shares, edges) -> float:
    """The end of an axis of e: 1, unless next to all orbits are nearly round."""
    held = np.cumsum(shares.sum(axis=(0, 1))) / shares.sum()  # circles first
    largest = max(edges[np.searchsorted(held, SEEN)], edges[1])
    if "e" in model.posterior:
        of_stars = np.median(model.samples("e").value, axis=0)
        some = companion_probability(model) > LIKELY
        largest = max(largest, of_stars[some].max(initial=0.0))
    return 1.0 if largest > LARGE else 2 * largest


def _regions(ax, share, edges, largest: float, label: str) -> None:
    """The smallest regions of cells that hold given parts of a population."""
    from matplotlib.colors import to_rgb

    ln_period, e = edges
    first = max(int(np.searchsorted(e, NEARLY_ROUND * largest)) - 1, 1)
    e = np.delete(e, np.arange(1, first))
    share = np.hstack([share[:, :first].sum(axis=1, keepdims=True), share[:, first:]])
    density = share / np.multiply.outer(np.diff(ln_period), np.diff(e))
    order = np.argsort(-density, axis=None)
    held = np.cumsum(share.ravel()[order]) / share.sum()
    levels = [density.ravel()[order[np.searchsorted(held, part)]] for part in HELD]
    colors = [(*to_rgb(plots.GIVEN), alpha) for alpha in (0.2, 0.5)]
    grid = np.exp(_to_the_ends(ln_period)), _to_the_ends(e)
    height = np.pad(density, 1, mode="edge").T
    ax.contourf(*grid, height, levels=[*levels, np.inf], colors=colors, zorder=0)
    for part, color in zip(HELD, colors, strict=True):
        of = f"{label}, {100 * part:.0f} percent"
        ax.fill_between([], [], [], color=color, lw=0, label=of)


def _to_the_ends(edges):
    """The middles of cells, and the ends of the outermost ones."""
    return np.concatenate([edges[:1], 0.5 * (edges[1:] + edges[:-1]), edges[-1:]])


def _points(ax, model) -> np.ndarray:
    """Medians and intervals of P and e of the stars; returns their periods."""
    rows = [row for row, _ in describe(model, range(len(model.fitted_data().stars)))]
    of: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    companion = companion_probability(model)
    some = companion > LIKELY
    shade = np.clip(of["probability"] * companion, 0.1, 1)[some]
    bars = {}
    for name in ("P", "e"):
        ends = of[name] - of[f"{name}_low"], of[f"{name}_high"] - of[name]
        bars[name] = np.maximum(ends, 0)[:, some]
    x, y = of["P"][some], of["e"][some]
    paths = ax.errorbar(x, y, bars["e"], bars["P"], fmt="none", elinewidth=0.8)[2]
    for bar in paths:
        bar.set_color([(*plots.ink(ax), alpha) for alpha in 0.7 * shade])
    colors = [(*plots.ink(ax), alpha) for alpha in shade]
    ax.scatter(x, y, 9, color=colors, zorder=3)
    label = "stars" if model.companion_fraction is None else LIKELY_STARS
    ax.plot([], [], "o", color=plots.ink(ax), ms=3, label=label)
    return x
