"""What figures share: places, intervals, error bars; matplotlib is imported when one is drawn."""

import numpy as np

from astro_hier.plots.style import ink, shade

__all__ = ["NotInTheModel", "NothingToDraw", "axes", "errorbar", "figure", "interval",
           "place"]  # fmt: skip

PROBABILITY = 0.94  # in the intervals of figures, as in ArviZ
MANY = 1000  # points above which vector graphics hold an image of them


class NothingToDraw(ValueError):
    """The fit lacks what a figure shows, such as the posterior of a period that was given."""


class NotInTheModel(NothingToDraw):
    """The model has no part that a figure is of, which the command line passes over."""


def axes(ax=None, fig=None, **options):
    """``ax``, or new axes in ``fig`` or in a new figure."""
    _check_place(ax, fig)
    if ax is not None:
        return ax
    if fig is not None:
        return figure(fig).add_subplot()
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained", **options)[1]


def figure(fig=None, ax=None, **options):
    """``fig``, a part of a figure in place of ``ax``, or a new figure; its layout fits labels."""
    fig = place(fig, ax)
    if fig is None:
        import matplotlib.pyplot as plt

        fig = plt.figure(**options)
    whole = fig.get_figure(root=True)
    if whole.get_layout_engine() is None:
        whole.set_layout_engine("constrained")
    return fig


def place(fig=None, ax=None):
    """``fig``, or a part of a figure in place of ``ax``, which is removed, or None."""
    _check_place(ax, fig)
    if ax is None:
        return fig
    where = ax.get_subplotspec()
    if where is None:
        raise ValueError(
            "ax has no place in a grid, which a figure of several panels needs; expected axes from"
            " plt.subplots, or fig="
        )
    within = ax.get_figure(root=False)
    ax.remove()
    return within.add_subfigure(where)


def _check_place(ax, fig):
    """Raise an error unless at most one of both is given, and it is of its kind."""
    if ax is not None and fig is not None:
        raise ValueError("ax= and fig= are both given; expected one of them")
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

    for name, value, kind in (("ax", ax, Axes), ("fig", fig, FigureBase)):
        if value is not None and not isinstance(value, kind):
            found = type(value).__name__
            expected = "one of matplotlib's Axes" if name == "ax" else "a matplotlib Figure"
            raise TypeError(f"{name}= is of type {found}; expected {expected}")


def interval(values, axis=0):
    """Low end, median and high end of the central 94 percent of draws along an axis."""
    tail = (1 - PROBABILITY) / 2
    return np.quantile(values, [tail, 0.5, 1 - tail], axis=axis)


def errorbar(ax, x, y, yerr, xerr=None, fmt="o", color=None, label=None):
    """Data points with error bars, light enough for hundreds of them; more become an image."""
    ax.errorbar(
        x, y, yerr, xerr, fmt=fmt, ms=3, color=ink(ax) if color is None else color,
        ecolor=shade(ax, 0.4), elinewidth=0.8, label=label, rasterized=np.size(x) > MANY,
    )  # fmt: skip
