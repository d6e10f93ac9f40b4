"""Figures of a star cluster: the graphical model, parallaxes, and distances."""

import astropy.units as u
import numpy as np

from astro_hier import plots
from astro_hier.models import goodness
from astro_hier.models.star_cluster import likelihood, tables

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
    if data.background:
        points = ax.scatter(x, y, 14, member, cmap="viridis", vmin=0, vmax=1, zorder=3)
        ax.figure.colorbar(points, ax=ax, label="probability of membership")


def _mark_others(ax, naive, parallax, count):
    """Ticks at the naive distances of non-members that lie within the members' range."""
    others = (parallax * u.mas).to_value(u.pc, u.parallax())
    if naive.size:
        margin = 0.1 * np.ptp(naive) + 0.01 * naive.max()
        low, high = naive.min() - margin, naive.max() + margin
        ax.set_xlim(low, high)
        others = others[(others > low) & (others < high)]
    label = f"not members: {count}, {len(others)} in this range"
    at = np.full(len(others), 0.02)
    ax.plot(others, at, "|", color="0.5", ms=8, transform=ax.get_xaxis_transform(), label=label)


def plot_data(model, ax=None):
    """Parallaxes with their standard errors, star by star, and the cluster's parallax.

    Zero points and common offsets are subtracted, and errors scaled, by their posterior means.
    With outliers, the stars are coloured by their probability of membership.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

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
    data = model.fitted_data()
    ax = plots.axes(ax, figsize=(8, 4))
    parallax, error = _corrected(model, data)
    member = tables.described(model).member if data.background else np.ones(len(parallax))
    _points(ax, data, member, np.arange(len(parallax)), parallax, error)
    low, middle, high = plots.interval(1 / model.samples("mu_r").to_value(u.kpc))
    ax.axhspan(low, high, color="C1", alpha=0.3, lw=0, label=r"$1/\mu_r$, 94 percent")
    ax.axhline(middle, color="C1", lw=1)
    of = "corrected " if data.zero_point or data.offsets else ""
    ax.set(xlabel="star, by row of the table", ylabel=rf"{of}parallax $\varpi$ [mas]")
    ax.legend(loc="best")
    return ax


def plot_distances(model, ax=None):
    """Each star's posterior distance against its naive one, 1/parallax: the shrinkage.

    Error bars are one standard deviation. Stars with parallaxes below two standard errors have no
    meaningful naive distance: ticks at the left show their posterior means. Parallaxes and colours
    are those of `plot_data`. Stars whose probability of membership is below 0.5 have no posterior
    distance: grey ticks at the bottom show those of their naive distances that lie within the
    members' range.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`, optional
        Where to draw.

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
    data = model.fitted_data()
    ax = plots.axes(ax, figsize=(6, 5.5))
    found = tables.described(model)
    mean, sd = ((of * u.kpc).to_value(u.pc) for of in found[:2])
    parallax, error = _corrected(model, data)
    probability = found.member
    member, clear = probability >= goodness.MIN_MEMBER, parallax > 2 * error
    good, poor = member & clear, member & ~clear
    naive = (parallax[good] * u.mas).to_value(u.pc, u.parallax())
    xerr = naive * (error / parallax)[good]
    _points(ax, data, probability[good], naive, mean[good], sd[good], xerr)
    if poor.any():
        label, across = r"posterior mean where $\varpi < 2\sigma_\varpi$", ax.get_yaxis_transform()
        at = np.full(poor.sum(), 0.02)
        ax.plot(at, mean[poor], "_", color="C3", transform=across, label=label)
    if not member.all():
        _mark_others(ax, naive, parallax[~member & clear], (~member).sum())
    mu_r = model.samples("mu_r").to_value(u.pc).mean()
    ax.axhline(mu_r, color="C1", label=r"$\mu_r$")
    if good.any():
        low, high = ax.get_ylim()
        ax.plot([low, high], [low, high], color="0.5", ls="--", label="no shrinkage")
        ax.set_ylim(low, high)
    of = ", corrected" if data.zero_point or data.offsets else ""
    ax.set(xlabel=rf"$1/\varpi${of} [pc]", ylabel="posterior distance $r$ [pc]")
    ax.legend(loc="best")
    return ax
