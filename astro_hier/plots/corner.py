"""The figure of joint distributions; matplotlib and corner are imported when it is drawn."""

import logging
import warnings
from contextlib import contextmanager
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.logarithms import value_in
from astro_hier.plots.draws import MANY_PANELS, chosen_of, count_from
from astro_hier.plots.strokes import figure
from astro_hier.plots.style import BEST, PAGE, PAGE_TEXT, SINGLE, shade
from astro_hier.posterior import units_of

__all__ = ["plot_corner"]

SMALLEST_TEXT = 6  # points
SMALLEST_PANEL = 0.5  # inches


def plot_corner(model, var_names=None, truths=None, fig=None, ax=None, unit=None, **options):
    """Joint and marginal distributions of the parameters common to all stars.

    Contours hold 68 and 95 percent of the draws, of a histogram smoothed by one bin. Titles are
    means and standard deviations. Where a range is narrow, ticks count from the value that the
    label subtracts. Scales take the place of their logarithms where the data resolve them.

    Parameters
    ----------
    var_names : str or list of str, optional
        Which parameters; by default those inferred, without those derived from them.
    truths : dict, optional
        Values to mark, by parameter name: Quantities, or numbers in the unit that is shown.
        The legend names those that are outside the axes.
    fig, ax : `~matplotlib.figure.Figure`, `~matplotlib.axes.Axes`, optional
        Where to draw: in this figure, or in place of these axes.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.
    **options
        Passed to `corner.corner`.

    Returns
    -------
    `~matplotlib.figure.Figure`

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
    >>> fig = star.plot_corner(["P", "K"], truths=visits.meta["truth"])
    """
    with warnings.catch_warnings():
        # corner imports arviz, some versions of which announce future changes
        warnings.simplefilter("ignore", FutureWarning)
        import corner

    units = units_of(model, unit)
    chosen = chosen_of(model, var_names, units)
    truths = _marks(model, truths or {}, units)
    marks = [
        np.resize(truths[one.name], one.element + 1)[-1] if one.name in truths else None
        for one in chosen
    ]
    size = SINGLE if len(chosen) < 3 else max(PAGE, SMALLEST_PANEL * len(chosen))
    own = fig is None and ax is None
    fig = figure(fig, ax, figsize=(size, 0.75 * size if len(chosen) == 1 else size))
    options = _corner_style(fig) | {"labels": None} | options
    with _silenced():
        corner.corner(
            np.column_stack([np.ravel(one.draws) for one in chosen]),
            truths=marks if len(chosen) > 1 else None,
            fig=fig,
            **options,
        )
    if len(chosen) == 1 and marks[0] is not None:
        # corner fails to mark a single histogram
        fig.axes[0].axvline(marks[0], color=options["truth_color"])
    _write(fig, chosen, labelled=options["labels"] is None)
    if own:
        from astro_hier.plots.margins import Margins

        fig.set_layout_engine(Margins())
    _explain_corner(fig, options, _truths_in_words(fig, chosen, marks))
    return fig


def _corner_style(fig) -> dict[str, Any]:
    """Options of corner: contours that are filled without a white ground."""
    dark = shade(fig, 1.0)
    fills = [(*dark, alpha) for alpha in (0.0, 0.15, 0.4)]
    return {
        "color": dark, "truth_color": BEST, "bins": 25, "smooth": 1.0, "max_n_ticks": 3,
        "levels": (0.68, 0.95), "plot_density": False, "no_fill_contours": True,
        "fill_contours": True, "contourf_kwargs": {"colors": fills},
        "contour_kwargs": {"linewidths": 0.7}, "hist_kwargs": {"lw": 1.0},
        "plot_datapoints": False,
    }  # fmt: skip


def _write(fig, chosen, labelled: bool) -> None:
    """Titles, labels and ticks of a corner, at sizes that can be read in print.

    Titles begin at the left of their panels, and reach over the empty half of the figure.
    """
    count = len(chosen)
    small = "small" if count < 3 else PAGE_TEXT if count < MANY_PANELS else SMALLEST_TEXT
    grid = np.reshape(fig.axes, (count, count))
    for i, one in enumerate(chosen):
        title = f"{one.symbol} = ${_rounded(one.draws)}$ {one.unit.strip(' []')}"
        text = grid[i, i].set_title(title, fontsize=small, x=0, ha="left", pad=3)
        text.set_in_layout(i in (0, count - 1))
        for panel, which in [(grid[-1, i], "x"), *((grid[i, 0], "y") for _ in range(i > 0))]:
            axis = getattr(panel, f"{which}axis")
            less = count_from(axis, one.draws)
            axis.set_tick_params(labelrotation=90 if which == "x" and count > 2 else 0)
            if labelled:
                axis.set_label_text(f"{one.symbol}{less}{one.unit}", fontsize=small)
        for panel in {*grid[i], *grid[:, i]}:
            panel.tick_params(labelsize=small, length=2)
    fig.align_labels()
    _turn_long_labels(grid)


def _turn_long_labels(grid) -> None:
    """Turn labels if one is longer than its panel."""
    size = grid[0, 0].get_window_extent().width
    labels = [panel.xaxis.label for panel in grid[-1]], [panel.yaxis.label for panel in grid[:, 0]]
    if max(label.get_window_extent().width for label in labels[0]) > size:
        for label in labels[0]:
            label.set_rotation(90)
        for label in labels[1]:
            label.set(rotation=0, ha="right", va="center")


def _explain_corner(fig: Any, options: dict[str, Any], truths: str) -> None:
    """A legend in the empty half, or below a single panel: contours, titles and truths."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    single = len(fig.axes) == 1
    held = " and ".join(f"{100 * level:.3g}" for level in sorted(np.atleast_1d(options["levels"])))
    contours = Patch(fc=shade(fig, 0.3), ec=shade(fig, 1.0), label=f"contours: {held} percent")
    shown: list[Any] = [] if single else [contours]
    shown.append(Line2D([], [], ls="", label=r"titles: mean $\pm$ std. dev."))
    if truths:
        marker = "" if single else "s"
        shown.append(
            Line2D([], [], color=options["truth_color"], marker=marker, ms=4, label=truths)
        )
    look = {"handles": shown, "frameon": False, "fontsize": "small", "borderaxespad": 0.0,
            "handlelength": 0.8, "handletextpad": 0.4, "borderpad": 0.0}  # fmt: skip
    if single:
        fig.legend(loc="lower center", ncols=2, **look)
    else:  # the last panel of the first row, which is empty
        fig.axes[int(np.sqrt(len(fig.axes))) - 1].legend(loc="upper right", **look)


def _truths_in_words(fig, chosen, marks) -> str:
    """What the legend says of marks: that they are true values, and which ones cannot be seen."""
    outside = []
    for i, (one, mark) in enumerate(zip(chosen, marks, strict=True)):
        low, high = sorted(fig.axes[i * (len(chosen) + 1)].get_xlim())
        if mark is not None and not low <= mark <= high:
            outside.append(f"{one.symbol} = {mark:.4g} {one.unit.strip(' []')}".rstrip())
    if outside:
        return f"true values\n(outside the axes:\n{', '.join(outside)})"
    return "true values" if any(mark is not None for mark in marks) else ""


def _marks(model, truths, units):
    """Values to mark, as arrays of floats in the units that are shown."""
    marks, others = {}, {of.name: of for of, _ in model.drawn_quantities()}
    for name, value in truths.items():
        unit = units.of((others.get(name) or model.parameter(name)).unit, name)
        try:
            quantity = u.Quantity(value) if hasattr(value, "unit") else value * unit
            marks[name] = np.atleast_1d(value_in(quantity, unit))
        except u.UnitConversionError as error:
            raise u.UnitConversionError(f"truth of {name}: {error}") from None
    return marks


@contextmanager
def _silenced():
    """Keep corner's messages from being printed, and from configuring the root logger.

    A figure that has a layout of its own keeps it.
    """
    root, handler = logging.getLogger(), logging.NullHandler()
    root.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "This figure was using a layout engine", UserWarning)
            yield
    finally:
        root.removeHandler(handler)


def _rounded(draws):
    """Mean and standard deviation in TeX, to two digits of the latter."""
    mean, sd = draws.mean(), draws.std()
    decimals = int(np.clip(1 - np.floor(np.log10(sd)), 0, 15)) if sd > 0 else 6
    return rf"{mean:.{decimals}f} \pm {sd:.{decimals}f}"
