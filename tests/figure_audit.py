"""What can be measured of a drawn figure: sizes, places and colours of its text."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb

COLUMN, PAGE = 3.4, 7.1  # widths in print, inches
SINGLE = 4.6  # the widest figure that is for a column
SLACK = 1.0  # pixels by which boxes of text may touch


def texts(figure):
    """All text that is seen, with the box of each in pixels."""
    figure.canvas.draw()
    hidden = _hidden_ticks(figure)
    return [
        (text, text.get_window_extent())
        for text in figure.findobj(plt.Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in hidden
    ]


def _hidden_ticks(figure):
    """Labels of ticks that are outside of their axes, or of no use."""
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            seen = axes.axison and axes.get_visible() and axis.get_visible()
            shown = axis._update_ticks() if seen else []
            labels = {id(label) for tick in shown for label in (tick.label1, tick.label2)}
            every = [*axis.majorTicks, *axis.minorTicks]
            hidden |= {id(label) for tick in every for label in (tick.label1, tick.label2)} - labels
    return hidden


def print_size(figure, found):
    """The smallest text in points, once the figure is scaled to a column or a page."""
    width = figure.get_figwidth()
    scale = (COLUMN if width <= SINGLE else PAGE) / width
    return min(text.get_fontsize() for text, _ in found) * scale


def collisions(found):
    """Pairs of texts whose boxes overlap."""
    boxes = np.array([[b.x0, b.y0, b.x1, b.y1] for _, b in found])
    boxes += np.array([SLACK, SLACK, -SLACK, -SLACK])
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    first, second = np.nonzero(np.triu(np.all(high > low, axis=2), 1))
    return [
        (found[i][0].get_text(), found[j][0].get_text()) for i, j in zip(first, second, strict=True)
    ]


def cut_off(figure, found):
    """Texts that reach beyond the figure."""
    width, height = figure.canvas.get_width_height()
    return [
        text.get_text()
        for text, box in found
        if box.x0 < -SLACK or box.y0 < -SLACK or box.x1 > width + SLACK or box.y1 > height + SLACK
    ]


def covered(figure):
    """How often legends of a figure that was drawn lie over axes with data."""
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
    boxes = [legend.get_window_extent().padded(-2) for legend in legends]
    panels = [ax.get_window_extent() for ax in figure.axes if ax.has_data()]
    return sum(box.overlaps(panel) for box in boxes for panel in panels)


def contrast(color, ground):
    """The ratio of luminances that WCAG 2 defines, 1 to 21."""
    light = sorted(_luminance(to_rgb(of)) + 0.05 for of in (color, ground))
    return light[1] / light[0]


def _luminance(rgb):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
