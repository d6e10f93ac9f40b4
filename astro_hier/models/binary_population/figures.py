"""Figures of a population of orbits: the distribution of ln P."""

import numpy as np

from astro_hier import plots
from astro_hier.models.binary_population.data import thinned
from astro_hier.models.binary_population.tables import population_draws


def plot_population(model, ax=None):
    """The distribution of ln P, with its uncertainty, over the stars' own posteriors.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    ax = plots.axes(ax, figsize=(7, 4.5))
    data = model.fitted_data()
    _, grid, log_density, *_ = data.on_grid(thinned(population_draws(model)))
    points, density = grid.points, np.exp(log_density)
    low, middle, high = plots.interval(density)
    ax.fill_between(points, low, high, color="C1", alpha=0.3, lw=0,
                    label="population, 94 percent")  # fmt: skip
    ax.plot(points, middle, color="C1")
    if "lnP" in model.posterior:
        draws = model.samples("lnP").value
        bins = int(np.clip(np.sqrt(draws.shape[1]) * 2, 6, 40))
        edges = np.histogram_bin_edges(np.median(draws, axis=0), bins)
        width = edges[1] - edges[0]
        edges = np.arange(edges[0] - 10 * width, edges[-1] + 10 * width, width)
        count, _ = np.histogram(draws, edges)
        ax.stairs(count / draws.size / width, edges, color="k", label="stars, all draws")
        ax.plot(np.median(draws, axis=0), np.zeros(draws.shape[1]), "|", color="k", ms=12,
                label="stars, medians")  # fmt: skip
    seen = points[high > 0.01 * high.max()]
    ax.set(xlim=(seen[0], seen[-1]), ylim=(0, None))
    ax.set(xlabel=r"$\ln(P / \mathrm{d})$", ylabel="density")
    ax.legend(loc="best")
    return ax
