"""How figures look: colours and strokes that colour-blind readers, grey print and any style bear.

The colours are those of Okabe & Ito (2008, https://jfly.uni-koeln.de/color/), in an order in which
neighbours differ in grey too. Black and greys are shades between the background of the axes and
the ink on it, so that figures can be read on a dark background. Nothing here changes matplotlib's
own parameters: fonts are those of the user's style.

A figure of one panel is `SINGLE` inches wide: scaled to a column of 3.4 inches, text of 10 points
has 7.4 and small text 6.2. Figures of several panels are as wide as a page, `PAGE` inches.
"""

from typing import Any

__all__ = ["BAND", "BEST", "CYCLE", "GIVEN", "LINES", "MARKERS", "PAGE", "PAGE_TEXT", "SINGLE",
           "hatched", "ink", "shade", "verbatim"]  # fmt: skip

BLUE, ORANGE, GREEN, PURPLE, VERMILLION, SKY = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9"
)  # fmt: skip
CYCLE = BLUE, ORANGE, GREEN, PURPLE, VERMILLION, SKY
LINES = "-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3))
MARKERS = "o", "s", "^", "D", "v", "P"
GIVEN = BLUE  # what the model says: populations, relations, draws
BEST = VERMILLION  # one of many: the best draw, the mean, the truth
BAND: dict[str, Any] = {"color": GIVEN, "alpha": 0.3, "lw": 0}

SINGLE, PAGE = 4.6, 7.1  # widths of figures in inches
PAGE_TEXT = 7  # points of text in the many panels of a page


def ink(ax: Any) -> tuple[float, float, float]:
    """Black, or white on a dark background."""
    return shade(ax, 1.0)


def shade(ax: Any, share: float) -> tuple[float, float, float]:
    """The colour at this share of the way from the background of axes, or a figure, to its ink."""
    paper = _paper(ax)
    end = float(sum(w * c for w, c in zip((0.299, 0.587, 0.114), paper, strict=True)) < 0.5)
    red, green, blue = ((1 - share) * of + share * end for of in paper)
    return red, green, blue


def hatched(ax: Any) -> dict[str, Any]:
    """The look of an area that in grey has to differ from a `BAND` over it."""
    return {"fc": shade(ax, 0.15), "ec": shade(ax, 0.5), "hatch": "/////", "lw": 0}


def _paper(ax):
    """The background's colour: that of the first that is not transparent, axes before figures."""
    from matplotlib.colors import to_rgba

    while ax is not None:
        *color, alpha = to_rgba(ax.get_facecolor())
        if alpha > 0.5:
            return color
        ax = ax.get_figure(root=False) if ax.get_figure(root=False) is not ax else None
    return 1.0, 1.0, 1.0


def verbatim(label: Any) -> str:
    """A label of the user's as text that is not read as mathematics or TeX."""
    import matplotlib as mpl

    text = str(label)
    for special in "%&#_$" if mpl.rcParams["text.usetex"] else "$":
        text = text.replace(special, f"\\{special}")
    return text
