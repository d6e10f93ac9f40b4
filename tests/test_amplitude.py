"""Claims about the prior of amplitudes that depends on period and eccentricity."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from scipy import stats

from astro_hier import priors
from astro_hier.core import jitter, orbit, orbit_evidence, period_nodes
from astro_hier.core.eccentric_fit import eccentric_nodes
from astro_hier.core.eccentric_prior import EccentricityTable, OrbitPrior

KMS = u.km / u.s
SCALED = priors.PeriodScaled(30 * KMS)
OF_NODE = SCALED.in_unit(KMS)
START, STEP, COUNT = 0.004, 0.001, 400


def at_frequency(prior=SCALED):
    of_node = prior.in_unit(KMS)
    return lambda frequency: of_node(1 / frequency, 0.0)


def visits(n, error=2.0, seed=3, sd=(1, 1, 100, 5)):
    """Visits with an acceleration, of two instruments."""
    rng = np.random.default_rng(seed)
    time = np.concatenate([[0.0], np.sort(rng.uniform(0, 200, n - 1))])
    rv = orbit.radial_velocity(time, 7.3, 10, -5, -60) + rng.normal(0, error, n)
    return orbit.Visits(
        time, rv, np.full(n, error), np.zeros(4), np.array(sd, float), time[:, None] / 365.25,
        np.arange(n) % 2, amplitude=at_frequency(),
    )  # fmt: skip


def constant(data, sd):
    """The same visits with one amplitude at all periods."""
    return replace(data, amplitude=None, sd=np.append([sd, sd], data.sd[2:]))


def direct(data, frequency, scatter=0.0):
    """ln of the normal density with covariance C + M Lambda(f) M^T."""
    sd = 30 * (365.25 * frequency) ** (1 / 3)
    phase = 2 * np.pi * frequency * data.time
    M = np.column_stack([np.cos(phase), np.sin(phase), data.constant])
    covariance = np.diag(data.rv_error**2 + scatter**2)
    covariance += (M * np.append([sd, sd], data.sd[2:]) ** 2) @ M.T
    return stats.multivariate_normal(np.zeros(len(data.rv)), covariance).logpdf(data.rv)


# ---- the prior


def test_its_width_is_the_power_of_the_period_over_the_root_of_eccentricity():
    sd = SCALED.sd([1, 8] * u.yr, [[0.0], [0.6]])
    np.testing.assert_allclose(sd.to_value(KMS), [[30, 15], [37.5, 18.75]])
    assert SCALED.sd(365.25 * u.day).to_value(u.m / u.s) == pytest.approx(30_000)
    other = priors.PeriodScaled(1 * KMS, 10 * u.day, 0.5)
    assert other.in_unit(u.m / u.s)(40.0, 0.0) == pytest.approx(2000)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: priors.PeriodScaled(30), "sigma has unit 'none', expected a velocity"),
        (lambda: priors.PeriodScaled("30 km/s"), "sigma must be one number"),
        (lambda: priors.PeriodScaled([1, 2] * KMS), "sigma must be one number"),
        (lambda: priors.PeriodScaled(0 * KMS), "sigma must be greater than zero"),
        (lambda: priors.PeriodScaled(np.inf * KMS), "sigma must be finite"),
        (lambda: priors.PeriodScaled(1 * KMS, 1), "period has unit 'none', expected .*'time'"),
        (lambda: priors.PeriodScaled(1 * KMS, -1 * u.yr), "period must be greater than zero"),
        (lambda: priors.PeriodScaled(1 * KMS, exponent=np.inf), "exponent must be finite"),
        (lambda: priors.PeriodScaled(1 * u.kg).in_unit(KMS), "sigma has unit 'kg', expected"),
        (lambda: SCALED.sd(3 * u.km), "period of sd.. has unit 'km', expected .*'time'"),
    ],
)
def test_what_is_no_such_prior_is_refused(make, message):
    with pytest.raises(priors.PriorError, match=message):
        make()


def test_it_says_what_it_is():
    said = repr(priors.PeriodScaled(30 * KMS, exponent=-0.5))
    assert said == "PeriodScaled(sigma=30.0 km / s, period=1.0 yr, exponent=-0.5)"


# ---- circular orbits


@pytest.mark.parametrize("n", [1, 3, 6, 40])
def test_the_likelihood_is_the_normal_density_with_the_amplitude_of_each_frequency(n):
    data, frequency = visits(n), START + STEP * np.arange(COUNT)
    found, grid = (
        orbit.log_marginal(data, frequency),
        orbit.likelihood(data).grid(START, STEP, COUNT),
    )
    expected = [direct(data, f) for f in frequency]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    np.testing.assert_allclose(grid, expected, rtol=1e-9)


def test_with_scatter_it_is_the_sum_of_these_densities():
    data, frequency = visits(12), START + STEP * np.arange(COUNT)
    values, log_weight = np.array([[0.0, 0.0], [3.0, 3.0]]), np.log([0.3, 0.7])
    summed = orbit.likelihood(replace(data, jitter=orbit.Jitter(*[values] * 3, log_weight)))
    still, scattered = (np.array([direct(data, f, s) for f in frequency]) for s in (0.0, 3.0))
    expected = np.logaddexp(log_weight[0] + still, log_weight[1] + scattered)
    np.testing.assert_allclose(summed.at(frequency), expected, rtol=1e-9)
    np.testing.assert_allclose(summed.grid(START, STEP, COUNT), expected, rtol=1e-9)


@pytest.mark.parametrize("n", [3, 12])
def test_an_exponent_of_zero_is_the_same_width_at_all_periods(n):
    flat = replace(visits(n), amplitude=at_frequency(priors.PeriodScaled(40 * KMS, exponent=0)))
    same = constant(flat, 40.0)
    frequency = START + STEP * np.arange(COUNT)
    for one, other in zip(*(
        (
            orbit.likelihood(data).at(frequency),
            orbit.likelihood(data).grid(START, STEP, COUNT),
            *orbit.likelihood(data).special(START, 0.4),
            orbit.draw_linear(data, frequency, np.random.default_rng(1)),
        )
        for data in (flat, same)
    ), strict=True):  # fmt: skip
        np.testing.assert_array_equal(one, other)


def test_without_information_k_has_a_rayleigh_distribution():
    # False alarm: three tests, 3e-4.
    data, size = visits(5, error=1e7), 5000
    for period in (2.0, 50.0, 9000.0):
        drawn = orbit.draw_linear(data, np.full(size, 1 / period), np.random.default_rng(2))
        scale = SCALED.sd(period * u.day).to_value(KMS)
        assert stats.kstest(np.hypot(*drawn[:2]), stats.rayleigh(0, scale).cdf).pvalue > 1e-4
    limit = orbit_evidence.amplitude_quantiles(data, np.array([1 / 50.0]), np.ones(1), 0.95)
    expected = stats.rayleigh(0, SCALED.sd(50 * u.day).to_value(KMS)).ppf(0.95)
    assert limit == pytest.approx(expected, rel=0.03)


def test_draws_have_the_mean_and_covariance_at_their_frequency():
    # False alarm: 4.5 standard errors for 8 means and 20 elements, 2e-4.
    data, size = visits(9), 20_000
    frequency = np.repeat([1 / 7.3, 1 / 300], size)
    drawn = orbit.draw_linear(data, frequency, np.random.default_rng(4)).reshape(4, 2, size)
    for at, own in zip(frequency[::size], np.moveaxis(drawn, 1, 0), strict=True):
        phase, sd = 2 * np.pi * data.time * at, SCALED.sd(u.day / at).to_value(KMS)
        M = np.column_stack([np.cos(phase), np.sin(phase), data.constant])
        inverse = (M.T / data.rv_error**2) @ M + np.diag(np.append([sd, sd], data.sd[2:]) ** -2)
        covariance = np.linalg.inv(inverse)
        width = np.sqrt(np.diag(covariance))
        mean = covariance @ (M.T @ (data.rv / data.rv_error**2))
        assert np.all(np.abs(own.mean(axis=1) - mean) < 4.5 * width / np.sqrt(size))
        np.testing.assert_allclose(
            np.cov(own) / np.outer(width, width), covariance / np.outer(width, width),
            atol=4.5 * np.sqrt(2 / size),
        )  # fmt: skip


def test_an_amplitude_of_zero_is_no_orbit():
    data = visits(9, sd=(0, 0, 100, 5))
    expected = orbit.log_marginal(constant(data, 0.0), np.array([0.1, 0.2]))
    np.testing.assert_array_equal(orbit.log_marginal(data, np.array([0.1, 0.2])), expected)
    assert not orbit.draw_linear(data, np.array([0.1]), np.random.default_rng(1))[:2].any()


@pytest.mark.parametrize("scatter", [None, jitter.JitterPrior(2, stats.loguniform(0.01, 10))])
def test_without_an_orbit_its_prior_does_not_matter(scatter):
    data = visits(9)
    found, expected = (
        orbit_evidence.log_evidence_without_orbit(one, scatter)
        for one in (data, constant(data, 30.0))
    )
    assert found == expected


def test_coincidences_are_resolved_for_the_largest_amplitude_of_all():
    data, low, high = visits(3), 1 / 1000, 1 / 2
    largest = SCALED.sd(2 * u.day).to_value(KMS)
    found, expected = (
        orbit.likelihood(one).special(low, high) for one in (data, constant(data, largest))
    )
    np.testing.assert_array_equal(found[0], expected[0])
    assert found[1] == pytest.approx(expected[1])


# ---- against eccentric orbits


@pytest.mark.parametrize("n", [2, 6, 25])
def test_without_eccentricity_it_is_the_circular_orbit(n):
    data, period = visits(n), stats.loguniform(2, 2000)
    known = OrbitPrior(period, EccentricityTable.of(0.0), OF_NODE)
    nodes = eccentric_nodes(data, known, np.random.default_rng(2), points=200_000)
    circular = orbit.likelihood(data)
    expected = period_nodes.period_nodes(circular, period)
    assert nodes.log_evidence == pytest.approx(expected.log_evidence, abs=0.003)
    drawn = nodes.draw(2000, np.random.default_rng(3))
    at, _ = period_nodes.draw_periods(expected, circular, period, 2000, np.random.default_rng(4))
    a, b = orbit.draw_linear(data, 1 / at, np.random.default_rng(5))[:2]
    # False alarm: two tests, 6e-4.
    assert stats.ks_2samp(drawn.period, at).pvalue > 1e-4
    assert stats.ks_2samp(np.hypot(*drawn.linear[:2]), np.hypot(a, b)).pvalue > 1e-4
