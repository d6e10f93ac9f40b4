"""Figures of a population of orbits: its periods, eccentricities and companions."""

from typing import Any

import numpy as np

from astro_hier import plots
from astro_hier.models.binary_population.data import FRACTION, thinned
from astro_hier.models.binary_population.eccentric import EccentricStars
from astro_hier.models.binary_population.tables import (
    companion_probability,
    describe,
    population_draws,
)
from astro_hier.populations.circularised import LN_P_CIRC

NEARLY_ROUND = 0.05  # below which densities of e may rise without bound
LIKELY = 0.5  # probability of a companion of the stars whose medians are shown
HELD = 0.9, 0.5  # share of the mean population in the regions of a plane
LIKELY_STARS = f"stars, companion > {100 * LIKELY:.0f} percent"
QUANTITIES = {"P": "period $P$ [d]", "lnP": r"$\ln(P / \mathrm{d})$"}
POPULATION = {"color": "C0", "alpha": 0.3, "lw": 0}
ABOVE = {"loc": "lower left", "bbox_to_anchor": (0, 1), "frameon": False, "fontsize": 8,
         "borderaxespad": 0.2, "labelspacing": 0.25}  # fmt: skip


def plot_population(model, ax=None, quantity="P"):
    """The distribution of periods, with its uncertainty, over the stars' own posteriors.

    With ``companion_fraction``, it is that of the stars with a companion: draws of the stars count
    by their probability of one. With a ``selection`` the population is that before it, which the
    stars of the table need not resemble.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.
    quantity : {"P", "lnP"}, optional
        What the abscissa is: the period in days, on a logarithmic axis, or ln(P / d). The density
        is that of ln P in either case.

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    if quantity not in QUANTITIES:
        raise ValueError(f"quantity={quantity!r}; expected one of {', '.join(QUANTITIES)}")
    ax = plots.axes(ax, figsize=(7, 4.5))
    shown = np.exp if quantity == "P" else np.asarray
    points, density = _periods(model)
    high = _band(ax, shown(points), density, _whose(model))
    if "lnP" in model.posterior:
        _stars(ax, model, "lnP", shown)
    seen = points[high > 0.01 * high.max()]
    if quantity == "P":
        _in_days(ax)
    ax.set(xlim=shown(seen[[0, -1]]), ylim=(0, None))
    ax.set(xlabel=QUANTITIES[quantity], ylabel=r"density of $\ln P$")
    ax.legend(**ABOVE)
    return ax


def plot_eccentricity(model, ax=None):
    """The distribution of eccentricities, with its uncertainty, over the stars' own posteriors.

    If a part of the orbits are circular, the legend tells which share, and the density is that of
    the others. With ``companion_fraction``, draws of the stars count by their probability of a
    companion.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    ValueError
        If all orbits are circular.
    """
    shares, (_, edges) = _shares(model, "plot_eccentricity")
    ax = plots.axes(ax, figsize=(7, 4.5))
    whole = shares.sum(axis=(1, 2))[:, None]
    density = shares[:, :, 1:].sum(axis=1) / np.diff(edges) / whole
    e, density = _to_the_ends(edges), np.pad(density, ((0, 0), (1, 1)), mode="edge")
    highest = _band(ax, e, density, _whose(model))[e > NEARLY_ROUND].max()  # no bound at e = 0
    if "e" in model.posterior:
        highest = max(highest, _stars(ax, model, "e", np.asarray))
    if np.any(shares[:, :, 0] > 0):
        low, middle, high = plots.interval(100 * shares[:, :, 0].sum(axis=1) / whole[:, 0])
        label = f"$e = 0$: {middle:.0f} percent ({low:.0f} to {high:.0f})"
        ax.plot([], [], " ", label=label)
    ax.set(xlim=(0, 1), ylim=(0, 1.1 * highest))
    ax.set(xlabel="eccentricity $e$", ylabel="density")
    ax.legend(**ABOVE)
    return ax


def plot_period_eccentricity(model, ax=None):
    """Period and eccentricity of each star, over the regions that hold most of the population.

    Points are medians and bars the central 68 percent, in the most probable mode. Bars are paler,
    the less probable that mode and, with ``companion_fraction``, a companion are. The regions are
    those of the population averaged over its draws, without circular orbits.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    ValueError
        If all orbits are circular.
    """
    shares, edges = _shares(model, "plot_period_eccentricity")
    ax = plots.axes(ax, figsize=(7, 4.5))
    _in_days(ax)
    _regions(ax, shares[:, :, 1:].mean(axis=0), edges, _whose(model))
    if LN_P_CIRC.name in model.sampled_names():
        low, middle, high = np.exp(plots.interval(model.samples(LN_P_CIRC.name).value))
        hatched = {
            "fc": "none",
            "ec": "C1",
            "lw": 0,
            "hatch": "////",
        }  # unlike regions, in grey too
        ax.axvspan(low, high, **hatched, label=r"$P_\mathrm{circ}$, 94 percent")
        ax.axvline(middle, color="C1", lw=1)
    _points(ax, model)
    ax.set(xlim=np.exp(edges[0][[0, -1]]), ylim=(-0.02, 1))
    ax.set(xlabel=QUANTITIES["P"], ylabel="eccentricity $e$")
    ax.legend(**ABOVE)
    return ax


def plot_companions(model, ax=None):
    """Each star's probability of a companion, in order, and the share of stars that have one.

    With a ``selection`` the share is that before it.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    ValueError
        If all stars have a companion, ``companion_fraction=None``.
    """
    if model.companion_fraction is None:
        raise plots.NotInTheModel(
            "plot_companions() needs a model in which some stars have none: fit with"
            " companion_fraction=priors.Uniform(0, 1)"
        )
    ax = plots.axes(ax, figsize=(7, 4.5))
    probability = np.sort(companion_probability(model))[::-1]
    low, middle, high = plots.interval(model.samples(FRACTION).value)
    which = "with a companion" if model.selection is None else "before selection"
    ax.axvspan(low, high, **POPULATION, label=f"share {which}, 94 percent")
    ax.axvline(middle, color="C0", lw=1)
    share = (np.arange(len(probability)) + 0.5) / len(probability)
    ax.plot(share, probability, "o", color="k", ms=3, label="stars")
    ax.set(xlim=(0, 1), ylim=(-0.02, 1.02), ylabel="probability of companion")
    ax.set_xlabel("share of stars, likeliest first")
    ax.legend(**ABOVE)
    return ax


# ---- the population


def _periods(model) -> tuple[np.ndarray, np.ndarray]:
    """Points in ln P, and the density of the population there for some of its draws."""
    data, theta = model.fitted_data(), thinned(population_draws(model))
    if not model.is_eccentric:
        _, grid, log_density, *_ = data.on_grid(theta)
        return grid.points, np.exp(log_density)
    shares, (edges, _) = _shares_of(data, theta)
    return 0.5 * (edges[1:] + edges[:-1]), shares.sum(axis=2) / np.diff(edges)


def _shares(model, figure: str):
    """Shares of the population in cells, for some of its draws, and the edges of these."""
    if model.is_eccentric:
        shares, edges = _shares_of(model.fitted_data(), thinned(population_draws(model)))
        if np.any(shares[:, :, 1:] > 0):
            return shares, edges
    raise plots.NotInTheModel(
        f"{figure}() needs eccentric orbits, and all of this model's are circular: fit with"
        " eccentricity=True, or a population of eccentricities"
    )


def _shares_of(data: EccentricStars, theta) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    plane = data.plane
    shares = data.shares(theta).reshape(-1, *plane.reference.shape)
    return shares, (plane.ln_period_edges, plane.e_edges)


def _whose(model) -> str:
    """What the population is that of."""
    return "population" if model.selection is None else "population before selection"


def _band(ax, x, density, whose: str) -> np.ndarray:
    """The median and the central 94 percent of densities; returns their upper end."""
    low, middle, high = plots.interval(density)
    ax.fill_between(x, low, high, **POPULATION, label=f"{whose}, 94 percent")
    ax.plot(x, middle, color="C0")
    return high


def _regions(ax, share, edges, whose: str) -> None:
    """The smallest regions of cells that hold given parts of a population."""
    ln_period, e = edges
    first = np.searchsorted(e, NEARLY_ROUND) - 1  # cells of e that a figure cannot show apart
    e = np.delete(e, np.arange(1, first))
    share = np.hstack([share[:, :first].sum(axis=1, keepdims=True), share[:, first:]])
    density = share / np.multiply.outer(np.diff(ln_period), np.diff(e))
    order = np.argsort(-density, axis=None)
    held = np.cumsum(share.ravel()[order]) / share.sum()
    levels = [density.ravel()[order[np.searchsorted(held, part)]] for part in HELD]
    colors = [(0.12, 0.47, 0.71, alpha) for alpha in (0.15, 0.35)]
    grid = np.exp(_to_the_ends(ln_period)), _to_the_ends(e)
    height = np.pad(density, 1, mode="edge").T
    ax.contourf(*grid, height, levels=[*levels, np.inf], colors=colors, zorder=0)
    for part, color in zip(HELD, colors, strict=True):
        label = f"{whose}, {100 * part:.0f} percent"
        ax.fill_between([], [], [], color=color, lw=0, label=label)


def _to_the_ends(edges):
    """The middles of cells, and the ends of the outermost ones."""
    return np.concatenate([edges[:1], 0.5 * (edges[1:] + edges[:-1]), edges[-1:]])


# ---- the stars


def _stars(ax, model, name: str, shown) -> float:
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
    ax.stairs(height, shown(edges), color="k", label=labels[0])
    ax.plot(shown(middle), np.zeros(len(middle)), "|", color="k", ms=12, label=labels[1])
    return height.max()


def _points(ax, model) -> None:
    """Medians and intervals of P and e of every star, in its most probable mode."""
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
        bar.set_color([(0, 0, 0, alpha) for alpha in 0.7 * shade])
    colors = [(0, 0, 0, alpha) for alpha in shade]
    ax.scatter(x, y, 9, color=colors, zorder=3)
    label = "stars" if model.companion_fraction is None else LIKELY_STARS
    ax.plot([], [], "o", color="k", ms=3, label=label)


def _in_days(ax) -> None:
    """A logarithmic axis of periods, with plain numbers."""
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
