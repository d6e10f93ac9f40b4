"""Checks of how a posterior was drawn."""

import numpy as np

from astro_hier import checks

LARGEST_PARETO_K = 0.7
LARGEST_R_HAT = 1.05
CONFLICT = 5.0  # standard deviations, or the equivalent quantile of other priors

ELSE = "; if that does not help, narrow the priors, or compare with method='nuts'"
ELSE_SHELL = (
    "; if that does not help, narrow the priors with --prior, or compare with --method nuts"
)

EFFECTIVE_SIZE = checks.define(
    "effective_size",
    limit="at least {enough}",
    said="the effective number of draws is {found} instead of {enough}, after {evaluations}"
    " evaluations",
    python="raise max_evaluations (now {most})" + ELSE,
    shell="raise --max-evaluations (now {most})" + ELSE_SHELL,
)
PARETO_K = checks.define(
    "pareto_k",
    limit=f"at most {LARGEST_PARETO_K}",
    said="the importance weights have Pareto k = {found}: means and intervals may be wrong",
    python="raise max_evaluations" + ELSE,
    shell="raise --max-evaluations" + ELSE_SHELL,
)
CERTIFICATE = checks.define(
    "certificate",
    limit="a second, independent exploration agrees",
    said="a second, independent exploration of the posterior did not give the same answer"
    " ({found})",
    python="do not rely on these results; raise draws= or max_evaluations" + ELSE,
    shell="do not rely on these results; raise --draws or --max-evaluations" + ELSE_SHELL,
)
EXPLANATIONS = checks.define(
    "explanations",
    limit="one",
    said="the data have {found} distinct explanations, each more probable than one percent, and"
    " means, intervals and tables mix them",
    python="explanations() lists them; more informative priors leave only one",
    shell="they are listed below; more informative priors leave only one",
)
PRIOR_CONFLICT = checks.define(
    "prior_conflict",
    limit=f"within {CONFLICT:g} standard deviations of the prior",
    said="the data put {found} where the prior has almost no probability",
    python="check the units of the table, or widen the prior",
    shell="check the units of the table, or widen the prior with --prior",
)
R_HAT = checks.define(
    "r_hat",
    limit=f"at most {LARGEST_R_HAT}",
    said="the chains do not agree (r_hat: {found})",
    python="sample longer with tune= and draws=, or use method='marginal'",
    shell="use --method marginal",
)
DIVERGENCES = checks.define(
    "divergences",
    limit="none",
    said="{found} draws diverged",
    python="raise target_accept=, or use method='marginal'",
    shell="use --method marginal",
)


def of_weights(attrs, enough, most):
    """Whether enough weighted points were found, and can be trusted."""
    size, k = attrs["effective_size"], attrs["pareto_k"]
    words = {"enough": enough, "most": most, "evaluations": attrs["evaluations"]}
    return [
        EFFECTIVE_SIZE.finding(f"{size:.0f}", size < enough, **words),
        PARETO_K.finding(f"{k:.2f}", k > LARGEST_PARETO_K),
    ]


def of_certificate(certificate):
    """Whether a second exploration gave the same answer, if there was one."""
    if not certificate.evaluations:
        return []
    return [CERTIFICATE.finding(str(certificate), certificate.failed)]


def of_explanations(number):
    """Whether the posterior is one region, or several separate ones."""
    return [EXPLANATIONS.finding(str(number), number > 1)]


def of_priors(priors, z, theta):
    """Whether the data agree with the priors.

    ``z`` are the parameters as standard normal variables, shape (draw, parameter).
    """
    far = [
        f"{name} (posterior mean {values.mean():.4g})"
        for (name, values), x in zip(theta.items(), z.T, strict=False)
        if abs(np.median(x)) > CONFLICT
    ]
    return [PRIOR_CONFLICT.finding(", ".join(far) or "no parameter", bool(far))]


def of_chains(r_hat, divergences):
    """Whether the chains agree, by the largest ``r_hat`` of each parameter."""
    unmixed = {name: value for name, value in r_hat.items() if value > LARGEST_R_HAT}
    listed = ", ".join(f"{name} {value:.2f}" for name, value in unmixed.items())
    largest = max(r_hat.values(), default=np.nan)
    return [
        R_HAT.finding(listed or f"{largest:.3f}", bool(unmixed)),
        DIVERGENCES.finding(str(divergences), divergences > 0),
    ]
