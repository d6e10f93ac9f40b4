"""Figures of a star cluster: the graphical model, parallaxes, and distances."""

from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np

from astro_hier import plots
from astro_hier.models import goodness
from astro_hier.models.star_cluster import likelihood, tables
from astro_hier.posterior import UnitLike, units_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NODES = (
    plots.Node("mu_r", (0.0, 2.0), to=("r",)),
    plots.Node("ln_std_r", (1.5, 2.0), to=("r",), symbol=r"\ln\sigma_r"),
    plots.Node("r", (0.75, 1.0), to=("parallax",), plates=("star",), symbol="r_n"),
    plots.Node("parallax_error", (2.0, 0.0), ("parallax",), ("star",), symbol=r"\sigma_{\varpi,n}"),
    plots.Node("parallax", (0.75, 0.0), plates=("star",), symbol=r"\varpi_n"),
)
# nodes that options add, outside the plate: their places, and the nodes that depend on them
OPTIONS = {
    "halo_fraction": ((2.5, 2.0), ("r",)),
    "ln_halo_ratio": ((3.5, 2.0), ("r",)),
    "zero_point": ((3.5, 1.2), ("parallax",)),
    "error_scale": ((2.8, -1.4), ("parallax",)),
    "outlier_fraction": ((-1.6, 0.0), ("member",)),
    "outlier_mean": ((0.0, -1.4), ("parallax",)),
    "outlier_sd": ((0.9, -1.4), ("parallax",)),
    "mode": ((1.8, -1.4), ("parallax",)),
}
FEW = 24  # stars that are drawn one beside the other, with their identifiers
SHORT = 3  # characters of identifiers that need not be turned
BESIDE_BAR = 0.75  # of the width, which a colour bar leaves to the axes
EQUAL = 0.2  # relative difference of errors, below which stars are not drawn against them


def graph(model):
    """The nodes of the graphical model, at their places."""
    names = {p.name for p in model.parameters}
    nodes = [plots.Node(name, at, to) for name, (at, to) in OPTIONS.items() if name in names]
    if "member" in names:
        nodes.append(plots.Node("member", (-0.3, 0.0), ("parallax",), ("star",), symbol="z_n"))
    if any(role.name == "zero_point" for role in model.roles):
        nodes.append(
            plots.Node("zero_point", (2.0, 0.7), ("parallax",), ("star",), r"\varpi_{0,n}")
        )
    return (*NODES, *nodes)


def _corrected(model, data):
    """Parallaxes minus zero point and common offsets, and their errors, posterior means."""
    theta = likelihood.columns_of(tables.few_draws(model))
    both = [], []
    for block in data.blocks():
        for values, of in zip((block.offset(theta), block.error(theta)), both, strict=True):
            mean = np.atleast_2d(values).mean(axis=0)
            of.append(np.broadcast_to(mean, len(block.parallax)))
    offset, error = (np.concatenate(of) for of in both)
    return data.parallax - offset, error


def _points(ax, data, member, x, y, yerr, xerr=None):
    """Stars with error bars, coloured by membership if there is a background."""
    plots.errorbar(ax, x, y, yerr, xerr=xerr, fmt="none" if data.background else "o")
    if not data.background:
        return
    of_members, look = member >= goodness.MIN_MEMBER, {"cmap": "viridis_r", "vmin": 0, "vmax": 1}
    for some, marker, size in ((of_members, "o", 14), (~of_members, "X", 24)):
        points = ax.scatter(
            x[some], y[some], size, member[some], marker=marker, zorder=3, lw=0.4,
            edgecolors=[plots.ink(ax)], rasterized=len(x) > plots.MANY, **look,
        )  # fmt: skip
    bar = ax.get_figure(root=False).colorbar(points, ax=ax, label="probability of membership")
    bar.ax.tick_params(labelsize="small")


def _mark_others(ax, parallax, count):
    """Ticks at the naive distances of non-members that lie within the members' range."""
    others = (parallax * u.mas).to_value(u.pc, u.parallax())
    low, high = ax.get_xlim()
    others = others[(others > low) & (others < high)]
    label = f"not members: {count}, {len(others)} in this range"
    at = np.full(len(others), 0.02)
    ax.plot(others, at, "|", color=plots.shade(ax, 0.5), ms=8,
            transform=ax.get_xaxis_transform(), label=label)  # fmt: skip


def _spread(model, error):
    """Standard deviations of members' parallaxes with these errors, posterior means."""
    theta = tables.few_draws(model)
    depth = np.sqrt(model.fitted_data().profile.variance(theta)) / theta["mu_r"] ** 2
    return np.hypot(error, depth.mean())


def _abscissa(ax, data, parallax, error):
    """Where each star is drawn against its parallax: its error or, of a few, its place in order.

    Returns the place of each star, and the places at which the band of members is drawn with the
    errors there.
    """
    order = np.argsort(parallax, kind="stable")
    if len(parallax) > FEW and np.ptp(error) > EQUAL * error.max():
        ends = plots.focus(np.log(error))
        at = np.exp(np.linspace(*ends, 100))
        ax.set_xlim(at[[0, -1]])
        plots.log_axis(ax)
        ax.set_xlabel(r"standard error $\sigma_\varpi$ [mas]")
        return error, at, at
    place = np.empty(len(parallax))
    place[order] = np.arange(1, len(parallax) + 1)
    ax.set_xlabel("star, in order of parallax")
    if len(parallax) <= FEW:
        names = [plots.verbatim(star) for star in data.star[order]]
        ax.set_xticks(place[order], names, fontsize="small")
        if max(map(len, names)) > SHORT:
            ax.tick_params("x", rotation=90)
    return place, place[order], error[order]


def plot_data(
    model, ax: "Axes | None" = None, fig: "Figure | None" = None, unit: UnitLike = None
) -> "Axes":
    """Parallaxes against their standard errors, and the cluster's parallax.

    Dashed lines hold 95 percent of members, whatever their errors. Up to 24 stars, or any number
    with equal errors, are drawn in order of their parallaxes instead, the former with their
    identifiers. The range is that of the members, and triangles at its edges stand for stars
    beyond. Zero points and common offsets are subtracted, and errors scaled, by their posterior
    means. With outliers, the stars are coloured by their probability of membership, and crosses
    are stars for which it is below 0.5.

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
    >>> from astro_hier import StarCluster, datasets
    >>> table = datasets.make_star_cluster(random_state=42)
    >>> cluster = StarCluster()
    >>> cluster = cluster.fit(table, draws=50, random_state=1, progressbar=False)
    >>> ax = cluster.plot_data()
    """
    units = units_of(model, unit)
    data = model.fitted_data()
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 3.4))
    parallax, error = _corrected(model, data)
    member = tables.described(model).member if data.background else np.ones(len(parallax))
    x, at, errors = _abscissa(ax, data, parallax, error)
    _points(ax, data, member, x, parallax, error)
    low, middle, high = plots.interval(1 / model.samples("mu_r").to_value(u.kpc))
    band = 2 * _spread(model, errors)
    edge: dict[str, Any] = {"color": plots.GIVEN, "ls": "--", "lw": 1}
    ax.plot(at, middle - band, label="95 percent of members", **edge)
    ax.plot(at, middle + band, **edge)
    ax.axhspan(low, high, label=r"$1/\mu_r$, 94 percent", **plots.BAND)
    ax.axhline(middle, color=plots.GIVEN, lw=1)
    some = member >= goodness.MIN_MEMBER
    of_members = (parallax - error)[some], (parallax + error)[some]
    ax.set_ylim(plots.focus(*of_members, low, high, margin=0.25))
    plots.at_edges(ax, x, parallax)
    of = "corrected " if data.zero_point or data.offsets else ""
    ax.set_ylabel(rf"{of}parallax $\varpi$ [mas]")
    plots.legend_above(ax, share=BESIDE_BAR if data.background else 1.0)
    of_error = (u.mas, "parallax_error", "parallax") if x is error else ()
    plots.rescale(ax, units, of_error, (u.mas, "parallax"))
    return ax


def plot_distances(
    model, ax: "Axes | None" = None, fig: "Figure | None" = None, unit: UnitLike = None
) -> "Axes":
    """Each star's posterior distance against its naive one, 1/parallax: the shrinkage.

    Error bars are one standard deviation. Stars with parallaxes below two standard errors have no
    meaningful naive distance: ticks at the left show their posterior means. Triangles at the edges
    stand for stars beyond the range of most. Parallaxes and colours are those of `plot_data`. Stars
    whose probability of membership is below 0.5 have no posterior distance: grey ticks at the
    bottom show those of their naive distances that lie within the members' range.

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
    >>> from astro_hier import StarCluster, datasets
    >>> table = datasets.make_star_cluster(random_state=42)
    >>> cluster = StarCluster()
    >>> cluster = cluster.fit(table, draws=50, random_state=1, progressbar=False)
    >>> ax = cluster.plot_distances()
    """
    units = units_of(model, unit)
    data = model.fitted_data()
    ax = plots.axes(ax, fig, figsize=(plots.SINGLE, 4))
    found = tables.described(model)
    mean, sd = ((of * u.kpc).to_value(u.pc) for of in found[:2])
    parallax, error = _corrected(model, data)
    probability = found.member
    member, clear = probability >= goodness.MIN_MEMBER, parallax > 2 * error
    good, poor = member & clear, member & ~clear
    naive = (parallax[good] * u.mas).to_value(u.pc, u.parallax())
    xerr = naive * (error / parallax)[good]
    _points(ax, data, probability[good], naive, mean[good], sd[good], xerr)
    mu_r = model.samples("mu_r").to_value(u.pc).mean()
    ax.set_xlim(plots.focus(naive, mu_r))
    low, high = plots.focus((mean - sd)[member], (mean + sd)[member], mu_r)
    ax.set_ylim(max(low, 0), high)
    if poor.any():
        label = rf"posterior mean where $\varpi < 2\sigma_\varpi$: {poor.sum()}"
        look: dict[str, Any] = {"color": plots.BEST, "label": label}
        across = ax.get_yaxis_transform()
        ax.plot(np.full(poor.sum(), 0.02), mean[poor], "_", transform=across, **look)
    if not member.all():
        _mark_others(ax, parallax[~member & clear], (~member).sum())
    ax.axhline(mu_r, color=plots.GIVEN, lw=1, label=r"$\mu_r$")
    if good.any():
        line: dict[str, Any] = {"color": plots.shade(ax, 0.5), "ls": "--", "label": "no shrinkage"}
        ax.plot([low, high], [low, high], scalex=False, **line)
        plots.at_edges(ax, naive, mean[good])
    of = ", corrected" if data.zero_point or data.offsets else ""
    ax.set(xlabel=rf"$1/\varpi${of} [pc]", ylabel="posterior distance $r$ [pc]")
    plots.legend_above(ax, share=BESIDE_BAR if data.background else 1.0)
    distance = u.pc, "r", "mu_r", "std_r"
    plots.rescale(ax, units, distance, distance)
    return ax
