"""Claims about cells beside a needle, and about points drawn about peaks."""

import numpy as np
import pytest
from scipy import stats

from astro_hier.core import eccentric_fit, kepler, orbit
from astro_hier.core.eccentric_fit import eccentric_nodes
from astro_hier.core.eccentric_peaks import peaked
from astro_hier.core.eccentric_points import Prepared
from astro_hier.core.eccentric_prior import EccentricityTable, OrbitPrior


def prior(scatter=0.0):
    def amplitude(period, eccentricity):
        return 30 * (period / 365.25) ** (-1 / 3) / np.sqrt(1 - eccentricity**2)

    table = EccentricityTable.of(stats.beta(0.867, 3.03, scale=0.999))
    return OrbitPrior(stats.loguniform(2, 512), table, amplitude, scatter)


def visits(time, error, truth, seed):
    """Of an orbit of P, e, t_peri, K and omega."""
    rng = np.random.default_rng(seed)
    rv = kepler.velocity(time, *truth) + rng.normal(0, error, len(time))
    errors = np.full(len(time), error)
    return orbit.Visits(time, rv, errors, np.zeros(3), np.array([1, 1, 100.0]))


def clumped(seed):
    """Twelve visits in four nights, of K over error 1600."""
    rng = np.random.default_rng(seed)
    time = np.repeat(np.floor(rng.uniform(0, 1000, 4)), 3) + rng.uniform(0, 0.3, 12)
    return visits(np.sort(time), 0.19, (5.38, 0.13, 3.0, 307.0, 1.0 + seed), seed)


def test_all_of_a_needle_is_found():
    found = [
        eccentric_fit.eccentric_nodes(clumped(2), prior(), np.random.default_rng(i),
                                      per_baseline=roots).log_evidence
        for i, roots in enumerate((3.0, 4.3))
    ]  # fmt: skip
    assert found[0] == pytest.approx(found[1], abs=0.1)


@pytest.mark.parametrize("n", [4, 5, 8])
def test_points_about_peaks_weigh_as_much_as_even_ones(n):
    # False alarm: 4.5 standard errors of three numbers, 2e-5.
    rng = np.random.default_rng(n)
    truth = 17.0, 0.4, 3.0, 20.0, 1.0
    data = visits(np.sort(rng.uniform(0, 100, n)), 0.5, truth, n)
    star = Prepared.of(data, prior(), None).star()
    t_ref = star.data.t_ref
    at = [star.prior.period.cdf(17.0), star.prior.eccentricity.cdf(0.4), (t_ref - 3.0) / 17.0 % 1]
    half = np.array([0.004, 0.05, 0.05, 0.5])[:, None]
    middle = np.append(at, 0.5)[:, None] + half * [[0.4], [0.2], [0.3], [0]]
    size = 200_000
    low, high = (np.tile(middle + sign * half, size) for sign in (-1, 1))
    points, log_ratio, inside = peaked(star, low, high, rng)
    own = np.where(inside, np.exp(star.log_p(np.clip(points, 0, 1)) + log_ratio + 40), 0)
    even = np.exp(star.log_p(low + (high - low) * rng.random(low.shape)) + 40)
    error = np.hypot(own.std(), even.std()) / np.sqrt(size)
    assert abs(own.mean() - even.mean()) < 4.5 * error


def test_a_slow_part_of_a_long_orbit_is_found():
    """Where the centre of a cell lies on a needle that is far narrower than the cell."""
    rng = np.random.default_rng(0)
    time = np.sort(rng.uniform(0, 850, 25))
    rv = kepler.velocity(time, 20_000.0, 0.15, -200.0, 100.0, 1.0) + rng.normal(0, 0.1, 25)
    data = orbit.Visits(time, rv, np.full(25, 0.1), np.zeros(3), np.array([1, 1, 100.0]))
    wide = OrbitPrior(
        stats.loguniform(1, 1e5), EccentricityTable.of(stats.beta(0.867, 3.03)),
        lambda period, e: 100.0 + 0 * period,
    )  # fmt: skip
    nodes = eccentric_nodes(data, wide, np.random.default_rng(1))
    assert nodes.effective_size > 1000
    assert nodes.least_chi2 < 45  # of 20 degrees of freedom: p = 1e-3
