"""Figures of a period-luminosity relation."""

import numpy as np

from astro_hier import plots
from astro_hier.models.period_luminosity import checks, likelihood, tables
from astro_hier.models.period_luminosity.data import AT_KPC, PER_LN

MARGIN = 0.08  # of the range of the stars, on either side


# nodes of the graphical model: place, what depends on them, and symbol where it is not obvious
OF_POPULATION = {
    "mu_log_period": ((-0.5, 2.6), ("x",)),
    "sigma_log_period": ((0.5, 2.6), ("x",)),
    "mu_feh": ((1.3, 3.2), ("z",)),
    "sigma_feh": ((2.1, 3.2), ("z",)),
    "feh_period": ((2.9, 3.2), ("z",)),
    "alpha": ((2.9, 2.6), ("absolute_magnitude",)),
    "beta": ((3.6, 2.6), ("absolute_magnitude",)),
    "gamma": ((4.3, 2.6), ("absolute_magnitude",)),
    "scatter": ((5.0, 2.6), ("absolute_magnitude",)),
    "outlier_fraction": ((4.3, 3.2), ("absolute_magnitude",)),
    "outlier_scatter": ((5.0, 3.2), ("absolute_magnitude",)),
    "mu_modulus": ((5.9, 2.6), ("r",)),
    "sigma_modulus": ((6.7, 2.6), ("r",)),
    "modulus_period": ((5.9, 3.2), ("r",)),
    "modulus_feh": ((6.7, 3.2), ("r",)),
    "zero_point": ((7.2, 0.8), ("parallax",)),
    "error_scale": ((7.2, 0.0), ("parallax",)),
}


def graph(model):
    """The nodes of the graphical model, at their places."""
    inferred = {p.name for p in model.parameters if not p.dims}
    above = [plots.Node(n, *of) for n, of in OF_POPULATION.items() if n in inferred]
    metallicity = ("z",) if model.has_feh else ()
    moves = ("r",) if model.trends else ()
    star = {"plates": ("star",)}
    stars = [
        plots.Node("x", (0.0, 1.2), ("period", "absolute_magnitude", *metallicity, *moves),
                   symbol="x_n", **star),
        plots.Node("absolute_magnitude", (4.0, 1.2), ("magnitude",), symbol="M_n", **star),
        plots.Node("r", (6.2, 1.2), ("magnitude", "parallax"), symbol="r_n", **star),
        plots.Node("period", (0.0, 0.0), symbol="P_n", **star),
        plots.Node("magnitude", (4.0, 0.0), symbol="m_n", **star),
        plots.Node("parallax", (6.2, 0.0), symbol=r"\varpi_n", **star),
    ]  # fmt: skip
    if model.has_feh:
        stars += [
            plots.Node("z", (2.0, 1.2), ("feh", "absolute_magnitude", *moves), ("star",), "z_n"),
            plots.Node("feh", (2.0, 0.0), (), ("star",), r"[\mathrm{Fe/H}]_n"),
        ]
    return (*above, *stars)


def plot_relation(model, ax=None):
    """Absolute magnitudes and periods of the stars, with the relation.

    The stars' absolute magnitudes are given all that is known of them, with one standard deviation;
    with metallicities, they are corrected to the mean [Fe/H] of the table. The band contains the
    relation in 94 percent of the draws. Crosses are stars that are hardly members.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    data, theta, stars = model.fitted_data(), tables.few_draws(model), model.star_table()
    ax = plots.axes(ax, figsize=(7, 4.5))
    columns = likelihood.columns_of(theta)
    ends = _range(data.log_period)
    x = np.linspace(*ends, 100)
    low, middle, high = plots.interval(_relation(data, columns, x))
    days = 10 ** (x + data.log_pivot)
    ax.fill_between(days, low, high, color="C1", alpha=0.3, lw=0, label="relation, 94 percent")
    ax.plot(days, middle, color="C1")
    magnitude, name = stars["absolute_magnitude"].value, "M"
    if data.feh is not None:
        mean = data.feh.mean()
        magnitude = magnitude - theta["gamma"].mean() * (data.feh - mean)
        name = f"M at [Fe/H] = {mean + data.feh_pivot:.2f}"
    _stars(ax, 10 ** (data.log_period + data.log_pivot), magnitude, stars)
    ax.set(xscale="log", xlabel="period [d]", ylabel=f"{name} [mag]", xlim=days[[0, -1]])
    ax.invert_yaxis()
    ax.legend(loc="best")
    return ax


def plot_parallax(model, ax=None):
    """Measured parallaxes, and those expected from periods, metallicities and magnitudes.

    The line is where both are equal. Horizontal bars are the scatter and the uncertainty of the
    relation, vertical ones the errors of the parallaxes.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    data, theta = model.fitted_data(), tables.few_draws(model)
    ax = plots.axes(ax, figsize=(5, 5))
    columns = likelihood.columns_of(theta)
    mean, sd = checks.expected_modulus(data, theta)
    expected = np.exp(-(mean - AT_KPC) / PER_LN)
    width = np.sqrt(np.mean((expected * sd / PER_LN) ** 2, axis=0) + expected.var(axis=0))
    offset = np.mean(data.zero_point.added(columns) + np.zeros_like(mean), axis=0)
    error = np.mean(data.errors.true(data.parallax_error, columns) + np.zeros_like(mean), axis=0)
    expected = expected.mean(axis=0)
    plots.errorbar(ax, expected, data.parallax - offset, error, width)
    ends = _range(np.append(expected, 0))
    ax.plot(ends, ends, color="C1", zorder=3)
    without = ", zero point removed" if np.any(offset) else ""
    ax.set(xlabel="expected parallax [mas]", ylabel=f"measured parallax{without} [mas]", xlim=ends)
    return ax


def plot_metallicity(model, ax=None):
    """Residuals of the absolute magnitudes from their dependence on the period, against [Fe/H].

    The band contains the dependence on [Fe/H] in 94 percent of the draws.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    astro_hier.plots.NotInTheModel
        If the fitted table has no metallicities.
    """
    data, theta, stars = model.fitted_data(), tables.few_draws(model), model.star_table()
    if data.feh is None:
        raise plots.NotInTheModel("the table that was fitted has no feh")
    ax = plots.axes(ax, figsize=(7, 4.5))
    columns = likelihood.columns_of(theta)
    z = np.linspace(*_range(data.feh), 100)
    middle = data.log_period.mean()
    at_middle = columns["alpha"] + columns["beta"] * middle
    low, mid, high = plots.interval(columns["gamma"] * z + at_middle - at_middle.mean())
    ax.fill_between(z + data.feh_pivot, low, high, color="C1", alpha=0.3, lw=0,
                    label="relation, 94 percent")  # fmt: skip
    ax.plot(z + data.feh_pivot, mid, color="C1")
    residual = stars["absolute_magnitude"].value - at_middle.mean()
    residual = residual - theta["beta"].mean() * (data.log_period - middle)
    _stars(ax, data.feh + data.feh_pivot, residual, stars)
    ax.set(xlabel="[Fe/H]", ylabel=r"$M - \alpha - \beta \log_{10}(P/P_0)$ [mag]")
    ax.invert_yaxis()
    ax.legend(loc="best")
    return ax


def _relation(data, theta, x):
    """Absolute magnitudes at the table's mean metallicity, shape (theta, x)."""
    mean = theta["alpha"] + theta["beta"] * x
    return mean if data.feh is None else mean + theta["gamma"] * data.feh.mean()


def _stars(ax, x, y, stars):
    """The stars, with crosses for those that are hardly members."""
    member = np.asarray(stars["member"] if "member" in stars.colnames else np.ones(len(x))) > 0.5
    error = stars["absolute_magnitude_sd"].value
    plots.errorbar(ax, x[member], y[member], error[member])
    if not member.all():
        plots.errorbar(ax, x[~member], y[~member], error[~member], fmt="x")


def _range(values):
    margin = MARGIN * max(np.ptp(values), 1e-3)
    return np.array([values.min() - margin, values.max() + margin])
