"""Figures that every model has, and the few strokes that the models' own figures share."""

from astro_hier.plots import draws
from astro_hier.plots import graph as graphical_model
from astro_hier.plots.graph import Node
from astro_hier.plots.strokes import NothingToDraw, axes, errorbar, figure

__all__ = ["Node", "NothingToDraw", "PosteriorPlots", "axes", "errorbar", "figure"]


class PosteriorPlots:
    """Figures of the parameters common to all stars, and of the model itself."""

    graph = ()
    plot_corner = draws.plot_corner
    plot_trace = draws.plot_trace
    plot_graph = graphical_model.plot_graph
