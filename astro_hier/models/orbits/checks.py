"""Checks of fitted orbits, the same for one star and for a population.

Each check asks a question of a star's visits:

- Does a circular orbit describe them within the errors? The tail probability of chi2 at the best
  orbit tells, whatever their number.
- Do they scatter by as much as their errors? Even about a constant velocity they should.
- Does a jitter hide what the orbit does not describe? Probably, if it is many times the errors.
- Do the linear parameters lie where their priors expect them?
- Is an orbit needed? The ln Bayes factor of the orbit over a constant velocity tells.
- Do they constrain the period? The divergence of its posterior from its prior tells.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import chi2, norm

from astro_hier import checks, priors
from astro_hier.models.orbits.terms import Linear
from astro_hier.models.orbits.velocity import KMS
from astro_hier.posterior import Units

MIN_P = 1e-3  # p of chi2 for one star: one star in a thousand is warned about by chance
MIN_P_OF_SAMPLE = 0.01  # for the smallest p among all stars
MIN_P_OF_SCATTER = 1e-4  # p of a chi2 that is too small: of one star in 10,000 by chance
MAX_JITTER = 3.0  # over the median error
SURE = 0.05  # share of a jitter's posterior, or prior, that may lie below the limit
MAX_DEVIATION = 4.0  # standard deviations of the prior
MIN_LN_BAYES = 3.0  # odds of 20 to 1, "strong" evidence (Kass & Raftery 1995, JASA 90, 773)
MIN_INFORMATION = 1.0  # nat: with less, the posterior fills more than 1/e of its prior
MAX_ERROR = 0.02
MAX_ERROR_OF_SAMPLE = 0.1  # larger, because a single star counts for little
MAX_NAMED = 5
SMALLEST_P = 1e-300  # that is still printed as a number
OWN = Units(None, {})

GOODNESS = checks.define(
    "goodness_of_fit",
    limit="a tail probability of chi2 of at least {least:.2g}",
    said="chi2 per degree of freedom is higher than chance allows at the best {of} ({found}, the"
    " probability of so much scatter by chance): the stated errors do not explain the scatter, and"
    " the posterior is narrower than the data warrant",
    python="{causes}",
    shell="{causes_shell}",
)
SCATTER = checks.define(
    "small_scatter",
    limit=f"p of at least {MIN_P_OF_SCATTER:g}",
    said="the velocities scatter less than their errors, about a constant velocity and all the more"
    " about an orbit (chi2 per degree of freedom {found} the probability of so little by chance)",
    python="check the unit of rv_error, and that the errors are those of single visits",
    shell="check the unit of rv_error, and that the errors are those of single visits",
)
JITTER = checks.define(
    "jitter",
    limit=f"not surely above {MAX_JITTER:g} times the median error",
    said="the jitter is far larger than the stated errors ({found}), and may hide what {orbit} does"
    " not describe",
    python="{causes}",
    shell="{causes_shell}",
)
OFFSET = checks.define(
    "offset",
    limit="within {most:.2g} standard deviations of its prior",
    said="the prior does not expect {found}: it biases the value and lowers the evidence",
    python="check the units of the table, or widen the prior: {arguments}",
    shell="check the units of the table, or widen the prior: {arguments_shell}",
)
AMPLITUDE = checks.define(
    "amplitude",
    limit=f"a probability of so large a K under its prior of at least {MIN_P:.2g}",
    said="the prior does not expect so large an amplitude, K is {found}: it biases K, and with it"
    " P and e, and lowers the evidence",
    python="check the units of the table, or widen {prior!r} by a factor of {wider:.1g} or more",
)
ORBIT = checks.define(
    "orbit",
    limit=f"ln Bayes factor of an orbit over none of at least {MIN_LN_BAYES:g}",
    said="no orbit is needed: a constant velocity{too} explains the visits as well ({found})",
    python="quote an upper limit on K, and take no period as found",
)
INFORMATION = checks.define(
    "period_information",
    limit=f"at least {MIN_INFORMATION:g} nat",
    said="the visits say next to nothing about the period, whose posterior is hardly narrower than"
    " its prior ({found})",
    python="the period is the prior's, not a measurement; more visits are needed",
)
SEARCH = checks.define(
    "search",
    limit="an effective size, and shares of the probability, that show nothing was missed",
    said="the search for eccentric orbits may have missed some, or weighed them roughly ({found})",
    python="narrow the range of P= or of eccentricity=, and see whether the result stays; more"
    " visits, or errors that are not too small, decide between orbits",
)
PERIOD_ERROR = checks.define(
    "period_error",
    limit="at most {most} standard deviations",
    said="the mean of ln P{of} is only good to {found} standard deviations",
    python="the stated errors make the period so precise that rounding shows: check them",
)


def check_error(error, star=None):
    """Whether the period is integrated well; ``star`` is the worst of several."""
    of, most = "", MAX_ERROR
    if star is not None:
        of, most = f" of {star}", MAX_ERROR_OF_SAMPLE
    return PERIOD_ERROR.finding(f"{error:.2g}", bool(error > most), of=of, most=most)


def check_search(shortcomings: Sequence[tuple[str, float]], effective: float) -> checks.Finding:
    """Whether eccentric orbits were searched well; names and values of what falls short."""
    listed = ", ".join(f"{name} {value:.2g}" for name, value in shortcomings)
    return SEARCH.finding(listed or f"effective size {effective:.0f}", bool(shortcomings))


def check_orbit(model, found, failed):
    """Whether an orbit is needed, with everything else in the model unchanged."""
    too = " and ".join(f"this {name}" for name in ("trend", "jitter") if name in _used(model))
    return ORBIT.finding(found, bool(failed), too=f" with {too}" if too else "")


def _used(model):
    """Names of the model's parameters, with the order of a trend's left off."""
    return {parameter.name.rstrip("0123456789") for parameter in model.parameters}


def check_information(nats):
    """Whether the visits of one star say something about its period."""
    return INFORMATION.finding(f"{nats:.2g} nat", nats < MIN_INFORMATION)


def caveat(log_bayes, upper, nats, units=OWN):
    """Caveats to head a figure of an orbit with, a list of lines."""
    if log_bayes < MIN_LN_BAYES:
        return [f"no orbit needed: {in_short(log_bayes, upper, units)}"]
    return ["visits do not constrain the period"] if nats < MIN_INFORMATION else []


def in_short(log_bayes, upper, units=OWN):
    """Whether a star's orbit is needed, in words."""
    return f"ln B = {log_bayes:.1f}, K < {units.say(upper, KMS, 'K', digits='.3g')}"


def in_words(p):
    """A tail probability, in words."""
    return f"p = {p:.1g}" if p > SMALLEST_P else f"p < {SMALLEST_P:g}"


def times_the_error(ratio):
    """A jitter over the median error, in words."""
    return f"{ratio:.{0 if ratio >= 10 else 1}f} times the median error"


def causes(model, attrs, periods):
    """Why orbits may fail to describe velocities, the likeliest cause first.

    Options already in use are not suggested. ``periods`` is the argument that sets the periods
    searched, or None if the period is known. Returns the words for Python and for the shell.
    """
    words = {
        "causes": {
            "eccentric": "eccentricity=True",
            "distant": "trend=1",
            "periods": f"{periods}=",
            "jitter": "jitter=priors.LogUniform(0.01 * u.km / u.s, 10 * u.km / u.s)",
        },
        "causes_shell": {
            "eccentric": "--set eccentricity=True",
            "distant": "--set trend=1",
            "periods": f"--prior '{periods}=...'" if periods == "P" else f"--set {periods}=...",
            "jitter": "--prior 'jitter=LogUniform(0.01 km/s, 10 km/s)'",
        },
    }
    return {name: _in_order(model, attrs, periods, of) for name, of in words.items()}


def _in_order(model, attrs, periods, sets):
    """The causes in words, with what ``sets`` right each of them."""
    look = "plot_phase()" if model.of_each else "the residuals in plot_phase()"
    distant = f"; for a distant one {sets['distant']} is enough"
    found = [f"a second companion (see {look}{'' if 'trend' in _used(model) else distant})"]
    if periods:
        searched = "{shortest_period:.6g} to {longest_period:.6g} d".format_map(attrs)
        beyond = f"a period outside the range searched, {searched}"
        found.append(f"{beyond}, which {sets['periods']} sets")
    else:
        found.append("a given P that is wrong")
    inferred = " by that much" if "jitter" in _used(model) else f", which {sets['jitter']} infers"
    found.append(f"errors that are too small{inferred}")
    found.append("single velocities that are wrong")
    look_for = f"look for, the likeliest first, {', '.join(found[:-1])}, or {found[-1]}"
    if model.is_eccentric:
        return look_for
    eccentric, alone = sets["eccentric"], " such a star on its own" if model.of_each else ""
    return (
        f"fit{alone} with {'SB1Binary and ' if alone else ''}{eccentric} first, for most orbits of"
        f" more than ten days are eccentric; then {look_for}"
    )


def one_orbit(model) -> str:
    """What a model describes, in words."""
    return "a single Keplerian orbit" if model.is_eccentric else "a circular orbit"


def is_hiding(low, error, prior):
    """Whether a jitter is far larger than the errors, and its prior did not say so.

    ``low`` is the value that all but `SURE` of its posterior exceeds, ``error`` the median error.
    """
    limit = MAX_JITTER * error
    return low > limit and prior.cdf(limit) > SURE


def check_amplitude(prior: Any, ratio: np.ndarray) -> checks.Finding:
    """Whether the semi-amplitude is one that its Rayleigh prior expects.

    Parameters
    ----------
    prior : object
        What the user gave.
    ratio : ndarray
        Draws of K over the scale of the prior at the same period and eccentricity.
    """
    typical = float(np.median(ratio))
    p = np.exp(-0.5 * typical**2)
    return AMPLITUDE.finding(
        f"{typical:.2g} times its width", bool(p < MIN_P), prior=prior, wider=typical
    )


def check_scatter(rv: np.ndarray, error: np.ndarray) -> checks.Finding:
    """Whether velocities scatter by as much as their errors about their weighted mean."""
    weight, dof = error**-2 / np.sum(error**-2), len(rv) - 1
    if dof < 1:
        return SCATTER.finding("not tested: there is one visit", False)
    sum_of_squares = float(np.sum(((rv - weight @ rv) / error) ** 2))
    p = float(chi2.cdf(sum_of_squares, dof))
    return SCATTER.finding(f"{sum_of_squares / dof:.3g}, p = {p:.2g},", p < MIN_P_OF_SCATTER)


def check_linear(columns: Sequence[Linear], values: np.ndarray, n_stars: int = 1) -> checks.Finding:
    """Whether linear parameters lie where their normal priors expect them.

    Parameters
    ----------
    columns : list of Linear
        Those without a normal prior are not checked.
    values : ndarray
        Shape (column, star); NaN where a star does not have the parameter.
    n_stars : int, optional
        Number of stars in the sample.
    """
    z = _deviations(columns, values)
    most = max(MAX_DEVIATION, norm.isf(0.5 * MIN_P_OF_SAMPLE / max(n_stars, 1)))
    far, arguments, shell = [], {}, {}
    for i in np.flatnonzero(z.max(axis=1) > most).tolist():
        star, column = np.argmax(z[i]), columns[i]
        of = f" (of {np.sum(z[i] > most)} of {n_stars} stars) of up to" if n_stars > 1 else " of"
        far.append(f"{column.label}{of} {values[i, star]:.4g} {column.unit} ({z[i, star]:.0f} sd)")
        name = column.name
        if name.startswith("trend"):
            arguments["trend"] = shell["trend"] = "trend=, a tuple of priors"
        else:
            wide = float(f"{np.abs(values[i, star]):.1g}")
            arguments[name] = f"{name}=priors.Normal(0 * u.km / u.s, {wide:g} * u.km / u.s)"
            shell[name] = f"--prior '{name}=Normal(0 km/s, {wide:g} km/s)'"
    return OFFSET.finding(
        "; ".join(far) or f"at most {z.max(initial=0):.1f} standard deviations",
        bool(far),
        most=most,
        arguments=", ".join(arguments.values()),
        arguments_shell=", ".join(shell.values()),
    )


def _deviations(columns, values):
    """Distances from the means of normal priors, in standard deviations, (column, star)."""
    mean, sd = np.full((2, len(columns)), np.nan)
    for i, column in enumerate(columns):
        if isinstance(column.prior, priors.Normal):
            mean[i], sd[i] = column.prior.frozen(column.unit).stats("mv")
    return np.nan_to_num(np.abs(values - mean[:, None]) / np.sqrt(sd)[:, None])


def named(stars, bad, order, say):
    """How many stars are bad, and which are worst: those of the smallest ``order``."""
    worst = [n for n in np.argsort(order, kind="stable") if bad[n]][:MAX_NAMED]
    listed = ", ".join(f"{stars[n]}: {say(n)}" for n in worst)
    more = ", ..." if np.sum(bad) > MAX_NAMED else ""
    return f"{np.sum(bad)} of {len(bad)} stars" + (f", {listed}{more}" if worst else "")
