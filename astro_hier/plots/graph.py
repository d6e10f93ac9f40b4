"""A figure of the graphical model; daft is imported when it is drawn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from astro_hier.plots.strokes import axes
from astro_hier.plots.style import shade

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Node", "plot_graph"]

PLATE_INDEX = {
    "star": "n",
    "object": "n",
    "sample": "k",
    "visit": "j",
    "instrument": "i",
    "mode": "k",
}


@dataclass(frozen=True)
class Node:
    """One variable of a graphical model.

    Attributes
    ----------
    name : str
        A parameter or role of the model.
    at : tuple of float
        Its position.
    to : tuple of str
        The nodes that depend on it.
    plates : tuple of str
        What it is repeated over, the outer first.
    symbol : str or None
        TeX symbol; by default that of the parameter.

    Examples
    --------
    >>> from astro_hier.plots import Node
    >>> Node("mu_r", at=(0, 1), to=("r",)).plates
    ()
    """

    name: str
    at: tuple
    to: tuple = ()
    plates: tuple = ()
    symbol: str | None = None


def plot_graph(model, ax: "Axes | None" = None, fig: "Figure | None" = None) -> "Axes":
    """The graphical model: what depends on what, with plates for what is repeated.

    Shaded nodes are observed, small ones are known. A figure of its own has a size to fit.

    Parameters
    ----------
    ax, fig : `~matplotlib.axes.Axes`, `~matplotlib.figure.Figure`, optional
        Where to draw: on these axes, or on new ones in the figure.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Examples
    --------
    >>> from astro_hier import SB1Binary
    >>> ax = SB1Binary().plot_graph()
    """
    import daft

    symbols = {p.name: p.symbol for p in model.parameters}
    observed = {role.name: role.observed for role in model.roles}
    graph = daft.PGM(node_unit=1.3, grid_unit=2.6)
    for node in model.graph:
        symbol = node.symbol or symbols[node.name]
        known = node.name in observed and not observed[node.name]
        graph.add_node(
            node.name, f"${symbol}$", *node.at,
            observed=observed.get(node.name, False), fixed=known,
            offset=(0, 8) if known else (0, 0),
        )  # fmt: skip
    for node in model.graph:
        for child in node.to:
            graph.add_edge(node.name, child)
    plates = {plate: None for node in model.graph for plate in node.plates}
    for depth, plate in zip(range(len(plates) - 1, -1, -1), plates, strict=True):
        # the outer plate is drawn first and has room for the inner ones and their labels
        inside = [node.at for node in model.graph if plate in node.plates]
        x, y = np.transpose(inside)
        margin, below = 0.6 + 0.15 * depth, 0.7 + 0.5 * depth
        corner = (x.min() - margin, y.min() - below)
        size = (np.ptp(x) + 2 * margin, np.ptp(y) + below + 0.5)
        label = f"{plate} ${PLATE_INDEX[plate]}$"
        graph.add_plate([*corner, *size], label=label, position="bottom right")
    if ax is None and fig is None:
        return _in_ink(graph.render(dpi=150))
    return _in_ink(_rendered_on(axes(ax, fig), graph))


def _in_ink(ax):
    """Put daft's black and white in the ink and paper of the user's style."""

    dark, paper = shade(ax, 1.0), shade(ax, 0.0)
    for patch in ax.patches if sum(dark) > 0 else ():
        *color, alpha = patch.get_facecolor()
        light = np.mean(color)
        if alpha > 0:
            patch.set_facecolor(paper if light == 1 else dark if light == 0 else shade(ax, 0.3))
        patch.set_edgecolor(dark)
    for text in ax.texts:
        text.set_color(dark)
    return ax


def _rendered_on(ax, graph):
    """Render on given axes; daft itself knows only figures of its own."""
    context, before = graph._ctx, list(ax.get_children())

    def start_again():
        for artist in ax.get_children():
            if artist not in before:
                artist.remove()

    context.reset_figure, context._ax = start_again, ax
    graph.render()
    low, high = (context.convert(*at) for at in (context.origin, context.origin + context.shape))
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    ax.axis("off")
    return ax
