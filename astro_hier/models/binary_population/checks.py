"""What is said of a population of orbits that was fitted."""

import numpy as np

from astro_hier import checks
from astro_hier.core import orbit_evidence, population_star
from astro_hier.models.binary_population.tables import thinned
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.models.orbits.model import KMS

OUTSIDE = 0.05  # share of the population beyond the range that is warned of
RANGE = checks.define(
    "outside_range",
    limit=f"at most {100 * OUTSIDE:.0f} percent",
    said="{found} percent of the population lie beyond the periods searched, {shortest_period:.6g}"
    " to {longest_period:.6g} d, where no star is looked for",
    python="widen period_range, or use population=populations.TruncatedNormal()",
    shell="widen --set period_range='LOW d, HIGH d', or use --set population=TruncatedNormal",
)


def diagnose(model, data, values, method):
    theta = {name: values[name] for name in model.sampled_names()}
    outside = model.population.outside(theta, model._log_ends(data)).sum(axis=0)
    outside = float(np.mean(outside))
    shortest, longest = data["ends"]
    bayes, nats = _star_evidence(model, data, theta)
    return {
        "outside_range": outside,
        "stars_without_orbit": int(np.sum(bayes < orbit_checks.LEAST_LN_BAYES)),
        "stars_without_period": int(np.sum(nats < orbit_checks.LEAST_INFORMATION)),
        "shortest_period": float(shortest),
        "longest_period": float(longest),
        "period_error": max(star.error for star in data["summaries"]),
    }


def check(model, data, values, attrs, method):
    outside = attrs["outside_range"]
    words = orbit_checks.causes(model, attrs, "period_range")
    findings = [
        RANGE.finding(f"{100 * outside:.0f}", outside > OUTSIDE, **attrs),
        _check_fits(model, data, words),
    ]
    if model.jitter is not None:
        findings.append(_check_jitters(model, data, words))
    findings.append(_check_linear(model, data))
    findings += _check_stars(model, data, values)
    worst = int(np.argmax([star.error for star in data["summaries"]]))
    error = orbit_checks.of_error(attrs["period_error"], data["stars"][worst])
    return [*findings, error]


def _check_fits(model, data, words):
    """Whether the best orbits of all stars explain their velocities."""
    p = np.array(
        [
            orbit_evidence.tail_probability(
                star.chi2, len(rows) - 1 - model._n_adjusted(data, rows)
            )
            for star, rows in zip(data["summaries"], data["visits"], strict=True)
        ]
    )
    least = orbit_checks.LEAST_P_OF_SAMPLE / len(p)
    found = orbit_checks.named(data["stars"], p < least, p, lambda n: orbit_checks.in_words(p[n]))
    return orbit_checks.GOODNESS.finding(
        found, bool(np.any(p < least)), of="orbits", least=least, **words
    )


def _check_jitters(model, data, words):
    """Whether jitters are far beyond the errors."""
    ratio, hiding = np.zeros((2, len(data["stars"])))
    for n, (star, rows) in enumerate(zip(data["summaries"], data["visits"], strict=True)):
        number, error = data["instrument_index"][rows], data["rv_error"][rows]
        for i in np.unique(number):
            median, prior = np.median(error[number == i]), model._jitter_prior()
            ratio[n] = max(ratio[n], star.scatter[i] / median)
            hiding[n] += orbit_checks.is_hiding(star.least_scatter[i], median, prior)

    def say(n):
        return orbit_checks.times_the_error(ratio[n])

    found = orbit_checks.named(data["stars"], hiding > 0, -ratio, say)
    return orbit_checks.JITTER.finding(found, bool(hiding.any()), **words)


def _check_linear(model, data):
    """Whether the linear parameters of the best orbits lie where their priors expect them."""
    names = model._linear_names()
    units = [model.parameter(name).unit for name in names]
    given = [model.prior_of(name) for name in names]
    values = np.array([star.linear for star in data["summaries"]]).T
    if model.instrument:
        names = names + [f"offset[{of}]" for of in data["instruments"][1:]]
        units += [KMS] * (len(names) - len(units))
        given += [model.prior_of("offset")] * (len(names) - len(given))
    return orbit_checks.of_linear(names, units, values, given, len(data["stars"]))


def _check_stars(model, data, values):
    """Whether the stars have orbits, and their visits something to say about the periods."""
    theta = {name: values[name] for name in model.sampled_names()}
    bayes, nats = _star_evidence(model, data, theta)
    no_orbit = bayes < orbit_checks.LEAST_LN_BAYES
    unknown = nats < orbit_checks.LEAST_INFORMATION
    found = [
        orbit_checks.named(data["stars"], no_orbit, bayes, lambda n: f"ln B = {bayes[n]:.1f}"),
        orbit_checks.named(data["stars"], unknown, nats, lambda n: f"{nats[n]:.2g} nat"),
    ]
    return [
        orbit_checks.of_orbit(model, found[0], no_orbit.any()),
        orbit_checks.INFORMATION.finding(found[1], bool(unknown.any())),
    ]


def _star_evidence(model, data, theta):
    """Of each star ln of its Bayes factor, and what its visits say about its period."""
    _, *mean = model._population_on_grid(data, thinned(theta))
    return np.transpose(
        [population_star.significance(star, data["grid"], *mean) for star in data["summaries"]]
    )
