"""Panels of stars: their velocities against time, and folded at their periods."""

import numpy as np

from astro_hier import plots
from astro_hier.core import orbit
from astro_hier.models.binary_population.tables import describe
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
