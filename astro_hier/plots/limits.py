"""Ranges of axes that show the bulk of the data, and marks for what lies beyond them.

One star with a wild value would otherwise shrink all others to a stripe. What is not shown is
counted in the legend, and a triangle at the edge points to it.
"""

from functools import partial
from typing import Any

import numpy as np

from astro_hier.plots.style import BEST, shade

__all__ = ["at_edges", "focus", "legend_above", "legend_outside", "log_axis", "plain_numbers",
           "power_of", "with_power"]  # fmt: skip

REACH = 4.0  # interquartile ranges beyond the quartiles: six standard deviations of a normal
MARGIN = 0.06  # of the range, on either side
ROOM = 1.1  # of the axes' width before they are laid out, which a legend may take
LEGEND: dict[str, Any] = {
    "frameon": False, "fontsize": "small", "labelspacing": 0.25, "columnspacing": 1.2,
    "handlelength": 1.6,
}  # fmt: skip
# decades up to which ticks are at even steps, at 1, 2 and 5, and at 1 and 3
EVEN, FEWER, FEW = 0.7, 1.6, 3.2
SMALLEST, LARGEST = 1e-3, 99_999  # ends of a logarithmic axis whose numbers are plain
LINEAR = 1e-4, 1e6  # and between which the largest number of a linear axis is


def focus(*values: Any, margin: float = MARGIN) -> tuple[float, float]:
    """A range that holds all values, but for those far from the bulk.

    Parameters
    ----------
    *values : array_like
        Values, or ends of error bars, of any shape.
    margin : float, optional
        Share of the range that is added on either side.

    Returns
    -------
    tuple of float
    """
    of = np.concatenate([np.ravel(np.asarray(each, float)) for each in values])
    of = of[np.isfinite(of)]
    if not of.size:
        return 0.0, 1.0
    first, third = np.quantile(of, [0.25, 0.75])
    reach = REACH * (third - first)
    if reach > 0:
        of = of[(of >= first - reach) & (of <= third + reach)]
    low, high = of.min(), of.max()
    more = margin * (high - low) if high > low else 0.05 * abs(low) or 1.0
    return float(low - more), float(high + more)


def at_edges(ax: Any, x: Any, y: Any, what: str = "stars") -> int:
    """Triangles at the edges of axes that point to what lies beyond; returns how many do.

    Limits have to be set before. The legend tells the number of them.
    """
    x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
    (left, right), (bottom, top) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    down, up = ("^", "v") if ax.yaxis_inverted() else ("v", "^")
    sides = {"<": x < left, ">": x > right, down: y < bottom, up: y > top}
    count = int(np.any(list(sides.values()), axis=0).sum())
    look = {"color": BEST, "ms": 5, "mec": shade(ax, 1), "mew": 0.4, "ls": "", "zorder": 4}
    label: str | None = f"beyond the axes: {count} {what if count > 1 else what.removesuffix('s')}"
    for marker, beyond in sides.items():
        if beyond.any():
            at = np.clip(x, left, right)[beyond], np.clip(y, bottom, top)[beyond]
            ax.plot(*at, marker=marker, clip_on=False, label=label, **look)
            label = None  # one entry for all
    return count


def legend_above(ax: Any, share: float = 1.0) -> Any:
    """A legend above the axes, where it covers no data, of as many columns as have room.

    ``share`` is that of the width which colour bars will leave to the axes.
    """
    for columns in (4, 2, 1):
        legend = ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2, **LEGEND
        )
        if legend.get_window_extent().width < ROOM * share * ax.get_window_extent().width:
            break
    return _opaque(legend)


def legend_outside(fig: Any, ax: Any, where: str = "lower", columns: int = 3) -> Any:
    """A legend of one of several panels, outside all of them: "lower" or "upper"."""
    lines, names = ax.get_legend_handles_labels()
    place = {"loc": f"outside {where} center", "ncols": columns}
    return _opaque(fig.legend(lines, names, **place, **LEGEND))


def _opaque(legend):
    """Lines that are faint, since there are many of them, are not so in the legend."""
    for line in legend.get_lines():
        line.set_alpha(1)
    return legend


def log_axis(ax: Any, which: str = "x") -> None:
    """A logarithmic axis with plain numbers at sensible places, once its limits are set.

    Powers of ten where there are many of them; with fewer decades also 3, or 2 and 5 times these;
    and even steps within less than one.
    """
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

    axis = getattr(ax, f"{which}axis")
    low, high = np.sort(axis.get_view_interval())
    getattr(ax, f"set_{which}scale")("log")
    getattr(ax, f"set_{which}lim")(*axis.get_view_interval())
    decades = np.log10(high / low)
    if decades < EVEN:
        axis.set_major_locator(MaxNLocator(5, steps=(1, 2, 5, 10)))
        axis.set_minor_locator(MaxNLocator(20, steps=(1, 2, 5, 10)))
    elif decades < FEW:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < FEWER else (1, 3)))
    axis.set_minor_formatter(NullFormatter())
    if low >= SMALLEST and high <= LARGEST:
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))


def power_of(*values: Any) -> int:
    """The power of ten that numbers are divided by to be plain: zero if they are."""
    largest = float(max(np.max(np.abs(each)) for each in values))
    plain = largest == 0 or LINEAR[0] <= largest < LINEAR[1]
    return 0 if plain else int(np.floor(np.log10(largest)))


def with_power(label: str, power: int) -> str:
    """A label whose unit, in its last brackets, has a power of ten before it."""
    if not power:
        return label
    head, bracket, tail = label.rpartition("[")
    factor = f"$10^{{{power}}}$"
    return f"{head}[{factor} {tail}" if bracket else f"{label} [{factor}]"


def plain_numbers(ax: Any) -> None:
    """Powers of ten in the labels of linear axes, rather than above them, where legends are.

    Limits and labels have to be set before. Numbers of axes without a label are written in full.
    """
    from matplotlib.ticker import FuncFormatter, ScalarFormatter

    for axis in (ax.xaxis, ax.yaxis):
        formatter, label = axis.get_major_formatter(), axis.label.get_text()
        before = getattr(formatter, "power", 0)  # of something drawn on these axes already
        if not before and not isinstance(formatter, ScalarFormatter):
            continue
        power = power_of(axis.get_view_interval()) if label else 0
        if power:
            divided: Any = FuncFormatter(partial(_divided, power))
            divided.power = power
            axis.set_major_formatter(divided)
            axis.label.set_text(with_power(label, power))
        elif before:
            axis.set_major_formatter(ScalarFormatter(useOffset=False))
        else:
            formatter.set_useOffset(False)
            formatter.set_scientific(bool(label))


def _divided(power, x, _):
    return f"{x / 10.0**power:.10g}"
