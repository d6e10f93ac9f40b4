"""Small drawings of one star's folded velocities, for pages that list many stars."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier.posterior import Units
from astro_hier.reports import html
from astro_hier.reports.rounding import MINUS

__all__ = ["Panel"]

WIDTH, HEIGHT, MARGIN = 190, 100, 6
LEFT = 34  # room for numbers


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
        low = min((self.rv - self.error).min(), self.curve.min())
        high = max((self.rv + self.error).max(), self.curve.max())
        own = u.km / u.s, "rv", "K", "v0"
        ends = [units.say(end, *own, digits=".4g") for end in (low, high)]
        x = _scaled(self.phase, 0, 1, LEFT + 4, WIDTH - 4)

        def y(values):
            return _scaled(values, high, low, MARGIN, HEIGHT - MARGIN)

        bars = zip(x, y(self.rv - self.error), y(self.rv + self.error), strict=True)
        curve = zip(np.linspace(LEFT, WIDTH, len(self.curve)).round(1), y(self.curve), strict=True)
        about = f"star {self.star}: {len(x)} velocities from {ends[0]} to {ends[1]}"
        texts = [end.rpartition(" ")[0].replace("-", MINUS) for end in ends]
        return (
            f'<svg class="panel" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
            f' aria-label="{html.text(about)}" font-size="9">'
            f'<path class="b" d="M{LEFT} 1H{WIDTH - 1}V{HEIGHT - 1}H{LEFT}Z"/>'
            f'<path class="c{"" if self.likely else " u"}" d="M'
            + "L".join(f"{a:g} {b:g}" for a, b in curve)
            + '"/><path class="e" d="'
            + "".join(f"M{a:g} {b:g}V{c:g}" for a, b, c in bars)
            + '"/><path class="v" d="'
            + "".join(f"M{a:g} {b:g}h0" for a, b in zip(x, y(self.rv), strict=True))
            + f'"/><text x="{LEFT - 3}" y="10" text-anchor="end">{texts[1]}</text>'
            f'<text x="{LEFT - 3}" y="{HEIGHT - 3}" text-anchor="end">{texts[0]}</text></svg>'
        )


def _scaled(values, first, last, start, end):
    """Values from ``first`` to ``last`` as places from ``start`` to ``end``, to a tenth."""
    share = (np.asarray(values) - first) / ((last - first) or 1.0)
    return np.round(start + share * (end - start), 1)
