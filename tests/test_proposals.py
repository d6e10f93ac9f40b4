"""Claims about the distributions that points are drawn from, and the peaks they stand on."""

import numpy as np
import pytest
from scipy import special, stats

from astro_hier.core.floats import log_sum_exp
from astro_hier.inference.peaks import peaks
from astro_hier.inference.proposals import Mixture, StudentT

T5 = stats.t(5)


def two_parts():
    return Mixture([StudentT([-3.0], [[1.0]]), StudentT([4.0], [[0.25]])], [1.0, 3.0])


def test_points_of_a_mixture_have_its_density():
    # False alarm: one in 10,000.
    mixture = two_parts()
    z = mixture.rvs(4000, np.random.default_rng(1))

    def cdf(x):
        return 0.25 * T5.cdf(x + 3) + 0.75 * T5.cdf((x - 4) / 0.5)

    assert z.shape == (4000, 1)
    assert stats.kstest(z[:, 0], cdf).pvalue > 1e-4
    expected = 0.25 * T5.pdf(z + 3) + 0.75 * T5.pdf((z - 4) / 0.5) / 0.5
    np.testing.assert_allclose(np.exp(mixture.logpdf(z)), expected[:, 0])


def test_one_more_part_has_the_average_share():
    mixture = two_parts().and_a_part(StudentT([0.0], [[1.0]]))
    np.testing.assert_allclose(mixture.shares, [1 / 6, 3 / 6, 2 / 6])


def test_a_mixture_moves_to_weighted_points():
    # False alarm: 4.5 standard errors of six numbers, 4e-5.
    rng = np.random.default_rng(2)
    z = np.vstack([rng.normal([0, 0], [1, 0.1], (1500, 2)), rng.normal([6, 1], 0.5, (1500, 2))])
    weights = np.repeat([1.0, 3.0], 1500) / 6000
    start = Mixture([StudentT(np.array(m), np.eye(2)) for m in ([1.0, 0], [5.0, 0], [50.0, 0])],
                    np.ones(3), [False, False, False])  # fmt: skip
    found = start.fitted(z, weights)
    np.testing.assert_allclose(found.shares, [0.25, 0.75], atol=1e-3)  # that far off is left out
    error = 4.5 / np.sqrt(1500)
    np.testing.assert_allclose(found.parts[0].mean, [0, 0], atol=error)
    np.testing.assert_allclose(found.parts[1].mean, [6, 1], atol=0.5 * error)
    np.testing.assert_allclose(found.parts[0].sd, [1, 0.1], rtol=4.5 / np.sqrt(3000))


def test_a_peak_of_too_few_points_stays_where_it_is():
    z = np.random.default_rng(1).normal(0, 1, (500, 1))
    peaks = Mixture([StudentT([0.5], [[1.0]]), StudentT([9.0], [[0.01]])], [1.0, 1.0])
    found = peaks.fitted(z, np.full(500, 1 / 500))
    assert found.parts[1] is peaks.parts[1]
    assert found.shares[1] == pytest.approx(0.005, rel=0.01)


def test_one_part_has_the_moments_of_the_points():
    z, weights = np.array([[0.0, 1], [2, 5], [4, 3]]), np.array([0.5, 0.25, 0.25])
    found = Mixture([StudentT(np.zeros(2), np.eye(2))], [1.0], [False]).fitted(z, weights)
    (part,) = found.parts
    np.testing.assert_allclose(part.mean, weights @ z)
    np.testing.assert_allclose(part.sd**2, weights @ (z - part.mean) ** 2)


@pytest.mark.parametrize("width", [1.0, 1e-3, 1e-6])
def test_a_peak_has_the_mean_and_covariance_of_a_normal_density(width):
    covariance = width**2 * np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1e-4]])
    exact = stats.multivariate_normal([1, -0.5, 2], covariance, allow_singular=True)
    inverse = np.linalg.inv(covariance / width**2)

    def log_density(z):  # SciPy's takes the third axis for none
        x = (z - exact.mean) / width
        return -0.5 * np.einsum("ni,ij,nj->n", x, inverse, x)

    found = peaks(log_density, [np.zeros(3)])
    (part,) = found.parts
    np.testing.assert_allclose(part.mean, exact.mean, atol=0.02 * part.sd.min())
    np.testing.assert_allclose(part.sd, np.sqrt(np.diag(covariance)), rtol=1e-3)
    correlation = part.scaled.rvs(4000, random_state=1)
    assert np.corrcoef(correlation[:, 0], correlation[:, 1])[0, 1] == pytest.approx(0.9, abs=0.03)


def two_hills(z):
    return np.logaddexp(
        stats.norm.logpdf(z, -2, 0.1).sum(axis=1), stats.norm.logpdf(z, 3, 0.5).sum(axis=1)
    )


def test_every_peak_is_found_once_from_starts_near_it():
    starts = [np.full(2, x) for x in (-2.2, 2.0, -1.9, 3.5)]
    found = peaks(two_hills, starts)
    assert sorted(part.mean[0] for part in found.parts) == pytest.approx([-2, 3], abs=0.01)


def test_a_density_that_is_zero_in_places_has_a_finite_proposal():
    def inside(z):
        with np.errstate(invalid="ignore"):
            return np.where(np.abs(z[:, 0]) < 1, -0.5 * z[:, 0] ** 2, -np.inf)

    for start in (0.5, 0.999, 7.0):
        (part,) = peaks(inside, [np.array([start])]).parts
        assert np.isfinite(part.mean[0])
        assert part.sd[0] <= 2


def test_a_width_is_not_taken_from_beyond_a_cliff():
    # a narrow peak in a valley between ridges that are nearly as high
    def peak_in_a_valley(z):
        return np.logaddexp(-0.5 * (z[:, 0] / 1e-4) ** 2, 5 * np.minimum(np.abs(z[:, 0]), 1) - 8)

    (part,) = peaks(peak_in_a_valley, [np.array([2e-5])]).parts
    assert part.mean[0] == pytest.approx(0, abs=1e-6)
    assert part.sd[0] == pytest.approx(1e-4, rel=0.05)


def test_sums_of_exponentials_are_those_of_scipy():
    values = np.random.default_rng(1).normal(0, 400, (5, 200))
    values[:, 0], values[:3, 1] = -np.inf, -np.inf
    expected = special.logsumexp(values, axis=0)
    np.testing.assert_allclose(log_sum_exp(values), expected, rtol=1e-14)
    np.testing.assert_allclose(log_sum_exp(values[:, 2]), expected[2], rtol=1e-14)
