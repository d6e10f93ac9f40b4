"""Is a posterior what it claims to be? Simulation-based calibration of any model.

Parameters are drawn from the prior and data given these parameters, and the model is fitted to the
data. If the fit is right, the true value of each parameter is equally likely to have any rank among
its posterior draws: its rank is uniform (Cook, Gelman & Rubin 2006, J. Comput. Graph. Stat. 15,
675; Talts et al. 2018, arXiv:1804.06788). If a posterior is too narrow, too wide, shifted, or
misses modes, the ranks show it.

The ranks are tested three times, because no single test sees every fault. The Kolmogorov-Smirnov
test sees a shift or a wrong width of the whole posterior, but is least sensitive to the ends of the
distribution. The number of ranks in the outer percent reveals posteriors that miss the truth
altogether, even if only one fit in ten does. The counts in ten bins see what lies in between.
"""

import re
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table
from joblib import Parallel, delayed
from scipy.stats import binomtest, chisquare, kstest, poisson
from tqdm.auto import tqdm

from astro_hier import checks, plots
from astro_hier.annotations import TableLike
from astro_hier.given import RandomState, generator
from astro_hier.inference import METHODS
from astro_hier.model import HierarchicalModel
from astro_hier.plots.returned import of_panels
from astro_hier.table import as_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Calibration", "calibrate"]


def __dir__() -> list[str]:
    """What completion shows."""
    return sorted(__all__)


BAND = 0.99  # probability that a curve of a correct model stays within the band everywhere
BAND_SIMULATIONS = 2000
TAILS = 0.01  # share of uniform ranks that lie in both tails together
BINS = 10
# up to so many ranks the bins are tested exactly: at a p-value of 1e-4, chi2 is off by a third
MAX_EXACT_RANKS = 100
FALSE_ALARMS = 0.01  # probability that any parameter of a correct model fails any test
TESTS = {"p_value": "KS", "p_tails": "tails", "p_bins": "bins"}  # by the column of their p-values


@dataclass(frozen=True)
class Calibration:
    """The ranks of true values among posterior draws.

    Attributes
    ----------
    ranks : dict
        By parameter, an array of shape (simulation,) of ranks between 0 and 1, uniform if the
        model is calibrated.
    warnings : dict
        How many of the fits gave each warning; numbers in the warnings are replaced by dots.

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> from astro_hier.calibration import calibrate
    >>> visits = datasets.make_binary(6, random_state=1)
    >>> found = calibrate(
    ...     SB1Binary(), visits, simulations=4, draws=19,
    ...     random_state=1, progressbar=False,
    ... )
    >>> any(found.table()["failed"])
    False
    """

    ranks: dict
    warnings: dict

    def table(self) -> Table:
        """Three tests of each parameter.

        A parameter fails a test if its p-value is below 0.01 divided by the number of all tests,
        three for each parameter. So a correct model fails any test in at most one out of a hundred
        calibrations (in fewer, because the p-values of counts are discrete and parameters are not
        independent of each other).

        Returns
        -------
        `~astropy.table.Table`
            One row for each parameter, with the columns

            - parameter;
            - simulations, the number of ranks;
            - mean and sd of the ranks (expected 0.5 and 0.2887);
            - p_value, of the Kolmogorov-Smirnov test;
            - p_tails, of the number of ranks below 0.005 or above 0.995: two-sided, from the
              binomial distribution;
            - p_bins, of the numbers of ranks in ten equal bins: Pearson's chi2, with its exact
              distribution for up to 100 simulations;
            - tails and tails_expected, the number of ranks below 0.005 or above 0.995, and the
              expected number;
            - failed, the names of the failed tests among "KS", "tails" and "bins"; empty if there
              are none.

            ``meta["level"]`` is the p-value below which a test fails.

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> from astro_hier.calibration import calibrate
        >>> visits = datasets.make_binary(6, random_state=1)
        >>> found = calibrate(
        ...     SB1Binary(), visits, simulations=4, draws=19,
        ...     random_state=1, progressbar=False,
        ... )
        >>> found.table()["parameter", "mean", "sd", "failed"].colnames
        ['parameter', 'mean', 'sd', 'failed']
        """
        level = FALSE_ALARMS / (len(TESTS) * len(self.ranks))
        rows = [
            {
                "parameter": name,
                "simulations": len(rank),
                "mean": rank.mean(),
                "sd": rank.std(),
                "p_value": kstest(rank, "uniform").pvalue,
                "p_tails": binomtest(_in_tails(rank), len(rank), TAILS).pvalue,
                "p_bins": _bins_p_value(rank),
                "tails": _in_tails(rank),
                "tails_expected": TAILS * len(rank),
            }
            for name, rank in self.ranks.items()
        ]
        for row in rows:
            row["failed"] = ", ".join(test for p, test in TESTS.items() if row[p] < level)
        table = Table(rows=rows, meta={"level": level})
        for name in ("mean", "sd"):
            table[name].info.format = ".3f"
        for name in TESTS:
            table[name].info.format = ".2g"
        table["tails_expected"].info.format = ".3g"
        return table

    @of_panels
    def plot(self, fig: "Figure | None" = None, ax: "Axes | None" = None) -> "Figure":
        """The empirical distribution of the ranks minus the uniform one, with a 99 percent band.

        A curve that leaves the band means that the parameter is not calibrated. If it is above the
        band on the left and below it on the right, the posterior is too narrow; the other way
        round, it is too wide; on one side throughout, it is shifted. The title of a parameter that
        fails one of the tests of `table` is bold and names the test.

        Parameters
        ----------
        fig, ax : `~matplotlib.figure.Figure`, `~matplotlib.axes.Axes`, optional
            Where to draw: in this figure, or in place of these axes.

        Returns
        -------
        `~matplotlib.figure.Figure`

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> from astro_hier.calibration import calibrate
        >>> visits = datasets.make_binary(6, random_state=1)
        >>> found = calibrate(
        ...     SB1Binary(), visits, simulations=4, draws=19,
        ...     random_state=1, progressbar=False,
        ... )
        >>> fig = found.plot()
        """
        columns = min(len(self.ranks), 3)
        rows = -(-len(self.ranks) // columns)
        fig = plots.figure(
            fig, ax, figsize=(plots.PAGE if columns > 1 else plots.SINGLE, 1.9 * rows + 0.5)
        )
        grid = fig.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        size = len(next(iter(self.ranks.values())))
        x = np.linspace(0, 1, 201)
        width = _band(x, size)
        failed = dict(self.table().iterrows("parameter", "failed"))
        for ax, (name, rank) in zip(grid.flat, self.ranks.items(), strict=False):
            ax.fill_between(x, -width, width, color=plots.shade(ax, 0.2), lw=0)
            ax.plot(
                x, np.searchsorted(np.sort(rank), x, side="right") / size - x, color=plots.GIVEN
            )
            ax.axhline(0, color=plots.shade(ax, 0.5), lw=0.5)
            title = ax.set_title(name, fontsize=plots.PAGE_TEXT if columns > 1 else "small")
            if failed[name]:
                title.set(
                    text=f"{name}\nfails: {failed[name]}", color=plots.BEST, fontweight="bold"
                )
        for ax in grid.flat[len(self.ranks) :]:
            ax.remove()
        fig.supxlabel("rank of the truth among the draws")
        fig.supylabel("ECDF - uniform")
        return fig


def calibrate(
    model: HierarchicalModel,
    table: TableLike,
    *,
    simulations: int = 200,
    draws: int = 399,
    certify: bool = True,
    n_jobs: int | None = 1,
    random_state: RandomState = None,
    progressbar: bool = True,
) -> Calibration:
    """Simulate many tables like a given one, fit each, and rank the truth among the draws.

    Parameters
    ----------
    model : HierarchicalModel
        A model with the priors to draw parameters from.
    table : `~astropy.table.Table`
        A table that the model can be fitted to. Its times, errors and stars are kept, and its
        observed values are replaced.
    simulations : int, optional
        Number of simulated tables.
    draws : int, optional
        Draws from each posterior.
    certify : bool, optional
        As for the marginal method. Without it fits take about two thirds of the time, and whatever
        a single exploration misses shows up in the ranks.
    n_jobs : int, optional
        Number of processes, for joblib.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness; results do not depend on ``n_jobs``.
    progressbar : bool, optional
        Whether to show progress.

    Returns
    -------
    Calibration
        For parameters of each star or instrument, the ranks of one picked at random.

    Raises
    ------
    TableError
        If the table cannot be used.
    ValueError
        If the number of simulations or draws is less than one.

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> from astro_hier.calibration import calibrate
    >>> visits = datasets.make_binary(6, random_state=1)
    >>> found = calibrate(
    ...     SB1Binary(), visits, simulations=4, draws=19,
    ...     random_state=1, progressbar=False,
    ... )
    >>> found.table()["parameter"].tolist()
    ['P', 'a', 'b', 'v0', 'K']
    """
    for name, value in (("simulations", simulations), ("draws", draws)):
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{name}={value!r}; expected a whole number of at least 1")
    table = as_table(table)
    model = model.suited_to(table)
    rows = model.read(table)
    data = model.prepare(rows, progressbar=False)
    seeds = generator(random_state).integers(2**63, size=simulations)
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    work = parallel(delayed(_ranks)(model, rows, data, draws, certify, seed) for seed in seeds)
    done = list(
        tqdm(work, total=simulations, unit="fit", desc="calibration", disable=not progressbar)
    )
    ranks = {name: np.array([ranks[name] for ranks, _ in done]) for name in done[0][0]}
    said = Counter(message for _, messages in done for message in messages)
    return Calibration(ranks, dict(said))


def _ranks(model, rows, data, draws, certify, seed):
    """Ranks of all parameters in one simulation, and the fit's warnings."""
    rng = np.random.default_rng(seed)
    theta = model.draw_prior(data, 1, rng)
    truth = theta | model.simulate(data, theta, rng)
    observed = {role.name: truth[role.name][0] for role in model.roles if role.name in truth}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        simulated = model.prepare_simulated(rows.replaced(**observed), data)
        result = METHODS["marginal"].sample(
            model.problem(simulated),
            draws=draws,
            chains=1,
            rng=rng,
            progressbar=False,
            certify=certify,
        )
    posterior = result.posterior | model.derive(result.posterior)
    truth |= model.derive(truth)
    ranks = {}
    for parameter in model.parameters:
        values, true = posterior[parameter.name][0], truth[parameter.name]
        if parameter.dims:
            values, true = values.reshape(len(values), -1), np.reshape(true, (1, -1))
            one = rng.integers(values.shape[1])
            values, true = values[:, one], true[:, one]
        if parameter.turn:
            true = true + parameter.turn * np.rint((values.mean() - true) / parameter.turn)
        # a random place among equal values, so that ranks of a correct model are uniform
        below = np.sum(values < true) + rng.random() * (1 + np.sum(values == true))
        ranks[parameter.name] = below / (len(values) + 1)
    # without numbers, so that the same warning from many fits counts as one
    said = [str(w.message) for w in caught] + [f.message() for f in checks.failed(result.findings)]
    return ranks, {re.sub(r"-?\d[\d.e+-]*", "...", message) for message in said}


def _in_tails(rank):
    """How many ranks lie in either tail."""
    return int(np.sum((rank < TAILS / 2) | (rank > 1 - TAILS / 2)))


def _bins_p_value(rank):
    """The p-value of Pearson's chi2 for the counts in equal bins."""
    counts = np.histogram(rank, BINS, (0, 1))[0]
    if len(rank) > MAX_EXACT_RANKS:
        return chisquare(counts).pvalue
    return _sum_of_squares_sf(len(rank))[np.sum(counts**2)]


@cache
def _sum_of_squares_sf(size):
    """P(sum of the squared counts >= s) for s = 0, ..., size^2, with ``size`` uniform ranks.

    Chi2 is a linear function of that sum. The counts in bins are distributed like independent
    Poisson variables that are conditioned to add up to ``size``.
    """
    share = poisson.pmf(np.arange(size + 1), size / BINS)
    found = np.zeros((size + 1, size**2 + 1))  # by sum and sum of squares of the bins so far
    found[0, 0] = 1
    for _ in range(BINS):
        before, found = found, np.zeros_like(found)
        for n in range(size + 1):
            found[n:, n**2 :] += share[n] * before[: size + 1 - n, : size**2 + 1 - n**2]
    above = np.cumsum(found[size, ::-1])[::-1]
    return above / above[0]


def _band(x, size):
    """Half width of a band that contains a share `BAND` of ECDFs of ``size`` uniform ranks."""
    rng = np.random.default_rng(0)
    many = np.sort(rng.random((BAND_SIMULATIONS, size)), axis=1)
    ecdf = np.array([np.searchsorted(ranks, x, side="right") for ranks in many]) / size
    sd = np.sqrt(x * (1 - x) / size)
    inner = sd > 0
    worst = np.max(np.abs(ecdf - x)[:, inner] / sd[inner], axis=1)
    return np.quantile(worst, BAND) * sd
