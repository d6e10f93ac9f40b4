"""Checks of the fitted orbit of one star."""

from typing import Any

import numpy as np

from astro_hier import checks
from astro_hier.checks import Finding
from astro_hier.core import orbit_evidence
from astro_hier.inference.edges import PRIOR_EDGE
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.models.orbits.amplitudes import ScaledAmplitudes
from astro_hier.models.sb1_binary.data import OneStar

EDGE, MAX_AT_EDGE = 0.02, 0.5  # of the range of e, and share of its posterior
MAX_OTHER_MODES = 0.05  # probability of all modes except the best
SEVERAL_PERIODS = checks.define(
    "several_periods",
    limit="one",
    said="the data allow {found} periods of more than 1 percent probability between"
    " {shortest_period:.6g} and {longest_period:.6g} d, the best with {best:.0f} percent, and mean"
    " and sd of P describe none of them{stays}",
    python="see modes() and plot_periodogram(){instead}",
    shell="see the table of modes and the periodogram{instead_shell}",
)
# ln of the likelihood ratio that velocities which do not decide between periods reach by chance
MAX_LN_RATIO_BEYOND = np.log(2)
PERIOD_RANGE = checks.define(
    "period_range",
    limit="at most twice the average likelihood within the range",
    said="periods outside the range searched, {shortest_period:.6g} to {longest_period:.6g} d, fit"
    " better, {found}",
    python="widen the range, such as with"
    " P=priors.LogUniform({low:.3g} * u.day, {high:.0f} * u.day)",
    shell="widen the range, such as with --prior 'P=LogUniform({low:.3g} d, {high:.0f} d)'",
)


def diagnose(model, data: OneStar, values, method: str) -> dict[str, Any]:
    best = [int(np.argmax(values["log_prob"]))]
    # the best draw's own jitter would be too small, because that raises its density
    one = {name: values[name][best] for name in values} | data.scatter.mean(values)
    chi2 = np.sum(((data.rv - data.velocity(one)) / data.errors(one)) ** 2)
    dof = data.degrees_of_freedom
    shortest, longest = data.searched
    found = {
        "chi2_per_dof": float(chi2 / dof) if dof > 0 else np.nan,
        "p_chi2": float(orbit_evidence.tail_probability(chi2, dof)),
        "shortest_period": float(shortest),
        "longest_period": float(longest),
        "K_upper": float(np.quantile(values["K"], 0.95)),
    }
    if data.is_closed:
        found |= _evidence(data)
    star = str(data.stars[0])
    return found | ({"star": star} if star else {})


def _evidence(data):
    """Attributes that follow from the integrals over all orbits."""
    found = {
        "n_modes": int(np.sum(data.mode_probabilities > 0.01)),
        "period_information": data.information,
    }
    if data.visits.sd[:2].any():
        found["ln_bayes_factor"] = float(data.log_evidence - data.log_evidence_without_orbit)
    return found


def check(model, data: OneStar, values, attrs, method: str) -> list[Finding]:
    words = orbit_checks.causes(model, attrs, None if data.period_is_known else "P")
    words["orbit"] = orbit_checks.one_orbit(model)
    searched = data.is_closed and not data.period_is_known
    findings = [
        _check_fit(attrs, words),
        orbit_checks.check_scatter(data.rv, data.rv_error),
        *(_check_jitter(data, values[p.name], words) for p in data.scatter.parameters),
        orbit_checks.check_linear(data.linear, data.stacked(values).mean(axis=1)[:, None]),
    ]
    amplitudes = data.terms[0]
    if isinstance(amplitudes, ScaledAmplitudes):
        ratio = amplitudes.over_scale(values)
        findings.append(orbit_checks.check_amplitude(amplitudes.given, ratio))
    if "e" in model.free_names():
        findings.append(_check_edge(model.frozen_priors()["e"].support(), values["e"]))
    if searched:  # first, because a failure here explains all others
        findings.insert(0, _check_range(data, attrs))
    if "ln_bayes_factor" in attrs:
        bayes = attrs["ln_bayes_factor"]
        found = orbit_checks.in_short(bayes, attrs["K_upper"])
        findings.append(orbit_checks.check_orbit(model, found, bayes < orbit_checks.MIN_LN_BAYES))
    if data.is_closed:
        findings += data.findings()
    if searched:
        findings.append(orbit_checks.check_information(attrs["period_information"]))
        findings.append(_check_modes(data, attrs, method))
    return findings


def _check_edge(support, e):
    """Whether the prior cuts off the posterior of the eccentricity, other than at 0."""
    near = EDGE * (support[1] - support[0])
    pressed = [
        f"e (posterior mean {e.mean():.4g}; the edge at {end:.4g})"
        for end in support
        if 0 < end < 1 and np.mean(np.abs(e - end) < near) > MAX_AT_EDGE
    ]
    return PRIOR_EDGE.finding(", ".join(pressed) or "no parameter", bool(pressed))


def _check_fit(attrs, words):
    p = attrs["p_chi2"]
    found = "not tested: with as few visits as parameters, any orbit fits"
    if np.isfinite(p):
        found = f"{attrs['chi2_per_dof']:.3g}, {orbit_checks.in_words(p)}"
    return orbit_checks.GOODNESS.finding(
        found,
        p < orbit_checks.MIN_P,
        of=words["orbit"].removeprefix("a "),
        least=orbit_checks.MIN_P,
        **words,
    )


def _check_jitter(data, jitters, words):
    found, hiding = [], False
    names = [""] if data.scatter.is_common else data.instruments
    number = data.scatter.numbers(data.instrument)
    for i, (name, of_one) in enumerate(
        zip(names, jitters.reshape(len(jitters), -1).T, strict=True)
    ):
        error = np.median(data.rv_error[number == i])
        low, mean = np.quantile(of_one, orbit_checks.SURE), of_one.mean()
        hiding |= bool(orbit_checks.is_hiding(low, error, data.scatter.prior))
        of = f" of {name}" if str(name) else ""
        found.append(f"{mean:.3g} km/s{of}, {orbit_checks.times_the_error(mean / error)}")
    return orbit_checks.JITTER.finding("; ".join(found), hiding, **words)


def _check_range(data, attrs):
    """Whether periods outside the range that the prior allows fit better than all within."""
    if data.why_not_beyond:
        return PERIOD_RANGE.finding(data.why_not_beyond, False)
    try:
        ratio, period, low, high = data.beyond()
    except ValueError as error:
        return PERIOD_RANGE.finding(f"not searched: {error}", False)
    factor = f"{np.exp(ratio):.2g}" if ratio < 20 else f"exp({ratio:.0f})"
    said = f"on average by a factor of {factor}, the best at {period:.6g} d"
    return PERIOD_RANGE.finding(
        said if np.isfinite(period) else "nothing of note",
        bool(ratio > MAX_LN_RATIO_BEYOND),
        low=low,
        high=high,
        **attrs,
    )


def _check_modes(data, attrs, method):
    n_modes, best = attrs["n_modes"], data.mode_probabilities.max()
    nuts = method == "nuts"
    return SEVERAL_PERIODS.finding(
        str(n_modes),
        n_modes > 1 or best < 1 - MAX_OTHER_MODES,
        best=100 * best,
        stays=", and NUTS stays in the one where it starts" if nuts else "",
        instead=", or fit with method='marginal'" if nuts else "",
        instead_shell=", and use --method marginal" if nuts else "",
        **attrs,
    )
