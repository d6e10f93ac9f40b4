"""Panels of stars: their velocities against time, and folded at their periods."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from astro_hier import plots
from astro_hier.models.binary_population.data import Sample
from astro_hier.models.binary_population.figures import LIKELY
from astro_hier.models.binary_population.tables import companion_probability, describe
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.models.orbits import curves

PANELS = 16
SURE = 0.995  # probability above which a title does not state it
SMALL = {"fontsize": 8}
RATIO = 3, 1  # heights of a panel and of its residuals


def plot_data(model, stars=None, fig=None):
    """Velocities with their standard errors against time, one panel for each star.

    Parameters
    ----------
    stars : list, optional
        Identifiers of the stars to draw; by default the first sixteen.
    fig : `~matplotlib.figure.Figure`, optional
        Where to draw.

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
    data = model.fitted_data()
    numbers = _numbers(data, stars)
    fig, places = _panels(len(numbers), fig, height=2.0)
    for place, n in zip(places, numbers, strict=True):
        ax, visits = fig.add_subplot(place), data.visits(n)
        plots.errorbar(ax, visits.time, visits.rv, visits.rv_error)
        ax.set_title(str(data.stars[n]), **SMALL)
        ax.tick_params(labelsize=7)
    _label(fig, data, numbers, "time since first visit [d]")
    return fig


def plot_phase(model, stars=None, fig=None):
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
    fig : `~matplotlib.figure.Figure`, optional
        Where to draw.

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
    data = model.fitted_data()
    numbers = _numbers(data, stars)
    fig, places = _panels(len(numbers), fig, height=2.6)
    found, companion = describe(model, numbers), companion_probability(model)
    for place, n, (row, orbits) in zip(places, numbers, found, strict=True):
        top = _folded(fig, place, data, n, *orbits)
        if companion[n] < LIKELY:
            top.lines[len(orbits[-1]["P"])].set(ls="--", lw=1)  # the best orbit
        says = [] if model.companion_fraction is None else [f"companion: {_percent(companion[n])}"]
        top.set_title("\n".join([str(data.stars[n]), *says, *_caption(row)]), **SMALL)
    of = data.orbit.phase_label.partition(" / ")[0]
    _label(fig, data, numbers, f"{of} / P")
    return fig


def _folded(fig, place, data: Sample, n: int, error, best, few):
    """One star's velocities and orbits against phase, and residuals; returns the upper axes."""
    top, bottom = place.subgridspec(2, 1, height_ratios=RATIO, hspace=0).subplots(sharex=True)
    visits, linear = data.visits(n), best["linear"][:, 0]
    best, few = ({**of, **data.named(of["linear"])} for of in (best, few))
    expected = data.orbital(visits.time, best)[0]
    rv = visits.rv - visits.constant[:, 1:] @ linear[3:]
    phase = data.orbit.phase(visits.time, best)
    curve = curves.folded(top, data, few, best)
    plots.errorbar(top, phase, rv, error)
    curves.frame(top, rv, error, curve)
    bottom.axhline(0, color="C1", zorder=0, lw=1)
    plots.errorbar(bottom, phase, rv - expected, error)
    for ax in (top, bottom):
        ax.tick_params(labelsize=7)
    top.tick_params(labelbottom=False)
    bottom.locator_params(axis="y", nbins=3)
    first, last = data.orbit.phases
    bottom.set(xlim=(first, last), xticks=(first, 0.5 * (first + last), last))
    return top


def _caption(row) -> list[str]:
    """What a panel says of its star, a list of lines."""
    said = orbit_checks.caveat(row["ln_bayes_factor"], row["K_upper"], row["period_information"])
    said = [line.replace("needed: ", "needed:\n") for line in said]
    if row["ln_bayes_factor"] < orbit_checks.MIN_LN_BAYES:
        return said
    of_orbit = f"P = {row['P_map']:.6g} d"
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


def _panels(count: int, fig, height: float) -> tuple[Any, Iterable[Any]]:
    """A figure, and the places of ``count`` panels in it."""
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    fig = plots.figure(fig, figsize=(2.6 * columns + 0.4, height * rows + 0.6))
    grid = fig.add_gridspec(rows, columns)
    return fig, [grid[n // columns, n % columns] for n in range(count)]


def _label(fig, data: Sample, numbers, x: str) -> None:
    """Names of the axes, and how many stars are not shown."""
    few = f"\n{len(numbers)} of {len(data.stars)} stars; others with stars=[...]"
    fig.supxlabel(x + (few if len(numbers) < len(data.stars) else ""), fontsize="medium")
    fig.supylabel("radial velocity [km/s]", fontsize="medium")
