"""Claims about the likelihood of an orbit with its linear parameters integrated out."""

import dataclasses

import numpy as np
import pytest
from reference import log_marginal_orbit, log_marginal_orbit_by_covariance
from scipy import stats

from astro_hier.core import orbit

PRIOR = np.array([1.0, -2.0, 3.0]), np.array([100.0, 90.0, 150.0])


def visits(n, error, baseline, seed, period=3.3):
    rng = np.random.default_rng(seed)
    time = np.concatenate([[0.0], np.sort(rng.uniform(0, baseline, n - 1))])
    rv_error = error * rng.uniform(0.5, 2, n)
    rv = orbit.radial_velocity(time, period, 10, -5, -60) + rng.normal(0, rv_error)
    return orbit.Visits(time, rv, rv_error, *PRIOR)


def direct(data, frequency, reference=log_marginal_orbit):
    return np.array(
        [reference(data.time, data.rv, data.rv_error, f, data.mean, data.sd) for f in frequency]
    )


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 30, 200, 1000])
@pytest.mark.parametrize("error", [1e-5, 0.03, 1.0, 50.0])
def test_log_marginal_is_the_normal_density(n, error):
    data = visits(n, error, baseline=500.0, seed=n)
    periods = np.concatenate([np.geomspace(0.01, 5e4, 9 if n < 200 else 3), [3.3]])
    computed, expected = orbit.log_marginal(data, 1 / periods), direct(data, 1 / periods)
    # phases of 1000 radians have rounding errors of 1e-13, which are 1e-7 of an error of 1e-5
    # at an amplitude of 10
    allowed = 1e-6 if error == 1e-5 else 0
    np.testing.assert_allclose(computed, expected, rtol=1e-9, atol=allowed)


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_it_is_that_of_the_full_covariance(n):
    # errors as large as the priors, so that double precision does for the covariance
    data, frequency = visits(n, 50.0, baseline=500.0, seed=n), 1 / np.geomspace(0.1, 1000, 7)
    expected = direct(data, frequency, log_marginal_orbit_by_covariance)
    np.testing.assert_allclose(orbit.log_marginal(data, frequency), expected, rtol=1e-9)


@pytest.mark.parametrize(("n", "error"), [(2, 0.1), (4, 0.1), (24, 0.1), (24, 1e-5), (300, 2.0)])
def test_grid_is_the_same_as_one_frequency_at_a_time(n, error):
    data = visits(n, error, baseline=1000.0, seed=1)
    start, step, count = 0.05, 1.234e-4, 5003
    grid = orbit.log_marginal_grid(data, start, step, count)
    expected = orbit.log_marginal(data, start + step * np.arange(count))
    assert grid.shape == (count,)
    np.testing.assert_allclose(grid, expected, rtol=1e-9)


def test_linear_draws_have_the_mean_and_covariance_of_bayesian_least_squares():
    # False alarm: 4.5 standard errors for 3 means and 6 elements, 6e-5.
    data, size = visits(6, 2.0, baseline=50.0, seed=2), 40_000
    phase = 2 * np.pi * data.time / 3.3
    M = np.column_stack([np.cos(phase), np.sin(phase), np.ones_like(phase)])
    covariance = np.linalg.inv((M.T / data.rv_error**2) @ M + np.diag(data.sd**-2))
    mean = covariance @ (M.T @ (data.rv / data.rv_error**2) + data.mean / data.sd**2)
    draws = orbit.draw_linear(data, np.full(size, 1 / 3.3), np.random.default_rng(3))
    draws = np.array(draws)
    sd = np.sqrt(np.diag(covariance))
    assert np.all(np.abs(draws.mean(axis=1) - mean) < 4.5 * sd / np.sqrt(size))
    found = np.cov(draws) / np.outer(sd, sd)
    np.testing.assert_allclose(found, covariance / np.outer(sd, sd), atol=4.5 * np.sqrt(2 / size))


def full(mean, sd, n=12, error=30.0, seed=4):
    """Visits with an acceleration and a second instrument, and their design at a frequency."""
    base = visits(n, error, baseline=300.0, seed=seed)
    columns = np.column_stack([base.time / 365.25, np.arange(n) % 2])
    data = orbit.Visits(base.time, base.rv, base.rv_error, np.array(mean), np.array(sd), columns)

    def design(frequency):
        phase = 2 * np.pi * frequency * data.time
        return np.column_stack([np.cos(phase), np.sin(phase), np.ones(n), columns])

    return data, design


LINEAR = [
    ((0, 0, 0, 0, 0), (100, 90, 150, 10, 5)),
    ((3, -4, -60, 2, 1), (20, 30, 40, 10, 5)),
    ((10, -4, -60, 2, 1), (0, 30, 40, 10, 0)),  # sd zero: known
    ((10, -5, -60, 2, 1), (0, 0, 0, 0, 0)),
]


@pytest.mark.parametrize(("mean", "sd"), LINEAR)
def test_trend_offsets_and_known_values_are_those_of_the_full_covariance(mean, sd):
    data, design = full(mean, sd)
    frequency = 0.05 + 1e-3 * np.arange(400)
    one_by_one = orbit.log_marginal(data, frequency)
    for f, found in list(zip(frequency, one_by_one, strict=True))[::80]:
        M = design(f)
        covariance = np.diag(data.rv_error**2) + (M * data.sd**2) @ M.T
        expected = stats.multivariate_normal(M @ data.mean, covariance).logpdf(data.rv)
        assert found == pytest.approx(expected, abs=1e-9)
    grid = orbit.log_marginal_grid(data, 0.05, 1e-3, 400)
    np.testing.assert_allclose(grid, one_by_one, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("mean", "sd"), LINEAR)
def test_draws_of_known_values_are_these_values(mean, sd):
    # False alarm: 4.5 standard errors of five means, 3e-5.
    data, design = full(mean, sd)
    draws = orbit.draw_linear(data, np.full(20_000, 0.3), np.random.default_rng(0))
    M = design(0.3)
    covariance = np.diag(data.rv_error**2) + (M * data.sd**2) @ M.T
    gain = data.sd[:, None] ** 2 * np.linalg.solve(covariance, M).T
    expected = data.mean + gain @ (data.rv - M @ data.mean)
    spread = np.sqrt(np.maximum(data.sd**2 - np.sum(gain * (M * data.sd**2).T, axis=1), 0))
    assert np.all(np.abs(draws.mean(axis=1) - expected) <= 4.5 * spread / np.sqrt(20_000) + 1e-9)
    assert np.all(draws[data.sd == 0] == data.mean[data.sd == 0, None])


def test_one_visit_says_nothing_of_the_period():
    data = visits(1, 0.1, baseline=1.0, seed=0)
    log_p = orbit.log_marginal(data, np.array([0.05, 0.3, 0.6]))
    # one velocity: normal, of the means of a and v0 and all variances
    expected = stats.norm.logpdf(
        data.rv[0], 1.0 + 3.0, np.sqrt(100**2 + 150**2 + data.rv_error[0] ** 2)
    )
    np.testing.assert_allclose(log_p, expected, rtol=1e-12)


def test_a_scatter_is_summed_over_wherever_the_likelihood_is_asked_for():
    rng = np.random.default_rng(3)
    time = np.sort(rng.uniform(0, 50, 4))
    visits = orbit.Visits(
        time - time[0], rng.normal(0, 10, 4), np.full(4, 0.1), np.zeros(3), np.full(3, 50.0),
        instrument=np.array([0, 1, 0, 1]),
    )  # fmt: skip
    values = np.array([[0.0, 0.5], [2.0, 0.05], [4.0, 3.0]])
    log_weight = np.log([0.2, 0.5, 0.3])
    nodes = orbit.Jitter(values, values, values, log_weight)
    summed = orbit.likelihood(dataclasses.replace(visits, jitter=nodes))
    frequency = 0.05 + 0.001 * np.arange(300)
    each = [
        w + orbit.likelihood(visits.scattered(s)).at(frequency)
        for w, s in zip(log_weight, values, strict=True)
    ]
    expected = np.logaddexp.reduce(each)
    np.testing.assert_allclose(summed.at(frequency), expected, rtol=1e-10)
    np.testing.assert_allclose(summed.grid(0.05, 0.001, 300), expected, rtol=1e-8)
    found, probability = summed.scatter(frequency)
    np.testing.assert_array_equal(found, values)
    np.testing.assert_allclose(probability, np.exp(each - expected), rtol=1e-8)
    # as near to coincidences as the least scatter asks for
    alone, narrow = orbit.likelihood(visits).special(0.05, 0.35)
    special, width = summed.special(0.05, 0.35)
    np.testing.assert_array_equal(special, alone)
    assert width == pytest.approx(narrow)
    picked = summed.picked(frequency[:1], np.array([0.5]))
    likely = values[np.searchsorted(np.cumsum(probability[:, 0]), 0.5)]
    np.testing.assert_allclose(picked.rv_error[:, 0], np.hypot(0.1, likely[[0, 1, 0, 1]]))
