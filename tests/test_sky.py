"""Claims about common offsets that stand for a covariance of stars by their separation."""

import numpy as np
import pytest

from astro_hier import covariances
from astro_hier.core import sky


def field(n, size, seed, error=0.05):
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0, size, (2, n))
    return ra, dec, error * 10 ** rng.uniform(-0.3, 0.3, n)


def modes_of(ra, dec, error, covariance, most, enough=0.01):
    options = {"few": most, "most": most, "enough": enough, "enough_depth": 0.05}
    return sky.modes(ra, dec, error, 0.0, covariance, **options)


@pytest.mark.parametrize("name", covariances.COVARIANCES)
def test_all_modes_together_are_the_covariance(name):
    ra, dec, error = field(60, 5, seed=1)
    covariance = covariances.as_covariance(name)
    C = covariance(ra, dec, ra, dec)
    modes, variance, left_out, depth_off = modes_of(ra, dec, error, covariance, 60, enough=-1)
    allowed = 1e-12 - 3 * min(np.linalg.eigvalsh(C)[0], 0)  # negative eigenvalues are left out
    np.testing.assert_allclose(modes.T @ modes, C, atol=allowed)
    np.testing.assert_allclose(variance, 0, atol=allowed)
    assert abs(left_out) < 1e-6 + allowed / C[0, 0]
    assert depth_off < 1e-5 + 100 * allowed / C[0, 0]


@pytest.mark.parametrize("name", ["Lindegren+20", "Vasiliev+19"])
def test_what_is_left_out_is_stated(name):
    ra, dec, error = field(150, 3, seed=3)
    covariance = covariances.as_covariance(name)
    modes, variance, left_out, _ = modes_of(ra, dec, error, covariance, 3)
    C = covariance(ra, dec, ra, dec)
    np.testing.assert_allclose(np.sum(modes**2, axis=0) + variance, C[0, 0])
    approximate = modes.T @ modes + np.diag(variance + error**2)
    weights = np.linalg.solve(approximate, np.ones(150))
    shares = [
        1 - (a @ approximate @ a) / (a @ (C + np.diag(error**2)) @ a)
        for a in (weights, np.ones(150))
    ]
    assert left_out == pytest.approx(max(shares, key=abs), abs=1e-3)


def test_many_stars_are_represented_by_some():
    ra, dec, error = field(1500, 5, seed=4)
    covariance = covariances.as_covariance("Vasiliev & Baumgardt 21")
    modes, variance, *_ = modes_of(ra, dec, error, covariance, 6)
    C = covariance(ra, dec, ra, dec)
    assert modes.shape[1] == 1500
    assert np.all(variance >= 0)
    weights = error**-2 / np.sum(error**-2)
    kept = np.sum((modes @ weights) ** 2) + weights**2 @ variance
    assert kept == pytest.approx(weights @ C @ weights, rel=0.01)


def test_how_far_the_depth_is_off_is_that_of_simulated_scatter():
    # false alarm: 20,000 simulations give a standard deviation to half a percent
    ra, dec, error = field(40, 2, seed=5)
    covariance = covariances.as_covariance("Vasiliev+19")
    modes, variance, _, depth_off = modes_of(ra, dec, error, covariance, 5)
    values, vectors = np.linalg.eigh(covariance(ra, dec, ra, dec))
    C = (vectors * values.clip(0)) @ vectors.T + np.diag(error**2)
    approximate = modes.T @ modes + np.diag(variance + error**2)
    y = np.random.default_rng(1).multivariate_normal(np.zeros(40), C, 20_000)
    found = []
    for matrix in (C, approximate):
        inverse = np.linalg.inv(matrix)
        square = inverse @ inverse / np.trace(inverse @ inverse)
        found.append(np.einsum("si,ij,sj->s", y, square, y) - np.sum(square * matrix))
    off = np.sqrt(np.mean((found[1] - found[0]) ** 2)) / np.std(found[0])
    assert depth_off == pytest.approx(off, rel=0.03)
