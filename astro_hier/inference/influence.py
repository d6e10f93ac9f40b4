"""Rows that decide the result: those whose absence would change it, and those far from all others.

The posterior without row n is proportional to the full posterior divided by p(D_n | theta): draws
from the full one, weighted by one over that likelihood, are draws without the row (Vehtari, Gelman
& Gabry 2017, Stat. Comput. 27, 1413). The weights are smoothed by a generalised Pareto
distribution, whose shape k says how far they can be trusted (Vehtari et al. 2024, JMLR 25, 72):
where it is large there are hardly any draws in the region of the posterior without the row, and the
true change is at least as large as the weights say.

To first order the row moves the mean of a parameter by its covariance with ln p(D_n | theta), so by
no more sds than the sd of the latter. Few of many rows vary so much: a small number of draws finds
them, and only they are left out.

The effect that a row may have depends on how many there are. The farthest of n normal values, z sds
from the mean, moves ln of their sd by (z^2 - 1) / sqrt(2 n) of its own sds, which is more than one
in every sixth sample of 14. A row decides the result if it moves a parameter by more than one sd
and by more than the farthest row does in one sample of 200, or by three quarters of that with k
above 1.25. (Simpler limits would be too strict: in 200 simulations of each model's example, k is
above 0.7 in up to 27 percent, and a change above one sd in up to 22 percent.)

Two bad rows hide one another: when one is left out, the other is still there. So rows that are far
from the median of all are named too, in units of a scatter that a few of them do not change.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from astro_hier import checks
from astro_hier.core.thinning import evenly

MAX_NUMBERS = 2_000_000  # likelihoods that are kept, and that are computed at a time
MAX_KEPT = 1000  # draws
SCREENED = 50  # draws used to find the rows that may matter
QUIET = 0.25  # sd of ln of a row's likelihood below which the row cannot matter
LEAVE_OUT_DRAWS = 500  # used to leave rows out, if there are as many
MIN_DRAWS = 100  # fewer have no tail of weights to speak of
MAX_ROWS_LEFT_OUT = 500  # one at a time: the rows that vary most
FALSE_ALARMS = 0.005  # share of samples in which the farthest row is named
LARGEST_K, SHARE = 1.25, 0.75  # with a larger k this share of a change is enough
LOWER_LIMIT_K = 0.7  # with a larger k a change is reported as a lower limit
MIN_ROWS = 8  # with fewer, each row decides
FAR = 10.0  # robust standard deviations
MIN_ROWS_FOR_SCATTER = 15  # with fewer, one in a thousand normal samples has a row so far out
NAMED = 5

# what else to do, in Python and in the shell, if a model has an outlier option that is off
OUTLIERS = (
    ", describe rows that are not members with outliers=True",
    ", describe rows that are not members with --set outliers=True",
)
INFLUENCE = checks.define(
    "influence",
    limit="no row that moves a parameter by more than {largest:.2g} sd, or lies more than"
    f" {FAR:g} robust sd from the others",
    said="single rows decide the result, or lie far from all others: {named}",
    python="check them{more}, or fit without them to see what changes",
    shell="check them{more_shell}, or fit without them to see what changes",
)


class RowLikelihoods:
    """ln of the likelihood of each row at draws of the parameters, computed when needed.

    Parameters
    ----------
    function : callable
        Takes a dict of draws by name, returns an array (draw, row).
    values : dict of ndarray
        All draws, along the first axis.
    """

    def __init__(self, function, values):
        self.function, self.values = function, values
        self.n_draws = len(next(iter(values.values())))
        self.n_rows = self._at(np.arange(1)).shape[1]

    def _at(self, draws):
        return self.function({name: of[draws] for name, of in self.values.items()})

    def _blocks(self, draws):
        count = -(-len(draws) * self.n_rows // MAX_NUMBERS)
        return (self._at(block) for block in np.array_split(draws, count))

    def at(self, draws, rows=slice(None)):
        """The values at some draws for some rows, shape (draw, row)."""
        return np.concatenate([block[:, rows] for block in self._blocks(draws)])

    def spread(self, draws):
        """The standard deviation of each row's values, shape (row,)."""
        first, total, square = self._at(draws[:1]), 0.0, 0.0
        for block in self._blocks(draws):
            total = total + (block - first).sum(axis=0)
            square = square + ((block - first) ** 2).sum(axis=0)
        return np.sqrt(np.maximum(square / len(draws) - (total / len(draws)) ** 2, 0))

    def step(self):
        """The number of draws for each one that is kept."""
        return max(-(-self.n_draws // MAX_KEPT), -(-self.n_draws * self.n_rows // MAX_NUMBERS))


@dataclass(frozen=True)
class LeftOut:
    """What the posterior is without each of some rows.

    Attributes
    ----------
    rows : ndarray
        Indices of the rows.
    pareto_k : ndarray
        Pareto k of the weights, shape (row,).
    mean : ndarray
        Means of the parameters without each row, shape (row, parameter).
    shift : ndarray
        Their shifts from the means with the row, in sds of the full posterior.
    """

    rows: np.ndarray
    pareto_k: np.ndarray
    mean: np.ndarray
    shift: np.ndarray

    def decide(self, largest):
        """Which rows decide the result, a boolean array; ``largest`` is the allowed shift."""
        shift = np.abs(self.shift).max(axis=1, initial=0)
        return (shift > largest) | ((self.pareto_k > LARGEST_K) & (shift > SHARE * largest))


def largest_shift(n_rows):
    """By how many sds the farthest of ``n_rows`` rows may move a parameter."""
    z = norm.isf(FALSE_ALARMS / 2 / n_rows)
    return max(1.0, (z**2 - 1) / np.sqrt(2 * n_rows))


def leave_out(rows, log_likelihood, parameters):
    """What the posterior would be without each of some rows, a `LeftOut`.

    ``log_likelihood`` has shape (draw, row), ``parameters`` has shape (draw, parameter).
    """
    smoothed = [_smoothed(of_row) for of_row in log_likelihood.T]
    log_weights, pareto_k = (np.array(of) for of in zip(*smoothed, strict=True))
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    mean = weights @ parameters / weights.sum(axis=1, keepdims=True)
    shift = (mean - parameters.mean(axis=0)) / parameters.std(axis=0)
    return LeftOut(rows, pareto_k, mean, shift)


def _smoothed(log_likelihood):
    """ln of the smoothed weights without a row, and Pareto k."""
    from arviz_stats.base import array_stats

    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            log_weights, pareto_k = array_stats.psislw(log_likelihood)
    except ValueError:  # the largest weights are all equal: there is no tail
        return -log_likelihood, -np.inf
    return log_weights, float(pareto_k)


def without_each(likelihoods, parameters, kept=None):
    """Leave out each row that may matter.

    Parameters
    ----------
    likelihoods : RowLikelihoods
        The likelihoods of all rows.
    parameters : ndarray
        All draws of the parameters, shape (draw, parameter).
    kept : tuple of ndarray, optional
        Indices of draws at which the likelihoods are known, and these likelihoods.
    """
    draws, known = kept if kept else ((), None)
    if len(draws) >= min(SCREENED, likelihoods.n_draws):
        spread = known.std(axis=0)
    else:
        spread = likelihoods.spread(evenly(likelihoods.n_draws, SCREENED))
    rows = np.argsort(-spread, kind="stable")[: min(MAX_ROWS_LEFT_OUT, np.sum(spread > QUIET))]
    if not len(rows) or likelihoods.n_draws < MIN_DRAWS:
        rows = rows[:0]
        return LeftOut(rows, np.zeros(0), *np.zeros((2, 0, parameters.shape[1])))
    if len(draws) >= min(LEAVE_OUT_DRAWS, likelihoods.n_draws):
        return leave_out(rows, known[:, rows], parameters[draws])
    draws = evenly(likelihoods.n_draws, LEAVE_OUT_DRAWS)
    return leave_out(rows, likelihoods.at(draws, rows), parameters[draws])


def far(value, error):
    """How far rows lie from the median of all, in robust standard deviations.

    Each row's error is added to these in quadrature. Zeros if there are too few rows.
    """
    if len(value) < MIN_ROWS_FOR_SCATTER:
        return np.zeros(len(value))
    off = np.abs(value - np.median(value))
    return off / np.hypot(1.4826 * np.median(off), error)


def examine(left_out, means, distance, largest, names, units, label, more):
    """The finding of `INFLUENCE`.

    Parameters
    ----------
    left_out : LeftOut
        The rows that may matter.
    means : ndarray
        Means of the parameters with all rows, shape (parameter,).
    distance : ndarray
        How far rows are from the others, shape (row,).
    largest : float
        By how many sds a row may move a parameter.
    names, units : list of str
        Names and units of the parameters.
    label : callable
        Takes the index of a row, returns its name and value.
    more : tuple of str
        What else to do, in Python and in the shell.
    """
    why = {}
    order = np.argsort(-np.abs(left_out.shift).max(axis=1, initial=0), kind="stable")
    for i in order[left_out.decide(largest)[order]]:
        which = np.argmax(np.abs(left_out.shift[i]))
        change = _change(left_out, i, which, means[which], names[which], units[which])
        why[int(left_out.rows[i])] = f"{change}, Pareto k = {left_out.pareto_k[i]:.1f}"
    for i in np.argsort(-distance, kind="stable")[: np.sum(distance > FAR)].tolist():
        so_far = f"{distance[i]:.0f} robust sd from the median"
        why[i] = f"{why[i]}; {so_far}" if i in why else so_far
    named = "; ".join(f"{label(i)} ({why[i]})" for i in list(why)[:NAMED])
    if len(why) > NAMED:
        named += "; ..."
    count = f"{len(why)} row{'' if len(why) == 1 else 's'}" if why else "none"
    return INFLUENCE.finding(
        count, bool(why), largest=largest, named=named, more=more[0], more_shell=more[1]
    )


def _change(left_out, i, which, old, name, unit):
    """How a parameter would change without a row, in words."""
    new, shift = left_out.mean[i, which], left_out.shift[i, which]
    digits = max(0, 1 - int(np.floor(np.log10((new - old) / shift))))  # a tenth of the sd, or less
    old = f"{old:.{digits}f} {unit}".rstrip()
    if left_out.pareto_k[i] > LOWER_LIMIT_K:
        way = "higher" if shift > 0 else "lower"
        return f"without it {name}, {old}, would be {way} by more than {abs(shift):.1f} sd"
    return f"without it {name} would be {new:.{digits}f} instead of {old}"
