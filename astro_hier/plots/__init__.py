"""Figures that every model has, and what the models' own figures share."""

from astro_hier.plots.draws import plot_corner, plot_trace
from astro_hier.plots.graph import Node, plot_graph
from astro_hier.plots.scaling import rescale
from astro_hier.plots.strokes import (
    NothingToDraw,
    NotInTheModel,
    axes,
    errorbar,
    figure,
    interval,
)

__all__ = [
    "Node",
    "NotInTheModel",
    "NothingToDraw",
    "PosteriorPlots",
    "axes",
    "errorbar",
    "figure",
    "interval",
    "plot_corner",
    "plot_graph",
    "plot_trace",
    "rescale",
]


class PosteriorPlots:
    """Kept as a base class for older models; all models now have these figures."""
