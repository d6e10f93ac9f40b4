"""A layout that keeps a grid of panels even: only what sticks out of the whole grid has room.

Matplotlib's constrained layout makes room for tick labels between all panels, which in a corner
lie beside the outermost ones alone. This file imports matplotlib: import it where one is drawn.
"""

from matplotlib.layout_engine import LayoutEngine

__all__ = ["Margins"]

PAD = 0.04  # inches around the figure
GAP = 0.06  # between panels, of their size
PASSES = 4  # until the panels' width and the room of titles agree


class Margins(LayoutEngine):
    """Room around a square grid of axes that fill a figure, measured whenever it is drawn."""

    _adjust_compatible = True
    _colorbar_gridspec = True

    def execute(self, fig):
        """Set the margins to what labels and titles of the outermost axes need."""
        renderer, dpi = fig._get_renderer(), fig.dpi
        count = int(len(fig.axes) ** 0.5)
        left = bottom = top = 0.0
        for ax in {*fig.axes[::count], *fig.axes[-count:]}:  # the outermost ones
            inner, outer = ax.get_window_extent(renderer), ax.get_tightbbox(renderer)
            left, bottom = max(left, inner.x0 - outer.x0), max(bottom, inner.y0 - outer.y0)
            top = max(top, outer.y1 - inner.y1) if ax is fig.axes[0] else top
        bottom += sum(of.get_window_extent(renderer).height for of in fig.legends)
        width, height = (size * dpi for size in fig.get_size_inches())
        pad = PAD * dpi
        for _ in range(PASSES):
            # titles reach over the empty half, and farther beyond it if panels are narrow
            end = fig.axes[-1].get_window_extent(renderer).x1
            reach = [ax.title.get_window_extent(renderer).x1 for ax in fig.axes[:: count + 1]]
            reach.append(fig.axes[-1].get_tightbbox(renderer).x1)  # a tick's number at the end
            fig.subplots_adjust(
                left=(left + pad) / width, right=1 - (max(*reach, end) - end + pad) / width,
                bottom=(bottom + pad) / height, top=1 - (top + pad) / height,
                wspace=GAP, hspace=GAP,
            )  # fmt: skip
