"""Claims about the integral over, and the draws of, one star's distance."""

import numpy as np
import pytest
from reference import log_marginal_star
from scipy import stats

from astro_hier.core import distance


def hard_pairs(n, seed):
    """Parallax, error, mu_r, std_r over parallax / error from -3 to 10,000, std_r from e^-8 to 1.

    Half of the stars are members, half lie anywhere, as in a search far from the posterior.
    """
    rng = np.random.default_rng(seed)
    std_r = np.exp(rng.uniform(-8, 0, n))
    mu_r = np.exp(rng.uniform(np.log(0.01), np.log(10), n))
    ratio = np.where(
        rng.random(n) < 0.5, rng.uniform(-3, 10, n), np.exp(rng.uniform(0, np.log(1e4), n))
    )
    member = np.abs(rng.normal(mu_r, std_r))
    anywhere = np.exp(rng.uniform(np.log(0.01), np.log(10), n))
    parallax = np.sign(ratio) / np.where(rng.random(n) < 0.5, member, anywhere)
    return parallax, np.abs(parallax / ratio), mu_r, std_r


def one_by_one(parallax, error, mu_r, std_r):
    pairs = np.column_stack([parallax, error, mu_r, std_r])
    return np.array([distance.log_marginal(*pair[:, None]).item() for pair in pairs])


# Pairs of parallax, error, mu_r, std_r whose lattices took the most care to lay: two humps, a
# corner of the hyperbola, a distance far from where the parallax puts it.
CORNERS = [
    (323.057, 41.0763, 6.1381, 0.606940),
    (24.2406, 3.08487, 6.68361, 0.581544),
    (8.11176, 41.2948, 0.0259961, 0.127592),
    (-22.2088, 73.6048, 0.0060033, 0.13246),
    (1.37258, 7.39576, 0.0122213, 0.918927),
    (11.2917, 0.960131, 7.21864, 0.614492),
    (244.476, 202999.0, 1.29877, 0.248355),
    (16.0795, 0.0276439, 0.280999, 4.74749e-4),
    (2.0, 0.002, 0.5, 0.01),
    (-2.0, 200.0, 0.5, 0.01),
]


def test_log_marginal_agrees_with_adaptive_quadrature():
    pairs = np.concatenate([np.column_stack(hard_pairs(500, seed=0)), CORNERS])
    expected = np.array([log_marginal_star(*pair) for pair in pairs])
    computed = one_by_one(*pairs.T)
    # one part in 1e12 is what rounding leaves of log densities of -1e7 and less
    allowed = np.maximum(1e-6, 1e-12 * np.abs(expected))
    assert np.all(np.abs(computed - expected) < allowed)


def test_log_marginal_is_the_same_alone_and_in_a_batch():
    parallax, error, mu_r, std_r = hard_pairs(60, seed=1)
    batch = distance.log_marginal(parallax, error, mu_r, std_r)
    assert batch.shape == (60, 60)
    np.testing.assert_allclose(
        np.diagonal(batch), one_by_one(parallax, error, mu_r, std_r), rtol=1e-12, atol=1e-10
    )


def test_log_marginal_of_a_point_like_cluster_is_the_likelihood():
    parallax, error = np.array([2.0, -0.3, 5.0]), np.array([0.1, 0.5, 0.01])
    computed = distance.log_marginal(parallax, error, np.array([0.4]), np.array([1e-6]))
    expected = stats.norm.logpdf(parallax, 1 / 0.4, error)
    # the depth of 1e-6 kpc moves the parallax by 6e-6 mas, 6e-4 of the smallest error
    np.testing.assert_allclose(computed[0], expected, atol=1e-6 * 250**2)


@pytest.mark.parametrize("pair", CORNERS)
def test_draws_follow_the_density(pair):
    # False alarm: one in 10,000 for each pair.
    parallax, error, mu_r, std_r = (
        np.full(n, v) for n, v in zip((1, 1, 5000, 5000), pair, strict=True)
    )
    draws = distance.draw(parallax, error, mu_r, std_r, np.random.default_rng(7)).ravel()
    x = np.log(draws)
    grid = np.linspace(x.min() - 0.5, x.max() + 0.5, 400_001)
    grid = np.unique(np.concatenate([grid, np.linspace(*np.quantile(x, [0.001, 0.999]), 400_001)]))
    exponent = -0.5 * ((np.exp(grid) - pair[2]) / pair[3]) ** 2
    exponent += -0.5 * ((np.exp(-grid) - pair[0]) / pair[1]) ** 2 + grid
    density = np.exp(exponent - exponent.max())
    cumulative = np.concatenate(
        [[0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(grid))]
    )
    ranks = np.interp(x, grid, cumulative / cumulative[-1])
    assert stats.kstest(ranks, "uniform").pvalue > 1e-4


def test_draws_are_independent_of_each_other():
    # False alarm: three in a thousand.
    rng = np.random.default_rng(0)
    n = 20_000
    draws = distance.draw(np.ones(1), np.ones(1), np.full(n, 1.0), np.full(n, 0.3), rng).ravel()
    correlation = np.corrcoef(draws[1:], draws[:-1])[0, 1]
    assert abs(correlation) < 3 / np.sqrt(n)


def test_population_is_a_normal_distribution_cut_at_zero():
    # False alarm: one in 10,000.
    rng = np.random.default_rng(1)
    draws = distance.draw_population(np.array([[0.2]]), np.array([[0.5]]), (1, 4000), rng)
    assert draws.min() > 0
    cut = stats.truncnorm(-0.4, np.inf, 0.2, 0.5)
    assert stats.kstest(draws.ravel(), cut.cdf).pvalue > 1e-4
