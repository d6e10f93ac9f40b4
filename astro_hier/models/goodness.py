"""How well members, errors and a background describe the rows of a table.

The inferred scale of the members absorbs chi2, so the shape of the distribution is tested instead.
Each row has a normal score z = Phi^-1(F(y)), where F is the distribution function that the model
predicts for a member, averaged over draws of the parameters: if the model is right, the scores of
members are standard normal. With a background, rows are taken as members at random, each with its
own probability; the model is not about the detailed distribution of the others. The scores undergo
three tests, each at a third of the level: the largest |z|; normality, with mean and standard
deviation estimated (Anderson & Darling, with the probabilities of D'Agostino & Stephens 1986,
*Goodness-of-Fit Techniques*, table 4.9); and the variance (chi2, both tails). Because the
parameters were fitted to the same rows, the first and the third raise fewer false alarms than their
nominal level, and so does the second where there is a background.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from astropy.utils.masked import Masked
from scipy.special import ndtri
from scipy.stats import chi2, norm

from astro_hier import checks, priors
from astro_hier.checks import Finding
from astro_hier.core.floats import TINY
from astro_hier.core.thinning import evenly

__all__ = [
    "check_background",
    "check_error_scale",
    "check_rows",
    "few_draws",
    "mask_others",
    "other_errors",
    "reword",
    "scores",
]

MIN_MEMBER = 0.5  # probability of membership below which a row's values are masked
MIN_P = 0.001
MIN_ROWS = 8  # rows that can be tested at all
FAR = 3.5  # |z| above which a row is named
MAX_NAMED = 3
MAX_SCALE = 3.0
MAX_SHARE = 0.5
AVERAGED_DRAWS = 20
# with more rows the parameters are known so well that few draws tell their effect on any row
MAX_AVERAGED, MIN_DRAWS = 4_000_000, 4  # rows times draws; draws
SEED = 1  # for the choice of members
GOODNESS = checks.define(
    "goodness_of_fit",
    limit=f"p of at least {MIN_P:g}",
    said="the rows are not distributed as the model says (p = {found}): {rows}",
    python="{python}",
    shell="{shell}",
)
ERROR_SCALE = checks.define(
    "error_scale",
    limit=f"between 1/{MAX_SCALE:g} and {MAX_SCALE:g}",
    said="the errors come out {found} times as large as stated",
    python="check their unit; {python}",
    shell="check their unit; {shell}",
)
OUTLIER_SHARE = checks.define(
    "outlier_share",
    limit=f"at most {100 * MAX_SHARE:.0f} percent of the rows, or what the prior expects",
    said="{found} percent of the rows come out as outliers: the members are the minority",
    python="check with plot_data() that they are the group you mean; if so, give outlier_fraction a"
    " prior whose median is above a half, such as priors.Beta(3, 1)",
    shell="check in data.png that they are the group you mean; if so, give outlier_fraction a prior"
    " whose median is above a half, such as --prior 'outlier_fraction=Beta(3, 1)'",
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


def few_draws(values, names, rows):
    """A few draws of the named parameters, to look at this number of rows with."""
    number = min(AVERAGED_DRAWS, max(MAX_AVERAGED // rows, MIN_DRAWS))
    chosen = evenly(len(values["log_prob"]), number)
    return {name: values[name][chosen] for name in names}


def scores(below, above, member):
    """The normal score of each row as a member, and the probability that it is one.

    ``below`` and ``above`` are the probabilities that a member has a lower or a higher value than
    the row, and ``member`` the probability that the row is one, given each draw, (theta, row).
    """
    weight = np.maximum(member, TINY)
    weight = weight / weight.sum(axis=0)
    below, above = (np.maximum(np.sum(weight * tail, axis=0), TINY) for tail in (below, above))
    return np.where(below < above, ndtri(below), -ndtri(above)), member.mean(axis=0)


def _normality(z):
    """The probability that normal numbers reach so large an Anderson-Darling statistic."""
    spread = z.std(ddof=1)
    if not spread > 0:  # equal numbers have no shape to be tested
        return 1.0
    z = np.sort((z - z.mean()) / spread)
    n, i = len(z), np.arange(1, len(z) + 1)
    a2 = -n - np.mean((2 * i - 1) * (norm.logcdf(z) + norm.logsf(z[::-1])))
    a2 = min(a2 * (1 + 0.75 / n + 2.25 / n**2), 150.0)  # beyond, the formula would rise again
    # below 0.6 other formulas apply, which give probabilities above 0.1
    return np.exp(1.2937 - 5.709 * a2 + 0.0186 * a2**2) if a2 > 0.6 else 1.0


def probability(z):
    """The probability that z is so far from standard normal, and whether it scatters too little."""
    spread = np.sum((z - z.mean()) ** 2)
    low, high = chi2.cdf(spread, len(z) - 1), chi2.sf(spread, len(z) - 1)
    with np.errstate(divide="ignore"):  # any number is as far as 0
        far = -np.expm1(len(z) * np.log1p(-2 * norm.sf(np.abs(z).max())))
    each = far, _normality(z), 2 * min(low, high)
    return min(1.0, 3 * min(each)), 2 * low == min(each)


def check_rows(
    z: np.ndarray,
    member: np.ndarray,
    label: Callable[[int], str],
    remedies: Callable[[bool], list[tuple[str, str]]],
) -> Finding:
    """Whether the normal scores of the members are normal.

    Parameters
    ----------
    z, member : ndarray
        Scores, and probabilities of membership, shape (row,).
    label : callable
        Returns what a row is called, from its number.
    remedies : callable
        Returns remedies, the likeliest first, for rows that scatter too little (True) or too much.
    """
    rows = np.flatnonzero(np.random.default_rng(SEED).random(len(z)) < member)
    z = z[rows]
    if len(z) < MIN_ROWS:
        return GOODNESS.finding(f"not tested with fewer than {MIN_ROWS} rows", False)
    p, narrow = probability(z)
    farthest = np.argsort(-np.abs(z))[:MAX_NAMED]
    named = ", ".join(label(rows[i]) for i in farthest if abs(z[i]) > FAR)
    # one row far from all others widens the distribution until it is not far off
    none = f"no star is {FAR:g} sd from what was fitted, which one far from all others may widen"
    said = f"the farthest off are {named}" if named else none
    if narrow:
        said = "they scatter less than their errors"
    python, shell = ("; ".join(texts) for texts in zip(*remedies(narrow), LOOK, strict=True))
    return GOODNESS.finding(f"{p:.2g}", p < MIN_P, rows=said, python=python, shell=shell)


def other_errors(narrow: bool) -> tuple[str, str]:
    """The option that infers smaller or larger errors, in Python and in the shell."""
    python, shell = (text.format("smaller" if narrow else "larger") for text in SCALE)
    return python, shell


def check_error_scale(scale: float, remedies: list[tuple[str, str]]) -> Finding:
    """Whether the inferred errors are far from the stated ones.

    ``remedies`` are for other causes of rows that scatter too much.
    """
    causes = [LOOK] if scale < 1 else [*remedies, LOOK]
    python, shell = ("; ".join(texts) for texts in zip(*causes, strict=True))
    far = abs(np.log(scale)) > np.log(MAX_SCALE)
    return ERROR_SCALE.finding(f"{scale:.2g}", far, python=python, shell=shell)


def check_background(background, values):
    """Whether most rows are outliers, which the prior did not expect."""
    share = values["outlier_fraction"].mean()
    prior = priors.as_prior(background.outlier_fraction)
    expected = prior.frozen(background.parameters[0].unit).median()
    unexpected = share > MAX_SHARE >= expected
    return OUTLIER_SHARE.finding(f"{100 * share:.0f}", unexpected)


def mask_others(values, member):
    """A Quantity with one value for each row, masked where the row is hardly a member."""
    return Masked(values, mask=member < MIN_MEMBER)


def reword(finding: Finding) -> Finding:
    """A finding of the sampling method, with the option that is the likeliest cure."""
    if finding.name != "prior_edge" or not finding.failed:
        return finding
    python, shell = (
        f"{text}; {option}"
        for text, option in zip((finding.python, finding.shell), OUTLIERS, strict=True)
    )
    return replace(finding, python=python, shell=shell)
