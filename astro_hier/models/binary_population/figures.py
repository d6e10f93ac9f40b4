"""Figures of a population of orbits: panels of stars, and the distribution of ln P."""

import numpy as np

from astro_hier import plots
from astro_hier.core import orbit
from astro_hier.models.binary_population.data import thinned
from astro_hier.models.binary_population.tables import describe, population_draws
from astro_hier.models.orbits import checks as orbit_checks

PANELS = 16


def plot_data(model, stars=None, fig=None):
    """Velocities with their standard errors against time, one panel for each star.

    Parameters
    ----------
    stars : list, optional
        Identifiers of the stars to draw; by default the first sixteen.
    fig : `~matplotlib.figure.Figure`, optional
        Where to draw.

    Returns
    -------
    `~matplotlib.figure.Figure`
    """
    data = model.fitted_data()
    fig, panels = _panels(data, stars, fig)
    for ax, n in panels:
        visits = data.visits(n)
        plots.errorbar(ax, visits.time, visits.rv, visits.rv_error)
        ax.set_title(str(data.stars[n]), fontsize=8)
    fig.supxlabel("time since first visit [d]")
    fig.supylabel("radial velocity [km/s]")
    return fig


def plot_phase(model, stars=None, fig=None):
    """Velocities folded at each star's best period, with its orbit, one panel for each star.

    Trends and instrument offsets are subtracted, and errors include the jitter. Titles say if no
    orbit is needed, if the visits do not constrain the period, or if the orbit does not describe
    them.

    Parameters
    ----------
    stars : list, optional
        Identifiers of the stars to draw; by default the first sixteen.
    fig : `~matplotlib.figure.Figure`, optional
        Where to draw.

    Returns
    -------
    `~matplotlib.figure.Figure`
    """
    data = model.fitted_data()
    fig, panels = _panels(data, stars, fig)
    phase = np.linspace(0, 1, 200)
    rows = describe(model, [n for _, n in panels])
    for (ax, n), (best, (visits, linear)) in zip(panels, rows, strict=True):
        period = best["P_map"]
        ax.plot(phase, orbit.radial_velocity(phase, 1, *linear[:3]), color="C1", zorder=0)
        rv = visits.rv - visits.constant[:, 1:] @ linear[3:]
        plots.errorbar(ax, (visits.time / period) % 1, rv, visits.rv_error)
        said = orbit_checks.caveat(best["ln_bayes_factor"], best["K_upper"],
                                   best["period_information"])  # fmt: skip
        if best["ln_bayes_factor"] >= orbit_checks.MIN_LN_BAYES:
            poor = best["p_chi2"] < orbit_checks.MIN_P
            chi2 = f", $\\chi^2$/dof = {best['chi2_per_dof']:.4g}" if poor else ""
            said.append(f"P = {period:.6g} d{chi2}")
        title = "\n".join([str(data.stars[n]), *said]).replace("needed: ", "needed:\n")
        ax.set_title(title, fontsize=8)
    fig.supxlabel("phase, from first visit")
    fig.supylabel("radial velocity [km/s]")
    return fig


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


def _panels(data, stars, fig):
    """A figure with one panel for each star, and pairs of axes and star number."""
    if stars is None:
        numbers = np.arange(min(len(data.stars), PANELS))
    else:
        labels = list(data.stars)
        unknown = [star for star in np.atleast_1d(stars).tolist() if star not in labels]
        if unknown or not np.size(stars):
            raise ValueError(f"stars={stars!r}: not among the {len(labels)} fitted: {unknown}")
        numbers = [labels.index(star) for star in np.atleast_1d(stars).tolist()]
    columns = int(np.ceil(np.sqrt(len(numbers))))
    rows = -(-len(numbers) // columns)
    fig = plots.figure(fig, figsize=(2.6 * columns + 0.4, 2.0 * rows + 0.4))
    grid = fig.subplots(rows, columns, squeeze=False)
    for ax in grid.flat[len(numbers) :]:
        ax.remove()
    for ax in grid.flat:
        ax.tick_params(labelsize=7)
    return fig, list(zip(grid.flat, numbers, strict=False))
