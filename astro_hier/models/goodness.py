"""How well members, errors and a background describe the rows of a table.

With a scale of the members inferred, chi2 is absorbed by it, so the shape is looked at. Each row
has a normal score z = Phi^-1(F(y)), where F is the distribution function of what the model expects
of a member, averaged over draws of the parameters: if the model is right, those of members are
standard normal. Where there is a background, rows are taken for members at random, each with its
probability: what the others look like in detail is not what the model is about. Three tests are
made of the scores, each at a third of the level: of the largest |z|; of normality, with mean and
standard deviation estimated (Anderson & Darling, with the probabilities of D'Agostino & Stephens
1986, *Goodness-of-Fit Techniques*, table 4.9); and of their variance (chi2, both tails). Since
parameters were fitted to the same rows, the first and the third alarm more rarely than they say,
and so does the second where there is a background.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from astropy.utils.masked import Masked
from scipy.special import ndtri
from scipy.stats import chi2, norm

from astro_hier import checks, priors
from astro_hier.checks import Finding

__all__ = [
    "check_background",
    "check_error_scale",
    "check_rows",
    "of_members",
    "other_errors",
    "reword",
    "scores",
    "some",
]

LEAST_MEMBER = 0.5  # probability of membership below which a row has no values of a member
LEAST_P = 0.001
FEWEST = 8  # rows that can be told from any distribution
FAR = 3.5  # |z| of a row that is named
MOST_NAMED = 3
LARGEST_SCALE = 3.0
LARGEST_SHARE = 0.5
FEW_DRAWS = 20  # to average over
SEED = 1  # of the choice of members
GOODNESS = checks.define(
    "goodness_of_fit",
    limit=f"p of at least {LEAST_P:g}",
    said="the rows are not distributed as the model says (p = {found}): {rows}",
    python="{python}",
    shell="{shell}",
)
ERROR_SCALE = checks.define(
    "error_scale",
    limit=f"between 1/{LARGEST_SCALE:g} and {LARGEST_SCALE:g}",
    said="the errors come out {found} times as large as stated",
    python="check their unit; {python}",
    shell="check their unit; {shell}",
)
OUTLIER_SHARE = checks.define(
    "outlier_share",
    limit=f"at most {100 * LARGEST_SHARE:.0f} percent of the rows, or what the prior expects",
    said="{found} percent of the rows come out as outliers: the members are the minority",
    python="see with plot_data() that they are the group that you mean; if they are, a prior of"
    " outlier_fraction whose median is above a half, such as priors.Beta(3, 1), says so",
    shell="see in data.png that they are the group that you mean; if they are, a prior whose median"
    " is above a half, --prior 'outlier_fraction=Beta(3, 1)', says so",
)
OUTLIERS = (
    "outliers=True describes rows that are not members",
    "--set outliers=true describes rows that are not members",
)
SCALE = (
    "error_scale=priors.LogNormal(0, 0.5) infers errors that are {} than stated",
    "--prior 'error_scale=LogNormal(0, 0.5)' infers errors that are {} than stated",
)
WINGS = (
    "profile=profiles.CoreHalo() describes the wings of a cluster",
    "--set profile=CoreHalo describes the wings of a cluster",
)
LOOK = (
    "plot_data() shows whether there are several groups",
    "data.png shows whether there are several groups",
)


def some(values, names):
    """A few draws of the parameters of these names."""
    draws = len(values["log_prob"])
    chosen = np.unique(np.linspace(0, draws - 1, FEW_DRAWS).astype(int))
    return {name: values[name][chosen] for name in names}


def scores(below, above, member):
    """The normal score of each row as a member, and the probability that it is one.

    ``below`` and ``above`` are the probabilities that a member has a lower and a higher value than
    the row, and ``member`` that the row is one, all given each draw, shape (theta, row).
    """
    weight = np.maximum(member, 1e-300)
    weight = weight / weight.sum(axis=0)
    below, above = (np.maximum(np.sum(weight * tail, axis=0), 1e-300) for tail in (below, above))
    return np.where(below < above, ndtri(below), -ndtri(above)), member.mean(axis=0)


def _of_normality(z):
    """The probability that normal numbers have so large a statistic of Anderson and Darling."""
    z = np.sort((z - z.mean()) / z.std(ddof=1))
    n, i = len(z), np.arange(1, len(z) + 1)
    a2 = -n - np.mean((2 * i - 1) * (norm.logcdf(z) + norm.logsf(z[::-1])))
    a2 = min(a2 * (1 + 0.75 / n + 2.25 / n**2), 150.0)  # where the formula turns
    # below 0.6 other formulas hold, of probabilities above 0.1
    return np.exp(1.2937 - 5.709 * a2 + 0.0186 * a2**2) if a2 > 0.6 else 1.0


def probability(z):
    """That of z so far from standard normal, and whether too few are far out."""
    spread = np.sum((z - z.mean()) ** 2)
    low, high = chi2.cdf(spread, len(z) - 1), chi2.sf(spread, len(z) - 1)
    far = -np.expm1(len(z) * np.log1p(-2 * norm.sf(np.abs(z).max())))
    each = far, _of_normality(z), 2 * min(low, high)
    return min(1.0, 3 * min(each)), 2 * low == min(each)


def check_rows(
    z: np.ndarray,
    member: np.ndarray,
    label: Callable[[int], str],
    remedies: Callable[[bool], list[tuple[str, str]]],
) -> Finding:
    """Whether the normal scores are normal, the likeliest cause first.

    Parameters
    ----------
    z, member : ndarray
        Scores, and probabilities of membership, shape (row,).
    label : callable
        What a row is called, by its number.
    remedies : callable
        What may be done about rows that scatter too narrowly (True) or too widely.
    """
    rows = np.flatnonzero(np.random.default_rng(SEED).random(len(z)) < member)
    z = z[rows]
    if len(z) < FEWEST:
        return GOODNESS.finding(f"nothing, of fewer than {FEWEST} rows", False)
    p, narrow = probability(z)
    farthest = np.argsort(-np.abs(z))[:MOST_NAMED]
    named = ", ".join(label(rows[i]) for i in farthest if abs(z[i]) > FAR)
    said = f"the farthest are {named}" if named else "no single star is far off"
    if narrow:
        said = "they scatter less than their errors"
    python, shell = ("; ".join(texts) for texts in zip(*remedies(narrow), LOOK, strict=True))
    return GOODNESS.finding(f"{p:.2g}", p < LEAST_P, rows=said, python=python, shell=shell)


def other_errors(narrow: bool) -> tuple[str, str]:
    """The option that infers smaller or larger errors, in Python and in the shell."""
    python, shell = (text.format("smaller" if narrow else "larger") for text in SCALE)
    return python, shell


def check_error_scale(scale: float, remedies: list[tuple[str, str]]) -> Finding:
    """Whether the errors come out far from what was stated.

    ``remedies`` are what else may make rows scatter more widely.
    """
    causes = [LOOK] if scale < 1 else [*remedies, LOOK]
    python, shell = ("; ".join(texts) for texts in zip(*causes, strict=True))
    far = abs(np.log(scale)) > np.log(LARGEST_SCALE)
    return ERROR_SCALE.finding(f"{scale:.2g}", far, python=python, shell=shell)


def check_background(background, values):
    """Whether most rows are outliers though the prior did not expect it."""
    share = values["outlier_fraction"].mean()
    prior = priors.as_prior(background.outlier_fraction)
    expected = prior.frozen(background.parameters[0].unit).median()
    many = share > LARGEST_SHARE >= expected
    return OUTLIER_SHARE.finding(f"{100 * share:.0f}", many)


def of_members(values, member):
    """A Quantity, one value a row, masked where a row is hardly a member."""
    return Masked(values, mask=member < LEAST_MEMBER)


def reword(finding: Finding) -> Finding:
    """A finding of the method, with the option that is the likeliest cure."""
    if finding.name != "prior_edge" or not finding.failed:
        return finding
    python, shell = (
        f"{text}; {option}"
        for text, option in zip((finding.python, finding.shell), OUTLIERS, strict=True)
    )
    return replace(finding, python=python, shell=shell)
