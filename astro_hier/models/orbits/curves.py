"""Strokes that figures of orbits share: curves over a cycle, and limits that show the visits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from astro_hier.models.orbits.data import Velocities

POINTS = 400  # of a folded curve
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
    for values, style in (
        (draws, {"color": "C0", "alpha": 0.15, "lw": 0.7, "zorder": 0}),
        (best, {"color": "C1", "zorder": 1}),
    ):
        of_phase = data.orbit.folded(values, best)
        phase = data.orbit.times(*data.orbit.phases, of_phase, POINTS)
        curve = data.orbital(phase, of_phase)
        ax.plot(phase.T, curve.T, **style)
    return curve


def frame(ax: Any, rv: np.ndarray, error: np.ndarray, curve: np.ndarray) -> None:
    """Limits that show the visits and the best orbit, whatever other draws do between visits."""
    low = min(np.min(rv - error), curve.min())
    high = max(np.max(rv + error), curve.max())
    margin = MARGIN * (high - low)
    ax.set_ylim(low - margin, high + margin)
