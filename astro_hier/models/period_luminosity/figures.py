"""Figures of a period-luminosity relation."""

from typing import TYPE_CHECKING

import astropy.units as u
import numpy as np

from astro_hier import plots
from astro_hier.models.period_luminosity import checks, likelihood, tables
from astro_hier.models.period_luminosity.data import AT_KPC, PER_LN, POPULATION, TRENDS
from astro_hier.posterior import UnitLike, units_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAGNITUDE = u.mag, "absolute_magnitude", "alpha"  # what an axis of magnitudes shows
MARGIN = 0.08  # of the range of the stars, on either side

# nodes of the graphical model that are not repeated: their places, and what depends on them
OF_ALL = {
    "mu_feh": ((0.0, 3.2), ("z",)),
    "sigma_feh": ((0.7, 3.2), ("z",)),
    "feh_period": ((1.4, 3.2), ("z",)),
    "alpha": ((2.2, 3.2), ("absolute_magnitude",)),
    "beta": ((2.9, 3.2), ("absolute_magnitude",)),
    "gamma": ((3.6, 3.2), ("absolute_magnitude",)),
    "scatter": ((4.3, 3.2), ("absolute_magnitude",)),
    "outlier_fraction": ((5.0, 3.2), ("absolute_magnitude",)),
    "outlier_scatter": ((5.7, 3.2), ("absolute_magnitude",)),
    "mu_log_period": ((0.65, -0.9), ("x",)),
    "sigma_log_period": ((1.35, -0.9), ("x",)),
    "mu_modulus": ((2.0, -0.9), ("r",)),
    "sigma_modulus": ((2.7, -0.9), ("r",)),
    "modulus_period": ((3.4, -0.9), ("r",)),
    "modulus_feh": ((4.1, -0.9), ("r",)),
    "zero_point": ((5.6, 1.0), ("parallax",)),
    "error_scale": ((5.6, 0.3), ("parallax",)),
}
# those of each star, with their symbols
OF_EACH = {
    "feh": ((-0.3, 1.8), (), r"\hat z_n"),
    "period": ((-0.3, 0.3), (), "P_n"),
    "z": ((1.0, 1.8), ("feh", "absolute_magnitude", "r"), "z_n"),
    "x": ((1.0, 0.3), ("period", "z", "absolute_magnitude", "r"), "x_n"),
    "absolute_magnitude": ((3.0, 1.8), ("magnitude",), "M_n"),
    "r": ((3.0, 0.3), ("magnitude", "parallax"), "r_n"),
    "magnitude": ((4.4, 1.8), (), "m_n"),
    "parallax": ((4.4, 0.3), (), r"\varpi_n"),
}


def graph(model):
    """The nodes of the graphical model, at their places."""
    common = {p.name for p in model.parameters if not p.dims}
    absent = set() if model.has_feh else {"z", "feh"}
    nodes = [plots.Node(name, *of) for name, of in OF_ALL.items() if name in common]
    if any(role.name == "zero_point" for role in model.roles):
        by_star = plots.Node("zero_point", (4.4, 1.05), ("parallax",), ("star",), r"\varpi_{0,n}")
        nodes.append(by_star)
    for name, (at, to, symbol) in OF_EACH.items():
        if name not in absent:
            without_trends = {"z", "r"} if name in ("x", "z") and not model.trends else set()
            children = tuple(one for one in to if one not in absent | without_trends)
            nodes.append(plots.Node(name, at, children, ("star",), symbol))
    return tuple(nodes)


def drawn_names(model):
    """Parameters that corners and traces show by default: those of the relation and options."""
    others = {p.name for p in (*POPULATION, *TRENDS)}
    own = [name for name in model.free_names() if name not in others]
    return own or model.free_names()


def plot_relation(
    model, ax: "Axes | None" = None, fig: "Figure | None" = None, unit: UnitLike = None
) -> "Axes":
    """Absolute magnitudes and periods of the stars, with the relation.

    The stars' absolute magnitudes are given all that is known of them, with one standard deviation;
    with metallicities, they are corrected to the mean [Fe/H] of the table. The band contains the
    relation in 94 percent of the draws. Crosses are stars whose probability of membership is below
    0.5, and triangles at the edges stand for stars beyond the range of members.

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
    >>> from astro_hier import PeriodLuminosity, datasets
    >>> table = datasets.make_period_luminosity(20, random_state=1)
    >>> relation = PeriodLuminosity().fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> ax = relation.plot_relation()
    """
    units = units_of(model, unit)
    data, theta, stars = model.fitted_data(), tables.all_draws(model), model.star_table()
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 3.4))
    columns = likelihood.columns_of(theta)
    ends = _range(data.log_period)
    x = np.linspace(ends[0], ends[1], 100)
    low, middle, high = plots.interval(_relation(data, columns, x))
    days = 10 ** (x + data.log_pivot)
    ax.fill_between(days, low, high, label="relation, 94 percent", **plots.BAND)
    ax.plot(days, middle, color=plots.GIVEN)
    magnitude, name = stars["absolute_magnitude"].value, "$M$"
    if data.feh is not None:
        mean = data.feh.mean()
        magnitude = magnitude - theta["gamma"].mean() * (data.feh - mean)
        name = f"$M$ at [Fe/H] = ${mean + data.feh_pivot:.2f}$"
    error = stars["absolute_magnitude_sd"].value
    at = 10 ** (data.log_period + data.log_pivot)
    _stars(ax, stars, at, magnitude, error)
    ax.set(xlabel="period $P$ [d]", ylabel=f"{name} [mag]", xlim=days[[0, -1]])
    plots.log_axis(ax)
    _frame(ax, stars, at, magnitude, error, low, high)
    plots.legend_above(ax)
    plots.rescale(ax, units, (u.day, "period"), MAGNITUDE)
    return ax


def plot_data(
    model, ax: "Axes | None" = None, fig: "Figure | None" = None, unit: UnitLike = None
) -> "Axes":
    """Measured parallaxes, and those expected from periods, metallicities and magnitudes.

    The line is where both are equal. Horizontal bars are the scatter and the uncertainty of the
    relation, vertical ones the errors of the parallaxes. Crosses are stars whose probability of
    membership is below 0.5.

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
    >>> from astro_hier import PeriodLuminosity, datasets
    >>> table = datasets.make_period_luminosity(20, random_state=1)
    >>> relation = PeriodLuminosity().fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> ax = relation.plot_data()
    """
    units = units_of(model, unit)
    data, theta, stars = model.fitted_data(), tables.few_draws(model), model.star_table()
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 4))
    columns = likelihood.columns_of(theta)
    mean, sd = checks.expected_modulus(data, theta)
    expected = np.exp(-(mean - AT_KPC) / PER_LN)
    width = np.sqrt(np.mean((expected * sd / PER_LN) ** 2, axis=0) + expected.var(axis=0))
    offset = np.mean(data.zero_point.added(columns) + np.zeros_like(mean), axis=0)
    error = np.mean(data.errors.true(data.parallax_error, columns) + np.zeros_like(mean), axis=0)
    expected = expected.mean(axis=0)
    measured, member = data.parallax - offset, _members(stars)
    _stars(ax, stars, expected, measured, error, width)
    ends = np.array(plots.focus(np.append(expected[member], 0)))
    ax.plot(ends, ends, color=plots.GIVEN, zorder=3, label="equal")
    without = ", zero point removed" if np.any(offset) else ""
    ax.set(xlabel="expected parallax [mas]", ylabel=f"measured parallax{without} [mas]", xlim=ends)
    ax.set_ylim(plots.focus((measured - error)[member], (measured + error)[member], ends))
    plots.at_edges(ax, expected, measured)
    plots.legend_above(ax)
    plots.rescale(ax, units, (u.mas, "parallax"), (u.mas, "parallax"))
    return ax


def plot_metallicity(
    model, ax: "Axes | None" = None, fig: "Figure | None" = None, unit: UnitLike = None
) -> "Axes":
    """Residuals of the absolute magnitudes from their dependence on the period, against [Fe/H].

    The band contains the relation at the table's mean period in 94 percent of the draws. Crosses
    are stars whose probability of membership is below 0.5.

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
    astro_hier.plots.NotInTheModel
        If the fitted table has no metallicities.

    Examples
    --------
    >>> from astro_hier import PeriodLuminosity, datasets
    >>> table = datasets.make_period_luminosity(20, random_state=1)
    >>> relation = PeriodLuminosity().fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> ax = relation.plot_metallicity()
    """
    units = units_of(model, unit)
    data, theta, stars = model.fitted_data(), tables.all_draws(model), model.star_table()
    if data.feh is None:
        raise plots.NotInTheModel("the table that was fitted has no feh")
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 3.4))
    columns = likelihood.columns_of(theta)
    ends = _range(data.feh)
    z = np.linspace(ends[0], ends[1], 100)
    middle = data.log_period.mean()
    at_middle = columns["alpha"] + columns["beta"] * middle
    low, mid, high = plots.interval(columns["gamma"] * z + at_middle - at_middle.mean())
    ax.fill_between(z + data.feh_pivot, low, high, label="relation, 94 percent",
                    **plots.BAND)  # fmt: skip
    ax.plot(z + data.feh_pivot, mid, color=plots.GIVEN)
    residual = stars["absolute_magnitude"].value - at_middle.mean()
    residual = residual - theta["beta"].mean() * (data.log_period - middle)
    at, error = data.feh + data.feh_pivot, stars["absolute_magnitude_sd"].value
    _stars(ax, stars, at, residual, error)
    ax.set(
        xlabel="[Fe/H]",
        ylabel=r"$M - \alpha - \beta\,\log_{10}(P / P_0)$ [mag]",
        xlim=ends + data.feh_pivot,
    )
    _frame(ax, stars, at, residual, error, low, high)
    plots.legend_above(ax)
    plots.rescale(ax, units, y=MAGNITUDE)
    return ax


def _relation(data, theta, x):
    """Absolute magnitudes at the table's mean metallicity, shape (theta, x)."""
    mean = theta["alpha"] + theta["beta"] * x
    return mean if data.feh is None else mean + theta["gamma"] * data.feh.mean()


def _members(stars):
    """Whether each star is probably a member."""
    return np.asarray(stars["member"] if "member" in stars.colnames else np.ones(len(stars))) > 0.5


def _stars(ax, stars, x, y, yerr, xerr=None):
    """The stars, with crosses for those that are probably not members."""
    member = _members(stars)
    for chosen, fmt in ((member, "o"), (~member, "none")):
        across = None if xerr is None else xerr[chosen]
        plots.errorbar(ax, x[chosen], y[chosen], yerr[chosen], across, fmt=fmt)
    if not member.all():
        label = "probably not members"
        ax.plot(x[~member], y[~member], "x", color=plots.BEST, ms=5, zorder=3, label=label)


def _frame(ax, stars, x, magnitude, error, low, high):
    """Limits in magnitude, bright stars above: those of members and the relation."""
    member = _members(stars)
    of_members = (magnitude - error)[member], (magnitude + error)[member]
    faint, bright = plots.focus(*of_members, low, high)[::-1]
    ax.set_ylim(faint, bright)
    plots.at_edges(ax, x, magnitude)


def _range(values):
    margin = MARGIN * max(np.ptp(values), 1e-3)
    return np.array([values.min() - margin, values.max() + margin])
