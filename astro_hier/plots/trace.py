"""The figure of the draws of each chain; matplotlib is imported when it is drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from astro_hier.plots.draws import MANY_PANELS, Shown, chosen_of, count_from
from astro_hier.plots.strokes import figure
from astro_hier.plots.style import CYCLE, LINES, PAGE, PAGE_TEXT
from astro_hier.posterior import UnitLike, units_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_trace"]

LARGEST_TRACE = 5000  # points above which a chain is thinned, and all are an image in vector files
NARROW = 5.0  # inches, the width of a figure whose axes have fewer ticks
TALLEST_ROW, LOWEST_ROW = 1.1, 0.85  # inches


def plot_trace(
    model,
    var_names: str | Sequence[str] | None = None,
    fig: "Figure | None" = None,
    ax: "Axes | None" = None,
    unit: UnitLike = None,
) -> "Figure":
    """Distribution and history of the draws of each chain, one row per parameter.

    Chains differ in colour and line. Scales take the place of their logarithms where the data
    resolve them.

    Parameters
    ----------
    var_names : str or list of str, optional
        Which parameters; by default those inferred, without those derived from them.
    fig, ax : `~matplotlib.figure.Figure`, `~matplotlib.axes.Axes`, optional
        Where to draw: in this figure, or in place of these axes.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

    Returns
    -------
    `~matplotlib.figure.Figure`

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
    >>> fig = star.plot_trace(["P", "K"])
    """
    chosen = chosen_of(model, var_names, units_of(model, unit))
    row = TALLEST_ROW if len(chosen) < MANY_PANELS else LOWEST_ROW
    fig = figure(fig, ax, figsize=(PAGE, row * len(chosen) + 0.6))
    grid = fig.subplots(
        len(chosen),
        2,
        squeeze=False,
        width_ratios=(1, 2),
    )
    for one, (left, right) in zip(chosen, grid, strict=True):
        _draw_chains(left, right, one)
    grid[-1, 1].set_xlabel("draw", fontsize="small")
    lines, names = grid[0, 1].get_legend_handles_labels()
    columns = min(len(names), 2 if _is_narrow(fig) else 6)
    fig.legend(lines, names, loc="outside upper right", ncols=columns, frameon=False,
               fontsize="small", handlelength=2.5)  # fmt: skip
    fig.align_ylabels(grid[:, 1])
    return fig


def _draw_chains(left, right, one: Shown) -> None:
    """One quantity's histogram and history in every chain."""
    chains = one.draws
    less = count_from(left.xaxis, chains)
    count_from(right.yaxis, chains)
    bins = np.histogram_bin_edges(chains, bins=min(40, max(8, int(np.sqrt(chains.size)))))
    step = int(np.ceil(chains.shape[1] / LARGEST_TRACE))
    for n, draws in enumerate(chains):
        color, ls = CYCLE[n % len(CYCLE)], LINES[n % len(LINES)]
        left.hist(draws, bins, density=True, histtype="step", color=color, ls=ls, lw=1)
        right.plot(
            np.arange(len(draws))[::step], draws[::step], color=color, ls=ls, lw=0.6, alpha=0.8,
            label=f"chain {n + 1}", rasterized=chains.size > LARGEST_TRACE,
        )  # fmt: skip
    narrow = _is_narrow(left.figure)
    size = PAGE_TEXT if narrow else "small"
    left.locator_params(axis="x", nbins=1 if narrow else 4)
    right.locator_params(axis="y", nbins=4)
    left.set_xlabel(f"{one.symbol}{less}{one.label}", fontsize=size)
    left.set_ylabel("density", fontsize=size)
    right.set_ylabel(f"{one.symbol}{less}", fontsize=size)  # the unit is at the left
    left.set_yticks([])
    for panel in (left, right):
        panel.tick_params(labelsize=size)


def _is_narrow(fig: Any) -> bool:
    return bool(fig.bbox.width < NARROW * fig.get_figure(root=True).dpi)
