"""Figures that every model has, and what the models' own figures share."""

from astro_hier.plots.corner import plot_corner
from astro_hier.plots.graph import Node, plot_graph
from astro_hier.plots.limits import (
    at_edges,
    focus,
    legend_above,
    legend_outside,
    log_axis,
    plain_numbers,
    with_power,
)
from astro_hier.plots.scaling import rescale
from astro_hier.plots.strokes import (
    MANY,
    NothingToDraw,
    NotInTheModel,
    axes,
    errorbar,
    figure,
    interval,
    place,
)
from astro_hier.plots.style import (
    BAND,
    BEST,
    CYCLE,
    GIVEN,
    LINES,
    MARKERS,
    PAGE,
    PAGE_TEXT,
    SINGLE,
    hatched,
    ink,
    shade,
    verbatim,
)
from astro_hier.plots.trace import plot_trace

__all__ = [
    "BAND",
    "BEST",
    "CYCLE",
    "GIVEN",
    "LINES",
    "MANY",
    "MARKERS",
    "PAGE",
    "PAGE_TEXT",
    "SINGLE",
    "Node",
    "NotInTheModel",
    "NothingToDraw",
    "PosteriorPlots",
    "at_edges",
    "axes",
    "errorbar",
    "figure",
    "focus",
    "hatched",
    "ink",
    "interval",
    "legend_above",
    "legend_outside",
    "log_axis",
    "place",
    "plain_numbers",
    "plot_corner",
    "plot_graph",
    "plot_trace",
    "rescale",
    "shade",
    "verbatim",
    "with_power",
]


class PosteriorPlots:
    """Kept as a base class for older models; all models now have these figures."""
