"""Figures of one orbit: velocities against time and phase, and the posterior of the period."""

from typing import TYPE_CHECKING

import astropy.units as u
import numpy as np

from astro_hier import plots
from astro_hier.core.thinning import evenly
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.models.orbits import curves
from astro_hier.models.orbits.ellipse import TURN, unbroken
from astro_hier.models.orbits.velocity import KMS
from astro_hier.models.sb1_binary.tables import draws_of
from astro_hier.posterior import Parameter, UnitLike, units_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVES = 64
MAX_CYCLES = 80  # that are drawn one by one
PER_CYCLE = 40  # points of a curve in time
LINEAR_DEPTH = 10.0  # of the periodogram, in ln p
MANY_PERIODS = 20_000  # above which vector graphics hold an image of them
PHASE = Parameter("phase", u.rad, r"\phi", "phase of the highest velocity", turn=TURN)
VELOCITY = KMS, "rv", "K", "v0"  # what an axis of velocities shows
MODE_GAP = 0.25  # between neighbouring draws of two modes, in cycles over the baseline


def plot_data(
    model, ax: "Axes | None" = None, fig: "Figure | None" = None, unit: UnitLike = None
) -> "Axes":
    """Velocities with their standard errors against time, and orbits from the posterior.

    If there are too many cycles to see, a band shows their range instead, which for circles is
    v0 +- K. Instrument offsets are subtracted, and errors include the jitter, both from the best
    draw.

    Parameters
    ----------
    ax, fig : `~matplotlib.axes.Axes`, `~matplotlib.figure.Figure`, optional
        Where to draw: on these axes, or on new ones in the figure.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
    >>> ax = star.plot_data()
    """
    units = units_of(model, unit)
    data = model.fitted_data()
    best, _ = _best(model)
    rv, _, error = _corrected(data, best, trend=False)
    ax = plots.axes(ax, fig, figsize=(plots.PAGE, 3.2))
    span = max(np.ptp(data.time), 2 * float(best["P"][0]))
    drawn = _few_draws(model)
    cycles = span / np.median(drawn["P"])
    if cycles < MAX_CYCLES:
        time = data.orbit.times(-0.02 * span, 1.02 * span, drawn, PER_CYCLE)
        first, *_ = ax.plot(time.T, data.velocity_at(time, drawn).T, **curves.FAINT)
        first.set_label("draws")
        time = data.orbit.times(0, span, best, PER_CYCLE)
        curves.frame(ax, data.time, rv, error, data.velocity_at(time, best))
    else:
        time = np.linspace(0, span, 100)
        # without an amplitude, v0 and the trend are left
        middle = data.velocity_at(time, data.terms[0].without(drawn))
        ends = data.orbit.extremes(drawn)
        low, high = (np.median(middle + end[:, None], axis=0) for end in ends)
        label = data.orbit.range_label
        ax.fill_between(time, low, high, label=label, **plots.BAND)
        curves.frame(ax, data.time, rv, error, np.array([low, high]))
    curves.visits(ax, data.time, rv, error, data.instrument, data.instruments)
    ax.set(xlabel="time since first visit [d]", ylabel="radial velocity [km/s]")
    _legend_above(ax)
    _head(ax, model, units)
    plots.rescale(ax, units, (u.day, "time"), VELOCITY)
    return ax


def plot_phase(
    model, fig: "Figure | None" = None, ax: "Axes | None" = None, unit: UnitLike = None
) -> "Figure":
    """Velocities folded at the best draw of the most probable mode, and residuals below.

    Phases of an ellipse count from the best draw's periastron, those of a circle from the first
    visit. The curves are draws with a period in that mode, each folded at its own period. If there
    are other modes, the title gives the share of draws in this one; it also says if no orbit is
    needed, or if the visits do not constrain the period. Instruments differ in colour and mark.
    Error bars are standard errors that include the jitter of the best draw; the best draw's trend
    and instrument offsets are subtracted.

    Parameters
    ----------
    fig, ax : `~matplotlib.figure.Figure`, `~matplotlib.axes.Axes`, optional
        Where to draw: in this figure, or in place of these axes.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

    Returns
    -------
    `~matplotlib.figure.Figure`

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
    >>> fig = star.plot_phase()
    """
    units = units_of(model, unit)
    fig = plots.figure(fig, ax, figsize=(plots.SINGLE, 4))
    top, bottom = fig.subplots(2, 1, sharex=True, height_ratios=(5, 2))
    data, (best, share) = model.fitted_data(), _best(model)
    rv, residual, error = _corrected(data, best, trend=True)
    period = best["P"][0]
    phase = data.orbit.phase(data.time, best)
    curve = curves.folded(top, data, _few_draws(model, near_period=period), best)
    of = error, data.instrument, data.instruments
    curves.visits(top, phase, rv, *of)
    curves.frame(top, phase, rv, error, curve)
    bottom.axhline(0, color=plots.BEST, zorder=0)
    curves.visits(bottom, phase, residual, *of)
    curves.frame(bottom, phase, residual, error, np.zeros(1))
    attrs = model.posterior.attrs
    chi2 = attrs["chi2_per_dof"]
    title = f"P = {units.say(period, u.day, 'P')}"
    title += f", $\\chi^2$/dof = {chi2:.3g}" if chi2 == chi2 else ""
    if share < 0.995:
        title += f", {100 * share:.0f}% of draws"
    star = [plots.verbatim(attrs["star"])] if attrs.get("star") else []
    top.set_title("\n".join([*star, *_caveat(attrs, units), title]), fontsize="small")
    top.set_ylabel("radial velocity [km/s]", fontsize="small")
    bottom.set_ylabel("residual [km/s]", fontsize="small")
    bottom.set_xlabel(
        data.orbit.phase_label.format(P=units.say(period, u.day, "P")), fontsize="small"
    )
    fig.align_ylabels([top, bottom])
    plots.legend_outside(fig, top)
    plots.rescale((top, bottom), units, y=VELOCITY)
    return fig


def plot_periodogram(
    model, ax: "Axes | None" = None, fig: "Figure | None" = None, unit: UnitLike = None
) -> "Axes":
    """The posterior of the period over the whole range, with all else integrated out.

    The ordinate is ln of the density of P, prior included, relative to its maximum: linear down to
    -10, so that modes of comparable probability can be told apart, and logarithmic beyond.

    Parameters
    ----------
    ax, fig : `~matplotlib.axes.Axes`, `~matplotlib.figure.Figure`, optional
        Where to draw: on these axes, or on new ones in the figure.
    unit : unit, list or dict, optional
        Units of the axes, as in `summary`.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
    >>> ax = star.plot_periodogram()
    """
    units = units_of(model, unit)
    ax = plots.axes(ax, fig, figsize=(plots.PAGE, 3.2))
    data = model.fitted_data()
    prior, (shortest, longest) = data.period, data.searched
    if shortest == longest:
        raise plots.NothingToDraw(f"P={model.P!r} is given: it has no posterior to draw")
    period, log_p = data.periodogram()
    log_p = log_p + prior.logpdf(period)
    log_p -= log_p.max()
    lowest = min(log_p[np.isfinite(log_p)].min(), -LINEAR_DEPTH)
    log_p = np.maximum(log_p, lowest)  # no orbit was kept where it is -infinity
    ax.plot(period, log_p, lw=0.6, color=plots.ink(ax), rasterized=len(period) > MANY_PERIODS)
    best = _best(model)[0]["P"]
    height = np.interp(best, period, log_p)
    ax.plot(best, height, "v", color=plots.BEST, label="best draw of the most probable mode")
    ax.set(xlabel="period $P$ [d]", ylabel=r"$\ln p(P \mid v)$ - maximum")
    ax.set_xlim(shortest, longest)
    plots.log_axis(ax)
    ax.set_yscale("symlog", linthresh=LINEAR_DEPTH, linscale=2)
    ax.set_yticks([0, -0.5 * LINEAR_DEPTH, *-(LINEAR_DEPTH ** np.arange(1, 8))])
    ax.set_ylim(lowest, 1)
    ax.yaxis.set_major_formatter("{x:g}")
    _legend_above(ax)
    _head(ax, model, units)
    plots.rescale(ax, units, (u.day, "P"))
    return ax


def drawn_names(model):
    """Parameters that corners and traces show by default.

    Those without a prior of their own are shown too, such as K, but not t_peri: its panels would
    repeat those of omega, with which it goes along unless e is large. K and the phase stand for a
    and b.
    """
    shown, replaced = _varying(model) - {"t_peri"}, coordinate_names(model)
    if not replaced:
        return [p.name for p in model.parameters if p.name in shown]
    return (
        ["P"] * ("P" in shown)
        + ["K", PHASE.name]
        + [p.name for p in model.parameters if p.name in shown - {"P", "K", *replaced}]
    )


def coordinate_names(model):
    """The amplitudes of cosine and sine, if both vary: K and the phase say the same."""
    return ["a", "b"] if _varying(model) >= {"a", "b"} else []


def _varying(model):
    """Names of the parameters that are inferred, or that follow from these and vary."""
    following = (
        p.name for p in model.parameters
        if not p.dims and model.owner(p.name) is None and np.ptp(model.samples(p.name).value) > 0
    )  # fmt: skip
    return {*model.free_names(), *following}


def drawn_quantities(model):
    """The phase phi of a circle, v = K cos(2 pi t / P - phi) + v0."""
    if "a" not in model.posterior:
        return []
    a, b = (model.posterior[name].values for name in ("a", "b"))
    return [(PHASE, unbroken(np.arctan2(b, a)))]


def truths_that_follow(model, truths):
    """The phase of a circle whose a and b are known."""
    if not truths.keys() >= {"a", "b"}:
        return {}
    return {PHASE.name: np.arctan2(truths["b"], truths["a"])}


def _few_draws(model, near_period=None):
    """A few draws, equally spaced among all, or among those of one mode."""
    values = draws_of(model)
    chosen = np.arange(len(values["P"]))
    if near_period is not None:
        # those whose phases drift apart by less than half a cycle until the last visit
        drift = np.abs(1 / values["P"] - 1 / near_period) * np.ptp(model.fitted_data().time)
        chosen = chosen[drift < 0.5]
    chosen = chosen[evenly(len(chosen), CURVES)]
    return {name: draws[chosen] for name, draws in values.items()}


def _best(model):
    """The best draw in the most probable mode, and the share of draws in that mode."""
    values, data = draws_of(model), model.fitted_data()
    mode = data.mode_of(values) if data.is_closed else _near(values["P"], np.ptp(data.time))
    sizes = np.bincount(mode)
    inside = np.flatnonzero(mode == np.argmax(sizes))
    best = inside[np.argmax(model.samples("log_prob").value[inside])]
    return {name: draws[[best]] for name, draws in values.items()}, sizes.max() / len(mode)


def _near(period, baseline):
    """Numbers of groups of draws; in a group, neighbours differ by a small part of a cycle."""
    order = np.argsort(period)
    gap = np.abs(np.diff(baseline / period[order])) > MODE_GAP
    mode = np.empty(len(period), int)
    mode[order] = np.concatenate([[0], np.cumsum(gap)])
    return mode


def _corrected(data, best, trend):
    """Velocities minus the best draw's offsets (and ``trend``), residuals, errors with jitter."""
    expected = data.velocity_at(data.time, best)[0]
    residual = data.rv - data.velocity(best)[0]
    if trend:
        expected = data.orbital(data.time, best)[0]
    return expected + residual, residual, data.errors(best)[0]


def _legend_above(ax):
    """A legend that hides no visits, if there is anything to explain."""
    if ax.get_legend_handles_labels()[0]:
        plots.legend_above(ax)


def _head(ax, model, units):
    """Caveats as the title, above the legend if there is one."""
    legend = ax.get_legend()
    points = 72 / ax.get_figure(root=True).dpi
    pad = {"pad": 4 + points * legend.get_window_extent().height} if legend else {}
    ax.set_title("".join(_caveat(model.posterior.attrs, units)), fontsize="small", **pad)


def _caveat(attrs, units):
    """Caveats to head a figure of the orbit with."""
    names = ("ln_bayes_factor", "K_upper", "period_information")
    return orbit_checks.caveat(*(attrs.get(name, np.inf) for name in names), units)
