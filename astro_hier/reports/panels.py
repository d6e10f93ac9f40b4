"""Small drawings of one star's folded velocities, for pages that list many stars."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier.posterior import Units
from astro_hier.reports import html
from astro_hier.reports.rounding import MINUS, without_power

__all__ = ["Panel"]

WIDTH, HEIGHT, MARGIN = 400, 200, 8  # half pixels
LEFT = 88  # room for numbers
POINT = 8  # size of a point: shorter bars are not seen


@dataclass(frozen=True)
class Panel:
    """The velocities of one star [km/s] against phase, and its best orbit.

    Attributes
    ----------
    star : object
        Its identifier.
    phase, rv, error : ndarray
        Of each visit; phases run from 0 to 1 over the width.
    curve : ndarray
        Velocities at equally spaced phases, the first and the last included.
    likely : bool
        Whether the star probably has a companion.
    """

    star: object
    phase: np.ndarray
    rv: np.ndarray
    error: np.ndarray
    curve: np.ndarray
    likely: bool = True

    def svg(self, units: Units) -> str:
        """The drawing, with the ends of its axis of velocities in the units asked for."""
        below, above = self.rv - self.error, self.rv + self.error
        low, high = min(below.min(), self.curve.min()), max(above.max(), self.curve.max())
        ends = [units.say(end, u.km / u.s, "rv", "K", "v0", digits=".4g") for end in (low, high)]
        across = _places(self.phase, 0, 1, LEFT + MARGIN, WIDTH - MARGIN)
        steps = np.linspace(0, 1, len(self.curve))
        middle, top, bottom, orbit = (
            _places(of, high, low, MARGIN, HEIGHT - MARGIN)
            for of in (self.rv, above, below, self.curve)
        )
        curve = zip(_places(steps, 0, 1, LEFT + MARGIN, WIDTH - MARGIN), orbit, strict=True)
        bars = [bar for bar in zip(across, top, bottom, strict=True) if bar[2] - bar[1] > POINT]
        points = zip(across, middle, strict=True)
        about = f"star {self.star}: {len(across)} velocities from {ends[0]} to {ends[1]}"
        first, last = (_short(end.partition(" ")[0]) for end in ends)
        return (
            f'<svg class="panel" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
            f' aria-label="{html.text(about)}">'
            f'<path class="b" d="M{LEFT} 1H{WIDTH - 1}V{HEIGHT - 1}H{LEFT}Z"/>'
            f'<path class="{"c" if self.likely else "c u"}" d="M'
            f'{" ".join(f"{a} {b}" for a, b in curve)}"/>'
            f'<path class="e" d="{"".join(f"M{a} {b}V{c}" for a, b, c in bars)}"/>'
            f'<path class="v" d="{"".join(f"M{a} {b}h0" for a, b in points)}"/>'
            f'<text x="{LEFT - 6}" y="20">{last}</text>'
            f'<text x="{LEFT - 6}" y="{HEIGHT - 6}">{first}</text></svg>'
        )


def _short(said):
    """A number in at most seven characters, for which there is room."""
    said = without_power(said)
    if "e" in said:
        said = f"{float(said):.1e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    return said.replace("-", MINUS)


def _places(values, first, last, start, end):
    """Values from ``first`` to ``last`` as whole places from ``start`` to ``end``."""
    share = (np.asarray(values) - first) / ((last - first) or 1.0)
    return np.round(start + share * (end - start)).astype(int).tolist()
