"""What is said of one orbit that was fitted."""

import numpy as np

from astro_hier import checks
from astro_hier.core import orbit_evidence, period_nodes
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.models.orbits.model import KMS

MOST_BESIDES = 0.05
SEVERAL_PERIODS = checks.define(
    "several_periods",
    limit="one",
    said="the data allow {found} periods of more than 1 percent probability between"
    " {shortest_period:.6g} and {longest_period:.6g} d, the best of {best:.0f} percent, and mean"
    " and sd of P describe none of them{stays}",
    python="see modes() and plot_periodogram(){instead}",
    shell="see the table of modes and the periodogram{instead_shell}",
)
MOST_LN_BEYOND = np.log(2)  # what velocities that do not decide between periods reach by chance
PERIOD_RANGE = checks.define(
    "period_range",
    limit="at most twice the average likelihood within the range",
    said="periods outside the range searched, {shortest_period:.6g} to {longest_period:.6g} d, fit"
    " better: {found}",
    python="widen the range, such as with"
    " P=priors.LogUniform({low:.3g} * u.day, {high:.0f} * u.day)",
    shell="widen the range, such as with --prior 'P=LogUniform({low:.3g} d, {high:.0f} d)'",
)


def diagnose(model, data, values, method):
    best = [int(np.argmax(values["log_prob"]))]
    one = {name: values[name][best] for name in values}
    if model.jitter is not None:  # the best draw's is that of the most parameters at once: small
        one["jitter"] = values["jitter"].mean(axis=0, keepdims=True)
    chi2 = np.sum(((data["rv"] - model._velocity(data, one)) / model._errors(data, one)) ** 2)
    dof = model._degrees_of_freedom(data)
    shortest, longest = period_nodes.searched_range(model._prior_of_period())
    found = {
        "chi2_per_dof": float(chi2 / dof) if dof > 0 else np.nan,
        "p_chi2": float(orbit_evidence.tail_probability(chi2, dof)),
        "shortest_period": float(shortest),
        "longest_period": float(longest),
        "K_upper": float(np.quantile(values["K"], 0.95)),
    }
    if model._is_linear():
        nodes = model._nodes(data)
        found["n_modes"] = int(np.sum(modes_of(nodes)[1] > 0.01))
        found["period_information"] = orbit_evidence.information(nodes)
        if data["visits"].sd[:2].any():
            constant = orbit_evidence.log_evidence_without_orbit(
                data["visits"], data["jitter_prior"]
            )
            found["ln_bayes_factor"] = float(nodes.log_evidence - constant)
    if "star" in data:
        found["star"] = str(data["star"][0])
    return found


def check(model, data, values, attrs, method):
    known = "P" not in model.free_names()
    words = orbit_checks.causes(model, attrs, None if known else "P")
    findings = []
    if model._is_linear() and not known:  # if it fails, it is what else fails is due to
        findings.append(_check_range(model, data, attrs))
    findings.append(_check_fit(model, attrs, words))
    if model.jitter is not None:
        findings.append(_check_jitter(model, data, values, words))
    findings.append(_check_linear(model, data, values))
    if "ln_bayes_factor" in attrs:
        bayes = attrs["ln_bayes_factor"]
        found = orbit_checks.in_short(bayes, attrs["K_upper"])
        findings.append(orbit_checks.of_orbit(model, found, bayes < orbit_checks.LEAST_LN_BAYES))
    if model._is_linear():
        nodes = model._nodes(data)
        findings.append(orbit_checks.of_error(nodes.error))
        if not known:
            findings.append(orbit_checks.of_information(attrs["period_information"]))
            findings.append(_check_modes(nodes, attrs, method))
    return findings


def _check_fit(model, attrs, words):
    p = attrs["p_chi2"]
    found = "not looked at: as few visits as parameters fit any orbit"
    if np.isfinite(p):
        found = f"{attrs['chi2_per_dof']:.3g}, {orbit_checks.in_words(p)}"
    return orbit_checks.GOODNESS.finding(
        found, p < orbit_checks.LEAST_P, of="orbit", least=orbit_checks.LEAST_P, **words
    )


def _check_jitter(model, data, values, words):
    jitters = values["jitter"].reshape(len(values["jitter"]), -1)
    found, hiding = [], False
    for i, name in enumerate(data["instruments"]):
        error = np.median(data["rv_error"][data["instrument_index"] == i])
        low = np.quantile(jitters[:, i], orbit_checks.SURE)
        hiding |= bool(orbit_checks.is_hiding(low, error, model._jitter_prior()))
        mean = jitters[:, i].mean()
        of = f" of {name}" if model.instrument else ""
        found.append(f"{mean:.3g} km/s{of}, {orbit_checks.times_the_error(mean / error)}")
    return orbit_checks.JITTER.finding("; ".join(found), hiding, **words)


def _check_linear(model, data, values):
    names, units = model._linear_names(), [KMS] * 3
    units += [model.parameter(name).unit for name in names[3:]]
    means = [values[name].mean() for name in names]
    given = [model.prior_of(name) for name in names]
    if model.instrument:
        names = names + [f"offset[{of}]" for of in data["instruments"][1:]]
        means += list(values["offset"].mean(axis=0)[1:])
        given += [model.prior_of("offset")] * (len(data["instruments"]) - 1)
    units += [KMS] * (len(names) - len(units))
    return orbit_checks.of_linear(names, units, np.array(means)[:, None], given)


def _check_range(model, data, attrs):
    """Whether periods outside the range that the prior allows fit better than all within."""
    skipped = None
    prior, scatter = model._prior_of_period(), data["jitter_prior"]
    if not np.all(np.isfinite(prior.support())):
        skipped = "not looked for: the prior has an open end"
    elif model._degrees_of_freedom(data) <= 0:
        skipped = "not looked for: as few visits as parameters fit any period"
    elif scatter is not None and scatter.count > 1 and not is_known(scatter.prior):
        skipped = "not looked for: jitters of several instruments take too long"
    if skipped:
        return PERIOD_RANGE.finding(skipped, False)
    searched = attrs["shortest_period"], attrs["longest_period"]
    within = model._nodes(data).log_evidence
    try:
        found = orbit_evidence.beyond(data["visits"], searched, within, scatter)
    except (ArithmeticError, ValueError) as error:
        return PERIOD_RANGE.finding(f"not looked for: {error}", False)
    log_mean, period, low, high = found
    ratio = log_mean - within
    factor = f"{np.exp(ratio):.2g}" if ratio < 20 else f"exp({ratio:.0f})"
    said = f"on average by a factor of {factor}, the best at {period:.6g} d"
    return PERIOD_RANGE.finding(
        said if np.isfinite(period) else "nothing of note",
        bool(ratio > MOST_LN_BEYOND),
        low=low,
        high=high,
        **attrs,
    )


def _check_modes(nodes, attrs, method):
    n_modes, best = attrs["n_modes"], modes_of(nodes)[1].max()
    nuts = method == "nuts"
    return SEVERAL_PERIODS.finding(
        str(n_modes),
        n_modes > 1 or best < 1 - MOST_BESIDES,
        best=100 * best,
        stays=", and NUTS stays in the one where it starts" if nuts else "",
        instead=", or fit with method='marginal'" if nuts else "",
        instead_shell=", and use --method marginal" if nuts else "",
        **attrs,
    )


def modes_of(nodes):
    """Mode of each cell and probability of each mode."""
    mode = period_nodes.mode_of_cells(nodes)
    return mode, np.bincount(mode, nodes.probability)


def is_known(prior):
    return len(set(prior.support())) == 1
