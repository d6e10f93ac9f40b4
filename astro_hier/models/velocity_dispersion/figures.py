"""Figures of a velocity dispersion: the graphical model, and the data with the model's density."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from astro_hier import plots
from astro_hier.models.velocity_dispersion import likelihood, tables
from astro_hier.models.velocity_dispersion.likelihood import KMS
from astro_hier.posterior import UnitLike, units_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEAREST, FARTHEST = 5.0, 15.0  # standard deviations that a figure reaches at least, and at most
MAX_BINS = 50  # of the histogram, in one standard deviation
TYPICAL_ERRORS = 50  # quantiles of the errors that stand for all of them


def graph(model):
    """The nodes of the graphical model, at their places."""
    above = [name for name in model.sampled_names() if name not in ("v_sys", "ln_sigma_v")]
    return (
        plots.Node("ln_sigma_v", (0.0, 2.0), to=("v",), symbol=r"\ln\sigma_v"),
        plots.Node("v_sys", (1.0, 2.0), to=("velocity",)),
        *(plots.Node(n, (2.0 + i, 2.0), to=("velocity",)) for i, n in enumerate(above)),
        plots.Node("v", (0.0, 1.0), to=("velocity",), plates=("star",), symbol="v_n"),
        plots.Node("velocity_error", (2.0, 0.0), ("velocity",), ("star",), symbol=r"\sigma_n"),
        plots.Node("velocity", (0.5, 0.0), plates=("star",), symbol="y_n"),
    )


def plot_data(
    model, ax: "Axes | None" = None, fig: "Figure | None" = None, unit: UnitLike = None
) -> "Axes":
    """Histogram of the measurements, with a tick for each row, and the density that is expected.

    The expected density is that of the population, and of the background if there is one,
    convolved with the errors of the rows: the median of the draws, and 94 percent of them. With a
    background, the filled histogram shows the members, each row weighted with its probability.

    Parameters
    ----------
    ax, fig : `~matplotlib.axes.Axes`, `~matplotlib.figure.Figure`, optional
        Where to draw: on these axes, or on new ones in the figure.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Examples
    --------
    >>> from astro_hier import VelocityDispersion, datasets
    >>> table = datasets.make_velocities(40, random_state=1)
    >>> system = VelocityDispersion().fit(table, random_state=1, progressbar=False)
    >>> ax = system.plot_data()
    """
    units = units_of(model, unit)
    data, theta = model.fitted_data(), tables.few_draws(model)
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 3.2))
    value, bins = data.value, _bins(data, theta)
    shown = np.sum((value > bins[0]) & (value < bins[-1]))
    height = 1 / (len(value) * (bins[1] - bins[0]))
    if data.background:
        member = model.star_table()["member"]
        look = {"histtype": "stepfilled", **plots.hatched(ax)}
        ax.hist(value, bins, weights=member * height, label="members", **look)
    ax.hist(value, bins, weights=np.full(len(value), height), histtype="step", color=plots.ink(ax),
            label=f"measured, {shown} of {len(value)} shown")  # fmt: skip
    x = np.linspace(bins[0], bins[-1], 400)
    low, middle, high = plots.interval(_expected_density(data, theta, x))
    ax.fill_between(x, low, high, label="expected, 94 percent", **plots.BAND)
    ax.plot(x, middle, color=plots.GIVEN)
    ax.plot(value, np.zeros(len(value)), "|", color=plots.ink(ax), ms=12, mew=0.6,
            rasterized=len(value) > plots.MANY)  # fmt: skip
    ax.set(xlabel=data.quantity.axis_label, ylabel="density [s/km]")
    ax.set(xlim=(x[0], x[-1]), ylim=(0, None))
    plots.at_edges(ax, value, 0.0, what="rows")
    plots.legend_above(ax)
    plots.rescale(ax, units, (KMS, "velocity", "v", "v_sys", "sigma_v"), (None,))
    return ax


def _bins(data, theta):
    """Edges of histogram bins that cover the members, and others as far as the figure reaches."""
    v_sys, spread, _, error = (np.median(x) for x in likelihood.population(data, theta))
    sd, off = np.hypot(spread, error), np.abs(data.value - v_sys)
    near = data.value[off < NEAREST * sd]
    edges = np.histogram_bin_edges(near, bins="fd" if near.size > 100 else "sturges")
    width = max(edges[1] - edges[0], sd / MAX_BINS)
    reach = np.clip(1.1 * off.max(), NEAREST * sd, FARTHEST * sd)
    count = np.ceil(reach / width)
    return v_sys + np.arange(-count, count + 1) * width


def _expected_density(data, theta, x):
    """The density of y = x [km/s], averaged over the errors of the rows, shape (theta, x)."""
    measured = data.quantity.from_kms(x)
    density = np.zeros((tables.AVERAGED_DRAWS, len(x)))
    levels = np.linspace(0, 1, 2 * TYPICAL_ERRORS + 1)[1::2]
    for error in np.quantile(data.measured_error, levels):
        at = replace(data, measured=measured, measured_error=np.array([error]))
        density += np.exp(likelihood.log_densities(at, theta)[0]) / TYPICAL_ERRORS
    return density
