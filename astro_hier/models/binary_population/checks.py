"""Checks of a fitted population of orbits."""

from typing import Any

import numpy as np

from astro_hier import checks
from astro_hier.checks import Finding
from astro_hier.core import orbit_evidence
from astro_hier.models.binary_population.data import Sample, of_population, thinned
from astro_hier.models.orbits import checks as orbit_checks

LIKELY = 0.5  # probability of a companion of a star whose orbit is looked at
MAX_VARIANCE = 1.0  # of ln of the likelihood, from injections
MAX_OUTSIDE = 0.05  # share of the population beyond the range searched
RANGE = checks.define(
    "outside_range",
    limit=f"at most {100 * MAX_OUTSIDE:.0f} percent",
    said="{found} percent of the population lie beyond the periods searched, {shortest_period:.6g}"
    " to {longest_period:.6g} d, where no star's period can be found",
    python="widen period_range, or use population=populations.TruncatedNormal()",
    shell="widen --set period_range='LOW d, HIGH d', or use --set population=TruncatedNormal",
)


SELECTION = checks.define(
    "selection",
    limit=f"a variance of at most {MAX_VARIANCE:g}",
    said="the injections are so few that the variance of ln of the likelihood is {found}",
    python="make more injections, which reach all orbits that the population may have",
)


def diagnose(model, data: Sample, values, method: str) -> dict[str, Any]:
    theta = of_population(model, data, values)
    outside = data.population.outside(theta, data.log_ends).sum(axis=0)
    shortest, longest = data.ends
    bayes, nats = data.significance_given(theta)
    return {
        "outside_range": float(np.mean(outside)),
        "stars_without_orbit": int(np.sum(bayes < orbit_checks.MIN_LN_BAYES)),
        "stars_without_period": int(np.sum(nats < orbit_checks.MIN_INFORMATION)),
        "shortest_period": float(shortest),
        "longest_period": float(longest),
        **data.accuracy(theta),
        **_of_selection(data, theta),
    }


def _of_selection(data, theta):
    """The mean Monte Carlo variance of ln of the likelihood that comes from injections."""
    if data.kept is None:
        return {}
    return {"selection_variance": float(data.selection_variance(thinned(theta)).mean())}


def check(model, data: Sample, values, attrs, method: str) -> list[Finding]:
    outside = attrs["outside_range"]
    words = orbit_checks.causes(model, attrs, "period_range")
    words["orbit"] = orbit_checks.one_orbit(model)
    return [
        RANGE.finding(f"{100 * outside:.0f}", outside > MAX_OUTSIDE, **attrs),
        *_check_selection(attrs),
        _check_fits(data, words),
        *(_check_jitters(data, words) for _ in data.scatter.parameters),
        orbit_checks.check_linear(data.linear, data.best_linear(), len(data.stars)),
        *_check_stars(model, data, values),
        *data.check_integrals(of_population(model, data, values), attrs),
    ]


def _check_selection(attrs):
    """Whether there are enough injections."""
    if "selection_variance" not in attrs:
        return []
    variance = attrs["selection_variance"]
    return [SELECTION.finding(f"{variance:.2g}", not variance <= MAX_VARIANCE)]


def _check_fits(data, words):
    """Whether every star's best orbit explains its velocities."""
    p = orbit_evidence.tail_probability(*data.goodness())
    least = orbit_checks.MIN_P_OF_SAMPLE / len(p)
    found = orbit_checks.named(data.stars, p < least, p, lambda n: orbit_checks.in_words(p[n]))
    return orbit_checks.GOODNESS.finding(
        found, bool(np.any(p < least)), of="orbits", least=least, **words
    )


def _check_jitters(data, words):
    """Whether jitters are far larger than the errors."""
    ratio, hiding = np.zeros((2, len(data.stars)))
    for n, likely, least, median in data.jitters():
        ratio[n] = max(ratio[n], likely / median)
        hiding[n] += orbit_checks.is_hiding(least, median, data.scatter.prior)

    def say(n):
        return orbit_checks.times_the_error(ratio[n])

    found = orbit_checks.named(data.stars, hiding > 0, -ratio, say)
    return orbit_checks.JITTER.finding(found, bool(hiding.any()), **words)


def _check_stars(model, data, values):
    """Whether the stars need orbits, and whether their visits constrain the periods.

    Where stars may have no companion, only those that probably have one are looked at.
    """
    theta = of_population(model, data, values)
    bayes, nats = data.significance_given(theta)
    no_orbit = bayes < orbit_checks.MIN_LN_BAYES
    unknown = nats < orbit_checks.MIN_INFORMATION
    if model.companion_fraction is not None:
        likely = data.companion_probability(thinned(theta)) > LIKELY
        no_orbit, unknown = no_orbit & likely, unknown & likely
    found = [
        orbit_checks.named(data.stars, no_orbit, bayes, lambda n: f"ln B = {bayes[n]:.1f}"),
        orbit_checks.named(data.stars, unknown, nats, lambda n: f"{nats[n]:.2g} nat"),
    ]
    return [
        orbit_checks.check_orbit(model, found[0], no_orbit.any()),
        orbit_checks.INFORMATION.finding(found[1], bool(unknown.any())),
    ]
