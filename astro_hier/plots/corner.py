"""The figure of joint distributions; matplotlib and corner are imported when it is drawn."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np

from astro_hier.plots.draws import MANY_PANELS, Shown, chosen_of, count_from
from astro_hier.plots.strokes import figure, place
from astro_hier.plots.style import BEST, PAGE, PAGE_TEXT, SINGLE, shade
from astro_hier.posterior import Parameter, UnitLike, Units, scales_by_log, units_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_corner"]

SMALLEST_TEXT = 6  # points
SMALLEST_PANEL = 0.5  # inches
NARROW = 4.0  # inches, the width of a figure in which the legend is smaller
SMALL_PANELS = 0.6, 2.0  # inches, below which text is of the smallest size, and that of a page
TAIL = 0.01  # share of draws that may lie beyond the axes


def plot_corner(
    model,
    var_names: str | Sequence[str] | None = None,
    truths: Mapping[str, Any] | None = None,
    fig: "Figure | None" = None,
    ax: "Axes | None" = None,
    unit: UnitLike = None,
    **options: Any,
) -> "Figure":
    """Joint and marginal distributions of the parameters common to all stars.

    Contours hold 68 and 95 percent of the draws, of a histogram smoothed by one bin. Titles are
    means and standard deviations. Where a range is narrow, ticks count from the value that the
    label subtracts. Up to one percent of the draws may lie beyond the axes, which would else be
    twice as long. Scales take the place of their logarithms where the data resolve them.

    Parameters
    ----------
    var_names : str or list of str, optional
        Which parameters; by default those inferred, without those derived from them.
    truths : dict, optional
        Values to mark, by parameter name: Quantities, or numbers in the unit that is shown. A scale
        is also marked if its logarithm is known, and the other way round. The legend names those
        that are outside the axes.
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
    marks = _marks(model, truths or {}, units, chosen)
    size = SINGLE if len(chosen) < 3 else max(PAGE, SMALLEST_PANEL * len(chosen))
    own = ax is None and _is_empty(place(fig))
    fig = figure(fig, ax, figsize=(size, 0.75 * size if len(chosen) == 1 else size))
    # where something is drawn already, its axes are widened
    ranges = None if fig.axes else [_range(one.draws) for one in chosen]
    options = _corner_style(fig) | {"labels": None, "range": ranges} | options
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
    _explain_corner(fig, options, _truths_in_words(fig, chosen, marks), _beyond(fig, chosen))
    return fig


def _is_empty(fig: Any) -> bool:
    """Whether a figure is new, or nothing is in it and no layout has been chosen for it."""
    if fig is None:
        return True
    whole = fig.get_figure(root=True) is fig
    return whole and not fig.axes and fig.get_layout_engine() is None


def _text_size(fig: Any, count: int) -> float | str:
    """The size of text: smaller where there are many panels, or these are small."""
    each = fig.bbox.width / fig.get_figure(root=True).dpi / count
    if count >= MANY_PANELS or each < SMALL_PANELS[0]:
        return SMALLEST_TEXT
    return PAGE_TEXT if count > 2 or each < SMALL_PANELS[1] else "small"


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


def _range(draws: np.ndarray) -> tuple[float, float]:
    """A range that holds the draws, but for a percent of them if these would take half of it."""
    ends = float(draws.min()), float(draws.max())
    bulk = [float(end) for end in np.quantile(draws, [TAIL / 2, 1 - TAIL / 2])]
    low, high = ends if np.ptp(ends) <= 2 * np.ptp(bulk) else bulk
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _write(fig, chosen, labelled: bool) -> None:
    """Titles, labels and ticks of a corner, at sizes that can be read in print.

    Titles begin at the left of their panels, and reach over the empty half of the figure.
    """
    count = len(chosen)
    small = _text_size(fig, count)
    grid = np.reshape(fig.axes, (count, count))
    for i, one in enumerate(chosen):
        title = f"{one.symbol} = {one.say(_rounded(one.draws))}"
        text = grid[i, i].set_title(title, fontsize=small, x=0, ha="left", pad=3)
        text.set_in_layout(i in (0, count - 1))
        for panel, which in [(grid[-1, i], "x"), *((grid[i, 0], "y") for _ in range(i > 0))]:
            axis = getattr(panel, f"{which}axis")
            less = count_from(axis, one.draws)
            axis.set_tick_params(labelrotation=90 if which == "x" and count > 2 else 0)
            if labelled:
                axis.set_label_text(f"{one.symbol}{less}{one.label}", fontsize=small)
        for panel in {*grid[i], *grid[:, i]}:
            panel.tick_params(labelsize=small, length=2)
    fig.align_labels()
    _turn_long_labels(grid)


def _turn_long_labels(grid) -> None:
    """Turn labels if one is longer than its panel, with units in a line of their own."""
    size = grid[0, 0].get_window_extent().width
    labels = [panel.xaxis.label for panel in grid[-1]], [panel.yaxis.label for panel in grid[:, 0]]
    if max(label.get_window_extent().width for label in labels[0]) > size:
        for label in (*labels[0], *labels[1]):
            label.set_text(label.get_text().replace(" [", "\n["))
        for label in labels[0]:
            label.set_rotation(90)
        for label in labels[1]:
            label.set(rotation=0, ha="right", va="center")


def _beyond(fig, chosen) -> str:
    """What the legend says of draws outside the axes of their own histogram, if there are any."""
    panels = np.reshape(fig.axes, (len(chosen), len(chosen))).diagonal()
    ends = [sorted(panel.get_xlim()) for panel in panels]
    outside = [
        np.mean((one.draws < low) | (one.draws > high))
        for one, (low, high) in zip(chosen, ends, strict=True)
    ]
    most = 100 * max(outside)
    return f"beyond the axes: up to {most:.1g} percent" if most > 0 else ""


def _explain_corner(fig: Any, options: dict[str, Any], truths: str, beyond: str) -> None:
    """A legend in the empty half, or below a single panel: contours, titles, truths, the rest."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    single = len(fig.axes) == 1
    held = " and ".join(f"{100 * level:.3g}" for level in sorted(np.atleast_1d(options["levels"])))
    contours = Patch(fc=shade(fig, 0.3), ec=shade(fig, 1.0), label=f"contours: {held} percent")
    shown: list[Any] = [] if single else [contours]
    shown.append(Line2D([], [], ls="", label=r"titles: mean $\pm$ std. dev."))
    if beyond:
        shown.append(Line2D([], [], ls="", label=beyond))
    if truths:
        marker = "" if single else "s"
        shown.append(
            Line2D([], [], color=options["truth_color"], marker=marker, ms=4, label=truths)
        )
    size = "small" if fig.bbox.width > NARROW * fig.get_figure(root=True).dpi else SMALLEST_TEXT
    look = {"handles": shown, "frameon": False, "fontsize": size, "borderaxespad": 0.0,
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
            outside.append(f"{one.symbol} = {one.say(f'{mark:.4g}')}")
    if outside:
        return f"true values\n(outside the axes:\n{', '.join(outside)})"
    return "true values" if any(mark is not None for mark in marks) else ""


def _marks(
    model: Any, truths: Mapping[str, Any], units: Units, chosen: list[Shown]
) -> list[float | None]:
    """A value to mark on each axis, in what is shown there, or None.

    Scales and their logarithms follow from each other; angles are moved by turns to their draws.
    """
    others = {of.name: of for of, _ in model.drawn_quantities()}
    about = {name: others.get(name) or model.parameter(name) for name in truths}
    own = {name: _in_own_unit(of, truths[name], units) for name, of in about.items()}
    for log, scale in scales_by_log(model).items():
        if log in own:
            own.setdefault(scale, np.exp(own[log]))
        elif scale in own and np.all(own[scale] > 0):
            own[log] = np.log(own[scale])
    own = model.truths_that_follow(own) | own
    marks: list[float | None] = []
    for one in chosen:
        of = others.get(one.name) or model.parameter(one.name)
        factor = units.factor(of.unit, of.name) / 10.0**one.power
        if one.name not in own:
            marks.append(None)
            continue
        mark = np.resize(own[one.name], one.element + 1)[-1] * factor
        if of.turn:
            mark += of.turn * factor * np.rint((one.draws.mean() - mark) / (of.turn * factor))
        marks.append(float(mark))
    return marks


def _in_own_unit(of: Parameter, value: Any, units: Units) -> np.ndarray:
    """A value, in the unit that is shown if it has none, in the model's unit."""
    unit = units.of(of.unit, of.name)
    try:
        quantity = u.Quantity(value) if hasattr(value, "unit") else value * unit
        return np.atleast_1d(quantity.to_value(of.unit))
    except u.UnitConversionError as error:
        raise u.UnitConversionError(f"truth of {of.name}: {error}") from None


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
