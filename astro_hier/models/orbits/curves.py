"""Strokes that figures of orbits share: curves over a cycle, and limits that show the visits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from astro_hier import plots
from astro_hier.models.orbits.data import Velocities

POINTS = 400  # of a folded curve
FAINT: dict[str, Any] = {
    "color": plots.GIVEN,
    "alpha": 0.15,
    "lw": 0.7,
    "zorder": 0,
    "rasterized": True,
}
# colours of instruments, unlike those of curves; the first is that of ink
INSTRUMENTS = None, *(color for color in plots.CYCLE if color not in (plots.GIVEN, plots.BEST))
MARGIN = 0.15  # above and below the visits and the best orbit


def folded(
    ax: Any,
    data: Velocities,
    draws: Mapping[str, np.ndarray],
    best: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Draw orbits against their phases, each folded at its own period, and the best one bold.

    ``draws`` and ``best``, which is one draw, are the parameters of the orbit of one star, shape
    (draw,). Returns the velocities of the curve of the best one.
    """
    for values, style, label in (
        (draws, FAINT, "draws"),
        (best, {"color": plots.BEST, "zorder": 1, "lw": 1.5}, "best draw"),
    ):
        of_phase = data.orbit.folded(values, best)
        phase = data.orbit.times(*data.orbit.phases, of_phase, POINTS)
        curve = data.orbital(phase, of_phase)
        first, *_ = ax.plot(phase.T, curve.T, **style)
        first.set_label(label)
    return curve


def frame(ax: Any, x: np.ndarray, rv: np.ndarray, error: np.ndarray, curve: np.ndarray) -> None:
    """Limits that show the visits and the best orbit, whatever other draws do between visits.

    Visits far from the others and from the orbit are marked at the edges.
    """
    low, high = plots.focus(rv - error, rv + error, margin=0.0)
    low, high = min(low, curve.min()), max(high, curve.max())
    margin = MARGIN * (high - low) or 1.0
    ax.set_ylim(low - margin, high + margin)
    plots.at_edges(ax, x, rv, what="visits")


def visits(
    ax: Any, x: np.ndarray, rv: np.ndarray, error: np.ndarray, number: np.ndarray, names: Any
) -> None:
    """Velocities with error bars; instruments, of which each visit has the ``number``, differ."""
    if len(names) == 1:
        plots.errorbar(ax, x, rv, error)
        return
    for n in np.unique(number):
        of, turn = number == n, int(n) % len(INSTRUMENTS)
        look = {"fmt": plots.MARKERS[turn], "color": INSTRUMENTS[turn] or plots.ink(ax)}
        plots.errorbar(ax, x[of], rv[of], error[of], label=plots.verbatim(names[n]), **look)
