"""A model's figures as images within a page."""

import inspect
import re
import warnings
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from astro_hier.checks import warn
from astro_hier.plots import NothingToDraw, NotInTheModel
from astro_hier.posterior import UnitLike
from astro_hier.reports import html

__all__ = ["drawn", "figure_names"]

PIXELS = 96  # of a page in an inch
SHARP = 1.6  # pixels of a raster image in one of the page
LARGEST = 120_000  # bytes of a drawing, above which it is made a raster image
WIDEST = 900  # pixels of the page
LAST = ("graph",)  # figures that come after the others


def figure_names(model: Any) -> list[str]:
    """The names of a model's figures, without ``plot_``: its own, then those of all models."""
    names = [
        name.removeprefix("plot_")
        for cls in type(model).__mro__
        for name in vars(cls)
        if name.startswith("plot_")
    ]
    names = list(dict.fromkeys(names))
    return [n for n in names if n not in LAST] + [n for n in LAST if n in names]


def drawn(model: Any, unit: UnitLike = None) -> Iterator[str]:
    """Each figure of a fitted model as HTML, or the reason why there is none."""
    for name in figure_names(model):
        plot = getattr(model, f"plot_{name}")
        title, caption = _words(name, plot)
        heading = f"<h3>{html.text(title)}</h3>\n"
        try:
            yield heading + _drawn(plot, unit, f"Figure: {title}", caption)
        except NotInTheModel:
            pass
        except Exception as error:  # whatever the error, the rest of the page can still be made
            if not isinstance(error, NothingToDraw):
                warn(f"plot_{name} failed, and is left out of the page: {error!r}")
            yield f"{heading}<p>Not drawn: {html.text(error)}.</p>"


def _drawn(plot, unit, alt, caption):
    """One figure, which is neither shown nor left open."""
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    options = {"unit": unit} if "unit" in inspect.signature(plot).parameters else {}
    try:
        with plt.ioff(), plt.rc_context({"svg.fonttype": "path"}), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # in names of stars
            return _image(plot(**options).figure, alt, caption)
    finally:
        for number in set(plt.get_fignums()) - set(before):
            plt.close(number)


def _words(name, plot):
    """The title of a figure, and what its docstring says of it."""
    about = inspect.cleandoc(plot.__doc__ or "").split("\n\n")
    said = [re.sub(r"\s+", " ", part) for part in about]
    end = next((i for i, part in enumerate(said) if part.startswith("Parameters ---")), 1)
    caption = " ".join(said[: max(end, 1)]).replace("``", "")
    return name.replace("_", " ").capitalize(), re.sub(r"`(~?\w+\.)*(\w+)`_?", r"\2", caption)


def _image(figure, alt, caption):
    """A figure as an image: a drawing, unless that takes many bytes."""
    width, height = figure.get_size_inches() * PIXELS
    content, kind = _saved(figure, format="svg"), "svg+xml"
    if len(content) > LARGEST:
        dpi = SHARP * PIXELS * min(1, WIDEST / width)
        content, kind = _saved(figure, format="png", dpi=dpi), "png"
    source = f"data:image/{kind};base64,{b64encode(content).decode()}"
    alt = f"{alt}. {caption.partition('. ')[0].rstrip('.')}."
    return html.figure(source, (round(width), round(height)), alt, caption)


def _saved(figure, **options):
    content = BytesIO()
    metadata = {"Date": None} if options["format"] == "svg" else None
    figure.savefig(content, metadata=metadata, **options)
    return content.getvalue()
