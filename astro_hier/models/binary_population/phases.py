"""Panels of stars: their velocities against time, and folded at their periods."""

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np

from astro_hier import plots
from astro_hier.models.binary_population.data import Sample
from astro_hier.models.binary_population.figures import LIKELY
from astro_hier.models.binary_population.tables import companion_probability, describe
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.models.orbits import curves
from astro_hier.models.orbits.velocity import KMS
from astro_hier.posterior import UnitLike, units_of
from astro_hier.reports.panels import Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 16
POINTS = 40  # of the curve of a small drawing
SURE = 0.995  # probability above which a title does not state it
MOST_COLUMNS = 4
PHASE_MARGIN = 0.03  # beyond a cycle, for visits at its ends
LONGEST_LINE = 28  # characters of an identifier in a panel's title
VELOCITY = KMS, "rv", "K", "v0"  # what an axis of velocities shows
RATIO = 3, 1  # heights of a panel and of its residuals


def plot_data(
    model,
    stars: Sequence[Any] | None = None,
    fig: "Figure | None" = None,
    ax: "Axes | None" = None,
    unit: UnitLike = None,
) -> "Figure":
    """Velocities with their standard errors against time, one panel for each star.

    Parameters
    ----------
    stars : list, optional
        Identifiers of the stars to draw; by default the first sixteen.
    fig, ax : `~matplotlib.figure.Figure`, `~matplotlib.axes.Axes`, optional
        Where to draw: in this figure, or in place of these axes.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

    Returns
    -------
    `~matplotlib.figure.Figure`

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> sample = BinaryPopulation()
    >>> sample = sample.fit(visits, draws=100, random_state=1, progressbar=False)
    >>> fig = sample.plot_data()
    """
    units = units_of(model, unit)
    data = model.fitted_data()
    numbers = _numbers(data, stars)
    fig, places = _panels(len(numbers), fig, ax, height=1.7)
    for place, n in zip(places, numbers, strict=True):
        panel, visits = fig.add_subplot(place), data.visits(n)
        error, x = visits.rv_error, visits.time
        curves.visits(panel, x, visits.rv, error, data.instrument[data.rows_of[n]], _names(data))
        panel.set_ylim(plots.focus(visits.rv - error, visits.rv + error, margin=0.1))
        plots.at_edges(panel, x, visits.rv, what="visits")
        panel.set_title(_title(data, n), fontsize=_text(fig))
        _few_ticks(panel)
        plots.rescale(panel, units, (u.day, "time"), VELOCITY)
    x = f"time since first visit [{units.label(u.day, 'time')}]"
    _label(fig, data, numbers, x, units)
    return fig


def plot_phase(
    model,
    stars: Sequence[Any] | None = None,
    fig: "Figure | None" = None,
    ax: "Axes | None" = None,
    unit: UnitLike = None,
) -> "Figure":
    """Velocities folded at each star's best period, one panel for each star; residuals below.

    The bold curve is the best orbit in the most probable mode, and the faint ones are draws in that
    mode, given the population, each folded at its own period. The former is dashed if the star
    probably has no companion. Phases of ellipses count from the best orbit's periastron, those of
    circles from the first visit. Trends and instrument offsets are subtracted, and errors include
    the jitter. Titles give the probability of the mode, if there are others, and of a companion, if
    not all stars have one; they say if no orbit is needed, if the visits do not constrain the
    period, or if the orbit does not describe them.

    Parameters
    ----------
    stars : list, optional
        Identifiers of the stars to draw; by default the first sixteen.
    fig, ax : `~matplotlib.figure.Figure`, `~matplotlib.axes.Axes`, optional
        Where to draw: in this figure, or in place of these axes.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

    Returns
    -------
    `~matplotlib.figure.Figure`
        For each star in turn, its axes are that of the velocities and that of the residuals.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> sample = BinaryPopulation()
    >>> sample = sample.fit(visits, draws=100, random_state=1, progressbar=False)
    >>> fig = sample.plot_phase()
    """
    units = units_of(model, unit)
    data = model.fitted_data()
    numbers = _numbers(data, stars)
    fig, places = _panels(len(numbers), fig, ax, height=2.1)
    found, companion = describe(model, numbers), companion_probability(model)
    for place, n, (row, orbits) in zip(places, numbers, found, strict=True):
        top, bottom = _folded(fig, place, data, n, *orbits)
        plots.rescale((top, bottom), units, y=VELOCITY)
        if companion[n] < LIKELY:
            top.lines[len(orbits[-1]["P"])].set(ls="--", lw=1)  # the best orbit
        says = [] if model.companion_fraction is None else [f"companion: {_percent(companion[n])}"]
        top.set_title(
            "\n".join([_title(data, n), *says, *_caption(row, units)]), fontsize=_text(fig)
        )
    of = data.orbit.phase_label.partition(" / ")[0]
    _label(fig, data, numbers, f"{of} / $P$", units)
    return fig


def panels(model, numbers) -> list[Panel]:
    """What small drawings of some stars show, with the corrections of `plot_phase`."""
    data, companion = model.fitted_data(), companion_probability(model)
    return [
        _panel(data, n, error, best, bool(companion[n] >= LIKELY))
        for n, (_, (error, best, _)) in zip(numbers, describe(model, numbers), strict=True)
    ]


def _panel(data: Sample, n: int, error, best, likely: bool) -> Panel:
    visits, linear = data.visits(n), best["linear"][:, 0]
    best = {**best, **data.named(best["linear"])}
    rv = visits.rv - visits.constant[:, 1:] @ linear[3:]
    first, last = data.orbit.phases
    of_phase = data.orbit.folded(best, best)
    curve = data.orbital(data.orbit.times(first, last, of_phase, POINTS), of_phase)[0]
    phase = (data.orbit.phase(visits.time, best) - first) / (last - first)
    return Panel(data.stars[n], phase, rv, np.broadcast_to(error, rv.shape), curve, likely)


def _folded(fig, place, data: Sample, n: int, error, best, few):
    """One star's velocities and orbits against phase, and residuals; returns the axes of both."""
    top, bottom = place.subgridspec(2, 1, height_ratios=RATIO, hspace=0).subplots(sharex=True)
    visits, linear = data.visits(n), best["linear"][:, 0]
    best, few = ({**of, **data.named(of["linear"])} for of in (best, few))
    expected = data.orbital(visits.time, best)[0]
    rv = visits.rv - visits.constant[:, 1:] @ linear[3:]
    phase = data.orbit.phase(visits.time, best)
    curve = curves.folded(top, data, few, best)
    of = error, data.instrument[data.rows_of[n]], _names(data)
    curves.visits(top, phase, rv, *of)
    curves.frame(top, phase, rv, error, curve)
    bottom.axhline(0, color=plots.BEST, zorder=0, lw=1)
    curves.visits(bottom, phase, rv - expected, *of)
    curves.frame(bottom, phase, rv - expected, error, np.zeros(1))
    for ax in (top, bottom):
        _few_ticks(ax)
    top.tick_params(labelbottom=False)
    bottom.locator_params(axis="y", nbins=2)
    first, last = data.orbit.phases
    margin = PHASE_MARGIN * (last - first)
    bottom.set(xlim=(first - margin, last + margin), xticks=(first, 0.5 * (first + last), last))
    return top, bottom


def _caption(row, units) -> list[str]:
    """What a panel says of its star, a list of lines."""
    said = orbit_checks.caveat(
        row["ln_bayes_factor"], row["K_upper"], row["period_information"], units
    )
    said = [line.replace("needed: ", "needed:\n") for line in said]
    if row["ln_bayes_factor"] < orbit_checks.MIN_LN_BAYES:
        return said
    of_orbit = f"P = {units.say(row['P_map'], u.day, 'P', digits='.6g')}"
    if row["probability"] < SURE:
        of_orbit += f", {_percent(row['probability'])}"
    if row["p_chi2"] < orbit_checks.MIN_P:
        said.append(f"$\\chi^2$/dof = {row['chi2_per_dof']:.4g}")
    return [*said, of_orbit]


def _percent(probability):
    """A probability in words that never claim certainty."""
    if 0.01 <= probability <= 0.99:
        return f"{100 * probability:.0f}%"
    return "< 1%" if probability < 0.5 else "> 99%"


def _numbers(data: Sample, stars) -> list[int]:
    """Numbers of the stars to draw.

    Raises
    ------
    ValueError
        If one of them is not known, or there are none.
    """
    if stars is None:
        return list(range(min(len(data.stars), PANELS)))
    labels, wanted = list(data.stars), np.atleast_1d(stars).tolist()
    unknown = [star for star in wanted if star not in labels]
    if unknown or not wanted:
        raise ValueError(f"stars={stars!r}: not among the {len(labels)} fitted: {unknown}")
    return [labels.index(star) for star in wanted]


def _panels(count: int, fig, ax, height: float) -> tuple[Any, Iterable[Any]]:
    """A figure, and the places of ``count`` panels in it."""
    columns = min(int(np.ceil(np.sqrt(count))), MOST_COLUMNS)
    rows = -(-count // columns)
    width, tall = (plots.SINGLE, 1.4) if count == 1 else (plots.PAGE, 1.0)
    fig = plots.figure(fig, ax, figsize=(width, tall * height * rows + 0.8))
    grid = fig.add_gridspec(rows, columns)
    return fig, [grid[n // columns, n % columns] for n in range(count)]


def _title(data: Sample, n: int) -> str:
    """A star's identifier, in as many lines as it needs."""
    return "\n".join(plots.verbatim(line) for line in wrap(str(data.stars[n]), LONGEST_LINE))


def _names(data: Sample) -> Sequence[str]:
    """Instruments, if visits differ in them."""
    return list(data.instruments)


def _text(fig) -> Any:
    """The size of text: a single panel is printed in a column, and several across a page."""
    whole = fig.get_figure(root=True)
    return "small" if whole.get_figwidth() < plots.PAGE else plots.PAGE_TEXT


def _few_ticks(ax) -> None:
    ax.tick_params(labelsize=_text(ax.get_figure(root=True)), length=2.5)
    ax.locator_params(axis="both", nbins=4)


def _label(fig, data: Sample, numbers, x: str, units) -> None:
    """Names of the axes, a legend, and how many stars are not shown."""
    few = f"\n{len(numbers)} of {len(data.stars)} stars; others with stars=[...]"
    fig.supxlabel(x + (few if len(numbers) < len(data.stars) else ""), fontsize="small")
    fig.supylabel(f"radial velocity [{units.label(*VELOCITY)}]", fontsize="small")
    with_most = max(fig.axes, key=lambda ax: len(ax.get_legend_handles_labels()[0]))
    if with_most.get_legend_handles_labels()[0]:
        plots.legend_outside(fig, with_most, "upper", columns=6)
