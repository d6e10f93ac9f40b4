"""Random stars of any design against direct references.

The likelihood for a thousand of 1 to 500 visits, errors of 1 cm/s to 100 km/s, baselines of an hour
to 30 years, periods down to 0.01 d; the posterior of the period for those of them whose needles
brute force can resolve, which have baselines of days and up to some forty visits.
"""

import numpy as np
import pytest
from reference import log_marginal_orbit, orbit_sums
from scipy import stats

from astro_hier.core import orbit, period_nodes

PRIOR = np.zeros(3), np.array([100.0, 100.0, 150.0])
DRAWS = 4000
HOUR, YEARS = 1 / 24, 30 * 365.25


def star(seed):
    """Visits to a random star of random design, and its period."""
    rng = np.random.default_rng([11, seed])
    n = int(np.round(10 ** rng.uniform(0, np.log10(500))))
    baseline = HOUR * (YEARS / HOUR) ** rng.random()
    period = 0.01 * (2 * baseline / 0.01 if baseline > 0.02 else 4) ** rng.random()
    time = np.sort(rng.random(n)) * baseline
    rv_error = 10 ** rng.uniform(-5, 2) * rng.uniform(0.5, 2, n)
    orbit_of = rng.normal(*PRIOR)
    rv = orbit.radial_velocity(time - time[0], period, *orbit_of) + rng.normal(0, rv_error)
    return orbit.Visits(time - time[0], rv, rv_error, *PRIOR), period


@pytest.mark.slow
def test_likelihood_of_a_thousand_stars():
    # Phases have rounding errors of 1e-16 times the number of cycles, which at the true period and
    # at another one are that much of the chi of amplitude over error.
    rng = np.random.default_rng(0)
    for seed in range(1000):
        visits, period = star(seed)
        frequency = np.array([1 / period, rng.uniform(0, 100)])[[seed % 2]]
        expected = log_marginal_orbit(
            visits.time, visits.rv, visits.rv_error, frequency[0], visits.mean, visits.sd
        )
        found = orbit.log_marginal(visits, frequency)[0]
        cycles = 1 + frequency[0] * np.ptp(visits.time)
        chi = np.abs(visits.rv / visits.rv_error).max()
        rounding = 1e-15 * cycles * chi * np.sqrt(2 * abs(expected) + len(visits.rv))
        assert abs(found - expected) < 1e-9 * abs(expected) + 10 * rounding, seed


@pytest.mark.slow
def test_posterior_of_the_period_of_random_stars():
    # The evidence and the mean of ln P, by sums over equal steps of frequency that are finer than
    # any needle: where 300,000 steps do. False alarm: five standard errors, 6e-7 a star.
    rng, prior = np.random.default_rng(0), stats.loguniform(0.01, 1000)
    done = 0
    for seed in range(200):
        visits, _ = star(seed)
        baseline = max(np.ptp(visits.time), 0.01)
        chi = np.abs(visits.rv / visits.rv_error).max() * np.sqrt(len(visits.rv))
        count = int(20 * 100 * baseline * max(chi, 1)) + 20_000
        if count > 300_000:
            continue
        done += 1
        # steps equal in frequency, and in ln P where those are coarse
        edges = np.unique(
            np.concatenate([np.linspace(1e-3, 100, count), np.geomspace(1e-3, 100, 20_000)])
        )
        middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
        log_p = np.concatenate(
            [
                orbit_sums(visits.time, visits.rv, visits.rv_error, block, *PRIOR)[0]
                for block in np.array_split(middle, len(middle) // (200_000 // len(visits.rv)) + 1)
            ]
        )
        log_p += prior.logpdf(1 / middle) - 2 * np.log(middle) + np.log(width)
        highest = log_p.max()
        weight = np.exp(log_p - highest)
        evidence = np.log(weight.sum()) + highest
        weight /= weight.sum()
        mean = weight @ -np.log(middle)
        sd = np.sqrt(weight @ (np.log(middle) + mean) ** 2)
        nodes = period_nodes.period_nodes(orbit.likelihood(visits), prior)
        assert nodes.log_evidence == pytest.approx(evidence, abs=0.01), seed
        drawn, _ = period_nodes.draw_periods(nodes, orbit.likelihood(visits), prior, DRAWS, rng)
        assert abs(np.log(drawn).mean() - mean) < 5 * sd / np.sqrt(DRAWS) + 1e-9, seed
    assert done > 20
