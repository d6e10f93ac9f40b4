"""What the visits of one star say as a whole: is there an orbit, and is its period known?

Whether an orbit is needed is judged by the ratio of the evidence p(v) of the orbit, integrated over
its prior, to that of the same model without amplitude, a = b = 0. All that remains there is linear,
so p(v) has a closed form or, with a scatter, is a sum over its lattice.

How much is known about the period is measured by the Kullback-Leibler divergence of its posterior
from its prior, the integral of p(P | v) ln [p(P | v) / p(P)]: 0 where the visits say nothing, and
ln n where they leave one part in n of the prior.

Whether the period lies beyond the range searched is judged by the ratio of the likelihood averaged
over the periods beyond it, uniformly in ln P, to its average within.

Periods are in d, frequencies in 1 / d.
"""

from dataclasses import replace

import numpy as np
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import loguniform

from astro_hier.core import orbit, period_nodes
from astro_hier.core.floats import TINY

SHORTEST = 0.5
BASELINES = 3.0
MAX_FREQUENCIES = 300_000  # beyond the range searched
MAX_FREQUENCIES_WITH_SCATTER = 50_000  # fewer, because each is tried with every scatter
NARROWEST = 0.01  # range in ln P that is still worth searching
PERIODS = 200  # that represent the posterior of the period in a limit on K
LATTICE = 12  # radii, and angles, for the distribution of a and b
NOTHING = -np.inf, np.nan  # ln p(v) and period where nothing matters
GOLDEN = 0.5 * (np.sqrt(5) - 1)


class _Known:
    """The prior of a known period."""

    def support(self):
        return 1.0, 1.0


def without_orbit(visits, scatter=None):
    """The visits in a model without amplitude.

    With a ``scatter``, a `~astro_hier.core.jitter.JitterPrior`, the visits get its nodes.
    """
    mean, sd = visits.mean.copy(), visits.sd.copy()
    mean[:2] = sd[:2] = 0
    visits = replace(visits, mean=mean, sd=sd, jitter=None, amplitude=None)
    return visits if scatter is None else scatter.with_nodes(visits, _Known())


def log_evidence_without_orbit(visits, scatter=None):
    """ln p(v) of the same model without amplitude."""
    return float(orbit.log_marginal(without_orbit(visits, scatter), np.ones(1))[0])


def information(nodes):
    """Kullback-Leibler divergence of the period's posterior from its prior, in nats."""
    log_mean = np.logaddexp(nodes.log_low, nodes.log_high) - np.log(2)
    return max(float(nodes.probability @ (log_mean - nodes.log_evidence)), 0.0)


def tail_probability(chi2, dof):
    """Probability of so large a chi2 by chance; NaN without degrees of freedom."""
    return np.where(dof > 0, chi2_distribution.sf(chi2, np.maximum(dof, 1)), np.nan)[()]


def beyond(visits, searched, floor, scatter=None, evidence=None):
    """The average likelihood of periods beyond those searched.

    Parameters
    ----------
    visits : `~astro_hier.core.orbit.Visits`
    searched : tuple of float
        Shortest and longest period searched.
    floor : float
        ln of the average likelihood within: anything below is not resolved.
    scatter : `~astro_hier.core.jitter.JitterPrior`, optional
        What is known about the scatter.
    evidence : callable, optional
        Takes a prior of the period, and returns ln p(v) and the best period; by default those of
        circles.

    Returns
    -------
    tuple of float
        ln of the likelihood averaged, uniformly in ln P, over what lies beyond the range searched,
        from 0.5 d (more where that would take too many frequencies) to three baselines; the period
        of highest likelihood there; and the shortest and longest period looked at. The first is
        -inf if there is nothing beyond, or nothing that matters.
    """
    baseline = np.ptp(visits.time)
    shortest, longest = searched
    most = MAX_FREQUENCIES if scatter is None else MAX_FREQUENCIES_WITH_SCATTER
    highest = 1 / shortest + most / max(period_nodes.POINTS * baseline, TINY)
    ends = max(SHORTEST, 1 / highest), BASELINES * baseline
    found = []
    for low, high in ((ends[0], shortest), (longest, ends[1])):
        if high > 0 and np.log(high / low) > NARROWEST:
            prior = loguniform(low, high)
            best = evidence(prior) if evidence else _of_circles(visits, prior, floor, scatter)
            found.append((*best, np.log(high / low)))
    ends = min(ends[0], shortest), max(ends[1], longest)
    if not found:
        return *NOTHING, *ends
    log_mean, period, width = np.array(found).T
    total = np.logaddexp.reduce(log_mean + np.log(width)) - np.log(width.sum())
    return float(total), float(period[np.argmax(log_mean)]), *ends


def _of_circles(visits, prior, floor, scatter):
    """ln p(v) and the best period of circles."""
    tried = visits if scatter is None else scatter.with_nodes(visits, prior, floor=floor)
    nodes = period_nodes.coarse_nodes(orbit.likelihood(tried), prior, floor)
    return (nodes.log_evidence, 1 / nodes.best_frequency) if nodes.low.size else NOTHING


def amplitude_quantiles(visits, frequency, probability, shares):
    """The values below which the semi-amplitude K lies with the probabilities ``shares``.

    The quantiles are taken over a sample of frequencies, with a scatter at each, and a polar
    lattice for the normal distribution of a and b given these.

    Parameters
    ----------
    visits : `~astro_hier.core.orbit.Visits`
        With the nodes of the scatter, if there is one.
    frequency, probability : ndarray
        The posterior of the frequency, shape (cell,); it need not add up to one.
    shares : float or sequence of float

    Returns
    -------
    ndarray
        Shape of ``shares``.
    """
    visits, frequency = sample(visits, frequency, probability, PERIODS)
    return np.quantile(amplitudes(orbit.Solution(visits, frequency)), shares)


def sample(visits, frequency, probability, size):
    """Equally probable frequencies, in order, and the visits with a scatter at each of them.

    ``frequency`` and ``probability`` are as in `amplitude_quantiles`.
    """
    cumulative = np.cumsum(probability)
    at = (np.arange(size) + 0.5) / size * cumulative[-1]
    frequency = frequency[np.minimum(np.searchsorted(cumulative, at), len(frequency) - 1)]
    chance = np.arange(size) * GOLDEN % 1  # unrelated to the frequencies
    return orbit.likelihood(visits).picked(frequency, chance), frequency


def amplitudes(solution):
    """K on a polar lattice of standard normal numbers, shape (point, frequency)."""
    a, b = solution.linear()[:2]
    shape = len(solution.z), len(a)
    parts = [
        solution.linear(np.eye(shape[0])[i][:, None] * np.ones(shape))[:2] - [a, b]
        for i in range(shape[0])
    ]
    aa, bb = np.sum(np.square(parts), axis=0)
    ab = np.sum(np.prod(parts, axis=1), axis=0)
    sd_a = np.sqrt(aa)
    slope = ab / np.maximum(sd_a, TINY)
    rest = np.sqrt(np.maximum(bb - slope**2, 0))
    chance = (np.arange(LATTICE) + 0.5) / LATTICE
    radius = np.sqrt(-2 * np.log1p(-chance))
    x = np.multiply.outer(radius, np.cos(2 * np.pi * chance)).reshape(-1, 1)
    y = np.multiply.outer(radius, np.sin(2 * np.pi * chance)).reshape(-1, 1)
    amplitude, across = sd_a * x, slope * x
    amplitude += a
    across += rest * y
    across += b
    amplitude *= amplitude
    across *= across
    amplitude += across
    return np.sqrt(amplitude, out=amplitude)


def quantile(values, weight, share):
    """The value below which a ``share`` of the weight lies."""
    order = np.argsort(values)
    cumulative = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(cumulative, share * cumulative[-1])])
