"""Figures in the units that a user asks for.

Figures are drawn in the model's units. What was drawn is then multiplied by a factor along each
axis, so that the data of the axes, their limits and their labels are in the unit asked for, and
whatever a user adds to the figure is too.
"""

import re
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.plots.limits import plain_numbers
from astro_hier.posterior import Units

__all__ = ["rescale"]


def rescale(axes: Any, units: Units, x: tuple = (), y: tuple = ()) -> None:
    """Put what was drawn on axes in other units, and write powers of ten into the labels.

    Parameters
    ----------
    axes : `~matplotlib.axes.Axes` or list of them
        Those that share an axis go together.
    units : Units
        Those asked for.
    x, y : tuple
        Of the axis that has a unit, this unit, followed by the names of the quantities on it. If
        the unit is None, the axis is the density of the other one.
    """
    axes = list(np.ravel(axes))
    units_x, units_y = _change(units, x, y), _change(units, y, x)
    factors = units_x[0], units_y[0]
    if factors != (1.0, 1.0):
        _multiply(axes, factors, units_x[1], units_y[1])
    for ax in axes:
        plain_numbers(ax)


def _multiply(axes, factors, unit_x, unit_y):
    """Multiply all that was drawn, and change the labels."""
    limits = [(ax.get_xlim(), ax.get_ylim(), ax.get_autoscale_on()) for ax in axes]
    of_x, of_y = zip(factors, (unit_x, unit_y), strict=True)
    for ax in axes:
        for artist in ax.get_children():
            _scale(artist, ax, factors)
        for axis, (factor, shown) in ((ax.xaxis, of_x), (ax.yaxis, of_y)):
            if factor != 1.0:
                axis.label.set_text(_relabelled(axis.label.get_text(), shown))
                _scale_ticks(axis, factor)
        ax.dataLim.set_points(ax.dataLim.get_points() * factors)
        ax.dataLim.minpos[:] *= factors
    for ax, (across, up, auto) in zip(axes, limits, strict=True):
        ax.set_xlim(np.multiply(across, factors[0]), auto=auto)
        ax.set_ylim(np.multiply(up, factors[1]), auto=auto)


def _change(units, own, other):
    """The factor of an axis and its unit, given what is on it and on the other one."""
    if not own:
        return 1.0, u.one
    if own[0] is None:
        unit = units.of(*other)
        return 1 / units.factor(*other), (1 / unit).unit
    return units.factor(*own), units.of(*own)


def _relabelled(text, unit):
    """A label with another unit in its last brackets."""
    head, bracket, _ = text.rpartition("[")
    if not bracket:
        return text
    tail = re.sub(r"^[^\]]*\]", "", text[len(head) :])
    return f"{head}[{unit.to_string('latex_inline')}]{tail}"


def _scale_ticks(axis, factor):
    """Move ticks whose places were given."""
    from matplotlib.ticker import FixedLocator

    for locator in (axis.get_major_locator(), axis.get_minor_locator()):
        if isinstance(locator, FixedLocator):
            locator.locs = np.asarray(locator.locs) * factor


def _scale(artist, ax, factors):
    """Multiply the data of one artist, along the axes along which they are data."""
    from matplotlib import collections, image, lines, patches, spines, text

    def along(transform):
        both = transform.contains_branch_seperately(ax.transData)
        return np.where(both, factors, 1.0)

    if artist is ax.patch or isinstance(artist, spines.Spine):
        return
    if isinstance(artist, lines.Line2D):
        x, y = along(artist.get_transform())
        artist.set_data(artist.get_xdata(orig=False) * x, artist.get_ydata(orig=False) * y)
    elif isinstance(artist, collections.QuadMesh):
        artist.get_coordinates()[:] *= along(artist.get_transform())
    elif isinstance(artist, collections.Collection):
        by = along(artist.get_transform())
        for path in artist.get_paths() if np.any(by != 1) else ():
            path.vertices = path.vertices * by
        artist.set_offsets(artist.get_offsets() * along(artist.get_offset_transform()))
    elif isinstance(artist, patches.Patch):
        _scale_patch(artist, along(artist.get_data_transform()))
    elif isinstance(artist, text.Annotation):
        if artist.xycoords == "data":
            artist.xy = tuple(np.multiply(artist.xy, factors))
        if artist.anncoords == "data":
            artist.set_position(np.multiply(artist.get_position(), factors))
    elif isinstance(artist, text.Text):
        artist.set_position(np.multiply(artist.get_position(), along(artist.get_transform())))
    elif isinstance(artist, image.AxesImage):
        artist.set_extent(np.multiply(artist.get_extent(), np.repeat(factors, 2)))


def _scale_patch(patch, by):
    from matplotlib import patches

    if np.all(by == 1):
        return
    if isinstance(patch, patches.Rectangle):
        (x, y), width, height = patch.get_xy(), patch.get_width(), patch.get_height()
        patch.set_bounds(x * by[0], y * by[1], width * by[0], height * by[1])
    elif isinstance(patch, patches.Polygon):
        patch.set_xy(patch.get_xy() * by)
    elif isinstance(patch, patches.StepPatch):
        values, edges, baseline = patch.get_data()
        across, up = by if patch.orientation == "vertical" else by[::-1]
        patch.set_data(values * up, edges * across, None if baseline is None else baseline * up)
    elif isinstance(patch, patches.PathPatch):
        path = patch.get_path().deepcopy()
        path.vertices = path.vertices * by
        patch.set_path(path)
    else:
        raise NotImplementedError(f"{type(patch).__name__} cannot be put in other units")
