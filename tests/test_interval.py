"""Claims about intervals of any distribution: none loses its digits in either tail."""

import numpy as np
import pytest
from scipy import stats

from astro_hier.core import interval
from astro_hier.core.interval import Sum

FIRST, SECOND = stats.norm([[0.0], [3.0]], 1.0), stats.expon(scale=0.5)
WEIGHT = np.array([[0.3], [0.9]])


@pytest.mark.parametrize("low", [-12.0, 11.0])
def test_intervals_far_out_are_those_of_the_mirrored_distribution(low):
    whole = stats.norm()
    found = interval.share(whole, low, low + 1)
    assert found == pytest.approx(float(interval.share(whole, -low - 1, -low)), rel=1e-12)
    x = interval.within(whole, low, low + 1, 0.2, 0.8)
    assert interval.share(whole, low, x) == pytest.approx(0.2 * found, rel=1e-9)


def test_shares_between_neighbours_are_those_of_each_interval():
    edges = np.linspace(-12, 12, 30)
    whole = stats.norm([[0.0], [2.0]], 1.0)
    expected = interval.share(whole, edges[:-1], edges[1:])
    np.testing.assert_array_equal(interval.shares(whole, edges), expected)


def test_a_sum_has_the_quantiles_of_its_cumulative_distribution():
    both = Sum(WEIGHT, FIRST, SECOND)
    q = np.array([1e-9, 0.2, 0.7, 1 - 1e-9])
    np.testing.assert_allclose(both.cdf(both.ppf(q)), np.broadcast_to(q, (2, 4)), rtol=1e-9)
    np.testing.assert_allclose(both.sf(both.isf(q)), np.broadcast_to(q, (2, 4)), rtol=1e-9)


def test_a_sum_is_what_its_draws_are():
    # False alarm: four standard errors, once in 16,000
    rng = np.random.default_rng(0)
    x = Sum(WEIGHT, FIRST, SECOND).ppf(rng.random(20_000))
    both, error = Sum(WEIGHT, FIRST, SECOND), x.std(axis=1) / np.sqrt(20_000)
    assert np.all(np.abs(x.mean(axis=1) - both.mean()[:, 0]) < 4 * error)
    np.testing.assert_allclose(x.std(axis=1), both.std()[:, 0], rtol=0.03)
    expected = WEIGHT * FIRST.pdf(1.0) + (1 - WEIGHT) * SECOND.pdf(1.0)
    np.testing.assert_allclose(np.exp(both.logpdf(1.0)), expected, rtol=1e-12)
