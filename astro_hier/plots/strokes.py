"""What figures share: axes, intervals and error bars; matplotlib is imported when one is drawn."""

import numpy as np

__all__ = ["NotInTheModel", "NothingToDraw", "axes", "errorbar", "figure", "interval"]

PROBABILITY = 0.94  # in the intervals of figures, as in ArviZ


class NothingToDraw(ValueError):
    """The fit lacks what a figure shows, such as the posterior of a period that was given."""


class NotInTheModel(NothingToDraw):
    """The model has no part that a figure is of, which the command line passes over."""


def axes(ax=None, **options):
    """``ax``, or the axes of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained", **options)[1]


def figure(fig=None, **options):
    """``fig`` or a new figure, with a layout that fits the labels."""
    if fig is None:
        import matplotlib.pyplot as plt

        fig = plt.figure(**options)
    if fig.get_layout_engine() is None:
        fig.set_layout_engine("constrained")
    return fig


def interval(values, axis=0):
    """Low end, median and high end of the central 94 percent of draws along an axis."""
    tail = (1 - PROBABILITY) / 2
    return np.quantile(values, [tail, 0.5, 1 - tail], axis=axis)


def errorbar(ax, x, y, yerr, xerr=None, fmt="o"):
    """Data points with error bars, light enough for hundreds of them."""
    ax.errorbar(x, y, yerr, xerr, fmt=fmt, ms=3, color="k", ecolor="0.6", elinewidth=0.8)
